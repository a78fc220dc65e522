"""Bridges and cut nodes: equal to taking every edge and every node away and looking what is left."""

import numpy as np
import pytest
from effort import amount, examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.cluster.bridges import adjacency, components, cut_edges, cut_nodes

NODES = st.integers(1, 9)


@st.composite
def graphs(draw):
    """Small multigraphs with loops, parallel edges and several components; weights that may be zero."""
    nodes = draw(NODES)
    pairs = draw(st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), max_size=14))
    weight = draw(st.lists(st.integers(0, 50), min_size=nodes, max_size=nodes))
    return nodes, pairs, weight


def ends(pairs):
    return (np.array([pair[k] for pair in pairs], np.int64) for k in (0, 1))


def reached(nodes, pairs, start):
    """What is connected with a node: by looking at all edges again until nothing new is found."""
    found = {start} & set(nodes)
    while more := {b for a, b in [*pairs, *((b, a) for a, b in pairs)] if a in found and b in nodes} - found:
        found |= more
    return found


def without(pairs, k):
    return pairs[:k] + pairs[k + 1 :]


@examples(200)
@given(graphs())
def test_components_are_what_is_reached(graph):
    nodes, pairs, _ = graph
    expected = [min(reached(range(nodes), pairs, node)) for node in range(nodes)]
    assert components(nodes, *ends(pairs)).tolist() == expected


@examples(200)
@given(graphs())
def test_a_bridge_is_an_edge_whose_removal_separates_its_ends(graph):
    nodes, pairs, weight = graph
    is_bridge, far = cut_edges(nodes, *ends(pairs), np.array(weight, np.int64))
    for k, (a, b) in enumerate(pairs):
        far_side = reached(range(nodes), without(pairs, k), b)
        assert is_bridge[k] == (a not in far_side)
        assert far[k] == (sum(weight[node] for node in far_side) if a not in far_side else 0)


@examples(200)
@given(graphs())
def test_a_cut_node_is_one_whose_removal_leaves_more_than_one_part(graph):
    nodes, pairs, weight = graph
    is_cut, largest = cut_nodes(nodes, *ends(pairs), np.array(weight, np.int64))
    for node in range(nodes):
        rest = reached(range(nodes), pairs, node) - {node}
        parts = {frozenset(reached(rest, pairs, other)) for other in rest}
        assert is_cut[node] == (len(parts) > 1)
        assert largest[node] == max((sum(weight[other] for other in part) for part in parts), default=0)


@examples(200)
@given(graphs(), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_direction_of_edges_matters(graph, random):
    nodes, pairs, weight = graph
    shuffled = random.sample(range(len(pairs)), len(pairs))
    weights = np.array(weight, np.int64)
    is_bridge, far = cut_edges(nodes, *ends(pairs), weights)
    other_bridge, other_far = cut_edges(nodes, *ends([pairs[k][::-1] for k in shuffled]), weights)
    assert is_bridge[shuffled].tolist() == other_bridge.tolist()
    for at, k in enumerate(shuffled):
        if is_bridge[k]:
            whole = sum(weight[node] for node in reached(range(nodes), pairs, pairs[k][0]))
            assert far[k] + other_far[at] == whole


@examples(200)
@given(graphs())
def test_adjacency_holds_every_edge_at_both_ends(graph):
    nodes, pairs, _ = graph
    first, neighbour, edge = adjacency(nodes, *ends(pairs))
    listed = [
        (node, int(neighbour[k]), int(edge[k])) for node in range(nodes) for k in range(first[node], first[node + 1])
    ]
    assert sorted(listed) == sorted(
        [(a, b, k) for k, (a, b) in enumerate(pairs)] + [(b, a, k) for k, (a, b) in enumerate(pairs)]
    )


def test_no_node_and_no_edge():
    none = np.empty(0, np.int64)
    assert [len(each) for each in cut_edges(0, none, none, none)] == [0, 0]
    assert [len(each) for each in cut_nodes(0, none, none, none)] == [0, 0]
    assert cut_nodes(1, none, none, np.array([5]))[1].tolist() == [0]


@pytest.mark.parametrize("closed", [False, True], ids=["chain", "ring"])
def test_a_chain_of_any_length_is_walked(closed):
    nodes = amount(1_000_000, 2_000)
    here = np.arange(nodes, dtype=np.int64)
    there = np.roll(here, -1) if closed else here[1:]
    here = here[: len(there)]
    is_bridge, far = cut_edges(nodes, here, there, np.ones(nodes, np.int64))
    is_cut, largest = cut_nodes(nodes, here, there, np.ones(nodes, np.int64))
    if closed:
        assert not is_bridge.any()
        assert not is_cut.any()
        assert (largest == nodes - 1).all()
    else:
        assert is_bridge.all()
        assert far.tolist() == list(range(nodes - 1, 0, -1))
        assert is_cut.sum() == nodes - 2
        assert largest.tolist() == [max(k, nodes - 1 - k) for k in range(nodes)]
