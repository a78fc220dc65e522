"""Lists that go into legal requests, as CSV: withdrawals behind payments, and outputs that arrived at services.

Texts of strangers, such as names in a file of tags, are shielded from spreadsheets. Rows are sorted, none is repeated.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cointrail.errors import UsageError
from cointrail.ledger.columns import disk_error
from cointrail.reports.table_files import write_csv
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column, Table
from cointrail.service.tracing.cash_out import CashOutAnswer, DepositAnswer
from cointrail.service.tracing.found import Attributed, OutputPlace
from cointrail.service.tracing.funding import FundingAnswer

BASIS: Final = "inference resting on an assertion"

FUNDING_COLUMNS: Final = (
    Column("service", FOREIGN, "whom the withdrawal is attributed to"),
    Column("category", FOREIGN, "category of the service"),
    Column("basis", FOREIGN, "what kind of statement the row makes, and who attributes"),
    Column("withdrawal_txid", TEXT, "transaction that left the service"),
    Column("withdrawal_vout", INTEGER, "its output that leads to the payment"),
    Column("withdrawal_height", INTEGER, "block that holds it"),
    Column("withdrawal_time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("withdrawal_sat", INTEGER, "whole value of the output"),
    Column("payment_txid", TEXT, "transaction that paid"),
    Column("payment_vout", INTEGER, "its output that was paid"),
    Column("payment_height", INTEGER, "block that holds it"),
    Column("payment_time_utc", TEXT, "time of that block"),
    Column("payment_sat", INTEGER, "whole value of the payment"),
    Column("came_sat", INTEGER, "satoshis of it that came from this withdrawal, by haircut"),
    Column("route", TEXT, "how the payment came"),
    Column("hops", INTEGER, "transactions between withdrawal and payment, its own included; 0 if they are one"),
)


def write_funding(answer: FundingAnswer, path: Path, *, overwrite: bool = False) -> None:
    """Write the list that goes into legal requests: a row a withdrawal and payment, by service, then in chain order.

    Raises:
        As `_write`.
    """
    rows = sorted(_funding_rows(answer), key=lambda row: (row[0], row[5], row[3], row[4], row[10], row[8], row[9]))
    _write(FUNDING_COLUMNS, rows, path, overwrite=overwrite)


def _funding_rows(answer: FundingAnswer) -> Iterator[tuple[Any, ...]]:
    for each in answer.payments:
        txid, vout = each.payment.outpoint.split(":")
        for source in each.sources:
            left_txid, left_vout = source.withdrawal.outpoint.split(":")
            yield (
                source.attributed.service, source.attributed.category, f"{BASIS}: {source.attributed.statement}",
                left_txid, int(left_vout), source.withdrawal.height, source.withdrawal.time_utc,
                source.withdrawal.value_sat, txid, int(vout), each.payment.height, each.payment.time_utc,
                each.payment.value_sat, source.sat, each.route, source.hops,
            )  # fmt: skip


ARRIVAL_COLUMNS: Final = (
    Column("service", FOREIGN, "whom the output is attributed to"),
    Column("category", FOREIGN, "category of the service"),
    Column("basis", FOREIGN, "what kind of statement the row makes, and who attributes"),
    Column("txid", TEXT, "transaction that paid the service or its deposit address"),
    Column("vout", INTEGER, "its output that arrived"),
    Column("height", INTEGER, "block that holds it"),
    Column("time_utc", TEXT, "time of that block, as its miner declared it"),
    Column("value_sat", INTEGER, "whole value of the output"),
    Column("haircut_sat", INTEGER, "traced satoshis by haircut; of a candidate, what is expected"),
    Column("fifo_sat", INTEGER, "traced satoshis by FIFO; none for a candidate"),
    Column(
        "deposit_address", TEXT, "how it is known for a deposit address; empty if tags name the script or its cluster"
    ),
    Column("candidate_set", TEXT, "the CoinJoin it is a candidate behind; empty if none stands between"),
    Column("probability_ppb", INTEGER, "of a candidate, among its set, in billionths"),
)


def write_arrivals(answer: CashOutAnswer, path: Path, *, overwrite: bool = False) -> None:
    """Write the list that goes into legal requests: a row an output, by service, candidates after all others.

    Raises:
        As `_write`.
    """
    sure = [
        _arrival_row(each.attributed, row.output, row.deposit, (row.haircut_sat, row.fifo_sat), "", None)
        for each in sorted(answer.destinations, key=lambda each: each.attributed.service)
        for row in each.arrivals
    ]
    leads = [
        _arrival_row(
            row.attributed, row.output, row.deposit, (row.expected_sat, None), each.candidate_set, row.probability_ppb
        )
        for each in answer.candidate_sets
        for row in each.candidates
    ]
    _write(ARRIVAL_COLUMNS, [*sure, *leads], path, overwrite=overwrite)


def _arrival_row(
    named: Attributed,
    output: OutputPlace,
    deposit: DepositAnswer | None,
    sats: tuple[int, int | None],
    candidate_set: str,
    probability_ppb: int | None,
) -> tuple[object, ...]:
    txid, vout = output.outpoint.split(":")
    lead = "lead, " if candidate_set else ""
    return (
        named.service, named.category, f"{lead}{BASIS}: {named.statement}", txid, int(vout), output.height,
        output.time_utc, output.value_sat, *sats, deposit.standing if deposit else "", candidate_set, probability_ppb,
    )  # fmt: skip


def _write(columns: tuple[Column, ...], rows: Sequence[tuple[object, ...]], path: Path, *, overwrite: bool) -> None:
    """Write rows as CSV, whole or not at all; texts of strangers are shielded from spreadsheets.

    Raises:
        UsageError: the file exists and is not to be replaced.
        Unavailable: the disk refuses.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="give another name, or --overwrite")
    cells = tuple([row[place] for row in rows] for place in range(len(columns)))
    try:
        with tempfile.TemporaryDirectory(prefix=".cointrail-", dir=path.parent) as folder:
            whole = Path(folder) / "list.csv"
            with whole.open("w", encoding="utf-8", newline="") as file:
                write_csv(Table("list", columns, cells), file)  # type: ignore[arg-type]
            whole.replace(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path.parent} is no folder", hint="give a file in a folder that exists") from error
    except OSError as error:
        raise disk_error(error, path) from error
