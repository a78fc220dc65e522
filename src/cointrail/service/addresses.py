"""What did this address receive and spend, and when?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.answers import AddressAnswer, HistoryEntry, Moment
from cointrail.service.names import address_or_none, block_time, find_script, snapshot_name, txid_of
from cointrail.service.prices.beside import Beside
from cointrail.service.worth import FiatPrices

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Movements:
    """Everything that happened to one script.

    Attributes:
        outputs: int64, the outputs that pay it, oldest first; values: their values.
        spenders: int64, the input that spends each, or -1.
        transactions: int64, the distinct transactions among both, ascending.
    """

    outputs: I64
    values: I64
    spenders: I64
    transactions: I64


def movements(reader: Reader, script_id: int) -> Movements:
    """Collect the outputs that pay a script and their spenders."""
    outputs = np.fromiter(reader.outputs_of_script(script_id), np.int64)[::-1]
    spenders = reader.spenders(outputs)
    spent = spenders[spenders != NONE]
    touched = np.concatenate((reader.transaction_of_outputs(outputs), reader.transaction_of_inputs(spent)))
    return Movements(outputs, reader.column("output", "value_sat")[outputs], spenders, np.unique(touched))


def address(reader: Reader, text: str) -> AddressAnswer:
    """Sums of an address, of a public key in hex, or of `script:HEX`.

    Raises:
        AddressError: it is none of these, or of another network.
        NotFound: nothing up to this snapshot pays it.
    """
    script_id = find_script(reader, text)
    found = movements(reader, script_id)
    live, spent = reader.unspent(found.outputs), found.spenders != NONE
    script = reader.script_pubkey(script_id)
    heights = [int(each) for each in reader.height_of_transactions(found.transactions[[0, -1]])]
    received, balance = int(found.values.sum()), int(found.values[live].sum())
    spent_sat = int(found.values[spent].sum())
    return AddressAnswer(
        address=address_or_none(reader, script),
        script_pubkey=script.hex(),
        script_type=reader.script_type(script_id).label,
        received_sat=received,
        spent_sat=spent_sat,
        balance_sat=balance,
        unspendable_sat=received - spent_sat - balance,
        outputs=len(found.outputs),
        unspent_outputs=int(live.sum()),
        transactions=len(found.transactions),
        first_seen=Moment(heights[0], block_time(reader, heights[0])),
        last_seen=Moment(heights[1], block_time(reader, heights[1])),
        snapshot=snapshot_name(reader),
    )


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """An address's transactions, oldest first; iterate for the entries of the page.

    Attributes:
        total: transactions in all.
        first: number of the first entry of this page.
        prices: those that the entries' amounts in money rest on; None if money was not asked for.
    """

    total: int
    first: int
    _entries: Iterator[HistoryEntry]
    prices: FiatPrices | None = None

    def __iter__(self) -> Iterator[HistoryEntry]:
        return self._entries


def history(
    reader: Reader, text: str, *, first: int = 0, limit: int | None = None, worth: Beside | None = None
) -> History:
    """The transactions of an address, one entry each, made as they are asked for.

    Args:
        reader: the ledger at a snapshot.
        text: an address, a public key in hex, or `script:HEX`.
        first: number of the first entry.
        limit: most entries.
        worth: values amounts in money, and must stay open until the last entry; nothing if not given.

    Raises:
        AddressError, NotFound: as `address`.
    """
    found = movements(reader, find_script(reader, text))
    page = found.transactions[first : None if limit is None else first + limit]
    worth = worth or Beside(reader)
    return History(len(found.transactions), first, _entries(reader, found, page, worth), worth.prices)


def _entries(reader: Reader, found: Movements, page: I64, worth: Beside) -> Iterator[HistoryEntry]:
    paid_by = reader.transaction_of_outputs(found.outputs)
    spent = found.spenders != NONE
    order = np.argsort(found.spenders[spent])
    spent_by = reader.transaction_of_inputs(found.spenders[spent][order])
    spent_values = found.values[spent][order]
    heights = reader.height_of_transactions(page)
    for tx_index, height in zip(page.tolist(), heights.tolist(), strict=True):
        received = slice(*np.searchsorted(paid_by, (tx_index, tx_index + 1)))
        gone = slice(*np.searchsorted(spent_by, (tx_index, tx_index + 1)))
        received_sat, spent_sat = int(found.values[received].sum()), int(spent_values[gone].sum())
        yield HistoryEntry(
            txid=txid_of(reader, tx_index),
            height=height,
            time_utc=block_time(reader, height),
            received_sat=received_sat,
            spent_sat=spent_sat,
            received_fiat=worth.at(received_sat, height),
            spent_fiat=worth.at(spent_sat, height),
        )
