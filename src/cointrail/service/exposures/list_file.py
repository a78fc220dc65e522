"""An exposure as CSV: a row a way, and a row for what ended elsewhere; rows of a side sum to its gross."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.reports.list_file import write_list
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.exposures.answers import EntityExposure, ExposureAnswer, SideExposure

WAY, SUM, REST = "way", "sum of ways that were too many to list", "ended elsewhere"

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
    rows = [row for side in (answer.received, answer.sent) for row in _rows(side)]
    write_list(COLUMNS, rows, path, overwrite=overwrite)


def _rows(side: SideExposure) -> Iterator[tuple[Any, ...]]:
    for category in side.categories:
        for each in category.entities:
            yield from _ways(side, each)
    for reason, sat in side.rest_sat.items():
        yield (side.side, REST, reason, "", "inference", sat, None, "", "", "", "")


def _ways(side: SideExposure, each: EntityExposure) -> Iterator[tuple[Any, ...]]:
    named, since = each.attributed, each.listing.since_utc or ""
    basis = f"inference resting on an assertion: {named.statement}"
    head = side.side, WAY, named.category, named.service, basis
    for way in each.ways:
        yield (*head, way.sat, way.hops, since, way.output, way.service_output, " ".join(way.txids))
    listed = sum(way.sat for way in each.ways)
    if listed < each.total.value_sat:
        yield (side.side, SUM, *head[2:], each.total.value_sat - listed, None, since, "", "", "")
