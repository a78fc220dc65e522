"""What was known at a time: the imports up to then, and which tags held.

Imports have ascending numbers and times that never run backwards, so a time is a number: the last import made by then.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from cointrail.attribution.store.tables import IMPORT, RETRACTION, TAG


@dataclass(frozen=True, slots=True)
class Known:
    """A state of the store.

    Attributes:
        at: time, ISO 8601 with Z; None for all there is.
        last: number of the last import that is part of it, or None for all.
        retractions: whether anything was ever retracted; most stores never ask further.
    """

    at: str | None
    last: int | None
    retractions: bool

    @classmethod
    def of(cls, connection: Connection, at: str | None) -> "Known":
        """The state at a time."""
        any_retracted = connection.execute(select(RETRACTION.c.retraction_id).limit(1)).first() is not None
        if at is None:
            return cls(None, None, any_retracted)
        last = connection.execute(select(func.max(IMPORT.c.import_id)).where(IMPORT.c.imported_utc <= at)).scalar()
        return cls(at, last or 0, any_retracted)

    def imported(self, table: Any) -> ColumnElement[bool]:
        """Whether a row of `tag` or `actor` was imported by then."""
        if self.last is None:
            return true()
        imported: ColumnElement[bool] = table.c.first_import <= self.last
        return imported

    def held(self, table: Any) -> ColumnElement[bool]:
        """Whether such a row was imported and not yet withdrawn."""
        kept: ColumnElement[bool] = table.c.withdrawn_by.is_(None)
        if self.last is None:
            return kept
        return and_(table.c.first_import <= self.last, or_(kept, table.c.withdrawn_by > self.last))

    def holds(self) -> ColumnElement[bool]:
        """Whether a row of `tag` was imported, and neither withdrawn nor retracted."""
        if not self.retractions:
            return self.held(TAG)
        return and_(self.held(TAG), ~exists().where(self.same_tag(), self.in_force()))

    def in_force(self) -> ColumnElement[bool]:
        """Whether a row of `tag_retraction` was in force."""
        kept = RETRACTION.c.lifted_utc.is_(None)
        if self.at is None:
            return kept
        return and_(RETRACTION.c.retracted_utc <= self.at, or_(kept, RETRACTION.c.lifted_utc > self.at))

    @staticmethod
    def same_tag() -> ColumnElement[bool]:
        """Joins `tag_retraction` to the tags that it takes back."""
        return and_(
            RETRACTION.c.key == TAG.c.key,
            RETRACTION.c.collection_id == TAG.c.collection_id,
            RETRACTION.c.statement_id == TAG.c.statement_id,
            RETRACTION.c.kind == TAG.c.kind,
            RETRACTION.c.subject == TAG.c.subject,
        )
