"""What retractions bind to, the claim of a statement; and dates of statements in one spelling.

Earlier readers kept dates as their files wrote them, and they were compared so. What is no date in the years 1 to 9999,
which a table's `lastmod` could hold, stays. So does the digest of a statement, which is that of the fields as they were
read: the digests of tag sets are made of it.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_CLAIM = ("label", "actor", "source")
_DATES = ("lastmod", "valid_from", "valid_to")
_AT_ONCE = 10_000


def upgrade() -> None:
    """Add the claims, and rewrite the dates that are spelled otherwise."""
    op.add_column(
        "tag_statement",
        sa.Column("claim", sa.LargeBinary(32), comment="SHA-256 of label, actor and source; of every row"),
    )
    op.add_column("tag_retraction", sa.Column("claim", sa.LargeBinary(32), comment="of the statement; of every row"))
    statement = sa.table("tag_statement", *map(sa.column, ("statement_id", "claim", *_CLAIM, *_DATES)))
    changed = (
        sa.update(statement)
        .where(statement.c.statement_id == sa.bindparam("number"))
        .values({name: sa.bindparam(f"new_{name}") for name in ("claim", *_DATES)})
    )
    connection = op.get_bind()
    some = sa.select(statement).order_by(statement.c.statement_id).limit(_AT_ONCE)
    last = -1
    while rows := connection.execute(some.where(statement.c.statement_id > last)).all():
        connection.execute(changed, [_changed(row) for row in rows])
        last = rows[-1].statement_id
    retraction = sa.table("tag_retraction", sa.column("statement_id"), sa.column("claim"))
    claim = sa.select(statement.c.claim).where(statement.c.statement_id == retraction.c.statement_id)
    connection.execute(sa.update(retraction).values(claim=claim.scalar_subquery()))
    op.drop_index("ix_tag_retraction_key", "tag_retraction")
    op.create_index("ix_tag_retraction_key", "tag_retraction", ["key", "claim"], unique=False)


def _changed(row: sa.Row[Any]) -> dict[str, Any]:
    claim = json.dumps([getattr(row, name) for name in _CLAIM], ensure_ascii=True, separators=(",", ":"))
    dates = {f"new_{name}": _spelled(getattr(row, name)) for name in _DATES}
    return {"number": row.statement_id, "new_claim": hashlib.sha256(claim.encode()).digest(), **dates}


def _spelled(text: str) -> str:
    """As `attribution.dates` spelled dates when this was written."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        in_utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return in_utc.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
