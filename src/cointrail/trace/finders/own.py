"""The wallet that is asked about, told apart from the services: its money is followed, whatever tags say of it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.trace.services import Services

I64 = npt.NDArray[np.int64]


def apart_from(services: Services, forest: Forest, scripts: I64) -> Services:
    """Services without the scripts of a wallet.

    Where a correction took the wallet out of a cluster that a tag names, the rest of that cluster stays the service's.

    Args:
        services: whose wallets are not traced through.
        forest: the clusters at the snapshot, uncorrected.
        scripts: script_id of the wallet.
    """
    # With indices numpy sorts, which is faster than to hash where many are in order already.
    own, _ = np.unique(np.asarray(scripts, np.int64), return_index=True)
    shared = np.isin(services.roots, forest.roots(own))
    keys, numbers = [services.scripts], [services.script_service]
    for root, number in zip(services.roots[shared].tolist(), services.root_service[shared].tolist(), strict=True):
        members, _ = forest.members(root)
        rest = np.setdiff1d(members, services.scripts)
        keys.append(rest)
        numbers.append(np.full(len(rest), number, np.int64))
    joined, of = np.concatenate(keys), np.concatenate(numbers)
    order = np.argsort(joined)
    kept = order[~np.isin(joined[order], own)]
    return replace(
        services,
        scripts=joined[kept],
        script_service=of[kept],
        roots=services.roots[~shared],
        root_service=services.root_service[~shared],
    )


def outputs_of(reader: Reader, scripts: I64) -> I64:
    """All outputs that pay any of these scripts, int64, ascending."""
    found = [output for script in np.unique(scripts).tolist() for output in reader.outputs_of_script(script)]
    return np.array(sorted(found), np.int64)


def spenders_of(reader: Reader, outputs: I64) -> I64:
    """Transactions that spend any of these outputs in the snapshot, int64, ascending, each once."""
    inputs = reader.spenders(outputs)
    return np.unique(reader.transaction_of_inputs(inputs[inputs >= 0]))
