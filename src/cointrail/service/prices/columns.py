"""Columns of lists that hold amounts in money, and their cells: at the end, and only if money was asked for."""

from typing import Final

from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue

Cells = tuple[int | str | None, ...]

_OF_PRICES: Final = (
    Column("currency", TEXT, "only with --fiat: the currency, ISO 4217"),
    Column("price_source", FOREIGN, "only with --fiat: whose price it is"),
    Column("price_rule", TEXT, "only with --fiat: name and version of the rule that chose the price"),
)


def fiat_columns(prices: FiatPrices | None, what: str) -> tuple[Column, ...]:
    """Columns of one amount a row.

    Args:
        prices: of the answer; there are no columns if money was not asked for.
        what: the amount and the block at whose time it is valued.
    """
    if prices is None:
        return ()
    minor = f"only with --fiat: {what}, in minor units of the currency (cents); empty where no price is known"
    gap = "only with --fiat: why there is no amount; empty if there is one"
    return Column("fiat_minor", INTEGER, minor), *_OF_PRICES, Column("price_gap", TEXT, gap)


def fiat_cells(prices: FiatPrices | None, value: FiatValue | FiatTotal | None, otherwise: str = "") -> Cells:
    """A row of `fiat_columns`.

    Args:
        prices: as there.
        value: the amount.
        otherwise: why there is none.
    """
    if prices is None:
        return ()
    minor = None if value is None else value.minor
    gap = otherwise if value is None else gap_text(value)
    return minor, prices.currency, prices.source, prices.rule, gap


def total_columns(prices: FiatPrices | None, sums: dict[str, str]) -> tuple[Column, ...]:
    """Columns of sums; `sums` has the name of each, and what it is."""
    if prices is None:
        return ()
    minor = [
        Column(
            f"{name}_fiat_minor",
            INTEGER,
            f"only with --fiat: {what}, each amount at the time of its block, in minor units of the currency (cents); "
            "empty if no price is known for any",
        )
        for name, what in sums.items()
    ]
    gap = [
        Column(f"{name}_price_gap", TEXT, "only with --fiat: what that sum is without; empty if nothing is missing")
        for name in sums
    ]
    return *minor, *_OF_PRICES, *gap


def total_cells(prices: FiatPrices | None, totals: list[FiatTotal | None]) -> Cells:
    """A row of `total_columns`."""
    if prices is None:
        return ()
    known = [total for total in totals if total is not None]
    minor = [total.minor for total in known]
    return *minor, prices.currency, prices.source, prices.rule, *map(gap_text, known)


def gap_text(fiat: FiatValue | FiatTotal) -> str:
    """Why there is no amount, or what a sum is without; empty if nothing is missing."""
    if isinstance(fiat, FiatValue):
        return fiat.gap or ""
    if not fiat.missing:
        return ""
    return f"no price is known for {fiat.missing:,} of {fiat.amounts:,} amounts, {fiat.missing_sat:,} satoshi"
