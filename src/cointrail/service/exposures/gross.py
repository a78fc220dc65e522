"""The gross of a side of an exposure, transaction by transaction of the wallet: what has a block and so a price."""

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Exposure, Side, returned
from cointrail.profile.exposure.nearness import nearness

I64 = npt.NDArray[np.int64]


def gross_by_transaction(reader: Reader, exposure: Exposure) -> tuple[I64, I64]:
    """What each transaction of the wallet moved from or to others: its outputs less change.

    Args:
        reader: the ledger at the snapshot of the exposure.
        exposure: one side.

    Returns:
        tx_index, ascending, and satoshi; int64 (t,). They sum to `gross_sat`.
    """
    flow = exposure.flow
    if flow is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    outputs = flow.seeds.outputs
    if exposure.side is Side.SENT:
        moved = reader.transaction_of_inputs(reader.spenders(outputs))
    else:
        moved = reader.transaction_of_outputs(outputs)
    # The same question as the method's, so that what is change here is what it took off there.
    new = np.append(True, np.diff(exposure.part) != 0)[: len(exposure.part)]
    part, group = exposure.part[new], exposure.service[new]
    back = np.flatnonzero(returned(flow))
    beyond = np.full(len(back), len(exposure.services.names))
    near = nearness(flow, np.concatenate([part, back]), np.concatenate([group, beyond]))
    tx, place = np.unique(np.concatenate([moved, flow.tx[flow.maker[back]]]), return_inverse=True)
    sat = np.zeros(len(tx), np.int64)
    np.add.at(sat, place, np.concatenate([flow.seed_sat, -near.direct_sat[len(part) :]]))
    return tx, sat
