"""Criterion 5 of the acceptance scenario: where the market's money was cashed out.

`cashouts.csv` has each output that arrived at an exchange: without a candidate set if no CoinJoin stands between, else
as one of the candidates of that CoinJoin, whose probabilities are among the arrivals at exchanges. Everybody with a tag
ends a way, whatever the category: what was paid to a shop is the shop's. Reads the investigator's inputs and the
ledger, nothing else (SCENARIO.md 5).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.acceptance.sources import outpoint
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.results import write_csv
from cointrail.service.tracing.services import services_from
from cointrail.trace.finders.arrivals import Arrival
from cointrail.trace.finders.candidates import BILLION, among
from cointrail.trace.finders.cash_out import CashOut, find_cash_out
from cointrail.trace.finders.funding import EXCHANGE_KIND
from cointrail.trace.finders.own import apart_from, outputs_of
from cointrail.trace.seeds import Seeds

I64 = npt.NDArray[np.int64]

_HEADER = ("exchange", "txid", "vout", "value_sat", "basis", "candidate_set", "probability")
_BASIS = "inference"


def write_cash_outs(reader: Reader, tags: Resolved, market: I64, folder: Path) -> None:
    """Write `cashouts.csv`.

    Args:
        reader: the ledger at a snapshot.
        tags: of the services.
        market: script_id of the market's cluster, corrected.
        folder: for the result file.
    """
    services, _ = services_from(reader, tags, categories=None)
    known = apart_from(services, Forest(reader), market)
    outputs = outputs_of(reader, market)
    rows = _rows(reader, find_cash_out(reader, Seeds.of(outputs), known)) if len(outputs) else ()
    write_csv(folder / "cashouts.csv", _HEADER, rows)


def _rows(reader: Reader, found: CashOut) -> Iterator[tuple[object, ...]]:
    def at_exchange(arrival: Arrival) -> bool:
        return found.services.kinds[arrival.service] == EXCHANGE_KIND

    for arrival in found.arrivals:
        if at_exchange(arrival):
            yield *_row(reader, found, arrival), "", ""
    for each in found.sets:
        name = f"behind {bytes(reader.column('transaction', 'txid')[each.tx_index])[::-1].hex()}"
        for candidate in among(one for one in each.candidates if at_exchange(one.arrival)):
            whole, rest = divmod(candidate.probability_ppb, BILLION)
            yield *_row(reader, found, candidate.arrival), name, f"{whole}.{rest:09d}"


def _row(reader: Reader, found: CashOut, arrival: Arrival) -> tuple[object, ...]:
    tx_index = int(reader.transaction_of_outputs(arrival.output))
    value = int(reader.column("output", "value_sat")[arrival.output])
    return found.services.names[arrival.service], *outpoint(reader, arrival.output, tx_index), value, _BASIS
