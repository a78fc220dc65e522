"""An exposure as CSV: a row a way, and a row for what ended elsewhere; rows of a side sum to its gross."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.reports.list_file import write_list
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.exposures.answers import EntityExposure, ExposureAnswer, SideExposure
from cointrail.service.prices.columns import fiat_cells, fiat_columns
from cointrail.service.worth import FiatPrices

WAY, SUM, REST = "way", "sum of ways that were too many to list", "ended elsewhere"
_NO_TIME: Final = "it is a sum over several times"

COLUMNS: Final = (
    Column("side", TEXT, "`received` or `sent`"),
    Column("kind", TEXT, "`way`; or a sum where there were too many; or what ended elsewhere"),
    Column("category", FOREIGN, "category of the service, or why it ended elsewhere"),
    Column("entity", FOREIGN, "whom the service's output is attributed to"),
    Column("basis", FOREIGN, "what kind of statement the row makes, and who attributes"),
    Column("sat", INTEGER, "satoshis, by haircut"),
    Column("hops", INTEGER, "transactions between wallet and service, the service's included"),
    Column("listed_since_utc", TEXT, "since when tags name the service so; empty if no tag says"),
    Column("wallet_output", TEXT, "the wallet's output"),
    Column("service_output", TEXT, "the service's output"),
    Column("txids", TEXT, "from the wallet's own transaction to the service's, a space between two"),
)


def write_ways(answer: ExposureAnswer, path: Path, *, overwrite: bool = False) -> None:
    """Write all ways of an answer that was made with all of them.

    Raises:
        UsageError: the file exists and is not to be replaced, or there is no such folder.
        Unavailable: the disk refuses.
    """
    prices = answer.prices
    rows = [row for side in (answer.received, answer.sent) for row in _rows(side, prices)]
    columns = fiat_columns(
        prices, "worth of the satoshis at the time of the service's transaction, of a sum each at its own"
    )
    write_list((*COLUMNS, *columns), rows, path, overwrite=overwrite)


def _rows(side: SideExposure, prices: FiatPrices | None) -> Iterator[tuple[Any, ...]]:
    for category in side.categories:
        for each in category.entities:
            yield from _ways(side, each, prices)
    for reason, sat in side.rest_sat.items():
        yield (side.side, REST, reason, "", "inference", sat, None, "", "", "", "", *fiat_cells(prices, None, _NO_TIME))


def _ways(side: SideExposure, each: EntityExposure, prices: FiatPrices | None) -> Iterator[tuple[Any, ...]]:
    named, since = each.attributed, (each.listing and each.listing.since_utc) or ""
    basis = f"inference resting on an assertion: {named.statement}"
    head = side.side, WAY, named.category, named.service, basis
    for way in each.ways:
        place = (since, way.output, way.service_output, " ".join(way.txids))
        yield (*head, way.sat, way.hops, *place, *fiat_cells(prices, way.fiat))
    listed = sum(way.sat for way in each.ways)
    if listed < each.total.value_sat:
        rest = (each.total.value_sat - listed, None, since, "", "", "")
        worth = None if each.ways else each.total.fiat
        yield (side.side, SUM, *head[2:], *rest, *fiat_cells(prices, worth, _NO_TIME))
