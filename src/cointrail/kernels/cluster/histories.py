"""The outputs of many scripts: each script's chain of outputs, walked from the newest to the oldest.

The way to the outputs of a snapshot leads through newer rows, which a writer may be rewriting: a row is taken only if
it pays the script, and only if it is older than the one that led to it.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def outputs_of_scripts(scripts, last_output, previous, script, end):
    """Collect the outputs below `end` that pay some scripts.

    Args:
        scripts: int64 (n,), script_ids below the length of `last_output`.
        last_output: int64, newest output of each script.
        previous, script: int64 and uint32, the output before of the same script, and the script of each output.
        end: outputs that exist for the reader.

    Returns:
        (broken, owner int64 (m,), output int64 (m,)): the first of `scripts` whose chain leads nowhere or holds no
        output of the reader, -1 if there is none; then for each output its place in `scripts`, ascending, and the
        output, newest first in each.
    """
    owner, found = np.empty(2 * scripts.shape[0] + 16, np.int32), np.empty(2 * scripts.shape[0] + 16, np.int64)
    count = 0
    for k in range(scripts.shape[0]):
        node = scripts[k]
        output, newer, before = np.int64(last_output[node]), np.int64(script.shape[0]), count
        while output != -1:
            if output < 0 or output >= newer or script[output] != node:
                return k, owner[:0], found[:0]
            if output < end:
                if count == found.shape[0]:
                    owner, found = _longer(owner), _longer(found)
                owner[count], found[count] = k, output
                count += 1
            newer, output = output, np.int64(previous[output])
        if count == before:
            return k, owner[:0], found[:0]
    return -1, owner[:count], found[:count]


@njit(nogil=True, cache=True)
def _longer(array):
    longer = np.empty(2 * array.shape[0], array.dtype)
    longer[: array.shape[0]] = array
    return longer
