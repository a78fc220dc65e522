"""Connected parts of a graph: who is joined with whom when links are taken one and all."""

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import smallest_of
from cointrail.ledger.merges import forest_of, new_forest

I64 = npt.NDArray[np.int64]


def components(nodes: int, a: I64, b: I64) -> I64:
    """The parts that links make of some nodes.

    Args:
        nodes: how many; they are numbered from 0.
        a: int64 (n,), one end of each link.
        b: int64 (n,), the other.

    Returns:
        int64 (nodes,), the smallest node of each node's part.
    """
    from cointrail.kernels.cluster.union_find import NEVER, all_roots, apply_merges, find_merges

    if not len(a):
        return np.arange(nodes, dtype=np.int64)
    link = new_forest(nodes)
    members = np.stack((a, b), axis=1).reshape(-1)
    first = np.arange(0, len(members) + 1, 2, dtype=np.int64)
    merges = np.empty((6, len(a)), np.uint32)
    count = find_merges(*forest_of(link), members, first, np.zeros(len(a), np.uint32), 0, merges)
    apply_merges(*forest_of(link), np.ascontiguousarray(merges[:, :count]), 0)
    link.flags.writeable = False  # as the forest of a reader is: the kernel is compiled for that already
    parent, linked_at, _ = forest_of(link)
    return smallest_of(all_roots(parent, linked_at, int(NEVER))).astype(np.int64)
