"""A series: one currency's prices of one source, a price a step. Times are UTC seconds, prices integers."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

_FORMAT = "cointrail price series 1"


@dataclass(frozen=True, slots=True)
class Gap:
    """Steps without a price: from `first` to `last`, both missing, in seconds since 1970 UTC."""

    first: int
    last: int
    steps: int


@dataclass(frozen=True, eq=False)
class Series:
    """Prices of one source in one currency.

    Attributes:
        currency: ISO 4217.
        source: whose prices these are.
        step: seconds between two prices; 86,400 for the closes of UTC days, whose time is the day's begin.
        times: shape (n,), n > 0, ascending, all on the grid `times[0] + k * step`.
        prices_e8: shape (n,), of one bitcoin in 10^-8 of the currency's unit.
    """

    currency: str
    source: str
    step: int
    times: I64
    prices_e8: I64

    @cached_property
    def digest(self) -> str:
        """SHA-256 of currency, source, step and rows as lines of text, in hex: the name of these prices in answers."""
        found = hashlib.sha256(f"{_FORMAT}\n{self.currency}\n{self.source}\n{self.step}\n".encode())
        for first in range(0, len(self.times), 1 << 16):
            part = slice(first, first + (1 << 16))
            rows = zip(self.times[part].tolist(), self.prices_e8[part].tolist(), strict=True)
            found.update("".join(f"{time} {price}\n" for time, price in rows).encode())
        return found.hexdigest()

    def rows_at(self, times: I64) -> I64:
        """The row whose step each time lies in, -1 where there is none. Shape as `times`."""
        rows = np.searchsorted(self.times, times, "right") - 1
        held = (rows >= 0) & (times - self.times[rows] < self.step)
        return np.where(held, rows, -1).astype(np.int64)

    def gaps(self) -> tuple[Gap, ...]:
        """Where prices are missing between the first and the last."""
        before = np.flatnonzero(np.diff(self.times) > self.step)
        ends = zip(self.times[before].tolist(), self.times[before + 1].tolist(), strict=True)
        return tuple(gap_between(earlier, later, self.step) for earlier, later in ends)


def gap_between(earlier: int, later: int, step: int) -> Gap:
    """The gap between two neighbouring rows that are more than a step apart."""
    return Gap(earlier + step, later - step, (later - earlier) // step - 1)
