"""What was known at a time: the imports up to then, and which tags held.

Imports have ascending numbers and times that never run backwards, so a time is a number: the last import made by then.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from cointrail.attribution.store.tables import IMPORT, RETRACTION, STATEMENT, TAG


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
        kept_out = exists().where(self.same_tag(), self.in_force()).correlate(TAG)
        return and_(self.held(TAG), ~kept_out)

    def kept_out(self) -> ColumnElement[bool]:
        """Whether a row of `tag` was imported and not withdrawn, and does not hold since it was retracted."""
        # Few tags are: their keys come first, and no other tag is looked at. A server would turn an `exists` into a
        # join of all tags of an address with all its retractions.
        keys = select(RETRACTION.c.key).where(self.in_force())
        return and_(self.held(TAG), TAG.c.key.in_(keys), self.first_retraction().is_not(None))

    def first_retraction(self) -> ColumnElement[int]:
        """Number of the first retraction in force of a row of `tag`; NULL if there is none."""
        first = select(func.min(RETRACTION.c.retraction_id)).where(self.same_tag(), self.in_force())
        return first.correlate(TAG).scalar_subquery()

    def in_force(self) -> ColumnElement[bool]:
        """Whether a row of `tag_retraction` was in force."""
        kept = RETRACTION.c.lifted_utc.is_(None)
        if self.at is None:
            return kept
        return and_(RETRACTION.c.retracted_utc <= self.at, or_(kept, RETRACTION.c.lifted_utc > self.at))

    @staticmethod
    def same_tag() -> ColumnElement[bool]:
        """Joins `tag_retraction` to the tags that it takes back: of one collection, about one subject, with one claim.

        A list that writes its tag anew, with another date, category or confidence, brings the same claim again. The
        case of an address's letters does not count: where another case is another address, the key is another one.
        """
        claim = select(STATEMENT.c.claim).where(STATEMENT.c.statement_id == TAG.c.statement_id)
        return and_(
            RETRACTION.c.key == TAG.c.key,
            RETRACTION.c.claim == claim.correlate(TAG).scalar_subquery(),
            RETRACTION.c.collection_id == TAG.c.collection_id,
            RETRACTION.c.kind == TAG.c.kind,
            func.lower(RETRACTION.c.subject) == func.lower(TAG.c.subject),
        )


def retracted_as(row: Any, claim: bytes) -> tuple[Any, ...]:
    """By what `Known.same_tag` joins a row of `tag` or `tag_retraction`, and the claim of its statement."""
    return row.collection_id, row.key, row.kind, row.subject.lower(), claim
