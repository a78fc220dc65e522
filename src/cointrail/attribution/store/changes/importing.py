"""Importing a version of a collection: one transaction, in portions, whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from cointrail.attribution.store.changes.actors import settle_actors
from cointrail.attribution.store.changes.incoming import Incoming
from cointrail.attribution.store.changes.interning import Interning
from cointrail.attribution.store.locating import Locate, default_locate, key_of
from cointrail.attribution.store.moment import Clock, next_time, system_clock
from cointrail.attribution.store.reader import TagStore
from cointrail.attribution.store.records import ImportRecord
from cointrail.attribution.store.rows import KIND_NUMBER, actor_fields, canonical
from cointrail.attribution.store.tables import COLLECTION, IMPORT
from cointrail.attribution.store.texts import refuse_unstorable
from cointrail.attribution.tag import Pack, Tag
from cointrail.database import Database

_PORTION: Final = 10_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: its record, or that of the version that was there already, and then `unchanged`."""

    record: ImportRecord
    unchanged: bool


def import_pack(
    database: Database,
    pack: Pack,
    collection: str,
    *,
    by: str,
    options: Mapping[str, str] | None = None,
    clock: Clock = system_clock,
    progress: Callable[[str, int], None] = lambda _stage, _tags: None,
    locate: Locate | None = None,
) -> Imported:
    """Make a file the new version of a collection.

    Args:
        database: open.
        pack: the file; its tags are read once.
        collection: name of the list it is a version of.
        by: who imports it.
        options: what the reader was told beside the file; part of what the version is.
        clock: tells the time.
        progress: called with a stage and the number of tags read, between portions; may raise to stop the import.
        locate: where subjects are; the one of `attribution.subject` if None.

    Raises:
        InputRefused: the file is no list of tags, or holds text that is none.
        Unavailable: the database cannot be written.
    """
    refuse_unstorable((collection, by, pack.name), "the import")
    with database.write() as connection:
        return _Import(connection, pack, collection, by, dict(options or {}), locate or default_locate()).run(
            clock, progress
        )


class _Import:
    def __init__(
        self, connection: Connection, pack: Pack, collection: str, by: str, options: dict[str, str], locate: Locate
    ) -> None:
        self._connection, self._pack, self._collection, self._by = connection, pack, collection, by
        self._options, self._locate = options, locate
        self._content = hashlib.sha256()
        self._tags = 0

    def run(self, clock: Clock, progress: Callable[[str, int], None]) -> Imported:
        before = TagStore(self._connection).collections.get(self._collection)
        if before is not None and self._is_same(before):
            return Imported(before, unchanged=True)
        collection_id = self._collection_id()
        import_id = self._open_import(collection_id, clock)
        incoming = Incoming(self._connection, collection_id)
        for rows in self._portions():
            incoming.add(rows)
            progress("reading", self._tags)
        progress("comparing", self._tags)
        added, withdrawn = incoming.settle(import_id)
        actors_added, actors_withdrawn = settle_actors(self._connection, collection_id, import_id, self._pack.actors)
        for actor in self._pack.actors:
            self._content.update(actor_fields(actor).encode())
        self._connection.execute(
            update(IMPORT)
            .where(IMPORT.c.import_id == import_id)
            .values(
                tags=self._tags + len(self._pack.actors),
                added=added + actors_added,
                withdrawn=withdrawn + actors_withdrawn,
                skipped=canonical(self._pack.skipped),
                content=self._content.digest(),
            )
        )
        return Imported(TagStore(self._connection).imports[import_id], unchanged=False)

    def _is_same(self, before: ImportRecord) -> bool:
        pack = self._pack
        mine = (pack.sha256, pack.format, pack.version, pack.name, tuple(sorted(self._options.items())))
        return mine == (before.sha256, before.format, before.reader_version, before.file_name, before.options)

    def _collection_id(self) -> int:
        named = select(COLLECTION.c.collection_id).where(COLLECTION.c.name == self._collection)
        found = self._connection.execute(named).scalar()
        if found is None:
            found = (self._connection.execute(select(func.max(COLLECTION.c.collection_id))).scalar() or 0) + 1
            self._connection.execute(insert(COLLECTION).values(collection_id=found, name=self._collection))
        return int(found)

    def _open_import(self, collection_id: int, clock: Clock) -> int:
        number: int = (self._connection.execute(select(func.max(IMPORT.c.import_id))).scalar() or 0) + 1
        self._connection.execute(
            insert(IMPORT).values(
                import_id=number,
                collection_id=collection_id,
                file_name=self._pack.name,
                sha256=self._pack.sha256,
                format=self._pack.format,
                reader_version=self._pack.version,
                options=canonical(self._options),
                content=b"",
                header=json.dumps(dict(self._pack.header), ensure_ascii=True),
                imported_utc=next_time(self._connection, clock),
                imported_by=self._by,
                tags=0,
                added=0,
                withdrawn=0,
                skipped="{}",
            )
        )
        return number

    def _portions(self) -> Iterator[list[tuple[Any, ...]]]:
        statements = Interning(self._connection, self._pack.name)
        each = iter(self._pack.tags)
        while portion := list(islice(each, _PORTION)):
            yield self._rows(portion, statements)

    def _rows(self, tags: list[Tag], statements: Interning) -> list[tuple[Any, ...]]:
        refuse = refuse_unstorable
        rows, said = [], []
        position, locate = self._tags, self._locate
        for tag, (statement_id, digest) in zip(tags, statements.numbers(tags), strict=True):
            subject = tag.subject
            refuse((subject.text,), f"line {tag.line} of {self._pack.name}")
            place, kind = locate(subject), KIND_NUMBER[subject.kind]
            key = key_of(subject, place)
            rows.append(
                (position, tag.line, kind, subject.text, key, place.script_hash, place.networks, statement_id, 1)
            )
            said.append(b"%d%b\0%b" % (kind, subject.text.encode(), digest))
            position += 1
        self._tags = position
        self._content.update(b"".join(said))
        return rows
