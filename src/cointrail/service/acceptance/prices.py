"""What a payment was worth in money, by the case's table of daily closes (`prices.csv`, SCENARIO.md 4.1).

value_sat * close_minor / 10^8 minor units of the close of the block's UTC day, rounded half to even, in integers. A day
that the table lacks has no price, and nothing is interpolated.
"""

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from cointrail.errors import InputRefused

GAP: Final = "no price is known for this day"
_COLUMNS = ("date", "currency", "close_minor", "source")
_COIN = 10**8
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Worth:
    """A value in minor units of money, None on a day without a price; `source` says whose price it is, or none."""

    minor: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """Closes by day and currency: (minor units of a bitcoin, who says so)."""

    closes: dict[tuple[str, str], tuple[int, str]]

    def worth(self, value_sat: int, time_utc: str, currency: str) -> Worth:
        """What a value was worth on the UTC day of a time in ISO 8601."""
        close = self.closes.get((time_utc[:10], currency))
        if close is None:
            return Worth(None, GAP)
        return Worth(round(Fraction(value_sat * close[0], _COIN)), close[1])


def read_prices(path: Path) -> Prices:
    """Read a table of daily closes.

    Raises:
        InputRefused: it is missing or malformed, or gives a day two prices.
    """
    hint = f"give a table with the columns {','.join(_COLUMNS)}"
    closes: dict[tuple[str, str], tuple[int, str]] = {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint=hint)
        with path.open(encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file, strict=True), 2):
                date, currency, close, source = (row.get(name) or "" for name in _COLUMNS)
                if not (date and currency and source and close.isascii() and close.isdigit()):
                    raise InputRefused(f"line {line} of {path} is no price", hint=hint)
                if closes.setdefault((date, currency), (int(close), source)) != (int(close), source):
                    raise InputRefused(f"line {line} of {path} gives {date} a second price in {currency}", hint=hint)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(f"{path} cannot be read: {error}", hint=hint) from error
    return Prices(closes)
