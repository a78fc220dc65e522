"""A shortest way between two scripts over believed co-spends and same-key facts: breadth first, from both ends.

Each round takes in a whole ring around the end whose ring is smaller, so the first contact of the two sides is on a
shortest way. The search reads outputs of scripts and inputs of their spenders; it has a budget of scripts and of rows,
never of time, so that it gives the same answer on every machine.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cointrail.kernels.cluster.proof import CO_SPEND, SAME_KEY, first_at_least, sign_of

FOUND, NONE_SHORTER, GAVE_UP = 0, 1, 2


class History(NamedTuple):
    """The outputs of scripts. `last_output`, `script` and `previous` as on disk: what is newer leads to what is older.

    `fact_from` is ascending; each fact is there in both directions.
    """

    last_output: npt.NDArray[np.int64]
    script: npt.NDArray[np.uint32]
    previous: npt.NDArray[np.int64]
    spender: npt.NDArray[np.int64]
    outputs: int
    fact_from: npt.NDArray[np.uint32]
    fact_to: npt.NDArray[np.uint32]
    fact_tx: npt.NDArray[np.uint32]


@njit(nogil=True, cache=True)
def _slot_of(table, names, name):
    """Place of a name in an open-addressing table of row numbers; free if the table holds -1 there."""
    mask = table.shape[0] - 1
    at = np.int64((np.uint64(name) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    while table[at] >= 0 and names[table[at]] != name:
        at = (at + 1) & mask
    return at


@njit(nogil=True, cache=True)
def _power_of_two(least):
    size = 16
    while size < least:
        size *= 2
    return size


@njit(nogil=True, cache=True)
def _newest_output(history, script, left):
    """(newest output inside the snapshot, rows read); more than `left` if the way is long or is being changed."""
    output, read = np.int64(history.last_output[script]), 1
    while output >= history.outputs and read <= left:
        if output >= history.script.shape[0] or history.script[output] != script:
            return np.int64(-1), left + 1
        older = np.int64(history.previous[output])
        if older >= output:
            return np.int64(-1), left + 1
        output = older
        read += 1
    return output, read


@njit(nogil=True, cache=True)
def _transaction_of(columns, input_index):
    low = first_at_least(columns.first_input, input_index + 1)
    return np.int64(low - 1)


@njit(nogil=True, cache=True)
def _spends_of(columns, history, script, transactions, left):
    """The transactions that spend outputs of a script by inputs that pass the owner filter, newest first.

    Returns:
        (how many were written into `transactions`, rows read); more than `left`: the history was cut off or changed.
    """
    count = 0
    output, read = _newest_output(history, script, left)
    while output >= 0 and read <= left and count < transactions.shape[0]:
        read += 1
        i = np.int64(history.spender[output])
        if 0 <= i < columns.inputs and columns.spent[i] == output and not (columns.flags[i] & columns.unowned):
            transactions[count] = _transaction_of(columns, i)
            count += 1
        older = np.int64(history.previous[output])
        if older >= output or (older >= 0 and history.script[older] != script):
            return count, left + 1
        output = older
    return count, read


class _Search(NamedTuple):
    """The state of a search: a row a script, reached from side 0 or 1; `state` holds what `_USED` and the like name."""

    table: npt.NDArray[np.int64]
    name: npt.NDArray[np.int64]
    side: npt.NDArray[np.uint8]
    came: npt.NDArray[np.int64]
    via: npt.NDArray[np.int64]
    ring: npt.NDArray[np.int64]
    ring_end: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    seen_name: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


_USED, _SEEN, _LEFT, _MET, _OTHER, _MET_TX, _MET_RULE = range(7)


@njit(nogil=True, cache=True)
def _begin(columns, history, one, two, most_scripts, most_rows):
    """A search that knows its two ends, with no more room than the ledger can fill."""
    rows = min(most_scripts, history.last_output.shape[0]) + 2
    transactions = min(most_rows, columns.first_input.shape[0])
    search = _Search(
        np.full(_power_of_two(2 * rows), -1, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.uint8),
        np.full(rows, -1, np.int64),
        np.empty((rows, 2), np.int64),
        np.empty((2, rows), np.int64),
        np.ones(2, np.int64),
        np.full(_power_of_two(2 * transactions), -1, np.int64),
        np.empty(transactions + 1, np.int64),
        np.array([2, 0, most_rows, -1, -1, -1, -1]),
    )
    search.name[0], search.name[1] = one, two
    for row in range(2):
        search.side[row] = row
        search.ring[row, 0] = row
        search.table[_slot_of(search.table, search.name, search.name[row])] = row
    return search


@njit(nogil=True, cache=True)
def _reach(search, row, script, time, rule):
    """Note that a row's script leads to another; with the contact of both sides, or at the limit, nothing more."""
    state = search.state
    at = _slot_of(search.table, search.name, script)
    known = search.table[at]
    here = search.side[row]
    if known >= 0:
        if search.side[known] != here:
            state[_MET], state[_OTHER], state[_MET_TX], state[_MET_RULE] = row, known, time, rule
        return
    used = state[_USED]
    if used == search.name.shape[0]:
        state[_LEFT] = -1
        return
    search.table[at] = used
    search.name[used], search.side[used], search.came[used] = script, here, row
    search.via[used, 0], search.via[used, 1] = time, rule
    search.ring[here, search.ring_end[here]] = used
    search.ring_end[here] += 1
    state[_USED] += 1


