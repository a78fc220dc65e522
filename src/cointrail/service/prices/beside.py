"""Money beside the amounts of an answer: each at the miner-declared time of its block, a gap disclosed.

Assumes the price rules of docs/explanation/fiat-values.md. Without a choice nothing is opened and nothing is worth
anything, so that whoever does not ask for money pays for no database.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cointrail.errors import NotFound, Unavailable
from cointrail.ledger.reader import Reader
from cointrail.service.worth import FiatChoice, FiatPrices, FiatTotal, FiatValue

if TYPE_CHECKING:
    from cointrail.service.prices.series import PriceTable

I64 = npt.NDArray[np.int64]

_HINT = "cointrail prices import FILE --currency {currency} --source WHO"


class Beside:
    """Values amounts of one ledger, or leaves them alone.

    Args:
        reader: the ledger at a snapshot, for the times of blocks.
        table: the prices, whose database is open; None: nothing has a value.
    """

    def __init__(self, reader: Reader, table: "PriceTable | None" = None) -> None:
        self._reader, self._table = reader, table
        self.prices = None if table is None else table.used

    def at(self, value_sat: int | None, height: int) -> FiatValue | None:
        """What an amount was worth at the time of a block; None if there is no amount, or money was not asked for."""
        if self._table is None or value_sat is None:
            return None
        return self._table.at(value_sat, int(self._reader.column("block", "time")[height]))

    def total(self, parts: Iterable[tuple[int, FiatValue | None]]) -> FiatTotal | None:
        """The sum of amounts, satoshi and value each, without those of zero; None if money was not asked for."""
        if self.prices is None:
            return None
        amounts = [(sat, value) for sat, value in parts if sat]
        known = [value.minor for _, value in amounts if value is not None and value.minor is not None]
        missing_sat = sum(sat for sat, value in amounts if value is None or value.minor is None)
        return self._total(self.prices, sum(known), len(amounts), len(amounts) - len(known), missing_sat)

    def total_at(self, values_sat: I64, heights: I64) -> FiatTotal | None:
        """The same sum of many amounts, each at the time of its block; see `totals_at`."""
        return self.totals_at(values_sat, heights, np.zeros(len(values_sat), np.int64), 1)[0]

    def totals_at(self, values_sat: I64, heights: I64, group: I64, groups: int) -> list[FiatTotal | None]:
        """The sums of groups of amounts, to the minor unit what `total` makes of each `at`.

        Args:
            values_sat: int64 (n,), satoshi of either sign; those of a group sum to less than 2^63.
            heights: int64 (n,), the block at whose time each is valued.
            group: int64 (n,), number of each one's group.
            groups: how many groups there are.

        Returns:
            A sum a group; None for each if money was not asked for.
        """
        if self._table is None or self.prices is None:
            return [None] * groups
        some = np.flatnonzero(values_sat)
        values, group = values_sat[some], group[some]
        column = self._table.many(values, self._reader.column("block", "time")[heights[some]])
        minor = np.zeros(groups, column.minor.dtype)
        np.add.at(minor, group, column.minor)
        amounts = np.bincount(group, minlength=groups)
        unknown = np.flatnonzero(~column.known)
        missing = np.bincount(group[unknown], minlength=groups)
        missing_sat = np.zeros(groups, np.int64)
        np.add.at(missing_sat, group[unknown], values[unknown])
        counts = (minor.tolist(), amounts.tolist(), missing.tolist(), missing_sat.tolist())
        return [self._total(self.prices, *each) for each in zip(*counts, strict=True)]

    @staticmethod
    def _total(prices: FiatPrices, minor: int, amounts: int, missing: int, missing_sat: int) -> FiatTotal:
        return FiatTotal(
            minor=None if amounts and missing == amounts else minor,
            currency=prices.currency,
            exponent=prices.exponent,
            amounts=amounts,
            missing=missing,
            missing_sat=missing_sat,
        )


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
