"""Reading a file of prices: a CSV table of days or finer steps, one currency or several, into series."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from cointrail.errors import InputRefused, UsageError
from cointrail.ingest.prices import cell
from cointrail.ingest.prices.columns import Columns, columns_of
from cointrail.ingest.prices.currency import exponent_of
from cointrail.ingest.prices.lines import digest_of, rows_of
from cointrail.ingest.prices.rule import DAY
from cointrail.ingest.prices.series import I64, Series

_MOST_SERIES: Final = 1_000
_LONGEST_SOURCE: Final = 500


@dataclass(frozen=True, slots=True)
class PriceFile:
    """A file that was read.

    Attributes:
        name: of the file, without its folder.
        sha256: of its bytes, in hex.
        columns: the column's name by what it was read as.
        series: by currency, then source.
        rounded: rows whose price has more than eight decimals: they were rounded, half to even.
        left_out: rows of other currencies than the one asked for.
    """

    name: str
    sha256: str
    columns: Mapping[str, str]
    series: tuple[Series, ...]
    rounded: int
    left_out: int


@dataclass(slots=True)
class _Rows:
    """Rows of one series in the order of the file; all are whole days or none is known to be."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    prices: "array[int]" = field(default_factory=lambda: array("q"))
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    days: bool = True


def read_prices(
    path: Path,
    *,
    currency: str | None = None,
    source: str | None = None,
    columns: Mapping[str, str] | None = None,
    step: int | None = None,
) -> PriceFile:
    """Read a file of prices.

    Args:
        path: a CSV table with a header; its times are UTC unless they say otherwise, in any order.
        currency: of all rows; if the table has a column of it, only rows of this currency are read.
        source: whose prices these are; must be left out if the table has a column of it.
        columns: name of a column by role (`columns.ROLES`), where it is not one of the usual names.
        step: seconds between two prices; found from the rows if not given.

    Raises:
        UsageError: currency or source is said nowhere, or the source twice.
        InputRefused: the file is no such table; the message names the line.
        Unavailable: it cannot be read.
    """
    if currency is not None:
        exponent_of(currency)
    sha256 = digest_of(path)
    rows = rows_of(path)
    _, header = next(rows, (0, ()))
    if not header:
        raise InputRefused(f"{path} is empty", hint="give a CSV table with a header")
    found = columns_of(header, columns or {})
    _check_said(found, path, currency, source)
    series: dict[tuple[str, str], _Rows] = {}
    rounded = left_out = 0
    for line, row in rows:
        try:
            key = _key(found, row, currency, source)
            if key is None:
                left_out += 1
                continue
            rounded += _take(found, row, line, series.setdefault(key, _Rows()), exponent_of(key[0]))
        except InputRefused as error:
            raise InputRefused(f"line {line} of {path}: {error}", hint=error.hint) from error
        if len(series) > _MOST_SERIES:
            raise InputRefused(f"{path} has more than {_MOST_SERIES:,} sources", hint="is it the right column?")
    if not series:
        raise InputRefused(f"{path} holds no price" + (f" in {currency}" if currency else ""))
    made = tuple(_series(*key, series[key], path, step) for key in sorted(series))
    return PriceFile(path.name, sha256, dict(found.names), made, rounded, left_out)


def _check_said(found: Columns, path: Path, currency: str | None, source: str | None) -> None:
    if found.currency is None and currency is None:
        raise UsageError(f"nothing says in which currency the prices of {path} are", hint="give --currency USD")
    if found.source is None and source is None:
        raise UsageError(f"nothing says whose prices those of {path} are", hint="give --source WHO: it is mandatory")
    if found.source is not None and source is not None:
        raise UsageError(
            f"the column {found.names['source']!a} of {path} says whose prices they are, and so does the source given",
            hint="leave out --source, or rename the column",
        )
    if source is not None:
        _checked_source(source)