@njit(nogil=True, cache=True)
def _take_co_spend(columns, search, row, time):
    """Reach the scripts that a transaction spends together with a row's script, once a transaction."""
    state = search.state
    at = _slot_of(search.seen, search.seen_name, time)
    if search.seen[at] >= 0:
        return
    search.seen[at] = state[_SEEN]
    search.seen_name[state[_SEEN]] = time
    state[_SEEN] += 1
    first, end = columns.first_input[time], np.int64(columns.inputs)
    if time + 1 < columns.first_input.shape[0]:
        end = columns.first_input[time + 1]
    if end - first < 2 or sign_of(columns, time) & np.uint32(columns.veto):
        return
    state[_LEFT] -= end - first
    for i in range(first, end):
        if state[_LEFT] < 0 or state[_MET] >= 0:
            return
        if not (columns.flags[i] & columns.unowned):
            _reach(search, row, np.int64(columns.script[columns.spent[i]]), time, CO_SPEND)


@njit(nogil=True, cache=True)
def _take_in(columns, history, search, row, spends):
    """Reach everything one step from a row's script; `spends` is room to work in."""
    state = search.state
    script = search.name[row]
    count, read = _spends_of(columns, history, script, spends, state[_LEFT])
    state[_LEFT] -= read
    for k in range(count):
        if state[_LEFT] >= 0 and state[_MET] < 0:
            _take_co_spend(columns, search, row, spends[k])
    at = first_at_least(history.fact_from, script)
    while at < history.fact_from.shape[0] and history.fact_from[at] == script:
        if state[_LEFT] >= 0 and state[_MET] < 0:
            _reach(search, row, np.int64(history.fact_to[at]), np.int64(history.fact_tx[at]), SAME_KEY)
            state[_LEFT] -= 1
        at += 1


@njit(nogil=True, cache=True)
def short_path(columns, history, one, two, longest, most_scripts, most_rows):
    """Look for a way of fewer than `longest` steps between two different scripts.

    Returns:
        (FOUND, NONE_SHORTER or GAVE_UP; int64 (s, 4) steps as in `kernels.proof`, none unless found).
    """
    search = _begin(columns, history, one, two, most_scripts, most_rows)
    spends = np.empty(min(most_rows, history.outputs), np.int64)
    done, depth = np.zeros(2, np.int64), np.zeros(2, np.int64)
    nothing = np.empty((0, 4), np.int64)
    while depth[0] + depth[1] + 1 < longest:
        end = search.ring_end.copy()
        here = 0 if end[0] - done[0] <= end[1] - done[1] else 1
        if done[here] == end[here]:
            return NONE_SHORTER, nothing
        while done[here] < end[here] and search.state[_MET] < 0:
            _take_in(columns, history, search, search.ring[here, done[here]], spends)
            done[here] += 1
            # A contact beyond the budget counts: it was read.
            if search.state[_LEFT] < 0 and search.state[_MET] < 0:
                return GAVE_UP, nothing
        depth[here] += 1
        if search.state[_MET] >= 0:
            return FOUND, _way(search, depth[0] + depth[1])
    return NONE_SHORTER, nothing


@njit(nogil=True, cache=True)
def _way(search, length):
    """The steps from the first script to the second, over the contact of a row of one side and a row of the other."""
    steps = np.empty((length, 4), np.int64)
    name, came, via, state = search.name, search.came, search.via, search.state
    left, right = state[_MET], state[_OTHER]
    if search.side[left] == 1:
        left, right = right, left
    middle, row = 0, left
    while came[row] >= 0:
        middle += 1
        row = came[row]
    row = left
    for at in range(middle - 1, -1, -1):
        steps[at, 0], steps[at, 1], steps[at, 2], steps[at, 3] = via[row, 0], via[row, 1], name[came[row]], name[row]
        row = came[row]
    steps[middle, 0], steps[middle, 1] = state[_MET_TX], state[_MET_RULE]
    steps[middle, 2], steps[middle, 3] = name[left], name[right]
    row = right
    for at in range(middle + 1, length):
        steps[at, 0], steps[at, 1], steps[at, 2], steps[at, 3] = via[row, 0], via[row, 1], name[row], name[came[row]]
        row = came[row]
    return steps
