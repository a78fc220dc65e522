"""Merkle roots of many blocks at once, level by level, on the wide hash kernel."""

import numpy as np
from numba import njit

from cointrail.kernels.sha256 import hash_messages


@njit(nogil=True, cache=True)
def merkle_roots(leaves, first, roots, mutated):
    """Merkle root of each group of leaves, as Core's ComputeMerkleRoot.

    Args:
        leaves: uint8 (n, 32).
        first: int64 (b + 1,), the leaves of group k are first[k] .. first[k + 1] - 1; no group is empty.
        roots: uint8 (b, 32), written.
        mutated: bool (b,), written: True where two equal siblings stand at an even position (CVE-2012-2459), so that
            another list of leaves has the same root.
    """
    groups = first.shape[0] - 1
    level = leaves.copy()
    start = first[:groups].copy()
    count = np.empty(groups, np.int64)
    for k in range(groups):
        count[k] = first[k + 1] - first[k]
        mutated[k] = False
    while True:
        pairs = 0
        for k in range(groups):
            if count[k] > 1:
                pairs += (count[k] + 1) // 2
        if pairs == 0:
            break
        messages = np.empty((pairs, 64), np.uint8)
        at = 0
        for k in range(groups):
            if count[k] <= 1:
                continue
            for j in range(0, count[k], 2):
                left = start[k] + j
                right = left + 1 if j + 1 < count[k] else left
                if right != left:
                    equal = True
                    for byte in range(32):
                        if level[left, byte] != level[right, byte]:
                            equal = False
                            break
                    mutated[k] = mutated[k] or equal
                messages[at, :32] = level[left]
                messages[at, 32:] = level[right]
                at += 1
        starts = np.arange(pairs) * 64
        lengths = np.full(pairs, 64, np.int64)
        parents = np.empty((pairs, 32), np.uint8)
        hash_messages(messages.reshape(pairs * 64), starts, lengths, True, parents)
        at = 0
        for k in range(groups):
            if count[k] <= 1:
                continue
            half = (count[k] + 1) // 2
            for j in range(half):
                level[start[k] + j] = parents[at + j]
            at += half
            count[k] = half
    for k in range(groups):
        roots[k] = level[start[k]]
