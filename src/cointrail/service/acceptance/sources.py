"""Criteria 3 and 4 of the acceptance scenario: who paid the market, straight from an exchange or on other ways.

`sources.csv` has the payments that an exchange's own transaction made, priced; `requests/` the same by exchange, as it
would be asked; `backward.csv` the verdict on every payment to the market's cluster. A payment that several sources
funded has a row for each. Reads the investigator's inputs and the ledger, nothing else (SCENARIO.md 5).
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.service.acceptance.prices import CasePrices, case_prices
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.names import moment
from cointrail.service.results import write_csv
from cointrail.service.tracing.services import services_from
from cointrail.trace.finders.funding import Funding, Payment, Route, Verdict, find_funding
from cointrail.trace.reason import Reason

I64 = npt.NDArray[np.int64]

CURRENCY: Final = "USD"

_SOURCES = (
    "payment_txid", "vout", "height", "time_utc", "value_sat", "fiat_minor", "currency", "price_source", "exchange",
)  # fmt: skip
_BACKWARD = ("payment_txid", "vout", "verdict", "exchange", "stop_txid", "stop_reason")
_REQUEST = ("exchange", "txid", "vout", "height", "time_utc", "value_sat")


def write_sources(reader: Reader, inputs: Path, tags: Resolved, market: I64, folder: Path) -> None:
    """Write `sources.csv`, `backward.csv` and the requests.

    Args:
        reader: the ledger at a snapshot.
        inputs: what the investigator got: `prices.csv` is read.
        tags: of the services.
        market: script_id of the market's cluster, corrected.
        folder: for the result files.

    Raises:
        InputRefused: the table of prices is missing or malformed.
    """
    prices = case_prices(inputs / "prices.csv")
    services, _ = services_from(reader, tags)
    found = find_funding(reader, market, services)
    sources = [row for payment in found.payments for row in _direct(reader, found, payment, prices)]
    write_csv(folder / "sources.csv", _SOURCES, sources)
    write_csv(
        folder / "backward.csv", _BACKWARD, (row for payment in found.payments for row in _said(reader, found, payment))
    )
    requests: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for txid, vout, height, time_utc, value_sat, *_, exchange in sources:
        requests[str(exchange)].append((exchange, txid, vout, height, time_utc, value_sat))
    (folder / "requests").mkdir(exist_ok=True)
    for exchange, rows in requests.items():
        write_csv(folder / "requests" / f"{exchange}.csv", _REQUEST, rows)


def _direct(reader: Reader, found: Funding, payment: Payment, prices: CasePrices) -> Iterator[tuple[object, ...]]:
    """A payment's rows, one for each exchange whose own transaction made it."""
    if payment.route is not Route.DIRECT:
        return
    when = moment(reader, payment.tx_index)
    worth = prices.worth(payment.sat, when.time_utc, CURRENCY)
    for service in dict.fromkeys(each.service for each in payment.found(found.services)):
        yield (
            *outpoint(reader, payment.output, payment.tx_index),
            when.height,
            when.time_utc,
            payment.sat,
            "" if worth.minor is None else worth.minor,
            CURRENCY,
            worth.gap or worth.source,
            found.services.names[service],
        )


def _said(reader: Reader, found: Funding, payment: Payment) -> Iterator[tuple[object, ...]]:
    """The verdict on a payment: a row for each withdrawal, and for each transaction beyond which nothing is known."""
    head = outpoint(reader, payment.output, payment.tx_index)
    verdict = payment.verdict(found.services)
    named = {(found.services.names[each.service], each.tx_index) for each in payment.found(found.services)}
    for exchange, tx_index in sorted(named, key=lambda pair: (pair[1], pair[0])):
        yield *head, Verdict.EXCHANGE, exchange, _txid(reader, tx_index), "exchange"
    for tx_index, reason in payment.beyond(found.services):
        yield *head, Verdict.NOT_TRACEABLE, "", _txid(reader, tx_index), reason
    if verdict is Verdict.NO_EXCHANGE:
        most = max(payment.rest, key=lambda reason: payment.rest[reason], default=Reason.UNSPENT)
        yield *head, verdict, "", "", most


def outpoint(reader: Reader, output: int, tx_index: int) -> tuple[str, int]:
    """(txid in internal order, vout) as result files have them."""
    return _txid(reader, tx_index), output - reader.outputs_of(tx_index).start


def _txid(reader: Reader, tx_index: int) -> str:
    return bytes(reader.column("transaction", "txid")[tx_index]).hex()