def _key(found: Columns, row: Sequence[str], currency: str | None, source: str | None) -> tuple[str, str] | None:
    """Currency and source of a row, or None if its currency is not asked for."""
    said = row[found.currency].strip() if found.currency is not None else currency or ""
    exponent_of(said)
    if currency is not None and said != currency:
        return None
    return said, _checked_source(row[found.source].strip()) if found.source is not None else source or ""


def _checked_source(text: str) -> str:
    if not text.strip():
        raise InputRefused("the source is empty", hint="say whose price it is")
    if len(text) > _LONGEST_SOURCE or not text.isprintable():
        raise InputRefused(
            f"the source {cell.shown(text)} is no text of one line, at most {_LONGEST_SOURCE} characters long"
        )
    return text


def _take(found: Columns, row: Sequence[str], line: int, kept: _Rows, exponent: int) -> bool:
    """Add a row; say whether its price was rounded."""
    text, form = row[found.time[0]].strip(), found.time[1]
    whole_day = False
    if form == "time":
        time, whole_day = cell.seconds_of_time(text)
    else:
        time = cell.seconds_of_unix(text, milliseconds=form == "unix_ms")
    text, form = row[found.close[0]].strip(), found.close[1]
    rounded = False
    if form == "close":
        price, rounded = cell.price_of_decimal(text)
    else:
        price = cell.price_of_minor(text, exponent)
    kept.times.append(time)
    kept.prices.append(price)
    kept.lines.append(line)
    kept.days &= whole_day
    return rounded


def _series(currency: str, source: str, rows: _Rows, path: Path, step: int | None) -> Series:
    times, prices, lines = (np.array(each, np.int64) for each in (rows.times, rows.prices, rows.lines))
    order = np.argsort(times, kind="stable")
    times, prices, lines = times[order], prices[order], lines[order]
    found = _step(times, step, days=rows.days, path=path)
    if found == DAY:
        times = times // DAY * DAY  # whenever in the day it is stamped, it is the day's price
    _check_distinct(times, prices, lines, path, currency, found)
    off = np.flatnonzero((times - times[0]) % found)
    if len(off):
        worst = int(lines[off].min())
        when = int(times[lines == worst][0])
        raise InputRefused(
            f"line {worst} of {path}: {_utc(when)} lies off the steps of {found:,} s that begin at "
            f"{_utc(int(times[0]))}",
            hint="prices must be evenly spaced: bring them to one step, or say it with --step SECONDS",
        )
    return Series(currency, source, found, times, prices)


def _step(times: I64, stated: int | None, *, days: bool, path: Path) -> int:
    """Seconds between two prices: as stated, a day for dates, or the most common distance."""
    if days and stated not in (None, DAY):
        raise InputRefused(
            f"the times of {path} are days, and the step is said to be {stated:,} s",
            hint="leave out --step: a price of a day is its close, and is known when the day has ended",
        )
    if days:
        return DAY
    if stated is None:
        between = np.diff(times)
        between = between[between > 0]
        if not len(between):
            raise InputRefused(f"{path} holds one time only, so no step can be found", hint="give --step SECONDS")
        lengths, counts = np.unique(between, return_counts=True)
        stated = int(lengths[np.argmax(counts)])
    if not 1 <= stated <= DAY:
        raise InputRefused(f"the prices of {path} are {stated:,} s apart", hint="give a price a day, or finer steps")
    return stated


def _check_distinct(times: I64, prices: I64, lines: I64, path: Path, currency: str, step: int) -> None:
    again = np.flatnonzero(np.diff(times) == 0) + 1
    if not len(again):
        return
    at = int(again[np.argmin(lines[again])])
    when = _utc(int(times[at]))[: 10 if step == DAY else None]
    what = "again" if prices[at] == prices[at - 1] else "a second price"
    first, line = sorted((int(lines[at - 1]), int(lines[at])))
    raise InputRefused(
        f"line {line} of {path} gives {when} {what} in {currency}: line {first} gave it first",
        hint="leave one price for every time",
    )


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
