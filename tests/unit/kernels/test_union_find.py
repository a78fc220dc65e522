"""Union-find with times: equal to sets that are merged by hand, at every time; shallow; determined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.union_find import NEVER, link_groups, root_before

NODES = 24

GROUPS = st.lists(st.lists(st.integers(0, NODES - 1), max_size=5), max_size=30)


def new_forest(nodes=NODES):
    return np.arange(nodes, dtype=np.uint32), np.full(nodes, NEVER, np.uint32), np.ones(nodes, np.uint32)


def link(forest, groups, first_time=0, step=3):
    """Link groups at the times first_time, first_time + step, ..."""
    members = np.array([node for group in groups for node in group], np.int64)
    first = np.cumsum([0, *map(len, groups)]).astype(np.int64)
    times = (first_time + step * np.arange(len(groups))).astype(np.uint32)
    return link_groups(*forest, members, first, times)


def merged_sets(groups, nodes=NODES):
    """The reference: a list of disjoint sets."""
    sets = [{node} for node in range(nodes)]
    for group in groups:
        touched = [each for each in sets if each & set(group)]
        sets = [each for each in sets if not each & set(group)]
        if touched:
            sets.append(set().union(*touched))
    return {frozenset(each) for each in sets}


def partition(forest, time):
    parent, linked_at, _ = forest
    blocks = {}
    for node in range(len(parent)):
        blocks.setdefault(int(root_before(parent, linked_at, node, time)), set()).add(node)
    return {frozenset(each) for each in blocks.values()}


@given(GROUPS)
def test_forest_of_every_time_is_the_merge_of_the_groups_before_it(groups):
    forest = new_forest()
    link(forest, groups)
    for count in range(len(groups) + 1):
        assert partition(forest, 3 * count) == merged_sets(groups[:count])
    assert partition(forest, NEVER) == merged_sets(groups)


@given(GROUPS)
def test_each_link_joins_two_clusters(groups):
    forest = new_forest()
    links = link(forest, groups)
    assert NODES - links == len(merged_sets(groups))
    parent, linked_at, _ = forest
    assert ((parent == np.arange(NODES)) == (linked_at == NEVER)).all()


@given(GROUPS)
def test_times_ascend_and_depth_stays_logarithmic(groups):
    forest = new_forest()
    link(forest, groups)
    parent, linked_at, size = forest
    for node in range(NODES):
        depth, at = 0, node
        while parent[at] != at:
            above = int(parent[at])
            assert linked_at[at] <= linked_at[above]
            at, depth = above, depth + 1
        # A node goes one deeper only when its cluster at least doubles.
        assert 2**depth <= size[at]
        assert size[at] == next(len(each) for each in merged_sets(groups) if at in each)


@given(GROUPS, st.data())
def test_two_runs_give_the_same_bytes_as_one(groups, data):
    cut = data.draw(st.integers(0, len(groups)))
    whole, halves = new_forest(), new_forest()
    link(whole, groups)
    link(halves, groups[:cut])
    link(halves, groups[cut:], first_time=3 * cut)
    for one, other in zip(whole, halves, strict=True):
        assert one.tobytes() == other.tobytes()


@given(GROUPS, st.randoms(use_true_random=False))
def test_partition_does_not_depend_on_the_order_of_members(groups, random):
    shuffled = [random.sample(group, len(group)) for group in groups]
    one, other = new_forest(), new_forest()
    link(one, groups)
    link(other, shuffled)
    for count in range(len(groups) + 1):
        assert partition(one, 3 * count) == partition(other, 3 * count)


@pytest.mark.parametrize("order", ["ascending", "descending", "pairs"])
def test_large_chains_stay_shallow(order):
    nodes = 1 << 14
    if order == "pairs":  # tournament: the deepest forest union by size allows
        groups = [[at, at + (1 << k)] for k in range(14) for at in range(0, nodes, 2 << k)]
    else:
        groups = [[at, at + 1] for at in range(nodes - 1)]
    forest = new_forest(nodes)
    assert link(forest, groups[::-1] if order == "descending" else groups, step=1) == nodes - 1
    parent = forest[0].astype(np.int64)
    depth, above = 0, np.arange(nodes)
    while not np.array_equal(parent[above], above):
        above, depth = parent[above], depth + 1
    assert depth <= 14
    assert len(set(above.tolist())) == 1


def test_older_node_keeps_the_root_between_equals():
    forest = new_forest(4)
    link(forest, [[3, 1], [2, 0]])
    assert forest[0].tolist() == [0, 1, 0, 1]
