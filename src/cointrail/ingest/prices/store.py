"""Series of prices in the database. A series is written once and never changed: an updated file is a new one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, func, insert, select

from cointrail.database import Database
from cointrail.errors import NotFound
from cointrail.ingest.prices.series import Gap, Series, gap_between
from cointrail.ingest.prices.table import PriceFile
from cointrail.ingest.prices.tables import PRICE, SERIES

_ROWS = 20_000
"""Rows a statement writes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A series in the database; times in seconds since 1970 UTC, `columns` as in `PriceFile`."""

    series_id: int
    currency: str
    source: str
    step: int
    digest: str
    first_time: int
    last_time: int
    rows: int
    file_name: str
    sha256: str
    columns: Mapping[str, str]
    imported_utc: str
    imported_by: str

    @property
    def missing(self) -> int:
        """Steps without a price between the first and the last."""
        return (self.last_time - self.first_time) // self.step + 1 - self.rows


def add(database: Database, file: PriceFile, *, now_utc: str, by: str) -> list[tuple[Stored, bool]]:
    """Keep all series of a file, or none; a series that is there already stays as it is.

    Args:
        database: open.
        file: as `table.read_prices` read it.
        now_utc: ISO 8601 with Z.
        by: who imports it.

    Returns:
        For each series what is kept, and whether it is new.
    """
    kept = []
    with database.write() as connection:
        for series in file.series:
            held = select(SERIES.c.series_id).where(SERIES.c.digest == series.digest)
            series_id = connection.execute(held).scalar()
            new = series_id is None
            if series_id is None:
                done = connection.execute(insert(SERIES).values(_described(series, file, now_utc, by)))
                assert done.inserted_primary_key is not None
                series_id = int(done.inserted_primary_key[0])
                for rows in _rows(series, series_id):
                    connection.execute(insert(PRICE), rows)
            found = connection.execute(select(SERIES).where(SERIES.c.series_id == series_id)).one()
            kept.append((_stored(found), new))
    return kept


def _described(series: Series, file: PriceFile, now_utc: str, by: str) -> dict[str, object]:
    return {
        "currency": series.currency,
        "source": series.source,
        "step_seconds": series.step,
        "digest": series.digest,
        "first_time": int(series.times[0]),
        "last_time": int(series.times[-1]),
        "rows": len(series.times),
        "file_name": file.name,
        "sha256": file.sha256,
        "columns": json.dumps(dict(file.columns), sort_keys=True),
        "imported_utc": now_utc,
        "imported_by": by,
    }


def _rows(series: Series, series_id: int) -> Iterator[list[dict[str, int]]]:
    for first in range(0, len(series.times), _ROWS):
        part = slice(first, first + _ROWS)
        pairs = zip(series.times[part].tolist(), series.prices_e8[part].tolist(), strict=True)
        yield [{"series_id": series_id, "time": time, "price_e8": price} for time, price in pairs]


def every(database: Database, currency: str | None = None) -> list[Stored]:
    """All series, of one currency or all, newest import first."""
    asked = select(SERIES).order_by(SERIES.c.series_id.desc())
    if currency is not None:
        asked = asked.where(SERIES.c.currency == currency)
    with database.read() as connection:
        return [_stored(row) for row in connection.execute(asked)]


def gaps(database: Database, series: Stored) -> Iterator[Gap]:
    """Where prices are missing between the first and the last, oldest first."""
    before = func.lag(PRICE.c.time).over(order_by=PRICE.c.time).label("before")
    pairs = select(PRICE.c.time, before).where(PRICE.c.series_id == series.series_id).subquery()
    asked = select(pairs).where(pairs.c.time - pairs.c.before > series.step).order_by(pairs.c.time)
    with database.read() as connection:
        for time, earlier in connection.execute(asked):
            yield gap_between(earlier, time, series.step)


def price_at(database: Database, series: Stored, time: int) -> tuple[int, int] | None:
    """Time and price (10^-8 of the currency's unit) of the step that a time lies in, or None if it has none."""
    asked = (
        select(PRICE.c.time, PRICE.c.price_e8)
        .where(PRICE.c.series_id == series.series_id, PRICE.c.time <= time, PRICE.c.time > time - series.step)
        .order_by(PRICE.c.time.desc())
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(asked).first()
    return None if row is None else (int(row.time), int(row.price_e8))


def load(database: Database, series: Stored) -> Series:
    """All rows of a series.

    Raises:
        NotFound: it has gone.
    """
    asked = select(PRICE.c.time, PRICE.c.price_e8).where(PRICE.c.series_id == series.series_id).order_by(PRICE.c.time)
    with database.read() as connection:
        pairs = np.array([tuple(row) for row in connection.execute(asked)], np.int64).reshape(-1, 2)
    if not len(pairs):
        raise NotFound(f"series {series.series_id} of prices has no rows any more", hint="cointrail prices list")
    return Series(series.currency, series.source, series.step, pairs[:, 0].copy(), pairs[:, 1].copy())


def _stored(row: Row[Any]) -> Stored:
    return Stored(
        row.series_id,
        row.currency,
        row.source,
        row.step_seconds,
        row.digest,
        row.first_time,
        row.last_time,
        row.rows,
        row.file_name,
        row.sha256,
        json.loads(row.columns),
        row.imported_utc,
        row.imported_by,
    )
