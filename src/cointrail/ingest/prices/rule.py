"""Which price holds at a time, and what an amount is worth by it. docs/explanation/fiat-values.md is the page.

A series has one price a step. A time takes the price of the step it lies in; a step without a price is a gap, and
nothing is put in its place. All arithmetic is in integers.
"""

from typing import Final

DAY: Final = 86_400

DAILY_CLOSE: Final = ("price.daily_close", 1)
"""Close of the UTC day of the block's miner-declared time."""

LAST_BEFORE: Final = ("price.last_before", 1)
"""The last price at or before the block's miner-declared time, if it is less than one step old."""

PRICE_UNIT: Final = 10**8
"""Prices are kept in 10^-8 of the currency's unit."""

_COIN: Final = 10**8


def rule_of(step: int) -> tuple[str, int]:
    """Name and version of the rule that a series of this step (seconds) is read by."""
    return DAILY_CLOSE if step == DAY else LAST_BEFORE


def minor_units(value_sat: int, price_e8: int, exponent: int) -> int:
    """What an amount is worth in minor units, rounded half to even.

    Args:
        value_sat: of either sign.
        price_e8: of one bitcoin, in 10^-8 of the currency's unit.
        exponent: decimals of the minor unit.
    """
    whole, rest = divmod(value_sat * price_e8 * 10**exponent, _COIN * PRICE_UNIT)
    twice = 2 * rest
    one = _COIN * PRICE_UNIT
    up = twice > one or (twice == one and whole % 2 == 1)
    return int(whole + up)
