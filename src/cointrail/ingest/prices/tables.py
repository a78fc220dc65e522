"""The tables of prices."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from cointrail.database import METADATA

_ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

SERIES: Final = Table(
    "price_series",
    METADATA,
    Column("series_id", _ROW_ID, primary_key=True),
    Column("currency", Text, nullable=False, comment="ISO 4217"),
    Column("source", Text, nullable=False),
    Column("step_seconds", Integer, nullable=False, comment="86400: closes of UTC days"),
    Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of currency, source, step and rows"),
    Column("first_time", BigInteger, nullable=False, comment="seconds since 1970 UTC"),
    Column("last_time", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("columns", Text, nullable=False, comment="JSON: which column of the file was read as what"),
    Column("imported_utc", Text, nullable=False, comment="ISO 8601 with Z"),
    Column("imported_by", Text, nullable=False),
)

PRICE: Final = Table(
    "price",
    METADATA,
    Column("series_id", ForeignKey("price_series.series_id"), primary_key=True),
    Column(
        "time", BigInteger, primary_key=True, autoincrement=False, comment="begin of the step, seconds since 1970 UTC"
    ),
    Column("price_e8", BigInteger, nullable=False, comment="of one bitcoin, in 10^-8 of the currency's unit"),
)
