"""What a bitcoin costs, day by day, and what things cost in bitcoin: shared by the market, its decoy and the shops.

The curve is invented: a walk of at most 3 % a day from 42,000 USD at the end of the prelude, in integer cents. The
market's price list and its share of fiat prices are SCENARIO.md 3.
"""

from cointrail.simulation.agenda import DAY
from cointrail.simulation.stream import Stream

MARKET_PRICES = ((2_000_000, 40), (5_000_000, 30), (10_000_000, 20), (30_000_000, 10))
"""Prices in sat with their weights: 0.02, 0.05, 0.1 and 0.3 BTC."""

_START_CENTS = 4_200_000
_EUR_PERMILLE = 922
_COIN = 100_000_000


class PriceCurve:
    """Daily closes in integer cents.

    Args:
        seed: the world's seed.
    """

    def __init__(self, seed: int) -> None:
        self._stream = Stream(seed, "prices")
        self._closes = [_START_CENTS]

    def close_minor(self, day: int, currency: str = "USD") -> int:
        """Cents for one BTC at the end of a day; day 0 is the first after the prelude, USD or EUR."""
        day = max(day, 0)
        while len(self._closes) <= day:
            last = self._closes[-1]
            step = last * self._stream.between(-300, 300) // 10_000
            self._closes.append(min(max(last + step, 1_500_000), 12_000_000))
        cents = self._closes[day]
        return cents if currency == "USD" else cents * _EUR_PERMILLE // 1_000

    def to_sat(self, minor: int, seconds: int, currency: str = "USD") -> int:
        """Satoshis for an amount of cents at a time, in seconds since the prelude ended."""
        return minor * _COIN // self.close_minor(seconds // DAY, currency)


def market_amount_sat(stream: Stream, prices: PriceCurve, seconds: int) -> int:
    """What the market, or its decoy, asks for one thing: half the list in BTC, half converted from dollars.

    Args:
        stream: whose choice it is.
        prices: the curve.
        seconds: when, since the prelude ended.
    """
    price = stream.weighted(MARKET_PRICES)
    if stream.chance(1, 2):
        return price
    dollars = price * (_START_CENTS // 100) // _COIN // 10 * 10
    return prices.to_sat(dollars * 100, seconds)
