"""Reading tags: of scripts, of a subject, by name, and all of them in a stream; now, or as it was known at a time.

One `TagStore` sees one state of the database, whatever others write meanwhile: its digest names what its answers rest
on.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, func, or_, select

from cointrail.attribution.store.choice import TagFilter, matching
from cointrail.attribution.store.known import Known, retracted_as
from cointrail.attribution.store.locating import Locate, Spellings, default_locate, key_of_hash
from cointrail.attribution.store.records import ImportRecord, NameMatch, Retracted, ScriptChunk, StoredActor, StoredTag
from cointrail.attribution.store.rows import actor_of, claim_digest, import_of, statement_of, subject_of
from cointrail.attribution.store.search import names_with
from cointrail.attribution.store.state import digest_of, states_of
from cointrail.attribution.store.tables import ACTOR, COLLECTION, IMPORT, RETRACTION, STATEMENT, TAG
from cointrail.attribution.store.texts import is_storable
from cointrail.attribution.subject import CHAINS
from cointrail.attribution.tag import Statement
from cointrail.attribution.tag_set import CollectionState
from cointrail.database import Database

_AT_ONCE: Final = 5_000
"""Values in one question; servers have a limit."""
_PORTION: Final = 1 << 16
COLUMNS: Final = (
    TAG.c.tag_id, TAG.c.collection_id, TAG.c.statement_id, TAG.c.kind, TAG.c.subject, TAG.c.key, TAG.c.script_hash,
    TAG.c.networks, TAG.c.line, TAG.c.first_import, TAG.c.withdrawn_by,
)  # fmt: skip


class TagStore:
    """The tags as they were known at a time.

    Args:
        connection: of a transaction that reads.
        known_at: only what was imported by then and not yet withdrawn or retracted, ISO 8601 with Z; None for all.
        locate: where subjects are; the one of `attribution.subject` if None.
    """

    def __init__(self, connection: Connection, known_at: str | None = None, locate: Locate | None = None) -> None:
        self._connection, self._locate = connection, locate
        self._known = Known.of(connection, known_at)

    @property
    def known_at(self) -> str | None:
        """As of when, or None for all there is."""
        return self._known.at

    # What there is.

    @cached_property
    def imports(self) -> dict[int, ImportRecord]:
        """Every import by then, by number, oldest first."""
        rows = select(IMPORT, COLLECTION.c.name).join(COLLECTION).order_by(IMPORT.c.import_id)
        if self._known.last is not None:
            rows = rows.where(IMPORT.c.import_id <= self._known.last)
        return {row.import_id: import_of(row, row.name) for row in self._connection.execute(rows)}

    @cached_property
    def collections(self) -> dict[str, ImportRecord]:
        """The version of each collection, by name, ascending."""
        latest = {record.collection: record for record in self.imports.values()}
        return dict(sorted(latest.items()))

    @property
    def states(self) -> tuple[CollectionState, ...]:
        """What each collection holds, ascending by name."""
        return states_of(self.collections)

    @cached_property
    def digest(self) -> str:
        """The tag-set digest, SHA-256 in hex: depends on files and retractions only."""
        return digest_of(self._connection, self.collections, self._known)

    # Tags.

    def tags_of(self, script_hashes: Sequence[bytes]) -> dict[bytes, tuple[StoredTag, ...]]:
        """The tags of scripts, by the SHA-256 of the script; those without tags are left out.

        Ordered by collection, then as they came in.
        """
        wanted = set(script_hashes)
        rows: list[Any] = []
        for keys in _portions(sorted({key_of_hash(digest) for digest in wanted}), _AT_ONCE):
            found = select(*COLUMNS).where(TAG.c.key.in_(keys), self._known.holds())
            rows += [row for row in self._connection.execute(found) if row.script_hash in wanted]
        by_hash: dict[bytes, list[StoredTag]] = {}
        for tag in self._tags(rows):
            by_hash.setdefault(tag.script_hash or b"", []).append(tag)
        return {digest: tuple(tags) for digest, tags in by_hash.items()}

    def tags_of_subject(self, text: str, *, history: bool = False) -> tuple[StoredTag, ...]:
        """The tags about an address however it is spelled, a transaction, an output, a key or a coinbase text.

        Args:
            text: what the tags are about.
            history: also those that were withdrawn or retracted by then.
        """
        if not is_storable(text):
            return ()
        about = Spellings.of(text, self._locate or default_locate()).condition(TAG)
        holds = self._known.imported(TAG) if history else self._known.holds()
        return self._tags(self._connection.execute(select(*COLUMNS).where(about, holds)))

    def find(self, choice: TagFilter, limit: int, first: int = 0) -> tuple[tuple[StoredTag, ...], int]:
        """Tags that a filter lets pass, `limit` of them from number `first` on, and how many there are."""
        found = matching(choice, self._known, self._locate or default_locate())
        total = self._connection.execute(select(func.count()).select_from(found.subquery())).scalar() or 0
        page = found.order_by(TAG.c.collection_id, TAG.c.position, TAG.c.tag_id).limit(limit).offset(first)
        rows = self._connection.execute(page.with_only_columns(*COLUMNS)).all()
        return tuple(self._in_order(rows)), total

    def kept_out(self, collection: str) -> tuple[int, Retracted | None]:
        """How many tags of a collection's version are retracted, and the first of the retractions in force."""
        if not self._known.retractions:
            return 0, None
        of = select(COLLECTION.c.collection_id).where(COLLECTION.c.name == collection).scalar_subquery()
        first = func.min(self._known.first_retraction())
        tags = select(func.count(), first).select_from(TAG).where(TAG.c.collection_id == of, self._known.kept_out())
        count, number = self._connection.execute(tags).one()
        told = (RETRACTION.c.retracted_utc, RETRACTION.c.retracted_by, RETRACTION.c.reason)
        row = self._connection.execute(select(*told).where(RETRACTION.c.retraction_id == number)).first()
        return count, None if row is None else Retracted(*row)

    def search(self, text: str, limit: int) -> tuple[NameMatch, ...]:
        """Names that begin with a text: labels whatever their case, and actors; each name once, ascending.

        A name is shown with one of the tags that hold it.
        """
        if not is_storable(text):
            return ()
        return tuple(self._named(row) for row in names_with(self._connection, self._known, text, limit))

    def tags_in(self, collection: str) -> Iterator[StoredTag]:
        """The tags of a collection in the order of its newest version, in a stream."""
        rows = (
            select(*COLUMNS)
            .join(COLLECTION, COLLECTION.c.collection_id == TAG.c.collection_id)
            .where(COLLECTION.c.name == collection, self._known.holds())
            .order_by(TAG.c.position, TAG.c.tag_id)
        )
        for portion in self._streamed(rows, 10_000):
            yield from self._in_order(portion)

    def all_scripts(self, *, network: int | None = None, portion: int = _PORTION) -> Iterator[ScriptChunk]:
        """Every tag that has a script, in a stream of columns, by ascending `tag_id`.

        Args:
            network: only addresses of this one, a number in `NETWORKS`, and not if the tag names another; all if None.
            portion: rows of a chunk.
        """
        rows = select(TAG.c.script_hash, TAG.c.networks, TAG.c.statement_id, TAG.c.tag_id, TAG.c.first_import).where(
            TAG.c.script_hash.is_not(None), self._known.holds()
        )
        if network is not None:
            rows = rows.where(TAG.c.networks.op("&")(1 << network) != 0, TAG.c.statement_id.not_in(_elsewhere(network)))
        for found in self._streamed(rows.order_by(TAG.c.tag_id), portion):
            hashes, networks, statements, tags, imports = zip(*found, strict=True)
            yield ScriptChunk(
                np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32),
                np.array(networks, np.int16),
                np.array(statements, np.int64),
                np.array(tags, np.int64),
                np.array(imports, np.int64),
            )

    def statements(self, ids: Iterable[int]) -> dict[int, Statement]:
        """Statements by number."""
        found: dict[int, Statement] = {}
        for numbers in _portions(sorted(set(ids)), _AT_ONCE):
            rows = self._connection.execute(select(STATEMENT).where(STATEMENT.c.statement_id.in_(numbers)))
            found |= {row.statement_id: statement_of(row) for row in rows}
        return found

    def actors(self, ids: Sequence[str] | None = None, *, collection: str | None = None) -> tuple[StoredActor, ...]:
        """Entries of ActorPacks: those with these identifiers, or all; in the order of their packs."""
        rows = select(ACTOR).where(self._known.held(ACTOR)).order_by(ACTOR.c.collection_id, ACTOR.c.position)
        if collection is not None:
            of = select(COLLECTION.c.collection_id).where(COLLECTION.c.name == collection)
            rows = rows.where(ACTOR.c.collection_id.in_(of))
        if ids is not None:
            rows = rows.where(ACTOR.c.actor.in_(sorted(set(ids))[:_AT_ONCE]))
        return tuple(
            StoredActor(actor_of(row.fields), self.imports[row.first_import]) for row in self._connection.execute(rows)
        )

    # Rows to tags.

    def _named(self, row: Any) -> NameMatch:
        collection = self.imports[row.first_import].collection
        return NameMatch(row.label, row.actor, row.category, row.source, row.confidence, collection, subject_of(row))

    def _streamed(self, rows: Any, portion: int) -> Iterator[Sequence[Any]]:
        result = self._connection.execution_options(yield_per=portion).execute(rows)
        yield from result.partitions(portion)

    def _tags(self, rows: Iterable[Any]) -> tuple[StoredTag, ...]:
        names = {number: record.collection for number, record in self.imports.items()}
        found = sorted(rows, key=lambda row: (names[row.first_import], row.first_import, row.line, row.tag_id))
        return tuple(self._in_order(found))

    def _in_order(self, rows: Sequence[Any]) -> Iterator[StoredTag]:
        statements = self.statements(row.statement_id for row in rows)
        retracted = self._retractions(rows)

        def said_of(row: Any, statement: Statement) -> tuple[Retracted, ...]:
            return retracted.get(retracted_as(row, claim_digest(statement)), ()) if retracted else ()

        for row in rows:
            until = row.withdrawn_by
            yield StoredTag(
                tag_id=row.tag_id,
                subject=subject_of(row),
                script_hash=row.script_hash,
                networks=row.networks,
                statement_id=row.statement_id,
                statement=statements[row.statement_id],
                since=self.imports[row.first_import],
                line=row.line,
                until=self.imports.get(until) if until is not None else None,
                retracted=said_of(row, statements[row.statement_id]),
            )

    def _retractions(self, rows: Sequence[Any]) -> dict[tuple[Any, ...], tuple[Retracted, ...]]:
        if not self._known.retractions:
            return {}
        at = self._known.at
        found: dict[tuple[Any, ...], tuple[Retracted, ...]] = {}
        for keys in _portions(sorted({row.key for row in rows}), _AT_ONCE):
            some = select(RETRACTION).where(RETRACTION.c.key.in_(keys)).order_by(RETRACTION.c.retraction_id)
            for row in self._connection.execute(some):
                if at is not None and row.retracted_utc > at:
                    continue
                lifted = row.lifted_utc is not None and (at is None or row.lifted_utc <= at)
                undone = (row.lifted_utc, row.lifted_by) if lifted else (None, None)
                one, of = (
                    Retracted(row.retracted_utc, row.retracted_by, row.reason, *undone),
                    retracted_as(row, row.claim),
                )
                found[of] = tuple(dict.fromkeys((*found.get(of, ()), one)))
        return found


def _elsewhere(network: int) -> Any:
    """Statements that name another chain, or another network than this one (`attribution.subject.networks_of`)."""
    names = [name for name, networks in CHAINS.items() if networks >> network & 1]
    said = (STATEMENT.c.currency, STATEMENT.c.network)
    return select(STATEMENT.c.statement_id).where(or_(*(func.lower(each).not_in(names) for each in said)))


def _portions(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    each = iter(values)
    while portion := list(islice(each, size)):
        yield portion


@contextmanager
def open_tags(database: Database, known_at: str | None = None, locate: Locate | None = None) -> Iterator[TagStore]:
    """A store for the time of one transaction."""
    with database.read() as connection:
        yield TagStore(connection, known_at, locate)
