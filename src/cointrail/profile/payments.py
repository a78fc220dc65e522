"""The payments between a wallet and others, one by one, and what of its money was no payment.

Method: docs/methods/counterparties.md; the division is `kernels.profile.payments`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.spans import Span, inputs_of_many, outputs_of_many
from cointrail.ledger.columns import Array
from cointrail.ledger.reader import Reader
from cointrail.profile.moves import Selection

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

_OWN, _NOBODY = 1, 2  # as the kernel has it


@dataclass(frozen=True, slots=True, eq=False)
class Payments:
    """A row a payment, in chain order, receipts of a transaction before sends.

    Attributes:
        tx: int64 (p,), the transaction.
        script: uint32 (p,), script_id of the other side.
        received, sent: int64 (p,), satoshi.
        is_receipt: bool (p,), True if the other side is an input.
        alone: bool (p,), True if all inputs of the transaction are the wallet's, or none is.
    """

    tx: I64
    script: U32
    received: I64
    sent: I64
    is_receipt: Flags
    alone: Flags

    def where(self, kept: Flags) -> Self:
        """Some of them."""
        return type(self)(
            self.tx[kept],
            self.script[kept],
            self.received[kept],
            self.sent[kept],
            self.is_receipt[kept],
            self.alone[kept],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All that a selection of transactions moved, divided.

    What was spent is sent + change + fees + nobody + through collaborative; what was received is received from
    others + change + coinbase + through collaborative.

    Attributes:
        payments: with others.
        change_sat: what the wallet paid itself.
        fees_sat: the wallet's share of fees.
        nobody_sat: paid to scripts that can never be spent.
        coinbase_sat, coinbases: received as new coins and fees, in so many transactions.
        mixed_tx: int64 (c,), collaborative transactions; mixed_received, mixed_spent: int64 (c,), satoshi.
    """

    payments: Payments
    change_sat: int
    fees_sat: int
    nobody_sat: int
    coinbase_sat: int
    coinbases: int
    mixed_tx: I64
    mixed_received: I64
    mixed_spent: I64


def book(reader: Reader, forest: Forest, found: Selection) -> Book:
    """Divide what the transactions of a selection moved.

    Args:
        reader: the ledger at a snapshot.
        forest: L1 at the same; it knows which transactions the gate takes for collaborative.
        found: the wallet's transactions that count.
    """
    touched = found.touched
    first = np.asarray(reader.column("block", "first_transaction")[touched.height], np.int64)
    coinbase = found.keep & (touched.tx == first)
    mixed = found.keep & ~coinbase & ((forest.signs(touched.tx) & int(VETO)) != 0)
    plain = np.flatnonzero(found.keep & ~coinbase & ~mixed)
    payments, change, fees, nobody = _divide(reader, found, plain)
    return Book(
        payments=payments,
        change_sat=int(change.sum()),
        fees_sat=int(fees.sum()),
        nobody_sat=int(nobody.sum()),
        coinbase_sat=int(touched.received[coinbase].sum()),
        coinbases=int(np.count_nonzero(coinbase)),
        mixed_tx=touched.tx[mixed],
        mixed_received=touched.received[mixed],
        mixed_spent=touched.spent[mixed],
    )


def _divide(reader: Reader, found: Selection, plain: I64) -> tuple[Payments, I64, I64, I64]:
    from cointrail.kernels.profile import payments as kernel

    tx = found.touched.tx[plain]
    inputs, outputs = inputs_of_many(reader, tx), outputs_of_many(reader, tx)
    spent = reader.column("input", "output")[inputs.row]
    whose_in = _mark(inputs, found.moves.spender[found.moves.gone])
    whose_out = _mark(outputs, found.moves.outputs)
    script_out = reader.column("output", "script")[outputs.row]
    others = np.flatnonzero(whose_out != _OWN)
    whose_out[others[reader.unspendable_scripts(script_out[others])]] = _NOBODY
    came = kernel.Side(_first(inputs, len(tx)), *_cells(reader, spent), whose_in)
    left = kernel.Side(_first(outputs, len(tx)), *_cells(reader, outputs.row), whose_out)
    rows = kernel.room(len(inputs.row) + len(outputs.row))
    change, fees, nobody = (np.empty(len(tx), np.int64) for _ in range(3))
    count = kernel.payments(came, left, rows, change, fees, nobody)
    place = rows.place[:count]
    own = found.touched.inputs[plain]
    payments = Payments(
        tx=tx[place],
        script=rows.script[:count],
        received=rows.received[:count],
        sent=rows.sent[:count],
        is_receipt=rows.receipt[:count],
        alone=((own == 0) | (own == np.diff(came.first)))[place],
    )
    return payments, change, fees, nobody


def _mark(span: Span, own: I64) -> npt.NDArray[np.uint8]:
    """Which rows of a span are among ascending others."""
    whose = np.zeros(len(span.row), np.uint8)
    if len(span.row):
        at = np.minimum(np.searchsorted(span.row, own), len(span.row) - 1)
        whose[at[span.row[at] == own]] = _OWN
    return whose


def _first(span: Span, transactions: int) -> I64:
    """Where each transaction's rows begin in a span, and where the last ends."""
    return np.searchsorted(span.owner, np.arange(transactions + 1))


def _cells(reader: Reader, outputs: I64) -> tuple[Array, Array]:
    return reader.column("output", "value_sat")[outputs], reader.column("output", "script")[outputs]
