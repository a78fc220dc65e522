"""Which tags a list shows: a filter, as a question to the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from cointrail.attribution.dates import seconds_within
from cointrail.attribution.store.known import Known
from cointrail.attribution.store.locating import Locate, Spellings
from cointrail.attribution.store.rows import search_key
from cointrail.attribution.store.tables import COLLECTION, STATEMENT, TAG

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class TagFilter:
    """What a tag must be; None is no condition.

    Attributes:
        name: the label begins with it, whatever its case, or the actor does.
        actor, category, source, collection: exactly.
        least_level: least number of its confidence.
        valid_on: its validity dates hold then, or on some part of that day; day or time as `dates.normal_date` gives
            them. Dates that are not said hold.
        subject: it is about this address, however that is spelled, or about another subject.
    """

    name: str | None = None
    actor: str | None = None
    category: str | None = None
    source: str | None = None
    collection: str | None = None
    least_level: int | None = None
    valid_on: str | None = None
    subject: str | None = None


def begins(column: Any, text: str) -> Any:
    """Whether a column begins with a text; such a question can use an index."""
    return (column >= text) & (column <= text + _LAST)


def matching(choice: TagFilter, known: Known, locate: Locate) -> Select[Any]:
    """The tags that hold and that a filter lets pass."""
    found = (
        select(TAG.c.tag_id, TAG.c.collection_id, TAG.c.position)
        .join(STATEMENT, STATEMENT.c.statement_id == TAG.c.statement_id)
        .where(known.holds())
    )
    if choice.name is not None:
        by_label = begins(STATEMENT.c.search_key, search_key(choice.name))
        found = found.where(by_label | begins(STATEMENT.c.actor, choice.name.lower()))
    if choice.subject is not None:
        found = found.where(Spellings.of(choice.subject, locate).condition(TAG))
    for column, value in (
        (STATEMENT.c.actor, choice.actor),
        (STATEMENT.c.category, choice.category),
        (STATEMENT.c.source, choice.source),
    ):
        if value is not None:
            found = found.where(column == value)
    if choice.collection is not None:
        of = select(COLLECTION.c.collection_id).where(COLLECTION.c.name == choice.collection)
        found = found.where(TAG.c.collection_id.in_(of))
    if choice.least_level is not None:
        found = found.where(STATEMENT.c.level >= choice.least_level)
    if choice.valid_on is not None:
        first, last = seconds_within(choice.valid_on)
        begun = (STATEMENT.c.valid_from == "") | (STATEMENT.c.valid_from <= last)
        # a day as an end is its first second, and as a text it is less than that
        over = (STATEMENT.c.valid_to != "") & (STATEMENT.c.valid_to <= first)
        found = found.where(begun, ~over)
    return found
