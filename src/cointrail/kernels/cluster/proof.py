"""The way between two nodes of a forest, step by step through the transactions that joined them; and shorter ways.

`tree_path` is METHODS.md 1.3 with a stack of its own, so a way may have as many steps as there are scripts. The groups
of a transaction come from `kernels.co_spend`, the same lines that built the forest. A step is a row (transaction,
rule, script x, script y), rule 0 for a co-spend and 1 for a same-key fact; consecutive steps share a script.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cointrail.kernels.cluster.co_spend import link_groups
from cointrail.kernels.cluster.union_find import NEVER, root_before

CO_SPEND, SAME_KEY = 0, 1
_EXPLAIN = -1  # a pending piece of the way, in the place of a rule

# A call copies all `Columns`, which takes as long as a step does: what runs once a step becomes part of its caller.
_inlined = njit(nogil=True, cache=True, inline="always")


class Columns(NamedTuple):
    """What the forest and its groups are read from, cut at a snapshot; `inputs` is how many there are."""

    parent: npt.NDArray[np.uint32]
    linked_at: npt.NDArray[np.uint32]
    first_input: npt.NDArray[np.int64]
    inputs: int
    spent: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint16]
    script: npt.NDArray[np.uint32]
    sign_tx: npt.NDArray[np.uint32]
    signs: npt.NDArray[np.uint32]
    fact_tx: npt.NDArray[np.uint32]
    fact_a: npt.NDArray[np.uint32]
    fact_b: npt.NDArray[np.uint32]
    unowned: int
    veto: int


@njit(nogil=True, cache=True)
def first_at_least(ascending, value):
    """Position of the first cell that is not below a value."""
    low, high = 0, ascending.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def joined_at(parent, linked_at, one, two, before):
    """When two nodes came together over links made before `before`: the last link on their way, NEVER if there is none.

    Both climb, always the one whose next link is older, so the links come in order of time.
    """
    time = np.int64(-1)
    while one != two:
        if linked_at[two] < linked_at[one]:
            one, two = two, one
        time = np.int64(linked_at[one])
        if time >= before:
            return np.int64(NEVER)
        one = np.int64(parent[one])
    return time


@njit(nogil=True, cache=True)
def sign_of(columns, time):
    """What the gate saw in a transaction whose co-spend is not believed; 0 for all others."""
    at = first_at_least(columns.sign_tx, time)
    if at < columns.sign_tx.shape[0] and columns.sign_tx[at] == time:
        return columns.signs[at]
    return np.uint32(0)


@njit(nogil=True, cache=True)
def _inputs_of(columns, time):
    """(first input, input after the last) of one transaction."""
    last = time + 1 == columns.first_input.shape[0]
    return columns.first_input[time], np.int64(columns.inputs) if last else columns.first_input[time + 1]


@njit(nogil=True, cache=True)
def _facts_of(columns, time):
    """(first fact, fact after the last) that one transaction completes."""
    low = first_at_least(columns.fact_tx, time)
    high = low
    while high < columns.fact_tx.shape[0] and columns.fact_tx[high] == time:
        high += 1
    return low, high


@njit(nogil=True, cache=True)
def _groups_of(columns, time):
    """(members, where each group begins and the last ends, how many groups are facts) of one transaction."""
    starts, signs = np.empty(2, np.int64), np.empty(1, np.uint32)
    starts[0], starts[1] = _inputs_of(columns, time)
    signs[0] = sign_of(columns, time)
    low, high = _facts_of(columns, time)
    members = np.empty(starts[1] - starts[0] + 2 * (high - low), np.int64)
    first = np.empty(high - low + 2, np.int64)
    groups, used = link_groups(
        starts,
        columns.spent,
        columns.flags,
        columns.script,
        np.uint16(columns.unowned),
        signs,
        np.uint32(columns.veto),
        time,
        columns.fact_tx[low:high],
        columns.fact_a[low:high],
        columns.fact_b[low:high],
        members,
        first,
        np.empty(high - low + 1, np.uint32),
    )
    return members[:used], first[: groups + 1], high - low


@_inlined
def _co_spent(columns, one, two, start, goal, time):
    """The way from one tree to another inside a believed co-spend, by the asked scripts themselves if they are in it.

    Returns:
        (script where the co-spend is entered, script where it is left), -1 where there is none.
    """
    x = y = np.int64(-1)
    begin, end = _inputs_of(columns, time)
    for i in range(begin, end):
        if x == one and y == two:
            break
        if columns.spent[i] < 0 or columns.flags[i] & columns.unowned:
            continue
        member = np.int64(columns.script[columns.spent[i]])
        tree = root_before(columns.parent, columns.linked_at, member, time)
        if tree == start and x != one and (x < 0 or member == one):
            x = member
        elif tree == goal and y != two and (y < 0 or member == two):
            y = member
    return x, y


@njit(nogil=True, cache=True)
def _crossing(members, owner, entry, left, facts, found):
    """The groups that led to a member, in order."""
    count, at = 0, found
    while at >= 0:
        count += 1
        at = left[owner[at]]
    chain = np.empty((count, 3), np.int64)
    at = found
    for row in range(count - 1, -1, -1):
        g = owner[at]
        chain[row, 0] = SAME_KEY if g < facts else CO_SPEND
        chain[row, 1], chain[row, 2] = members[entry[g]], members[at]
        at = left[g]
    return chain


@njit(nogil=True, cache=True)
def _through_groups(columns, one, two, start, goal, time):
    """As `_cross` through any groups of a transaction, breadth first."""
    members, first, facts = _groups_of(columns, time)
    owner = np.empty(members.shape[0], np.int64)
    trees = np.empty(members.shape[0], np.int64)
    for g in range(first.shape[0] - 1):
        for k in range(first[g], first[g + 1]):
            owner[k] = g
            trees[k] = root_before(columns.parent, columns.linked_at, members[k], time)
    order = np.argsort(trees, kind="mergesort")
    ranked = trees[order]
    reached = np.zeros(members.shape[0], np.bool_)  # by the first place of a tree in `ranked`
    entry = np.full(first.shape[0], -1, np.int64)  # member through which a group is entered
    left = np.full(first.shape[0], -1, np.int64)  # member through which the group before it is left
    tree = np.empty(members.shape[0] + 1, np.int64)
    through = np.empty(members.shape[0] + 1, np.int64)
    tree[0], through[0] = start, -1
    waiting, taken, found = 1, 0, np.int64(-1)
    while taken < waiting and found < 0:
        at = first_at_least(ranked, tree[taken])
        while at < ranked.shape[0] and ranked[at] == tree[taken] and found < 0:
            g = owner[order[at]]
            at += 1
            if entry[g] >= 0:
                continue
            entry[g], left[g] = order[at - 1], through[taken]
            for k in range(first[g], first[g + 1]):
                if members[k] == one:
                    entry[g] = k
                if trees[k] == goal and (found < 0 or members[k] == two):
                    found = np.int64(k)
                place = first_at_least(ranked, trees[k])
                if not reached[place]:
                    reached[place] = True
                    tree[waiting], through[waiting] = trees[k], k
                    waiting += 1
        taken += 1
    return _crossing(members, owner, entry, left, facts, found)


@_inlined
def _cross(columns, one, two, time):
    """The fewest groups of one transaction that lead from the tree of `one` to that of `two`, trees as before it.

    Returns:
        int64 (g, 3): rule, script where the group is entered, script where it is left; no row if there is no way.
    """
    start = root_before(columns.parent, columns.linked_at, one, time)
    goal = root_before(columns.parent, columns.linked_at, two, time)
    low, high = _facts_of(columns, time)
    # Nearly every transaction is one group, which needs no search and no room to work in.
    if low == high and not sign_of(columns, time) & np.uint32(columns.veto):
        x, y = _co_spent(columns, one, two, start, goal, time)
        chain = np.empty((1 if x >= 0 and y >= 0 else 0, 3), np.int64)
        for row in range(chain.shape[0]):
            chain[row, 0], chain[row, 1], chain[row, 2] = CO_SPEND, x, y
        return chain
    return _through_groups(columns, one, two, start, goal, time)


@_inlined
def _with_room(rows, used, more):
    """The same rows with room for some more."""
    if used + more <= rows.shape[0]:
        return rows
    larger = np.empty((2 * (used + more), rows.shape[1]), np.int64)
    larger[:used] = rows[:used]
    return larger


@njit(nogil=True, cache=True)
def tree_path(columns, one, two, before):
    """The way between two scripts over links made before `before`.

    Returns:
        (0 if there is a way, 1 if not, 2 if the groups of a transaction do not explain its link; int64 (s, 4) steps).
    """
    steps, used = np.empty((16, 4), np.int64), 0
    stack, pending = np.empty((16, 4), np.int64), 0
    if one != two:
        stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = before, _EXPLAIN, one, two
        pending = 1
    while pending:
        pending -= 1
        time, rule, x, y = stack[pending]
        if rule != _EXPLAIN:
            steps = _with_room(steps, used, 1)
            steps[used, 0], steps[used, 1], steps[used, 2], steps[used, 3] = time, rule, x, y
            used += 1
            continue
        time = joined_at(columns.parent, columns.linked_at, x, y, time)
        if time == NEVER:
            return 1 if used == 0 and pending == 0 else 2, steps[:0]
        chain = _cross(columns, x, y, time)
        if chain.shape[0] == 0:
            return 2, steps[:0]
        stack = _with_room(stack, pending, 2 * chain.shape[0] + 1)
        # The last piece goes in first.
        target = y
        for row in range(chain.shape[0] - 1, -1, -1):
            if chain[row, 2] != target:
                stack[pending, 0], stack[pending, 1] = time, _EXPLAIN
                stack[pending, 2], stack[pending, 3] = chain[row, 2], target
                pending += 1
            stack[pending, 0], stack[pending, 1] = time, chain[row, 0]
            stack[pending, 2], stack[pending, 3] = chain[row, 1], chain[row, 2]
            pending += 1
            target = chain[row, 1]
        if target != x:
            stack[pending, 0], stack[pending, 1], stack[pending, 2], stack[pending, 3] = time, _EXPLAIN, x, target
            pending += 1
    return 0, steps[:used]
