"""The parts into which the removal of one node splits a graph: which nodes they hold, not their weight alone.

In the order in which a depth-first walk reaches the nodes, everything below a node is adjacent. So each part that hangs
on a cut node is an interval of that order, and sums over parts are differences of running sums.
"""

import numpy as np
from numba import njit

from cointrail.kernels.cluster.bridges import depth_first, weights_below


@njit(nogil=True, cache=True)
def parts_below(nodes, edge_a, edge_b, counted):
    """Find what each uncounted node alone holds together.

    Args:
        nodes: how many there are: the counted ones first.
        edge_a, edge_b: int64 (e,), the ends of each edge.
        counted: how many nodes make up the parts; the others are what may be removed. The walk begins at node 0.

    Returns:
        (order int64 (counted,), cut int64 (p,), begin int64 (p,), size int64 (p,)): the counted nodes as the walk
        reaches them; and for each part that hangs on a node, the node, and the places in `order` that it takes. The
        rest of a component is the part that is not listed.
    """
    weight = np.zeros(nodes, np.int64)
    weight[:counted] = 1
    _, reached, up, _, low = depth_first(nodes, edge_a, edge_b)
    below, _ = weights_below(reached, up, weight)
    order = np.empty(counted, np.int64)
    cut, begin, size = np.empty(nodes, np.int64), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    place = 0
    parts = 0
    for r in range(nodes):
        above = up[r]
        if above >= 0 and reached[above] >= counted and low[r] >= above:
            cut[parts], begin[parts], size[parts] = reached[above], place, below[r]
            parts += 1
        if reached[r] < counted:
            order[place] = reached[r]
            place += 1
    return order, cut[:parts], begin[:parts], size[:parts]
