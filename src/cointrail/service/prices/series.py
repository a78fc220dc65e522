"""Choosing the prices an answer uses: the source that is named, or else that of the newest import, which is said.

A source's files may follow one another, or correct one another: where a newer import has no price, an older one of the
same source and step is asked.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.database import Database
from cointrail.errors import NotFound
from cointrail.ingest.prices import store
from cointrail.ingest.prices.currency import exponent_of
from cointrail.ingest.prices.rule import minor_units_of_many
from cointrail.ingest.prices.series import Series
from cointrail.ingest.prices.store import Stored
from cointrail.service.names import utc
from cointrail.service.prices.fiat import FiatColumn, fiat_of, rule_name
from cointrail.service.worth import FiatImport, FiatPrices, FiatValue

I64 = npt.NDArray[np.int64]


_ROWS_A_LOOKUP: Final = 100
"""Rows of a series that are read in the time of one look-up, about."""


@dataclass(eq=False)
class PriceTable:
    """The prices of one source in one currency. What was looked up is remembered.

    Args:
        database: open, and stays so.
        stored: the source's series of one step, newest first, at least one.
        chosen: see `FiatPrices`.
    """

    database: Database
    stored: tuple[Stored, ...]
    chosen: str
    _steps: dict[tuple[int, int], tuple[int, int] | None] = field(default_factory=dict, init=False)
    _loaded: dict[int, Series] = field(default_factory=dict, init=False)

    @property
    def used(self) -> FiatPrices:
        """What an answer says about the prices it used."""
        newest, digests = self.stored[0], [series.digest for series in self.stored]
        joined = hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()
        return FiatPrices(
            currency=newest.currency,
            exponent=exponent_of(newest.currency),
            source=newest.source,
            step_seconds=newest.step,
            rule=rule_name(newest.step),
            digest=digests[0] if len(digests) == 1 else joined,
            imports=tuple(map(_import_used, self.stored)),
            chosen=self.chosen,
        )

    def at(self, value_sat: int, block_time: int) -> FiatValue:
        """What an amount was worth at a block's miner-declared time (seconds since 1970 UTC)."""
        for series in self.stored:
            found = self._price(series, block_time)
            if found is not None:
                return fiat_of(series, value_sat, found, block_time)
        return fiat_of(self.stored[0], value_sat, None, block_time)

    def many(self, values_sat: npt.ArrayLike, block_times: npt.ArrayLike) -> FiatColumn:
        """The same for many amounts, each at its own time; both (n,), integers."""
        values, times = np.asarray(values_sat, np.int64).reshape(-1), np.asarray(block_times, np.int64).reshape(-1)
        distinct, place = np.unique(times, return_inverse=True)
        begins, prices = np.full(len(distinct), -1, np.int64), np.zeros(len(distinct), np.int64)
        for series in self.stored:
            inside = (distinct >= series.first_time) & (distinct < series.last_time + series.step)
            rows = np.flatnonzero(inside & (begins < 0))
            begins[rows], prices[rows] = self._prices(series, distinct[rows])
        minor = minor_units_of_many(values, prices[place], exponent_of(self.stored[0].currency))
        return FiatColumn(minor, begins[place])

    def _price(self, series: Stored, time: int) -> tuple[int, int] | None:
        step = series.series_id, (time - series.first_time) // series.step
        if step not in self._steps:
            self._steps[step] = store.price_at(self.database, series, time)
        return self._steps[step]

    def _prices(self, series: Stored, times: I64) -> tuple[I64, I64]:
        """Begin of the step and price of each time: -1 and 0 where there is none."""
        if series.series_id not in self._loaded and series.rows > _ROWS_A_LOOKUP * len(times):
            pairs = [self._price(series, time) or (-1, 0) for time in times.tolist()]
            begins, prices = np.array(pairs, np.int64).reshape(-1, 2).T
            return begins, prices
        if series.series_id not in self._loaded:
            self._loaded[series.series_id] = store.load(self.database, series)
        loaded = self._loaded[series.series_id]
        rows = loaded.rows_at(times)
        return np.where(rows < 0, -1, loaded.times[rows]), np.where(rows < 0, 0, loaded.prices_e8[rows])


def choose(database: Database, currency: str, source: str | None = None) -> PriceTable:
    """The prices to use.

    Args:
        database: open.
        currency: ISO 4217.
        source: whose; that of the most recent import if not given.

    Raises:
        InputRefused: no currency.
        NotFound: there are none.
    """
    exponent_of(currency)
    found = store.every(database, currency)
    sources = {series.source for series in found}
    if not found or (source is not None and source not in sources):
        held = sorted({(series.currency, series.source) for series in store.every(database)})
        listed = "; ".join(f"{name} by {who}" for name, who in held[:8]) or "none at all"
        whose = f" by {source!a}" if source is not None else ""
        raise NotFound(
            f"there are no prices in {currency}{whose}",
            hint=f"there are {listed}; cointrail prices import FILE --currency {currency} --source WHO",
        )
    wanted = source or found[0].source
    taken = [series for series in found if series.source == wanted]
    chosen = "named" if source is not None else "only" if len(sources) == 1 else f"newest of {len(sources)} sources"
    return PriceTable(database, tuple(series for series in taken if series.step == taken[0].step), chosen)


def _import_used(series: Stored) -> FiatImport:
    return FiatImport(
        series.digest,
        series.file_name,
        series.sha256,
        series.imported_utc,
        utc(series.first_time),
        utc(series.last_time),
    )
