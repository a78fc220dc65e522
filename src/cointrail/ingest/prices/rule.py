"""Which price holds at a time, and what an amount is worth by it. docs/explanation/fiat-values.md is the page.

A series has one price a step. A time takes the price of the step it lies in; a step without a price is a gap, and
nothing is put in its place. All arithmetic is in integers.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

DAY: Final = 86_400

DAILY_CLOSE: Final = ("price.daily_close", 1)
"""Close of the UTC day of the block's miner-declared time."""

LAST_BEFORE: Final = ("price.last_before", 1)
"""The last price at or before the block's miner-declared time, if it is less than one step old."""

PRICE_UNIT: Final = 10**8
"""Prices are kept in 10^-8 of the currency's unit."""

_COIN: Final = 10**8
_LIMB: Final = 10**8
_FITS: Final = 1 << 61


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


def minor_units_of_many(
    values_sat: npt.NDArray[np.int64], prices_e8: npt.NDArray[np.int64], exponent: int
) -> npt.NDArray[Any]:
    """The same for many amounts, each by its own price.

    Args:
        values_sat: int64 (n,), of either sign.
        prices_e8: int64 (n,), none negative.
        exponent: decimals of the minor unit.

    Returns:
        Integers (n,): int64 if sums of them fit into that too, otherwise Python's.
    """
    all_sat = _LIMB * (int(np.abs(values_sat // _LIMB).sum()) + len(values_sat))  # at least that of every part
    most = int(prices_e8.max(initial=0)) * 10**exponent
    fits = max(all_sat, most, all_sat * most // (_COIN * PRICE_UNIT)) < _FITS
    value, price = (each.astype(np.int64 if fits else object) for each in (values_sat, prices_e8))
    price, one = price * 10**exponent, _COIN * PRICE_UNIT
    # A product of both has a hundred bits, so it is made of limbs of eight decimals; two of them are one.
    high, low = _parted(value, _LIMB)
    price_high, price_low = _parted(price, _LIMB)
    middle_high, middle_low = _parted(high * price_low + low * price_high, _LIMB)
    carried, rest = _parted(middle_low * _LIMB + low * price_low, one)
    whole = high * price_high + middle_high + carried
    twice = 2 * rest
    rounded: npt.NDArray[Any] = whole + ((twice > one) | ((twice == one) & (whole & 1 == 1)))
    return rounded


def _parted(values: npt.NDArray[Any], by: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Quotient, rounded down, and rest; `numpy.divmod` is slower and knows no integers of Python."""
    return values // by, values % by
