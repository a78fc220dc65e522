"""Prices: series and their rows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "price_series",
        sa.Column("series_id", _ROW_ID, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("step_seconds", sa.Integer(), nullable=False, comment="86400: closes of UTC days"),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of currency, source, step and rows"),
        sa.Column("first_time", sa.BigInteger(), nullable=False, comment="seconds since 1970 UTC"),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False, comment="JSON: which column of the file was read as what"),
        sa.Column("imported_utc", sa.Text(), nullable=False, comment="ISO 8601 with Z"),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_price_series")),
        sa.UniqueConstraint("digest", name=op.f("uq_price_series_digest")),
    )
    op.create_table(
        "price",
        sa.Column("series_id", _ROW_ID, nullable=False),
        sa.Column(
            "time",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="begin of the step, seconds since 1970 UTC",
        ),
        sa.Column(
            "price_e8", sa.BigInteger(), nullable=False, comment="of one bitcoin, in 10^-8 of the currency's unit"
        ),
        sa.ForeignKeyConstraint(["series_id"], ["price_series.series_id"], name=op.f("fk_price_series_id")),
        sa.PrimaryKeyConstraint("series_id", "time", name=op.f("pk_price")),
    )
