"""Joining under guards: equal to sets that are merged by hand, and every threshold off by one."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.level.guard import MOST_SCRIPTS, OFF, REASONS, CannotLink, Guards, Reason
from cointrail.cluster.level.joining import LEADS, Graph, join_under_guards
from cointrail.errors import UsageError

NODES = 8
VOTE, MODEL, HAND = EdgeRule.CHANGE_VOTE, EdgeRule.CHANGE_MODEL, EdgeRule.BY_HAND
NOBODY, SEVERAL = -1, -2


@dataclass(frozen=True)
class Edge:
    a: int
    b: int
    payee: int = -1
    tx: int = -1
    rule: EdgeRule = VOTE


def graph_of(edges, weight, actor=None):
    def column(name):
        return np.array([getattr(edge, name) for edge in edges], np.int64)

    return Graph(
        column("a"),
        column("b"),
        column("payee"),
        column("tx"),
        column("rule").astype(np.uint8),
        np.array(weight, np.int64),
        np.array([NOBODY] * len(weight) if actor is None else actor, np.int64),
    )


def judge(edges, weight, guards, actor=None):
    """(reason of each edge, partition, sizes of held edges) by the code under test."""
    found = join_under_guards(graph_of(edges, weight, actor), guards)
    reasons = [None if code == 0 else REASONS[code - 1] for code in found.reason.tolist()]
    sizes = {k: (int(found.size_a[k]), int(found.size_b[k])) for k, reason in enumerate(reasons) if reason}
    return reasons, found.component.tolist(), sizes


def partition_of(edges, nodes):
    """The smallest node of each node's set."""
    sets = [{node} for node in range(nodes)]
    for edge in edges:
        touched = [each for each in sets if each & {edge.a, edge.b}]
        sets = [each for each in sets if each not in touched] + [set().union(*touched)]
    return [min(next(each for each in sets if node in each)) for node in range(nodes)]


class Reference:
    """The rules of METHODS.md 2.6 with sets, lists and patience."""

    def __init__(self, edges, weight, guards, actor):
        self.edges, self.weight, self.guards, self.actor = edges, weight, guards, actor
        self.reasons = [None] * len(edges)
        self.sizes = {}
        first = [k for k, edge in enumerate(edges) if edge.rule not in LEADS]
        leads = [k for k, edge in enumerate(edges) if edge.rule in LEADS]
        self.stage(first, settled=[])
        if leads:
            self.stage(leads, settled=[k for k in first if self.reasons[k] is None])
        accepted = [edge for edge, reason in zip(edges, self.reasons, strict=True) if reason is None]
        self.partition = partition_of(accepted, len(weight))

    def scripts(self, nodes):
        return sum(self.weight[node] for node in nodes)

    def known(self, nodes):
        found = set()
        for node in nodes:
            found |= {"one", "other"} if self.actor[node] == SEVERAL else {self.actor[node]} - {NOBODY}
        return found

    def stage(self, rows, settled):
        sets, apart = {node: {node} for node in range(len(self.weight))}, []
        for k in [*settled, *rows]:
            edge = self.edges[k]
            one, two = sets[edge.a], sets[edge.b]
            if one is not two:
                reason = None if k in settled else self.forbidden(edge, one, two, apart)
                if reason:
                    self.reasons[k] = reason
                    self.sizes[k] = (self.scripts(one), self.scripts(two))
                    continue
                for node in two:
                    one.add(node)
                    sets[node] = one
            if self.guards.payee and edge.payee >= 0 and edge.payee not in one:
                apart.append((edge.a, edge.payee))
        if self.guards.bridge and self.guards.size is not None:
            self.hold_bridges(rows, settled)

    def forbidden(self, edge, one, two, apart):
        most = self.guards.size
        if len(self.known(one | two)) > 1:
            return Reason.CANNOT_LINK
        if self.guards.payee:
            if edge.payee in one or edge.payee in two:
                return Reason.PAYEE
            if any((x in one and y in two) or (x in two and y in one) for x, y in apart):
                return Reason.PAYEE
        if edge.rule != HAND and most is not None and self.scripts(one) > most and self.scripts(two) > most:
            return Reason.SIZE
        return None

    def hold_bridges(self, rows, settled):
        kept = [k for k in [*settled, *rows] if self.reasons[k] is None]
        held = {}
        for k in rows:
            edge = self.edges[k]
            if self.reasons[k] is not None or edge.a == edge.b:
                continue
            ends = {edge.a, edge.b}
            same = [
                j
                for j in kept
                if j == k
                or (edge.tx >= 0 and self.edges[j].tx == edge.tx and {self.edges[j].a, self.edges[j].b} == ends)
            ]
            if any(j in settled or self.edges[j].rule == HAND for j in same):
                continue
            rest = partition_of([self.edges[j] for j in kept if j not in same], len(self.weight))
            if rest[edge.a] == rest[edge.b]:
                continue
            sides = [self.scripts(n for n, root in enumerate(rest) if root == rest[end]) for end in (edge.a, edge.b)]
            if min(sides) > self.guards.size:
                held[k] = tuple(sides)
        for k, sides in held.items():
            self.reasons[k], self.sizes[k] = Reason.BRIDGE, sides


