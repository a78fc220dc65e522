"""Importing prices, listing them with their gaps, and asking for one."""

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from cointrail.database import Database
from cointrail.errors import InputRefused, UsageError
from cointrail.ingest.prices import store
from cointrail.ingest.prices.cell import seconds_of_time, seconds_of_unix
from cointrail.ingest.prices.currency import exponent_of
from cointrail.ingest.prices.store import Stored
from cointrail.ingest.prices.table import read_prices
from cointrail.service.names import utc
from cointrail.service.prices.fiat import rule_name
from cointrail.service.prices.series import choose
from cointrail.service.worth import FiatPrices, FiatValue

_COIN = 10**8
_UNIX = re.compile(r"[0-9]{9,10}")


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """Steps without a price; both times are the begin of a missing step."""

    first_utc: str
    last_utc: str
    steps: int


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """A series of prices that is kept.

    `prices`: how many; `missing`: steps without one between the first and the last, in `gap_count` gaps, of which
    `gaps` lists the first ones; `columns`: the file's column by what it was read as; `new`: whether this import added
    it; `used_by_default`: whether an answer that names no source asks it first.
    """

    currency: str
    source: str
    step_seconds: int
    rule: str
    first_utc: str
    last_utc: str
    prices: int
    missing: int
    gap_count: int
    gaps: tuple[GapAnswer, ...]
    digest: str
    file_name: str
    sha256: str
    columns: Mapping[str, str]
    imported_utc: str
    imported_by: str
    used_by_default: bool
    new: bool = False


@dataclass(frozen=True, slots=True)
class PriceImport:
    """What an import did; `rounded`: prices of more than eight decimals; `left_out`: rows of other currencies."""

    database: str
    file: str
    sha256: str
    series: tuple[SeriesAnswer, ...]
    rounded: int
    left_out: int


@dataclass(frozen=True, slots=True)
class PriceList:
    """All series of a database, newest import first."""

    database: str
    series: tuple[SeriesAnswer, ...]


@dataclass(frozen=True, slots=True)
class PriceAnswer:
    """What an amount was worth at a time."""

    value_sat: int
    time_utc: str
    fiat: FiatValue
    prices: FiatPrices


def import_prices(
    where: str,
    path: Path,
    *,
    currency: str | None = None,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    step: int | None = None,
    by: str | None = None,
) -> PriceImport:
    """Import a file of prices; see `cointrail.ingest.prices.table.read_prices` for what it may hold.

    Args:
        where: the database, made if it is not there.
        path: the file.
        currency: of its prices.
        source: whose they are.
        columns: its column by role.
        step: seconds between two prices.
        by: who imports it; the account this runs as if not given.

    Raises:
        UsageError: the currency or the source is said nowhere.
        InputRefused: the file is no table of prices; the message names the line.
        Unavailable: the file or the database cannot be used.
    """
    file = read_prices(path, currency=currency, source=source, columns=columns, step=step)
    with Database(where, create=True) as database:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kept = store.add(database, file, now_utc=now, by=by or _account())
        newest = _newest(store.every(database))
        answers = tuple(_answer(database, series, newest, most_gaps=None, new=new) for series, new in kept)
        return PriceImport(str(database.address), file.name, file.sha256, answers, file.rounded, file.left_out)


def list_prices(where: str, *, currency: str | None = None, most_gaps: int | None = None) -> PriceList:
    """All series of a database, with their gaps.

    Args:
        where: the database.
        currency: only this one.
        most_gaps: how many gaps of each series are listed; all of them if not given.

    Raises:
        InputRefused: no currency.
        Unavailable: the database is not there or cannot be used.
    """
    if currency is not None:
        exponent_of(currency)
    with Database(where) as database:
        found = store.every(database, currency)
        newest = _newest(found)
        answers = tuple(_answer(database, series, newest, most_gaps=most_gaps) for series in found)
        return PriceList(str(database.address), answers)


def price_at(where: str, time: str, *, currency: str, source: str | None = None, value_sat: int = _COIN) -> PriceAnswer:
    """What an amount was worth at a time.

    Args:
        where: the database.
        time: ISO 8601 in UTC, or seconds since 1970.
        currency: ISO 4217.
        source: whose price; that of the newest import if not given.
        value_sat: the amount; one bitcoin if not given.

    Raises:
        InputRefused: no time, or no currency.
        NotFound: there are no such prices.
        Unavailable: the database is not there or cannot be used.
    """
    text = time.strip()
    try:
        seconds = seconds_of_unix(text) if _UNIX.fullmatch(text) else seconds_of_time(text)[0]
    except InputRefused as error:
        raise InputRefused(str(error), hint="write 2014-07-24T13:02:11Z, or seconds since 1970") from error
    if abs(value_sat) >= 1 << 63:
        raise UsageError("--value-sat does not fit into 64 bits", hint="give satoshi: 100,000,000 are one bitcoin")
    with Database(where) as database:
        table = choose(database, currency, source)
        return PriceAnswer(value_sat, utc(seconds), table.at(value_sat, seconds), table.used)


def _answer(
    database: Database, series: Stored, newest: Mapping[str, int], *, most_gaps: int | None, new: bool = False
) -> SeriesAnswer:
    found, count = [], 0
    if series.missing:
        walk = store.gaps(database, series)
        found = [GapAnswer(utc(gap.first), utc(gap.last), gap.steps) for gap in islice(walk, most_gaps)]
        count = len(found) + sum(1 for _ in walk)
    return SeriesAnswer(
        currency=series.currency,
        source=series.source,
        step_seconds=series.step,
        rule=rule_name(series.step),
        first_utc=utc(series.first_time),
        last_utc=utc(series.last_time),
        prices=series.rows,
        missing=series.missing,
        gap_count=count,
        gaps=tuple(found),
        digest=series.digest,
        file_name=series.file_name,
        sha256=series.sha256,
        columns=series.columns,
        imported_utc=series.imported_utc,
        imported_by=series.imported_by,
        used_by_default=newest[series.currency] == series.series_id,
        new=new,
    )


def _newest(found: list[Stored]) -> dict[str, int]:
    """The series that an answer takes in each currency when nobody names a source."""
    newest: dict[str, int] = {}
    for series in found:  # newest first
        newest.setdefault(series.currency, series.series_id)
    return newest


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"user {os.getuid()}"
