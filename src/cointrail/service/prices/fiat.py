"""Amounts in money at a block's time: integers in minor units, each with its rule, its source, or its gap.

Rounding is half to even. A step without a price gives no value and says why; nothing is interpolated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cointrail.ingest.prices.currency import exponent_of
from cointrail.ingest.prices.rule import DAY, minor_units, rule_of
from cointrail.ingest.prices.series import Series
from cointrail.service.names import utc
from cointrail.service.worth import FiatValue

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FiatColumn:
    """Many amounts in money.

    Attributes:
        minor: integers (n,), int64 or, where sums would not fit into it, Python's; 0 on a gap.
        price_times: int64 (n,), begin of the step whose price was taken, seconds since 1970 UTC; -1 on a gap.
    """

    minor: npt.NDArray[Any]
    price_times: I64

    def __len__(self) -> int:
        return len(self.minor)

    def __iter__(self) -> Iterator[int | None]:
        """Each amount, None on a gap."""
        return iter([each if known else None for each, known in zip(self.minor.tolist(), self.known, strict=True)])

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether there is a price, bool (n,)."""
        return self.price_times >= 0

    @property
    def gaps(self) -> int:
        """How many amounts have no value."""
        return int(len(self) - np.count_nonzero(self.known))

    @property
    def total_minor(self) -> int:
        """Sum of the amounts that have a value; say how many have none beside it."""
        return int(self.minor.sum())


class Prices(Protocol):
    """A series that can be asked: a `Series` in memory, or one in the database."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def source(self) -> str:
        """Whose prices."""

    @property
    def step(self) -> int:
        """Seconds between two."""

    @property
    def digest(self) -> str:
        """Their name in answers."""


def rule_name(step: int) -> str:
    """Name and version of the rule that a series of this step is read by, as answers have it."""
    name, version = rule_of(step)
    return f"{name}/{version}"


def fiat_of(prices: Prices, value_sat: int, found: tuple[int, int] | None, block_time: int) -> FiatValue:
    """An amount in money by a price that was found.

    Args:
        prices: the series.
        value_sat: the amount, of either sign.
        found: time and price (10^-8 of the currency's unit) of the step, or None.
        block_time: miner-declared, seconds since 1970 UTC.
    """
    exponent = exponent_of(prices.currency)
    return FiatValue(
        minor=None if found is None else minor_units(value_sat, found[1], exponent),
        currency=prices.currency,
        exponent=exponent,
        source=prices.source,
        rule=rule_name(prices.step),
        price_time_utc=None if found is None else utc(found[0]),
        gap=gap_at(prices.step, block_time) if found is None else None,
        series=prices.digest,
    )


def fiat_at(series: Series, value_sat: int, block_time: int) -> FiatValue:
    """What an amount was worth at a time, by a series in memory."""
    row = int(series.rows_at(np.array([block_time], np.int64))[0])
    found = None if row < 0 else (int(series.times[row]), int(series.prices_e8[row]))
    return fiat_of(series, value_sat, found, block_time)


def gap_at(step: int, block_time: int) -> str:
    """Why a time has no price."""
    when = utc(block_time)
    if step == DAY:
        return f"no price is known for the UTC day {when[:10]}"
    return f"no price is known in the {step:,} s up to {when}"


def format_minor(minor: int, exponent: int) -> str:
    """Minor units as people read them, with thousands separators: `-1,234.56`."""
    whole, rest = divmod(abs(minor), 10**exponent)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{exponent}d}" if exponent else "")
