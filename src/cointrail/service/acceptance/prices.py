"""What a payment was worth in money, by the case's table of daily closes (`prices.csv`, SCENARIO.md 4.1)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cointrail.errors import NotFound
from cointrail.ingest.prices.series import Series
from cointrail.ingest.prices.table import read_prices
from cointrail.service.prices.fiat import fiat_at
from cointrail.service.worth import FiatValue


@dataclass(frozen=True, slots=True)
class CasePrices:
    """The series of a case's table, which has one source a currency."""

    series: tuple[Series, ...]

    def worth(self, value_sat: int, time_utc: str, currency: str) -> FiatValue:
        """What a value was worth at a time in ISO 8601.

        Raises:
            NotFound: the table has no prices in that currency.
        """
        for each in self.series:
            if each.currency == currency:
                return fiat_at(each, value_sat, int(datetime.fromisoformat(time_utc).timestamp()))
        raise NotFound(f"the case has no prices in {currency}")


def case_prices(path: Path) -> CasePrices:
    """Read the table of a case.

    Raises:
        InputRefused: it is missing or malformed, or gives a day two prices.
    """
    return CasePrices(read_prices(path).series)
