"""Money worked out with exact fractions from days and closes, for tests; nothing of the program is used."""

from datetime import UTC, datetime
from fractions import Fraction
from random import Random


class PlainWorth:
    """Made-up closes of the days of a chain, some of which are missing.

    Attributes:
        times: of the chain's blocks, seconds since 1970 UTC.
        closes: in cents, by day.
    """

    def __init__(self, times, seed=1, lack=5):
        """Every so many days lack a price."""
        self.times, random = times, Random(seed)
        days = dict.fromkeys(map(self.day, range(len(times))))
        self.closes = {day: random.randrange(1, 10**7) for number, day in enumerate(days) if number % lack}

    def day(self, height):
        return datetime.fromtimestamp(self.times[height], UTC).date().isoformat()

    def write(self, path):
        """The closes as a table."""
        lines = [f"{day},{cents // 100}.{cents % 100:02d}" for day, cents in self.closes.items()]
        path.write_text("\n".join(["date,close", *lines]) + "\n")
        return path

    def cents(self, sat, height):
        """What an amount was worth at a block's time, half to even; None on a day without a price."""
        close = self.closes.get(self.day(height))
        return None if close is None else round(Fraction(sat * close, 10**8))

    def total(self, parts):
        """(minor, amounts, missing, missing_sat) of (satoshi, height) each."""
        parts = [(sat, self.cents(sat, height)) for sat, height in parts if sat]
        known = [cents for _, cents in parts if cents is not None]
        missing = [sat for sat, cents in parts if cents is None]
        return (sum(known) if known or not parts else None, len(parts), len(missing), sum(missing))


def told(total):
    """A total of an answer in the form of `PlainWorth.total`."""
    return total.minor, total.amounts, total.missing, total.missing_sat
