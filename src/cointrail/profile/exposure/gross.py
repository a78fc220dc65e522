"""The gross of a side of an exposure, transaction by transaction of the wallet: what has a block and so a price."""

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Exposure, Side

I64 = npt.NDArray[np.int64]


def gross_by_transaction(reader: Reader, exposure: Exposure) -> tuple[I64, I64]:
    """What each transaction of the wallet moved from or to others: its outputs less change.

    Args:
        reader: the ledger at the snapshot of the exposure.
        exposure: one side.

    Returns:
        tx_index, ascending, and satoshi; int64 (t,). They sum to `gross_sat`.
    """
    if exposure.flow is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    outputs = exposure.flow.seeds.outputs
    if exposure.side is Side.SENT:
        moved = reader.transaction_of_inputs(reader.spenders(outputs))
    else:
        moved = reader.transaction_of_outputs(outputs)
    tx, place = np.unique(np.concatenate([moved, exposure.change_tx]), return_inverse=True)
    sat = np.zeros(len(tx), np.int64)
    np.add.at(sat, place, np.concatenate([exposure.flow.seed_sat, -exposure.change_part_sat]))
    return tx, sat
