"""Union-find forests without path compression: every link keeps the time it was made.

`parent[x]` is x for a root; `linked_at[x]` is the time at which x was hung below its parent, ascending towards the
root, so that a forest read only up to an earlier time is the forest of that time. Union by size keeps the depth
logarithmic, which is what makes compression unnecessary.
"""

import numpy as np
from numba import njit

NEVER = np.iinfo(np.uint32).max


@njit(nogil=True, cache=True)
def root_before(parent, linked_at, node, time):
    """Root of a node over links made before `time`."""
    while parent[node] != node and linked_at[node] < time:
        node = np.int64(parent[node])
    return node


@njit(nogil=True, cache=True)
def link_groups(parent, linked_at, size, members, first, times):
    """Join the members of each group with one another, groups in order of time.

    Args:
        parent, linked_at: uint32 (n,), the forest; a root has linked_at NEVER. Changed.
        size: uint32 (n,), members below each root. Changed.
        members: int64 (m,), nodes; group g is members[first[g]] .. members[first[g + 1] - 1].
        first: int64 (g + 1,).
        times: uint32 (g,), ascending.

    Returns:
        How many links were made.
    """
    links = 0
    for g in range(first.shape[0] - 1):
        if first[g] == first[g + 1]:
            continue
        one = np.int64(members[first[g]])
        while np.int64(parent[one]) != one:
            one = np.int64(parent[one])
        for k in range(first[g] + 1, first[g + 1]):
            two = np.int64(members[k])
            while np.int64(parent[two]) != two:
                two = np.int64(parent[two])
            if one == two:
                continue
            # The larger keeps its root; between equals the older one, so that the result is determined.
            if size[one] < size[two] or (size[one] == size[two] and two < one):
                one, two = two, one
            parent[two] = np.uint32(one)
            linked_at[two] = times[g]
            size[one] += size[two]
            links += 1
    return links
