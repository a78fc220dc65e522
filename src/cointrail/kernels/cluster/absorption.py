"""How a cluster came together: the merges of its log, grouped by the transaction that made them.

One transaction may join many clusters at once, and write one merge for each that it adds. A *step* is what one
transaction made of several clusters that hang together afterwards; its *parts* are those clusters as they were before.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def steps_of_merges(tx_index, child, parent, child_size, parent_size, scripts):
    """Group merges into steps.

    Args:
        tx_index, child, parent, child_size, parent_size: int64 (m,), merges in the order of the log; child and parent
            are places in `scripts`.
        scripts: how many scripts the merges are about; a smaller place is an older script.

    Returns:
        (step_tx int64 (s,), part_step int64 (p,), part_oldest int64 (p,), part_size int64 (p,)): the transaction of
        each step, ascending; for each part its step, the place of its oldest script, and its scripts.
    """
    merges = tx_index.shape[0]
    step = _steps(tx_index, child, parent, scripts)
    number = np.full(merges, -1, np.int64)  # of each step, in order of time
    step_tx, steps = np.empty(merges, np.int64), 0
    oldest = np.arange(scripts)
    seen = np.full(scripts, -1, np.int64)
    part_step, part_oldest, part_size = (
        np.empty(2 * merges, np.int64),
        np.empty(2 * merges, np.int64),
        np.empty(2 * merges, np.int64),
    )
    parts = 0
    for m in range(merges):
        if number[step[m]] < 0:
            number[step[m]] = steps
            step_tx[steps] = tx_index[m]
            steps += 1
        for root, size in ((parent[m], parent_size[m]), (child[m], child_size[m])):
            if seen[root] != tx_index[m]:
                seen[root] = tx_index[m]
                part_step[parts], part_oldest[parts], part_size[parts] = number[step[m]], oldest[root], size
                parts += 1
        oldest[parent[m]] = min(oldest[parent[m]], oldest[child[m]])
    return step_tx[:steps], part_step[:parts], part_oldest[:parts], part_size[:parts]


@njit(nogil=True, cache=True)
def _steps(tx_index, child, parent, scripts):
    """For each merge the last merge of the same transaction that it led to."""
    merges = tx_index.shape[0]
    step = np.empty(merges, np.int64)
    last, at = np.full(scripts, -1, np.int64), np.full(scripts, -1, np.int64)
    for m in range(merges - 1, -1, -1):
        up = parent[m]
        if at[up] != tx_index[m]:
            at[up], last[up] = tx_index[m], m
        step[m] = last[up]
        at[child[m]], last[child[m]] = tx_index[m], last[up]
    return step