@st.composite
def edge_lists(draw, rules=(VOTE, VOTE, VOTE, MODEL, EdgeRule.CONTINUATION, HAND)):
    node = st.integers(0, NODES - 1)
    one = st.builds(
        Edge,
        node,
        node,
        st.integers(-3, NODES - 1).map(lambda n: max(n, -1)),
        st.integers(-1, 6),
        st.sampled_from(rules),
    )
    return draw(st.lists(one, max_size=16))


WEIGHTS = st.lists(st.integers(1, 9), min_size=NODES, max_size=NODES)
ACTORS = st.lists(st.sampled_from([NOBODY, NOBODY, NOBODY, 0, 1, SEVERAL]), min_size=NODES, max_size=NODES)
GUARDS = st.builds(Guards, st.sampled_from([None, 1, 3, 6]), st.booleans(), st.booleans())


@examples(800, 60)
@given(edge_lists(), WEIGHTS, ACTORS, GUARDS)
def test_equals_sets_that_are_merged_by_hand(edges, weight, actor, guards):
    expected = Reference(edges, weight, guards, actor)
    reasons, partition, sizes = judge(edges, weight, guards, actor)
    assert reasons == expected.reasons
    assert sizes == expected.sizes
    assert partition == expected.partition


@examples(300, 20)
@given(edge_lists(), WEIGHTS, ACTORS)
def test_without_guards_every_edge_joins(edges, weight, actor):
    no_one = [NOBODY] * NODES
    reasons, partition, _ = judge(edges, weight, OFF, no_one)
    assert not any(reasons)
    assert partition == partition_of(edges, NODES)
    guarded = judge(edges, weight, Guards(size=2), actor)[1]
    assert all(partition[node] == partition[root] for node, root in enumerate(guarded))


@examples(300, 20)
@given(edge_lists(), WEIGHTS, ACTORS, GUARDS)
def test_leads_only_add_to_what_the_vote_joined(edges, weight, actor, guards):
    voted = [edge for edge in edges if edge.rule not in LEADS]
    alone, partition, _ = judge(voted, weight, guards, actor)
    reasons, wider, _ = judge(edges, weight, guards, actor)
    assert [reason for edge, reason in zip(edges, reasons, strict=True) if edge.rule not in LEADS] == alone
    assert all(wider[node] == wider[root] for node, root in enumerate(partition))


@examples(300, 20)
@given(edge_lists(), WEIGHTS, GUARDS)
def test_no_cluster_holds_payer_and_payee_of_an_accepted_edge(edges, weight, guards):
    guards = replace(guards, payee=True)
    reasons, partition, _ = judge(edges, weight, guards)
    joined = [place for place, reason in enumerate(reasons) if reason is None and edges[place].a != edges[place].b]
    for place in joined:
        edge = edges[place]
        # An edge between ends that others joined says nothing about a payee that is with them already.
        if edge.payee >= 0 and partition[edge.payee] == partition[edge.a]:
            rest = [edges[each] for each in joined if each < place]
            assert edge.rule in LEADS or partition_of(rest, NODES)[edge.a] == partition_of(rest, NODES)[edge.b]


