"""Taking tags back: an analyst's word against a list's, with a reason; and taking that back again.

A retraction is about what a collection claims of a subject, not about a row or a statement: it holds when the list
withdraws the tag and brings it again, and when it brings it with another date, category or confidence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, insert, literal, null, select, update

from cointrail.attribution.store.known import Known
from cointrail.attribution.store.locating import Locate, Spellings, default_locate
from cointrail.attribution.store.moment import Clock, next_time, system_clock
from cointrail.attribution.store.tables import COLLECTION, RETRACTION, STATEMENT, TAG
from cointrail.attribution.store.texts import refuse_unstorable
from cointrail.database import Database
from cointrail.errors import NotFound, UsageError


@dataclass(frozen=True, slots=True)
class Which:
    """Which tags are taken back: those for which everything that is said here holds."""

    subject: str | None = None
    collection: str | None = None
    source: str | None = None
    actor: str | None = None
    label: str | None = None

    @property
    def words(self) -> str:
        """For people."""
        said = ((name, getattr(self, name)) for name in ("subject", "collection", "source", "actor", "label"))
        return ", ".join(f"{name} {value!r}" for name, value in said if value is not None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a retraction did: when it holds from, and of how many tags (those that lines repeat count once)."""

    utc: str
    tags: int


def retract(
    database: Database, which: Which, *, reason: str, by: str, clock: Clock = system_clock, locate: Locate | None = None
) -> Taken:
    """Take tags back that hold now.

    Raises:
        UsageError: nothing says which, or why.
        NotFound: no such tag holds.
    """
    _refuse_vague(which)
    if not reason.strip():
        raise UsageError("a tag is taken back for a reason", hint="give --reason TEXT")
    refuse_unstorable((reason, by, which.words), "the retraction")
    with database.write() as connection:
        now = next_time(connection, clock)
        same = (TAG.c.collection_id, TAG.c.statement_id, TAG.c.kind, TAG.c.subject, TAG.c.key)
        holds = Known.of(connection, None).holds()
        found = select(*same).where(holds, *_conditions(which, TAG, locate)).distinct()
        tags = found.subquery()
        last = connection.execute(select(func.max(RETRACTION.c.retraction_id))).scalar() or 0
        number = func.row_number().over(order_by=tuple(tags.c))
        said: tuple[Any, ...] = (literal(now), literal(by), literal(reason), null(), null())
        claim = select(STATEMENT.c.claim).where(STATEMENT.c.statement_id == tags.c.statement_id).scalar_subquery()
        rows = select(literal(last) + number, *tags.c, *said, claim)
        done = insert(RETRACTION).from_select([column.name for column in RETRACTION.c], rows)
        count = connection.execute(done, execution_options={"preserve_rowcount": True}).rowcount
        if not count:
            raise NotFound(f"no tag holds with {which.words}", hint="cointrail tags list shows what there is")
    return Taken(now, count)


def lift(
    database: Database, which: Which, *, by: str, clock: Clock = system_clock, locate: Locate | None = None
) -> Taken:
    """Take retractions back that are in force.

    Raises:
        UsageError: nothing says which.
        NotFound: nothing is retracted that fits.
    """
    _refuse_vague(which)
    refuse_unstorable((by, which.words), "the retraction")
    with database.write() as connection:
        now = next_time(connection, clock)
        done = (
            update(RETRACTION)
            .values(lifted_utc=now, lifted_by=by)
            .where(RETRACTION.c.lifted_utc.is_(None), *_conditions(which, RETRACTION, locate))
        )
        count = connection.execute(done).rowcount
        if not count:
            raise NotFound(f"nothing is retracted with {which.words}", hint="cointrail tags history ADDRESS shows it")
    return Taken(now, count)


def _refuse_vague(which: Which) -> None:
    if not which.words:
        raise UsageError("which tags are to be taken back is not said", hint="give an address, or --collection NAME")


def _conditions(which: Which, table: Any, locate: Locate | None) -> Iterator[Any]:
    if which.subject is not None:
        yield Spellings.of(which.subject, locate or default_locate()).condition(table)
    if which.collection is not None:
        named = select(COLLECTION.c.collection_id).where(COLLECTION.c.name == which.collection)
        yield table.c.collection_id.in_(named)
    stated = {"source": which.source, "actor": which.actor, "label": which.label}
    if said := [STATEMENT.c[name] == value for name, value in stated.items() if value is not None]:
        yield exists().where(STATEMENT.c.statement_id == table.c.statement_id, *said)
