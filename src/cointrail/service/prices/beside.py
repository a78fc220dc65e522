"""Money beside the amounts of an answer: each at the miner-declared time of its block, a gap disclosed.

Assumes the price rules of docs/explanation/fiat-values.md. Without a choice nothing is opened and nothing is worth
anything, so that whoever does not ask for money pays for no database.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cointrail.errors import NotFound, Unavailable
from cointrail.ledger.reader import Reader
from cointrail.service.worth import FiatChoice, FiatTotal, FiatValue

if TYPE_CHECKING:
    from cointrail.ingest.prices.store import Stored
    from cointrail.service.prices.series import PriceTable

_HINT = "cointrail prices import FILE --currency {currency} --source WHO"


class Beside:
    """Values amounts of one ledger, or leaves them alone.

    A price is looked up once a step and import, so answers of many amounts ask the database little.

    Args:
        reader: the ledger at a snapshot, for the times of blocks.
        table: the prices, whose database is open; None: nothing has a value.
    """

    def __init__(self, reader: Reader, table: "PriceTable | None" = None) -> None:
        self._reader, self._table = reader, table
        self._steps: dict[tuple[int, int], tuple[int, int] | None] = {}
        self.prices = None if table is None else table.used

    def at(self, value_sat: int | None, height: int) -> FiatValue | None:
        """What an amount was worth at the time of a block; None if there is no amount, or money was not asked for."""
        if self._table is None or value_sat is None:
            return None
        from cointrail.service.prices.fiat import fiat_of

        time = int(self._reader.column("block", "time")[height])
        for series in self._table.stored:
            found = self._price(self._table, series, time)
            if found is not None:
                return fiat_of(series, value_sat, found, time)
        return fiat_of(self._table.stored[0], value_sat, None, time)

    def total(self, parts: Iterable[tuple[int, FiatValue | None]]) -> FiatTotal | None:
        """The sum of amounts, satoshi and value each, without those of zero; None if money was not asked for."""
        if self.prices is None:
            return None
        amounts = [(sat, value) for sat, value in parts if sat]
        known = [value.minor for _, value in amounts if value is not None and value.minor is not None]
        missing_sat = sum(sat for sat, value in amounts if value is None or value.minor is None)
        return FiatTotal(
            minor=sum(known) if known or not amounts else None,
            currency=self.prices.currency,
            exponent=self.prices.exponent,
            amounts=len(amounts),
            missing=len(amounts) - len(known),
            missing_sat=missing_sat,
        )

    def _price(self, table: "PriceTable", series: "Stored", time: int) -> tuple[int, int] | None:
        from cointrail.ingest.prices import store

        step = series.series_id, (time - series.first_time) // series.step
        if step not in self._steps:
            self._steps[step] = store.price_at(table.database, series, time)
        return self._steps[step]


@contextmanager
def beside(reader: Reader, choice: FiatChoice | None) -> Iterator[Beside]:
    """Open the prices that somebody chose, for as long as amounts are valued.

    Args:
        reader: the ledger at a snapshot.
        choice: which money; None for none.

    Raises:
        InputRefused: no currency.
        NotFound: there are prices, but none in this currency or of this source.
        Unavailable: no prices were imported, or the database cannot be used.
    """
    if choice is None:
        yield Beside(reader)
        return
    from cointrail.database import Database
    from cointrail.database.address import Address
    from cointrail.ingest.prices import store
    from cointrail.ingest.prices.currency import exponent_of
    from cointrail.service.prices.series import choose

    exponent_of(choice.currency)
    hint = _HINT.format(currency=choice.currency)
    address = Address.of(choice.database)
    if address.file is not None and not address.file.exists():
        raise Unavailable(f"no prices were imported: there is no database {address.file}", hint=hint)
    with Database(address) as database:
        try:
            table = choose(database, choice.currency, choice.source)
        except NotFound:
            if store.every(database):
                raise
            raise Unavailable(f"no prices were imported into {database.address}", hint=hint) from None
        yield Beside(reader, table)
