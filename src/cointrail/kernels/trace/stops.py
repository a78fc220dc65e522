"""Why a traced part goes no further: what is asked of every output that value arrives at, in a fixed order.

Method: METHODS.md 6.3.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.kernels.cluster.union_find import NEVER, newest_merge
from cointrail.kernels.trace.state import plain

# Reasons, in the order in which they are asked; 0 while a part goes on.
(
    GOES_ON,
    SEED,
    TARGET,
    SERVICE,
    UNSPENT,
    COINBASE,
    COINJOIN,
    LARGE_CLUSTER,
    MANY_OUTPUTS,
    MANY_INPUTS,
    HOPS,
    MINIMUM,
    SHARE,
    TIME,
    FEE,
    UNCLAIMED,
    SUBSIDY,
    TRANSACTIONS,
    DURATION,
    MEMORY,
    CANCELLED,
    UNSPENDABLE,
    OVERWRITTEN,
    GENESIS,
) = range(24)

NO_LIMIT = np.iinfo(np.int64).max


class Stops(NamedTuple):
    """Where a trace ends by request. `NO_LIMIT` switches a number off; arrays may be empty.

    Attributes:
        seeds, targets: int64, output_index, ascending.
        scripts, script_service: int64, script_id ascending, and the number of the service each belongs to.
        roots, root_service: the same for whole clusters of level L1, by their roots.
        hops, least_sat, least_share_sat, most_outputs, most_inputs, most_scripts: numbers.
        first_tx, last_tx: outputs made before or after are not followed.
        through_coinjoins, propagate: bool.
    """

    seeds: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    scripts: npt.NDArray[np.int64]
    script_service: npt.NDArray[np.int64]
    roots: npt.NDArray[np.int64]
    root_service: npt.NDArray[np.int64]
    hops: int
    least_sat: int
    least_share_sat: int
    most_outputs: int
    most_inputs: int
    most_scripts: int
    first_tx: int
    last_tx: int
    through_coinjoins: bool
    propagate: bool
    subsidy_first: bool


@plain
def place_of(ascending, value):
    """Position of a value in an ascending array, or -1."""
    low, high = 0, ascending.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < ascending.shape[0] and ascending[low] == value else -1


@plain
def root_of(chain, script):
    """Root of a script at the snapshot."""
    node = np.int64(script)
    while chain.linked_at[node] < chain.transactions:
        node = np.int64(chain.parent[node])
    return node


@plain
def size_of(chain, root):
    """How many scripts a cluster has at the snapshot; 1 where the log cannot be followed."""
    merge = newest_merge(np.int64(chain.last_child[root]), chain.merges, chain.previous_sibling)
    if merge < 0 or merge == NEVER:
        return np.int64(1)
    return np.int64(chain.child_size[merge]) + np.int64(chain.parent_size[merge])


@plain
def service_of(chain, stops, script):
    """(number of the service that a script belongs to, by itself or by its cluster, -1 if none; its root if found)."""
    at = place_of(stops.scripts, np.int64(script))
    if at >= 0:
        return stops.script_service[at], np.int64(-1)
    if not stops.roots.shape[0]:
        return np.int64(-1), np.int64(-1)
    root = root_of(chain, script)
    at = place_of(stops.roots, root)
    return (stops.root_service[at] if at >= 0 else np.int64(-1)), root


@plain
def signs_of(chain, tx):
    """What the gate saw in a transaction whose co-spend is not believed; 0 for all others."""
    at = place_of(chain.sign_tx, np.uint32(tx))
    return chain.signs[at] if at >= 0 else np.uint32(0)


@plain
def first_reason(chain, stops, output, is_seed):
    """(reason, detail) that holds whatever happens to an output next, and the root of its script if that was found."""
    root = np.int64(-1)
    if not is_seed and place_of(stops.seeds, output) >= 0:
        return SEED, np.int64(0), root
    if place_of(stops.targets, output) >= 0:
        return TARGET, np.int64(0), root
    if stops.scripts.shape[0] or stops.roots.shape[0]:
        service, root = service_of(chain, stops, chain.script[output])
        if service >= 0:
            return SERVICE, service, root
    return GOES_ON, np.int64(0), root


@plain
def limit_reason(chain, stops, output, maker, root, sat, hops, is_seed):
    """The limit that keeps a part from being followed further, 0 if none does; `root` is -1 if nobody found it."""
    # A large cluster is not entered; a seed inside one is where the question begins.
    if not is_seed and stops.most_scripts != NO_LIMIT:
        # To climb a forest waits for memory at each step, so nobody climbs it twice.
        if root < 0:
            root = root_of(chain, chain.script[output])
        if size_of(chain, root) > stops.most_scripts:
            return LARGE_CLUSTER
    if hops >= stops.hops:
        return HOPS
    if sat < stops.least_sat:
        return MINIMUM
    if sat < stops.least_share_sat:
        return SHARE
    if maker < stops.first_tx or maker > stops.last_tx:
        return TIME
    return GOES_ON
