"""Amounts: integers of satoshi, the cap on them, and the block subsidy.

Values are Python integers throughout, so no sum can wrap; BTC appears only in `format_btc`, and no float anywhere.
"""

COIN = 100_000_000
"""Satoshi in one BTC."""

MAX_MONEY = 21_000_000 * COIN
"""No valid amount or sum of amounts is above this (Core `consensus/amount.h`)."""


def format_btc(value_sat: int) -> str:
    """Return an amount in BTC with eight decimals, computed in integers.

    Args:
        value_sat: the amount in satoshi, of either sign.

    Returns:
        Text such as ``50.00000000`` or ``-0.00000001``.
    """
    whole, fraction = divmod(abs(value_sat), COIN)
    sign = "-" if value_sat < 0 else ""
    return f"{sign}{whole}.{fraction:08d}"


def subsidy_sat(height: int, halving_interval: int) -> int:
    """Return the new satoshi a block may create, fees not included (Core `GetBlockSubsidy`).

    Args:
        height: height of the block, genesis is 0.
        halving_interval: blocks between two halvings; 210,000, on regtest 150.
    """
    halvings = height // halving_interval
    # Core stops at 64 because a C shift is undefined there; the subsidy has been zero since the 33rd halving.
    return 0 if halvings >= 64 else 50 * COIN >> halvings
