"""Smaller networks with the same greatest flow, for networks of transactions in chain order.

Nodes are numbered along every arc, so one pass forward or backward is a sweep. What can never arrive, or never leave,
is taken off the capacities: the excess that a solver would have to send back is what makes it slow.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def stand_ins(tail, head, first_node, nodes):
    """For each node one that may take its place, int32 (nodes,): itself, or the only one that it gets anything from.

    A transaction never pays more than it takes, so if all it takes comes from one node, what that one holds is the only
    limit, and its outputs might as well be that one's. Holds for nodes whose incoming capacity is no smaller than their
    outgoing one, as that of all transactions is.

    Args:
        tail, head: int32 (arcs,), tail < head.
        first_node: int, of the transactions; those before it stay, as does the last node, the sink.
        nodes: int.
    """
    first = np.zeros(nodes + 1, np.int64)
    for k in range(head.shape[0]):
        first[head[k] + 1] += 1
    for node in range(nodes):
        first[node + 1] += first[node]
    at = first[:-1].copy()
    tails = np.empty(head.shape[0], np.int32)
    for k in range(head.shape[0]):
        tails[at[head[k]]] = tail[k]
        at[head[k]] += 1
    instead = np.arange(nodes).astype(np.int32)
    for node in range(first_node, nodes - 1):
        if first[node] == first[node + 1]:
            continue
        only = instead[tails[first[node]]]
        for k in range(first[node] + 1, first[node + 1]):
            if instead[tails[k]] != only:
                only = -1
                break
        if only >= 0:
            instead[node] = only
    return instead


@njit(nogil=True, cache=True)
def tighten(tail, head, capacity, by_head, nodes, start, sink, rounds):
    """Take off every capacity what cannot come from the start, or cannot go on to the sink; changes `capacity`.

    Args:
        tail, head: int32 (arcs,), tail < head, ascending by tail.
        capacity: int64 (arcs,).
        by_head: int64 (arcs,), numbers of the arcs, descending by head.
        nodes, start, sink: ints.
        rounds: sweeps there and back.
    """
    plenty = np.iinfo(np.int64).max // 4
    for _ in range(rounds):
        room = np.zeros(nodes, np.int64)
        room[start] = plenty
        for k in range(tail.shape[0]):
            capacity[k] = min(capacity[k], room[tail[k]])
            room[head[k]] = min(room[head[k]] + capacity[k], plenty)
        room[:] = 0
        room[sink] = plenty
        for k in by_head:
            capacity[k] = min(capacity[k], room[head[k]])
            room[tail[k]] = min(room[tail[k]] + capacity[k], plenty)
