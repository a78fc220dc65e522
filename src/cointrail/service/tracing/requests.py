"""Lists that go into legal requests, as CSV: withdrawals behind payments, and outputs that arrived at services.

Texts of strangers, such as names in a file of tags, are shielded from spreadsheets. Rows are sorted, none is repeated.
If the answer has amounts in money, columns of these stand at the end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cointrail.reports.list_file import write_list
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.prices.columns import fiat_cells, fiat_columns
from cointrail.service.tracing.cash_out import ArrivalAnswer, CandidateAnswer, CashOutAnswer
from cointrail.service.tracing.found import Attributed
from cointrail.service.tracing.funding import FundingAnswer
from cointrail.service.worth import FiatPrices

BASIS: Final = "inference resting on an assertion"
UNNAMED_BASIS: Final = "inference, resting on no assertion"
"""Of a service that no tag names: there is nobody to send a request to."""

_WORTH: Final = "worth of what came (of an arrival, by haircut) at the time of the payment's or arrival's block"

FUNDING_COLUMNS: Final = (
    Column(
        "service", FOREIGN, "whom the withdrawal is attributed to; `unknown service` and its cluster if nobody is named"
    ),
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
        As `write_list`.
    """
    rows = sorted(_funding_rows(answer), key=lambda row: (row[0], row[5], row[3], row[4], row[10], row[8], row[9]))
    write_list((*FUNDING_COLUMNS, *fiat_columns(answer.prices, _WORTH)), rows, path, overwrite=overwrite)


def _funding_rows(answer: FundingAnswer) -> Iterator[tuple[Any, ...]]:
    for each in answer.payments:
        txid, vout = each.payment.outpoint.split(":")
        for source in each.sources:
            left_txid, left_vout = source.withdrawal.outpoint.split(":")
            yield (
                source.attributed.service, source.attributed.category, _basis(source.attributed),
                left_txid, int(left_vout), source.withdrawal.height, source.withdrawal.time_utc,
                source.withdrawal.value_sat, txid, int(vout), each.payment.height, each.payment.time_utc,
                each.payment.value_sat, source.sat, each.route, source.hops, *fiat_cells(answer.prices, source.fiat),
            )  # fmt: skip


ARRIVAL_COLUMNS: Final = (
    Column(
        "service", FOREIGN, "whom the output is attributed to; `unknown service` and its cluster if nobody is named"
    ),
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
        As `write_list`.
    """
    prices = answer.prices
    sure = [
        _arrival_row(prices, each.attributed, row, (row.haircut_sat, row.fifo_sat), "", None)
        for each in sorted(answer.destinations, key=lambda each: each.attributed.service)
        for row in each.arrivals
    ]
    leads = [
        _arrival_row(prices, row.attributed, row, (row.expected_sat, None), each.candidate_set, row.probability_ppb)
        for each in answer.candidate_sets
        for row in each.candidates
    ]
    columns = (*ARRIVAL_COLUMNS, *fiat_columns(prices, _WORTH))
    write_list(columns, [*sure, *leads], path, overwrite=overwrite)


def _arrival_row(
    prices: FiatPrices | None,
    named: Attributed,
    row: ArrivalAnswer | CandidateAnswer,
    sats: tuple[int, int | None],
    candidate_set: str,
    probability_ppb: int | None,
) -> tuple[object, ...]:
    output, deposit = row.output, row.deposit
    txid, vout = output.outpoint.split(":")
    lead = "lead, " if candidate_set else ""
    return (
        named.service, named.category, f"{lead}{_basis(named)}", txid, int(vout), output.height,
        output.time_utc, output.value_sat, *sats, deposit.standing if deposit else "", candidate_set, probability_ppb,
        *fiat_cells(prices, row.fiat),
    )  # fmt: skip


def _basis(named: Attributed) -> str:
    return f"{UNNAMED_BASIS if named.inferred else BASIS}: {named.statement}"
