"""Signs against a co-spend that appear only later: they are recorded, shown, and change nothing (METHODS.md 1.2, 3.5).

Lightning: an output locked to two of two keys may be a channel that two people funded together, and this is seen only
when the channel is closed and the script revealed. Most channels are funded by one, so the co-spend stands and the
dispute is shown beside it (docs/methods/lightning.md).
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.co_spend import owned_scripts
from cointrail.cluster.gate.gate import collaborative_mask
from cointrail.cluster.spans import input_counts
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

LIGHTNING = ("lightning", 1)

I64 = npt.NDArray[np.int64]


class Reason(IntEnum):
    """Why a co-spend is disputed; part of the store format (u1)."""

    LIGHTNING = 1


TEXT = {Reason.LIGHTNING: "one of its outputs was locked to two of two keys, as a channel that two may have funded"}


def rows_of(rows: Rows, first: int, end: int) -> Mapping[str, npt.NDArray[Any]]:
    """Rows of the `dispute` table that transactions first .. end - 1 give rise to, ordered by them.

    Args:
        rows: the ledger.
        first: tx_index.
        end: tx_index, not included.

    Method: METHODS.md 3.5, "dual-funded Lightning open".
    """
    starts = rows.column("transaction", "first_input")
    low = int(starts[first])
    high = int(starts[end]) if end < rows.counts.transaction else rows.counts.input
    revealed = low + np.flatnonzero(rows.column("input", "flags")[low:high] & np.uint16(InputFlag.TWO_OF_TWO))
    spent = rows.column("input", "output")[revealed]
    revealed, spent = revealed[spent != NONE], spent[spent != NONE]
    opened, closed = rows.transaction_of_outputs(spent), rows.transaction_of_inputs(revealed)
    pairs = np.unique(np.stack([closed, opened], axis=1).reshape(-1, 2), axis=0)
    several = input_counts(rows, pairs[:, 1]) > 1
    pairs = pairs[several]
    pairs = pairs[_joins(rows, pairs[:, 1])]
    return {
        "decided_at": pairs[:, 0],
        "tx_index": pairs[:, 1],
        "reason": np.full(len(pairs), Reason.LIGHTNING, np.uint8),
    }


def _joins(rows: Rows, transactions: I64) -> npt.NDArray[np.bool_]:
    """True for transactions whose co-spend is believed and joins several scripts."""
    believed = ~collaborative_mask(rows, transactions)
    scripts = owned_scripts(rows, transactions)
    joins: npt.NDArray[np.bool_] = believed & (np.bincount(scripts.owner, minlength=len(transactions)) > 1)
    return joins
