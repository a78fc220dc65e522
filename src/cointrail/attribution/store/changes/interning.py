"""Statements are kept once: from what is stated to the number of its row, a portion of tags at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import Connection, func, select

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.store.changes.filling import fill
from cointrail.attribution.store.rows import statement_digest, statement_row
from cointrail.attribution.store.tables import STATEMENT
from cointrail.attribution.store.texts import refuse_unstorable
from cointrail.attribution.tag import Statement, Tag
from cointrail.errors import InputRefused

_MOST_CACHED: Final = 50_000
_AT_ONCE: Final = 5_000


class Interning:
    """Numbers for statements; those that are new get a row.

    Args:
        connection: of the transaction that imports.
        name: of the file, for errors.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection, self._name = connection, name
        self._cached: dict[Statement, tuple[int, bytes]] = {}
        self._next = (connection.execute(select(func.max(STATEMENT.c.statement_id))).scalar() or 0) + 1

    def numbers(self, tags: Sequence[Tag]) -> list[tuple[int, bytes]]:
        """(statement_id, digest) for each tag.

        Raises:
            InputRefused: a statement that cannot be kept; its line is named.
        """
        if len(self._cached) > _MOST_CACHED:
            self._cached.clear()
        cached = self._cached
        unseen: dict[bytes, Statement] = {}
        for tag in tags:
            if tag.statement not in cached:
                self._check(tag)
                digest = statement_digest(tag.statement)
                unseen[digest] = tag.statement
                cached[tag.statement] = (0, digest)
        self._number(unseen)
        return [cached[tag.statement] for tag in tags]

    def _check(self, tag: Tag) -> None:
        statement, where = tag.statement, f"line {tag.line} of {self._name}"
        refuse_unstorable(_texts(astuple(statement)), where)
        if not statement.label or not statement.source:
            raise InputRefused(f"{where}: a tag without a label or a source", hint="say who states it, and what")
        if statement.confidence not in CONFIDENCE:
            names = ", ".join(CONFIDENCE)
            raise InputRefused(f"{where}: there is no confidence {statement.confidence!r}", hint=f"one of: {names}")

    def _number(self, unseen: dict[bytes, Statement]) -> None:
        digests = list(unseen)
        known: dict[bytes, int] = {}
        for first in range(0, len(digests), _AT_ONCE):
            rows = select(STATEMENT.c.digest, STATEMENT.c.statement_id).where(
                STATEMENT.c.digest.in_(digests[first : first + _AT_ONCE])
            )
            known.update((bytes(row[0]), row[1]) for row in self._connection.execute(rows))
        added = []
        for digest, statement in unseen.items():
            number = known.get(digest)
            if number is None:
                number, self._next = self._next, self._next + 1
                added.append(statement_row(statement, number, digest))
            self._cached[statement] = (number, digest)
        fill(self._connection, STATEMENT, added)


def _texts(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from _texts(value)
