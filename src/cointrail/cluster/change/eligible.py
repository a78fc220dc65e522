"""Which transactions change rules look at, and how many outputs they choose from.

No coinbase, no collaborative transaction, no input to which anybody could add others, 2 to 10 spendable outputs, none
of them OP_RETURN or of a value that carries a protocol (METHODS.md 2.2, 3.5).
"""

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.gate.gate import collaborative_mask
from cointrail.cluster.spans import I64, outputs_of_many
from cointrail.ledger.rows import PAYLOAD_TYPES, Rows

LEAST_OUTPUTS, MOST_OUTPUTS = 2, 10
PROTOCOL_SAT = (294, 330, 546)
"""Values that carry tokens and inscriptions (METHODS.md 3.5)."""

_CARRIERS = np.array(PROTOCOL_SAT, np.int64)
_NEVER = np.zeros(256, np.bool_)
_NEVER[ScriptType.OP_RETURN] = True
_IN_HEAP = np.ones(256, np.bool_)
_IN_HEAP[list(PAYLOAD_TYPES)] = False


def eligible_outputs(rows: Rows, tx_index: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Count the outputs that change rules choose from.

    Args:
        rows: a reader of the ledger.
        tx_index: int64 (n,), inside the snapshot.

    Returns:
        The spendable outputs of each transaction, int64 (n,), 0 if no rule looks at it; and bool (n,), True where not
        all of its outputs are spendable.

    Method: METHODS.md 2.2, 3.5.
    """
    from cointrail.kernels.signs.change import ordinary_outputs

    total, asked = np.empty(len(tx_index), np.int64), np.empty(len(tx_index), np.int64)
    ordinary_outputs(
        tx_index,
        rows.column("transaction", "first_input"),
        rows.column("transaction", "first_output"),
        rows.column("input", "output"),
        rows.column("input", "flags"),
        rows.column("output", "value_sat"),
        rows.column("output", "script"),
        rows.column("script", "type"),
        int(InputFlag.ANYONECANPAY),
        _NEVER,
        _IN_HEAP,
        _CARRIERS,
        total,
        asked,
    )
    spendable = total.copy()
    # Only scripts in the heap can be too long to be spent.
    some = np.flatnonzero(asked)
    owner, row = outputs_of_many(rows, tx_index[some])
    lost = rows.unspendable_scripts(rows.column("output", "script")[row])
    spendable[some] -= np.bincount(owner[lost], minlength=len(some))
    possible = np.flatnonzero((spendable >= LEAST_OUTPUTS) & (spendable <= MOST_OUTPUTS))
    found = np.zeros(len(tx_index), np.int64)
    found[possible] = np.where(collaborative_mask(rows, tx_index[possible]), 0, spendable[possible])
    return found, spendable < total
