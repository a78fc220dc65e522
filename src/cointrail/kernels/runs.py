"""Merging the sorted runs of an index."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def merge_runs(left_keys, left_ids, left_end, right_keys, right_ids, right_end, keys, ids):
    """Merge two sorted runs and drop what a rewind has withdrawn.

    Args:
        left_keys, right_keys: uint64, ascending; left_ids, right_ids: uint32, the row each key leads to.
        left_end, right_end: ids at or beyond these are dropped.
        keys, ids: written; as long as both inputs together.

    Returns:
        Entries written.
    """
    i = 0
    j = 0
    n = 0
    while i < left_keys.shape[0] or j < right_keys.shape[0]:
        if j == right_keys.shape[0] or (i < left_keys.shape[0] and left_keys[i] <= right_keys[j]):
            if np.int64(left_ids[i]) < left_end:
                keys[n] = left_keys[i]
                ids[n] = left_ids[i]
                n += 1
            i += 1
        else:
            if np.int64(right_ids[j]) < right_end:
                keys[n] = right_keys[j]
                ids[n] = right_ids[j]
                n += 1
            j += 1
    return n
