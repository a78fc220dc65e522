"""What of the endings of a transaction comes from outputs of the wallet, where others arrived at it too.

Method: `profile.exposure.nearness`.
"""

import numpy as np
from numba import njit

from cointrail.kernels.profile.proportion import divide


@njit(nogil=True, cache=True)
def tell_apart(endings, step, group, arrived, begins, sat, seeds, direct):
    """Lower `direct` to what of each ending is.

    Args:
        endings: int64 (m,), those of transactions that took both, by step, then group, then in order.
        step, group: int64 (n,), of each ending, by its number.
        arrived: int64 (p,), parts by the step that took them, in each in ascending order.
        begins: int64 (steps + 1,), where those of a step begin.
        sat: int64 (p,), of each part.
        seeds: so many of the first parts are the wallet's outputs.
        direct: int64 (n,), what each ending holds; written.
    """
    widest = np.int64(0)
    for k in range(endings.shape[0]):
        at = step[endings[k]]
        widest = max(widest, begins[at + 1] - begins[at])
    left, taken, rest = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.int64)
    count, own = 0, 0
    first = 0
    while first < endings.shape[0]:
        at, of = step[endings[first]], group[endings[first]]
        if first == 0 or step[endings[first - 1]] != at:
            count, own = begins[at + 1] - begins[at], 0
            for k in range(count):
                part = arrived[begins[at] + k]
                left[k] = sat[part]
                own += part < seeds
        end, total = first, np.int64(0)
        while end < endings.shape[0] and step[endings[end]] == at and group[endings[end]] == of:
            total += direct[endings[end]]
            end += 1
        divide(total, left[:count], taken, rest)
        near = np.int64(0)
        for k in range(count):
            left[k] -= taken[k]
            if k < own:
                near += taken[k]
        for k in range(first, end):
            direct[endings[k]] = min(near, direct[endings[k]])
            near -= direct[endings[k]]
        first = end