# Thresholds, one by one.


def size_case(left, right, rule=VOTE):
    return judge([Edge(0, 1, rule=rule)], [left, right], Guards())


@pytest.mark.parametrize(("left", "right", "held"), [(1000, 1001, False), (1001, 1000, False), (1001, 1001, True)])
def test_two_clusters_above_a_thousand_scripts_are_not_joined(left, right, held):
    assert MOST_SCRIPTS == 1_000
    reasons, partition, sizes = size_case(left, right)
    assert reasons == [Reason.SIZE if held else None]
    assert partition == ([0, 1] if held else [0, 0])
    assert sizes == ({0: (left, right)} if held else {})


def test_a_large_and_a_small_cluster_may_join():
    assert size_case(50_000, 1)[0] == [None]


def test_what_a_person_has_reviewed_passes_the_size_guard_but_no_contradiction():
    assert size_case(5_000, 5_000, HAND)[0] == [None]
    assert judge([Edge(0, 1, rule=HAND)], [1, 1], Guards(), [0, 1])[0] == [Reason.CANNOT_LINK]
    assert judge([Edge(0, 1, payee=2), Edge(0, 2, rule=HAND)], [1, 1, 1], Guards())[0] == [None, Reason.PAYEE]


def two_halves(left, right, middle):
    """Two clusters of that many scripts that were small when an edge joined them, and grew by others later."""
    return [*middle, Edge(0, 2, tx=7), Edge(1, 3, tx=8)], [left - 1, right - 1, 1, 1]


@pytest.mark.parametrize(("left", "right", "held"), [(1000, 1001, False), (1001, 1000, False), (1001, 1001, True)])
def test_a_bridge_between_parts_above_a_thousand_scripts_is_held(left, right, held):
    edges, weight = two_halves(left, right, [Edge(2, 3, tx=5)])
    reasons, partition, sizes = judge(edges, weight, Guards())
    assert reasons == [Reason.BRIDGE if held else None, None, None]
    assert partition == ([0, 1, 0, 1] if held else [0, 0, 0, 0])
    assert sizes == ({0: (left, right)} if held else {})
    assert judge(edges, weight, Guards(bridge=False))[0] == [None] * 3


@pytest.mark.parametrize(
    ("middle", "held"),
    [
        ([Edge(2, 3, tx=5), Edge(3, 2, tx=5)], True),  # two rows about one transaction
        ([Edge(2, 3, tx=5), Edge(2, 3, tx=6)], False),  # two transactions
        ([Edge(2, 3, tx=5), Edge(2, 3, tx=5, rule=HAND)], False),
        ([Edge(2, 3, tx=-1), Edge(2, 3, tx=-1)], False),
    ],
)
def test_a_bridge_rests_on_one_transaction(middle, held):
    edges, weight = two_halves(1_001, 1_001, middle)
    reasons, _, sizes = judge(edges, weight, Guards())
    assert reasons == [Reason.BRIDGE if held else None] * 2 + [None] * 2
    assert sizes == ({0: (1_001, 1_001), 1: (1_001, 1_001)} if held else {})


@pytest.mark.parametrize("turned", [False, True])
def test_sizes_of_a_bridge_stand_in_the_order_of_its_ends(turned):
    bridge = Edge(3, 2, tx=5) if turned else Edge(2, 3, tx=5)
    reasons, _, sizes = judge([bridge, Edge(0, 2), Edge(1, 3), Edge(4, 3)], [1000, 1000, 1, 1, 1], Guards())
    assert reasons == [Reason.BRIDGE, None, None, None]
    assert sizes == {0: (1_002, 1_001) if turned else (1_001, 1_002)}


def test_edges_of_one_transaction_to_different_clusters_are_told_apart():
    edges = [Edge(2, 3, tx=5), Edge(2, 4, tx=5), Edge(0, 2), Edge(1, 4)]
    assert judge(edges, [1000, 1000, 1, 1, 1], Guards())[0] == [None, Reason.BRIDGE, None, None]


