"""Finding names by their begin.

A label may stand in a million statements: the search jumps from one name to the next through the index, and takes one
tag of each.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, func, select

from cointrail.attribution.store.choice import begins
from cointrail.attribution.store.known import Known
from cointrail.attribution.store.rows import search_key
from cointrail.attribution.store.tables import STATEMENT, TAG

_MOST_TRIED: Final = 1_000
"""Names that are looked at; those whose tags were all withdrawn are not shown, but cost time."""


def names_with(connection: Connection, known: Known, text: str, limit: int) -> Iterator[Any]:
    """One tag that holds for each of the labels and actors with this begin, as rows of a tag and its statement."""
    left = limit
    shown: set[tuple[str, str]] = set()
    begin = search_key(text)
    if not begin:
        return
    for column, at in ((STATEMENT.c.search_key, begin), (STATEMENT.c.actor, text.strip().lower())):
        for value in _values(connection, column, at):
            row = _one(connection, known, column, value)
            if row is None or (row.label, row.actor) in shown:
                continue
            shown.add((row.label, row.actor))
            yield row
            left -= 1
            if not left:
                return


def _values(connection: Connection, column: Any, begin: str) -> Iterator[str]:
    last: str | None = None
    for _ in range(_MOST_TRIED):
        following = select(func.min(column)).where(begins(column, begin))
        if last is not None:
            following = following.where(column > last)
        last = connection.execute(following).scalar()
        if last is None:
            return
        yield last


def _one(connection: Connection, known: Known, column: Any, value: str) -> Any:
    found = (
        select(
            STATEMENT.c.label, STATEMENT.c.actor, STATEMENT.c.category, STATEMENT.c.source, STATEMENT.c.confidence,
            TAG.c.kind, TAG.c.subject, TAG.c.first_import,
        )
        .join(TAG, TAG.c.statement_id == STATEMENT.c.statement_id)
        .where(column == value, known.holds())
    )  # fmt: skip
    return connection.execute(found.limit(1)).first()
