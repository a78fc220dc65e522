"""Money beside amounts on the command line: the choice that options make, columns of tables, and what is said of it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cointrail import config
from cointrail.cli.output import note, number, one_line
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.worth import FiatChoice, FiatPrices, FiatTotal, FiatValue

_GAP = "- (gap)"
_DIGITS_OF_DIGEST = 16


def fiat_choice(currency: str | None, source: str | None) -> "FiatChoice | None":
    """Prices of the settings' database in a currency; None if no money was asked for.

    Raises:
        UsageError: a source is named and no currency.
    """
    if currency is None:
        if source is not None:
            raise UsageError("--prices says whose prices, and no money was asked for", hint="add --fiat USD")
        return None
    from cointrail.service.worth import FiatChoice

    return FiatChoice(currency, str(config.database().value), source)


def money(fiat: "FiatValue | FiatTotal | None") -> str:
    """An amount in money as people read it; a total says how many of its amounts it is without."""
    from cointrail.service.prices.fiat import format_minor
    from cointrail.service.worth import FiatTotal

    if fiat is None:
        return "-"
    missing = fiat.missing if isinstance(fiat, FiatTotal) else 0
    if fiat.minor is None:
        return f"- (gap in all {number(missing)} amounts)" if missing > 1 else _GAP
    text = f"{format_minor(fiat.minor, fiat.exponent)} {fiat.currency}"
    if isinstance(fiat, FiatTotal) and missing:
        return f"{text} without {number(missing)} of {number(fiat.amounts)} amounts (gap)"
    return text


def in_money(fiat: "FiatValue | FiatTotal | None") -> str:
    """What goes behind an amount in satoshi: nothing if money was not asked for."""
    return "" if fiat is None else f" = {money(fiat)}"


def with_worth(
    prices: "FiatPrices | None",
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    behind: Sequence[tuple[str, Sequence["FiatValue | FiatTotal | None"]]],
) -> tuple[list[str], list[list[str]]]:
    """A table with a column of money behind each of some columns; as it was if money was not asked for.

    Args:
        prices: of the answer; None if money was not asked for.
        header: names of the columns.
        rows: their cells.
        behind: names of columns, each with the value of every row.
    """
    names, cells = list(header), [list(row) for row in rows]
    for name, values in behind if prices is not None else ():
        column = names.index(name) + 1
        texts = [money(value) for value in values]
        width = max(map(len, texts), default=0)
        names.insert(column, "worth")
        for row, text in zip(cells, texts, strict=True):
            row.insert(column, text.rjust(width))
    return names, cells


def note_prices(prices: "FiatPrices | None") -> None:
    """Say whose prices an answer used, by which rule, and how they were chosen."""
    if prices is None:
        return
    chosen = "" if prices.chosen in ("named", "only") else f"; no source was named, this is the {prices.chosen}"
    note(
        f"note: {prices.currency} as {one_line(prices.source)} says by {prices.rule} at the block's miner-declared "
        f"time (series {prices.digest[:_DIGITS_OF_DIGEST]}){chosen}; {_GAP}: no price is known, nothing takes its place"
    )