def test_what_the_vote_joined_stays_joined_when_leads_make_both_sides_large():
    edges = [Edge(0, 1, tx=5), Edge(0, 2, rule=MODEL), Edge(1, 3, rule=MODEL)]
    reasons, partition, _ = judge(edges, [1000, 1000, 1, 1], Guards())
    assert reasons == [None] * 3
    assert partition == [0] * 4
    assert judge([replace(edge, rule=VOTE) for edge in edges], [1000, 1000, 1, 1], Guards())[0][0] == Reason.BRIDGE


@pytest.mark.parametrize(("joining", "forbidden"), [(Edge(0, 3), Edge(4, 2)), (Edge(2, 3), Edge(4, 0))])
def test_pairs_follow_a_cluster_into_one_with_more_pairs(joining, forbidden):
    """0 pays 2, so they stay apart, also after one of them joined 3, which has two pairs of its own."""
    edges = [Edge(0, 1, payee=2), Edge(3, 4, payee=5), Edge(3, 4, payee=6), joining, forbidden]
    assert judge(edges, [1] * 7, Guards())[0] == [None] * 4 + [Reason.PAYEE]


def test_who_is_paid_is_kept_apart_from_who_pays():
    edges = [Edge(0, 1, payee=2), Edge(1, 2), Edge(2, 3), Edge(0, 3)]
    assert judge(edges, [1] * 4, Guards())[0] == [None, Reason.PAYEE, None, Reason.PAYEE]
    assert judge(edges, [1] * 4, Guards(payee=False))[0] == [None] * 4


def test_an_edge_whose_payee_is_with_the_payer_already_is_contradicted():
    edges = [Edge(0, 2), Edge(0, 1, payee=2)]
    assert judge(edges, [1] * 3, Guards())[0] == [None, Reason.PAYEE]


def test_an_edge_that_is_held_keeps_nobody_apart():
    edges = [Edge(0, 1, payee=2), Edge(0, 2)]
    assert judge(edges, [2_000, 2_000, 1], Guards())[0] == [Reason.SIZE, None]


def test_scripts_of_two_actors_are_not_joined_by_whatever_way():
    actor = [0, NOBODY, NOBODY, 1, SEVERAL, 0]
    edges = [Edge(0, 1), Edge(2, 3), Edge(1, 2), Edge(4, 4), Edge(4, 1), Edge(0, 5)]
    reasons, partition, _ = judge(edges, [1] * 6, Guards(), actor)
    assert reasons == [None, None, Reason.CANNOT_LINK, None, Reason.CANNOT_LINK, None]
    assert partition == [0, 0, 2, 2, 4, 0]


def test_a_long_chain_with_a_payee_at_every_step():
    """A peel chain: each hop pays somebody else, and none of them may come into it."""
    hops = 400
    chain = [Edge(k, k + 1, payee=hops + 1 + k % 40, tx=k) for k in range(hops)]
    payees = [Edge(x, y) for x, y in pairwise(range(hops + 1, hops + 41))]
    wrong = [Edge(hops, hops + 41 - k) for k in range(1, 41)]
    reasons, _, _ = judge([*chain, *payees, *wrong], [1] * (hops + 41), Guards())
    assert reasons == [None] * (hops + 39) + [Reason.PAYEE] * 40


def test_no_edge_at_all():
    assert judge([], [3, 4], Guards())[:2] == ([], [0, 1])


def test_senseless_parameters_are_refused():
    some = np.array([1, 2], np.int64)
    with pytest.raises(UsageError, match="size guard of 0"):
        Guards(size=0)
    with pytest.raises(UsageError, match="do not fit"):
        CannotLink(some, some[:1], "aa")
    with pytest.raises(UsageError, match="without a digest"):
        CannotLink(some, some)
    with pytest.raises(UsageError, match="actor -1"):
        CannotLink(some, np.array([0, -1], np.int64), "aa")
    assert Guards(cannot_link=CannotLink(some, some, "aa")).parameters()["cannot_link"] == "aa"
