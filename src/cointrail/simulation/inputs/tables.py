"""Two small tables: the test purchases with their notes, and the price of a bitcoin day by day."""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cointrail.bitcoin.hashes import display
from cointrail.simulation.agenda import DAY
from cointrail.simulation.chain import START_TIME
from cointrail.simulation.plot.records import Purchase
from cointrail.simulation.prices import PriceCurve
from cointrail.simulation.stream import Stream

CURRENCIES = ("USD", "EUR")
MISSING_DAYS = 2
_SOURCE = "Meridian daily close (invented)"


def utc(seconds: int) -> str:
    """A time in ISO 8601 with `Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(seconds: int) -> int:
    """Number of the day a time lies in, 0 for the first after the prelude."""
    return (seconds - START_TIME) // DAY


def write_undercover(path: Path, purchases: Iterable[Purchase]) -> None:
    """Write `undercover.csv`."""
    head = ("purchase_no", "market_user", "txid", "vout", "value_sat", "time_utc", "funding", "note")
    rows = (
        (each.purchase_no, each.market_user, display(each.txid), each.vout, each.value_sat, utc(each.time),
         each.funding, each.note)
        for each in purchases
    )  # fmt: skip
    write_csv(path, head, rows)


def write_prices(path: Path, curve: PriceCurve, last_time: int, payment_days: Sequence[int], stream: Stream) -> None:
    """Write `prices.csv`: every day up to that of the last block but two, on which the market was paid.

    Args:
        path: of the file.
        curve: the prices.
        last_time: of the last block, seconds since 1970.
        payment_days: days on which the market was paid, ascending, each once.
        stream: decides which two are missing.
    """
    missing = gap_days(payment_days, stream)
    rows = (
        (utc(START_TIME + day * DAY)[:10], currency, curve.close_minor(day, currency), _SOURCE)
        for day in range(day_of(last_time) + 1)
        if day not in missing
        for currency in CURRENCIES
    )
    write_csv(path, ("date", "currency", "close_minor", "source"), rows)


def gap_days(days: Sequence[int], stream: Stream) -> tuple[int, ...]:
    """Two days that are not neighbours, neither the first nor the last of those given."""
    inner = list(days[1:-1])
    first = stream.pick(inner)
    return first, stream.pick([day for day in inner if abs(day - first) > 1])


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as UTF-8 with commas."""
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
