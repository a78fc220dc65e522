"""Profiles as CSV files: the balance after every block, unspent outputs, counterparties.

Texts of strangers are shielded from spreadsheets. A file is written whole or not at all. If money was asked for,
columns of it stand at the end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.reports.list_file import write_list
from cointrail.reports.names import Names
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.prices.columns import fiat_cells, fiat_columns, total_cells, total_columns
from cointrail.service.profiles.counterparties import Counterparties
from cointrail.service.profiles.profile import Profile
from cointrail.service.tracing.found import attributed

BALANCE_COLUMNS: Final = (
    Column("height", INTEGER, "a block in which the wallet moved"),
    Column("time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("balance_sat", INTEGER, "what the wallet could spend after it"),
)
UNSPENT_COLUMNS: Final = (
    Column("txid", TEXT, "transaction that made the output"),
    Column("vout", INTEGER, "number of the output in it"),
    Column("height", INTEGER, "block that holds it"),
    Column("time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("value_sat", INTEGER, "value of the output"),
    Column("address", TEXT, "address of the output, empty if its script has none"),
    Column("script_type", TEXT, "type of its script"),
)
COUNTERPARTY_COLUMNS: Final = (
    Column("kind", TEXT, "what the row stands for: `script`, `cluster` or `entity`"),
    Column("name", FOREIGN, "address or script, cluster_id, or the actor that tags name"),
    Column("attributed", FOREIGN, "what tags say of its scripts, and who says so; several stand one after the other"),
    Column("basis", TEXT, "`fact`, `inference` or `inference resting on an assertion`"),
    Column("scripts", INTEGER, "scripts of it that took part"),
    Column("received_sat", INTEGER, "what it paid the wallet"),
    Column("sent_sat", INTEGER, "what the wallet paid it"),
    Column("net_sat", INTEGER, "the first less the second"),
    Column("divided_sat", INTEGER, "of both together, what rests on dividing transactions that several paid for"),
    Column("transactions", INTEGER, "transactions that it took part in"),
    Column("first_txid", TEXT, "the first of them"),
    Column("first_height", INTEGER, "block that holds it"),
    Column("first_time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("last_txid", TEXT, "the last of them"),
    Column("last_height", INTEGER, "block that holds it"),
    Column("last_time_utc", TEXT, "time of that block"),
    Column("same_cluster", TEXT, "`yes` if some of it lies in an L1 cluster of the wallet's own scripts"),
)


def write_balance(found: Profile, path: Path, *, overwrite: bool = False) -> None:
    """Write the balance after every block in which the wallet moved.

    Raises:
        UsageError: the file exists and is not to be replaced.
        Unavailable: the disk refuses.
    """
    prices = found.worth.prices
    rows = [
        (step.height, step.time_utc, step.balance_sat, *fiat_cells(prices, step.fiat)) for step in found.balance().steps
    ]
    columns = fiat_columns(prices, "worth of the balance at that time")
    write_list((*BALANCE_COLUMNS, *columns), rows, path, overwrite=overwrite)


def write_unspent(found: Profile, path: Path, *, overwrite: bool = False) -> None:
    """Write all unspent outputs, the largest first.

    Raises:
        UsageError, Unavailable: as `write_balance`.
    """
    prices, rows = found.worth.prices, []
    for each in found.unspent():
        txid, vout = each.outpoint.split(":")
        place = (txid, int(vout), each.height, each.time_utc)
        rows.append((*place, each.value_sat, each.address or "", each.script_type, *fiat_cells(prices, each.fiat)))
    columns = fiat_columns(prices, "worth of the output at the time of the block that made it")
    write_list((*UNSPENT_COLUMNS, *columns), rows, path, overwrite=overwrite)


def write_counterparties(found: Counterparties, path: Path, *, overwrite: bool = False) -> None:
    """Write all counterparties, by rank.

    Raises:
        UsageError, Unavailable: as `write_balance`.
    """
    sums = {"received": "what it paid the wallet", "sent": "what the wallet paid it"}
    columns = (*COUNTERPARTY_COLUMNS, *total_columns(found.worth.prices, sums))
    write_list(columns, list(_counterparties(found)), path, overwrite=overwrite)


def _counterparties(found: Counterparties) -> Iterator[tuple[Any, ...]]:
    rows, names = found.rows, Names(found.reader)
    for page in found.pages():
        part = slice(page.first, page.end)
        first, last = rows.first_tx[part], rows.last_tx[part]
        said = [
            "; ".join(attributed(found.services, number).statement for number in numbers) for numbers in page.services
        ]
        cells = zip(
            page.kinds,
            page.names,
            said,
            found.bases(page),
            rows.scripts[part].tolist(),
            rows.received[part].tolist(),
            rows.sent[part].tolist(),
            (rows.received[part] - rows.sent[part]).tolist(),
            rows.shared[part].tolist(),
            rows.transactions[part].tolist(),
            names.txids(first),
            names.heights(first).tolist(),
            names.times(first),
            names.txids(last),
            names.heights(last).tolist(),
            names.times(last),
            ["yes" if each else "no" for each in page.same_cluster],
            strict=True,
        )
        for row, *totals in zip(cells, *found.worths(page), strict=True):
            yield (*row, *total_cells(found.worth.prices, totals))
