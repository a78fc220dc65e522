"""What a graph hangs on: edges and nodes whose removal splits it, with the weight of the parts.

Graphs are undirected multigraphs given as pairs of node numbers; loops and parallel edges are allowed, and a parallel
edge is never a bridge. One depth-first pass (Tarjan 1974; Hopcroft and Tarjan 1973) with its own stack, so that a chain
of any length is walked: O(nodes + edges), 40 bytes a node and 24 an edge.

An edge to an ancestor other than the one a node was reached by carries `low` above the node. A tree edge whose lower
end has no such way out is a bridge; a node below which a child has no way past it is a cut node.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def adjacency(nodes, edge_a, edge_b):
    """Edges by node (CSR): the edges of a node in the order of their numbers; a loop appears twice.

    Args:
        nodes: how many there are, below 2^31; as are twice the edges.
        edge_a, edge_b: int64 (e,), the ends of each edge.

    Returns:
        (first int64 (nodes + 1,), neighbour int32 (2 e,), edge int32 (2 e,)).
    """
    edges = edge_a.shape[0]
    first = np.zeros(nodes + 1, np.int64)
    for e in range(edges):
        first[edge_a[e] + 1] += 1
        first[edge_b[e] + 1] += 1
    for v in range(nodes):
        first[v + 1] += first[v]
    neighbour = np.empty(2 * edges, np.int32)
    edge = np.empty(2 * edges, np.int32)
    free = first[:-1].copy()
    for e in range(edges):
        a, b = edge_a[e], edge_b[e]
        neighbour[free[a]], edge[free[a]] = b, e
        free[a] += 1
        neighbour[free[b]], edge[free[b]] = a, e
        free[b] += 1
    return first, neighbour, edge


@njit(nogil=True, cache=True)
def components(nodes, edge_a, edge_b):
    """The smallest node that each node is connected with, int64 (nodes,)."""
    above = np.arange(nodes)
    for e in range(edge_a.shape[0]):
        a, b = edge_a[e], edge_b[e]
        while above[a] != a:
            above[a] = above[above[a]]
            a = above[a]
        while above[b] != b:
            above[b] = above[above[b]]
            b = above[b]
        # Always below the smaller one: a node's way up then descends, so one pass upwards settles all.
        if a < b:
            above[b] = a
        elif b < a:
            above[a] = b
    for v in range(nodes):
        above[v] = above[above[v]]
    return above


@njit(nogil=True, cache=True)
def depth_first(nodes, edge_a, edge_b):
    """A depth-first forest in which nodes are named by their rank, the order in which they are reached.

    Returns:
        rank int32 (nodes,): of each node; order int32: the node of each rank; up int32: of each rank, the rank it was
        reached from, -1 for the first of its component; by int32: the edge it was reached by; low int32: the smallest
        rank that it and what hangs below it reach by one edge that is not in the forest.
    """
    first, neighbour, edge = adjacency(nodes, edge_a, edge_b)
    at = first[:-1].copy()
    rank = np.full(nodes, -1, np.int32)
    order, up, by, low = (
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
    )
    found = 0
    for start in range(nodes):
        if rank[start] >= 0:
            continue
        rank[start] = found
        order[found], up[found], by[found], low[found] = start, -1, -1, found
        here = np.int64(found)
        found += 1
        while here >= 0:
            node = order[here]
            if at[node] == first[node + 1]:
                above = np.int64(up[here])
                if above >= 0:
                    low[above] = min(low[above], low[here])
                here = above
                continue
            k = at[node]
            at[node] += 1
            if edge[k] == by[here]:
                continue
            other = np.int64(neighbour[k])
            if rank[other] >= 0:
                low[here] = min(low[here], rank[other])
                continue
            rank[other] = found
            order[found], up[found], by[found], low[found] = other, here, edge[k], found
            here = np.int64(found)
            found += 1
    return rank, order, up, by, low


@njit(nogil=True, cache=True)
def weights_below(order, up, weight):
    """Weight below each rank, itself included, and of its whole component; int64 (nodes,) each."""
    below = np.empty(order.shape[0], np.int64)
    total = np.empty(order.shape[0], np.int64)
    for r in range(order.shape[0]):
        below[r] = weight[order[r]]
    for r in range(order.shape[0] - 1, -1, -1):
        if up[r] >= 0:
            below[up[r]] += below[r]
    for r in range(order.shape[0]):
        total[r] = below[r] if up[r] < 0 else total[up[r]]
    return below, total


@njit(nogil=True, cache=True)
def cut_edges(nodes, edge_a, edge_b, weight):
    """Bridges: the edges that alone hold two parts together.

    Args:
        nodes: how many there are.
        edge_a, edge_b: int64 (e,), the ends of each edge.
        weight: int64 (nodes,).

    Returns:
        (is_bridge bool (e,), far_weight int64 (e,)): the weight of what lies on the side of `edge_b` once the bridge is
        gone, 0 for an edge that is none. The other side holds the rest of the component.
    """
    _, order, up, by, low = depth_first(nodes, edge_a, edge_b)
    below, total = weights_below(order, up, weight)
    is_bridge = np.zeros(edge_a.shape[0], np.bool_)
    far_weight = np.zeros(edge_a.shape[0], np.int64)
    for r in range(nodes):
        if up[r] >= 0 and low[r] == r:
            is_bridge[by[r]] = True
            far_weight[by[r]] = below[r] if edge_b[by[r]] == order[r] else total[r] - below[r]
    return is_bridge, far_weight


@njit(nogil=True, cache=True)
def cut_nodes(nodes, edge_a, edge_b, weight):
    """Articulation points: the nodes that alone hold two or more parts together.

    Args:
        nodes: how many there are.
        edge_a, edge_b: int64 (e,), the ends of each edge.
        weight: int64 (nodes,).

    Returns:
        (is_cut bool (nodes,), largest_rest int64 (nodes,)): the weight of the heaviest part that is left of its
        component once the node is gone. What the removal cuts off from it is the component's weight less that of the
        node less this; for a node that is no cut node nothing.
    """
    _, order, up, _, low = depth_first(nodes, edge_a, edge_b)
    below, total = weights_below(order, up, weight)
    is_cut = np.zeros(nodes, np.bool_)
    largest = np.zeros(nodes, np.int64)
    apart = np.zeros(nodes, np.int64)  # weight of the parts that hang on the rank alone
    parts = np.zeros(nodes, np.int32)
    for r in range(nodes):
        above = up[r]
        if above >= 0 and low[r] >= above:
            apart[above] += below[r]
            parts[above] += 1
            node = order[above]
            largest[node] = max(largest[node], below[r])
    for r in range(nodes):
        node = order[r]
        # The first of a component hangs on nothing: what is above it is no part.
        if up[r] >= 0:
            largest[node] = max(largest[node], total[r] - weight[node] - apart[r])
            is_cut[node] = parts[r] > 0
        else:
            is_cut[node] = parts[r] > 1
    return is_cut, largest
