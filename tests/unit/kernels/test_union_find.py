"""Union-find with times: equal to sets that are merged by hand, at every time; shallow; determined; undone exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.cluster.union_find import (
    NEVER,
    all_roots,
    apply_merges,
    find_merges,
    members_of,
    replay,
    root_before,
    roots_before,
    row_checks,
    smallest_in_trees,
    undo_merges,
)
from cointrail.ledger.merges import forest_of, new_forest

NODES = 24

GROUPS = st.lists(st.lists(st.integers(0, NODES - 1), max_size=5), max_size=30)


class Grown:
    """A forest with its log, as a ledger keeps them."""

    def __init__(self, nodes=NODES):
        self.link = new_forest(nodes)
        self.forest = forest_of(self.link)
        self.log = np.empty((6, 0), np.uint32)

    def join(self, groups, first_time=0, step=3):
        """Link groups at the times first_time, first_time + step, ..."""
        members = np.array([node for group in groups for node in group], np.int64)
        first = np.cumsum([0, *map(len, groups)]).astype(np.int64)
        times = (first_time + step * np.arange(len(groups))).astype(np.uint32)
        merges = np.empty((6, len(members)), np.uint32)
        before = self.link.copy()
        count = find_merges(*self.forest, members, first, times, self.log.shape[1], merges)
        assert np.array_equal(self.link, before)  # deciding changes nothing
        decided = np.ascontiguousarray(merges[:, :count])
        apply_merges(*self.forest, decided, self.log.shape[1])
        self.log = np.ascontiguousarray(np.concatenate([self.log, decided], axis=1))
        return count

    def partition(self, time):
        parent, linked_at, _ = self.forest
        return sets_of(int(root_before(parent, linked_at, node, time)) for node in range(len(parent)))


def sets_of(roots):
    blocks = {}
    for node, root in enumerate(roots):
        blocks.setdefault(root, set()).add(node)
    return {frozenset(each) for each in blocks.values()}


def merged_sets(groups, nodes=NODES):
    """The reference: a list of disjoint sets."""
    sets = [{node} for node in range(nodes)]
    for group in groups:
        touched = [each for each in sets if each & set(group)]
        sets = [each for each in sets if not each & set(group)]
        if touched:
            sets.append(set().union(*touched))
    return {frozenset(each) for each in sets}


@given(GROUPS)
def test_forest_of_every_time_is_the_merge_of_the_groups_before_it(groups):
    grown = Grown()
    assert NODES - grown.join(groups) == len(merged_sets(groups))
    parent, linked_at, _ = grown.forest
    for count in range(len(groups) + 1):
        assert grown.partition(3 * count) == merged_sets(groups[:count])
        assert sets_of(all_roots(parent, linked_at, 3 * count).tolist()) == merged_sets(groups[:count])
        smallest = {node: min(each) for each in merged_sets(groups[:count]) for node in each}
        assert smallest_in_trees(parent, linked_at, 3 * count).tolist() == [smallest[node] for node in range(NODES)]
    assert grown.partition(NEVER) == merged_sets(groups)
    times = np.arange(NODES, dtype=np.int64)
    asked = roots_before(parent, linked_at, np.arange(NODES), times)
    assert asked.tolist() == [int(root_before(parent, linked_at, node, node)) for node in range(NODES)]


def test_more_members_than_are_climbed_from_at_once():
    nodes = 5_000
    groups = np.random.default_rng(1).integers(0, nodes, (700, 3)).tolist()
    one, two = Grown(nodes), Grown(nodes)
    one.join(groups)
    for g, group in enumerate(groups):
        two.join([group], first_time=3 * g)
    assert np.array_equal(one.log, two.log)
    assert np.array_equal(one.link, two.link)


@given(GROUPS)
def test_times_ascend_and_depth_stays_logarithmic(groups):
    grown = Grown()
    grown.join(groups)
    parent, linked_at, _ = grown.forest
    for node in range(NODES):
        depth, at = 0, node
        while linked_at[at] != NEVER:
            above = int(parent[at])
            assert linked_at[at] <= linked_at[above]
            at, depth = above, depth + 1
        # A node goes one deeper only when its cluster at least doubles; a root's parent cell is its size.
        assert 2**depth <= parent[at]
        assert parent[at] == next(len(each) for each in merged_sets(groups) if at in each)


@given(GROUPS, st.data())
def test_two_runs_give_the_same_bytes_as_one(groups, data):
    cut = data.draw(st.integers(0, len(groups)))
    whole, halves = Grown(), Grown()
    whole.join(groups)
    halves.join(groups[:cut])
    halves.join(groups[cut:], first_time=3 * cut)
    assert np.array_equal(whole.link, halves.link)
    assert np.array_equal(whole.log, halves.log)


@given(GROUPS, st.randoms(use_true_random=False))
def test_partition_does_not_depend_on_the_order_of_members(groups, random):
    one, other = Grown(), Grown()
    one.join(groups)
    other.join([random.sample(group, len(group)) for group in groups])
    for count in range(len(groups) + 1):
        assert one.partition(3 * count) == other.partition(3 * count)


@given(GROUPS, st.data())
def test_the_newest_merges_are_undone_exactly(groups, data):
    """Whether all, none or any of the cells they write had been written."""
    cut = data.draw(st.integers(0, len(groups)))
    grown = Grown()
    kept = grown.join(groups[:cut])
    before = grown.link.copy()
    grown.join(groups[cut:], first_time=3 * cut)
    for cells in (before.copy(), grown.link.copy(), np.where(data.draw(masks()), before, grown.link)):
        undo_merges(*forest_of(cells), np.ascontiguousarray(grown.log[:, kept:]))
        assert np.array_equal(cells, before)


def masks():
    return st.lists(st.booleans(), min_size=3 * NODES, max_size=3 * NODES).map(
        lambda bits: np.array(bits).reshape(NODES, 3)
    )


@given(GROUPS, st.data())
def test_members_of_every_root_at_every_count_of_merges(groups, data):
    grown = Grown()
    grown.join(groups)
    child, previous = grown.log[1], grown.log[5]
    for count in range(grown.log.shape[1] + 1):
        sets = {node: {node} for node in range(NODES)}
        for low, high in grown.log[1:3, :count].T.tolist():
            sets[high] |= sets.pop(low)
        root = data.draw(st.sampled_from(sorted(sets)))
        members, order = np.empty(NODES, np.int64), np.empty(NODES, np.int64)
        found = members_of(root, count, child, previous, grown.forest[2], members, order)
        assert sorted(members[:found].tolist()) == sorted(sets[root])
        assert child[order[1:found]].tolist() == members[1:found].tolist()
        few = members_of(root, count, child, previous, grown.forest[2], members[:2], order[:2])
        assert few == min(2, len(sets[root]))


@given(GROUPS, st.integers(0, NODES), st.integers(0, NODES))
def test_replaying_the_log_gives_the_links_of_any_range(groups, one, other):
    grown = Grown()
    grown.join(groups)
    first, end = sorted((one, other))
    cells = new_forest(end - first)
    assert replay(first, end, grown.log, 0, *forest_of(cells)) == -1
    assert np.array_equal(cells, grown.link[first:end])


@given(GROUPS, st.data())
def test_a_wrong_merge_is_named(groups, data):
    grown = Grown()
    count = grown.join(groups)
    if not count:
        return
    place = data.draw(st.integers(0, count - 1)), data.draw(st.integers(3, 5))
    checks = row_checks(grown.log, 7)
    grown.log[place[1], place[0]] ^= 1
    assert np.flatnonzero(row_checks(grown.log, 7) != checks).tolist() == [place[0]]
    assert replay(0, NODES, grown.log, 0, *forest_of(new_forest(NODES))) in (place[0], place[0] + 1)


def test_the_checksum_depends_on_the_number():
    log = np.arange(12, dtype=np.uint32).reshape(6, 2)
    assert len({*row_checks(log, 0).tolist(), *row_checks(log, 1).tolist()}) == 4


@pytest.mark.parametrize("order", ["ascending", "descending", "pairs"])
def test_large_chains_stay_shallow(order):
    nodes = 1 << 14
    if order == "pairs":  # tournament: the deepest forest union by size allows
        groups = [[at, at + (1 << k)] for k in range(14) for at in range(0, nodes, 2 << k)]
    else:
        groups = [[at, at + 1] for at in range(nodes - 1)]
    grown = Grown(nodes)
    assert grown.join(groups[::-1] if order == "descending" else groups, step=1) == nodes - 1
    parent, linked_at, _ = (cells.astype(np.int64) for cells in grown.forest)
    depth, at = 0, np.arange(nodes)
    while (moving := linked_at[at] != NEVER).any():
        at, depth = np.where(moving, parent[at], at), depth + 1
    assert depth <= 14
    assert len(set(at.tolist())) == 1


def test_older_node_keeps_the_root_between_equals():
    grown = Grown(4)
    grown.join([[3, 1], [2, 0]])
    assert grown.forest[0].tolist() == [2, 2, 0, 1]
    assert grown.log[1:3].tolist() == [[3, 2], [1, 0]]
