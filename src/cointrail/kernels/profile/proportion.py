"""An amount divided by largest remainder, in integers."""

import numpy as np
from numba import njit

from cointrail.kernels.trace.split_many import share_of

_FEW = 16


@njit(nogil=True, cache=True)
def divide(amount, weight, part, rest):
    """Write the share of each weight in an amount into `part`: largest remainder, ties to the first."""
    count, whole, missing = weight.shape[0], np.int64(0), amount
    for k in range(count):
        whole += weight[k]
    if not whole:
        part[:count] = 0
        return
    for k in range(count):
        part[k], rest[k] = share_of(amount, weight[k], whole)
        missing -= part[k]
    if count > _FEW and missing:
        order = np.argsort(-rest[:count], kind="mergesort")
        for k in range(missing):
            part[order[k]] += 1
        return
    for _ in range(missing):
        best = 0
        for k in range(1, count):
            if rest[k] > rest[best]:
                best = k
        part[best] += 1
        rest[best] = -1
