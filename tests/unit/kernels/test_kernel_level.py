"""Kernels of levels: sets of scripts with ranks, sizes of a snapshot, paths; pairs that stay apart through any joins.

The guards themselves are compared with a reference in tests/unit/cluster/level.
"""

import numpy as np
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.cluster.bridges import adjacency
from cointrail.kernels.cluster.level import (
    ACCEPTED,
    CANNOT_LINK,
    JUDGED,
    PAYEE,
    REVIEWED,
    SETTLED,
    SEVERAL,
    SIZE,
    count_marked,
    join,
    mark,
    marked,
    payees,
    places,
    shortest_path,
    sizes_at,
)
from cointrail.kernels.cluster.union_find import NEVER, apply_merges, find_merges

NODES = 12
NUMBERS = st.lists(st.integers(0, NODES - 1), max_size=40)


@examples(200)
@given(st.lists(st.integers(-1, 400)), st.lists(st.integers(-1, 400)))
def test_places_are_ranks_among_what_was_marked(scripts, asked):
    bits = np.zeros(7, np.uint64)
    mark(bits, np.array(scripts, np.int64))
    before = count_marked(bits)
    inside = sorted(set(scripts) - {-1})
    assert marked(bits, before).tolist() == inside
    found = places(bits, before, np.array(asked, np.int64))
    assert found.tolist() == [inside.index(each) if each in inside else -1 for each in asked]


@examples(100)
@given(st.lists(st.lists(st.integers(0, NODES - 1), min_size=2, max_size=3), max_size=12))
def test_sizes_are_those_of_every_snapshot(groups):
    parent, linked_at, last_child = (np.full(NODES, each, np.uint32) for each in (1, NEVER, NEVER))
    members = np.array([node for group in groups for node in group], np.int64)
    first = np.cumsum([0, *map(len, groups)]).astype(np.int64)
    merges = np.empty((6, len(members)), np.uint32)
    times = np.arange(len(groups), dtype=np.uint32)
    made = find_merges(parent, linked_at, last_child, members, first, times, 0, merges)
    merges = np.ascontiguousarray(merges[:, :made])
    apply_merges(parent, linked_at, last_child, merges, 0)
    for count in range(made + 1):
        sets = {node: {node} for node in range(NODES)}
        for child, above in merges[1:3, :count].T.tolist():
            sets[above] |= sets.pop(child)
        roots = np.array(sorted(sets), np.int64)
        sizes = sizes_at(roots, count, last_child, merges[5], merges[3], merges[4])
        assert sizes.tolist() == [len(sets[root]) for root in sorted(sets)]


def test_a_damaged_log_has_no_size():
    child, parent = np.array([1], np.uint32), np.array([1], np.uint32)
    assert sizes_at(np.array([0]), 1, np.array([5], np.uint32), child, child, parent).tolist() == [-1]


def test_a_payee_needs_two_spendable_outputs_of_which_one_is_the_change():
    first = np.array([0, 2, 4, 7, 8, 10], np.int64)
    script = np.array([1, 2, 3, 3, 1, 2, 9, 1, 4, 9], np.uint32)
    unspendable = np.arange(10) == 9
    asked = [(0, 1, 2), (0, 2, 1), (0, 5, -1), (1, 3, -1), (2, 1, 2), (3, 1, -1), (4, 4, -1), (-1, 1, -1)]
    tx, change, expected = np.array(asked, np.int64).T
    assert payees(tx, change, first, script, unspendable).tolist() == expected.tolist()


@examples(200)
@given(NUMBERS, NUMBERS, st.integers(0, NODES - 1), st.integers(0, NODES - 1))
def test_paths_are_as_short_as_distances_allow(one, two, start, goal):
    edges = np.array(list(zip(one, two, strict=False)), np.int64).reshape(-1, 2)
    distance = np.where(np.eye(NODES, dtype=bool), 0, NODES)
    for a, b in edges:
        distance[a, b] = distance[b, a] = min(distance[a, b], 1)
    for middle in range(NODES):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle])
    path = shortest_path(*adjacency(NODES, edges[:, 0], edges[:, 1]), start, goal)
    assert len(path) == distance[start, goal] % NODES
    here = start
    for a, b in edges[path].tolist():
        assert here in (a, b)
        here = b if here == a else a
    assert here == goal or distance[start, goal] == NODES


@examples(200)
@given(st.lists(st.tuples(*[st.integers(0, 29)] * 3), max_size=120))
def test_pairs_stay_apart_however_often_they_are_renamed(rows):
    """Against one list of all pairs, looked through at every edge."""
    a, b, payee = np.array(rows, np.int64).reshape(-1, 3).T
    reason = np.empty(len(rows), np.uint8)
    sizes, nobody = np.zeros((2, len(rows)), np.int64), np.full(30, -1, np.int64)
    trust = np.full(len(rows), JUDGED, np.uint8)
    join(*map(np.ascontiguousarray, (a, b, payee)), trust, np.ones(30, np.int64), nobody, 1 << 40, reason, *sizes)
    above, apart = list(range(30)), []
    for (x, y, paid), code in zip(rows, reason.tolist(), strict=True):
        one, two = above[x], above[y]
        clash = one != two and (above[paid] in (one, two) or any({above[p], above[q]} == {one, two} for p, q in apart))
        assert code == (PAYEE if clash else ACCEPTED)
        if not clash:
            above = [one if each == two else each for each in above]
            if above[paid] != one:
                apart.append((x, paid))


def test_guards_in_their_order_and_who_passes_them():
    a, b = np.array([0, 0, 0, 0, 0, 2], np.int64), np.array([1, 1, 2, 1, 1, 3], np.int64)
    payee = np.array([-1, 1, -1, -1, -1, -1], np.int64)
    trust = np.array([JUDGED, JUDGED, JUDGED, REVIEWED, SETTLED, JUDGED], np.uint8)
    reason, sizes = np.empty(6, np.uint8), np.zeros((2, 6), np.int64)
    actor = np.array([4, -1, 5, SEVERAL], np.int64)
    weight = np.array([7, 7, 7, 7], np.int64)
    join(a, b, payee, trust, weight, actor, 6, reason, *sizes)
    assert reason.tolist() == [SIZE, PAYEE, CANNOT_LINK, ACCEPTED, ACCEPTED, CANNOT_LINK]
    assert sizes.tolist() == [[7, 7, 7, 0, 0, 7], [7, 7, 7, 0, 0, 7]]
