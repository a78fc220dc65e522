"""Joining clusters by inferences under guards, and what a view of a level needs around it.

Nodes are numbered densely: only the L1 roots that occur in an edge have one. Scripts are placed by a bit set with
counts, 0.2 bytes a script, since most scripts of a chain occur in no edge. Union-find compresses its paths here, as a
view keeps no times.

Two clusters that must stay apart are a pair in a hash set, named by their roots. When two clusters join, the pairs of
the one with fewer of them are named anew; a pair is so renamed at most log2(pairs) times, and a look costs O(1).
"""

import numpy as np
from numba import njit

from cointrail.kernels.cluster.union_find import newest_merge

ACCEPTED, SIZE, BRIDGE, PAYEE, CANNOT_LINK = 0, 1, 2, 3, 4
JUDGED, REVIEWED, SETTLED = 0, 1, 2  # how far an edge is trusted: all guards, no size guard, no guard at all
NOBODY, SEVERAL = -1, -2  # actors of a cluster

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


# Which scripts occur: a set of bits, and the rank of each.


@njit(nogil=True, cache=True)
def mark(bits, scripts):
    """Add scripts, int64 (n,), to a set, uint64 (words,); numbers below zero are none."""
    for k in range(scripts.shape[0]):
        if scripts[k] >= 0:
            bits[scripts[k] >> 6] |= np.uint64(1) << np.uint64(scripts[k] & 63)


@njit(inline="always")
def _ones(word):
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(nogil=True, cache=True)
def count_marked(bits):
    """How many are in the set before each word, int64 (words + 1,)."""
    before = np.zeros(bits.shape[0] + 1, np.int64)
    for word in range(bits.shape[0]):
        before[word + 1] = before[word] + _ones(bits[word])
    return before


@njit(nogil=True, cache=True)
def places(bits, before, scripts):
    """Rank of each script in the set, int64 (n,), -1 for one that is not in it."""
    place = np.full(scripts.shape[0], -1, np.int64)
    for k in range(scripts.shape[0]):
        if scripts[k] >= 0:
            word, bit = scripts[k] >> 6, np.uint64(1) << np.uint64(scripts[k] & 63)
            if bits[word] & bit:
                place[k] = before[word] + _ones(bits[word] & (bit - np.uint64(1)))
    return place


@njit(nogil=True, cache=True)
def marked(bits, before):
    """The scripts in the set, int64, ascending: their places are their ranks."""
    found = np.empty(before[-1], np.int64)
    count = 0
    for word in range(bits.shape[0]):
        left = bits[word]
        while left:
            lowest = left & (~left + np.uint64(1))
            found[count] = np.int64(word) * 64 + _ones(lowest - np.uint64(1))
            count += 1
            left ^= lowest
    return found


# Columns.


@njit(nogil=True, cache=True)
def sizes_at(roots, count, last_child, previous_sibling, child_size, parent_size):
    """Scripts below each root, int64 (n,), over the first `count` merges; -1 where a link leads nowhere."""
    sizes = np.ones(roots.shape[0], np.int64)
    for k in range(roots.shape[0]):
        merge = newest_merge(np.int64(last_child[roots[k]]), count, previous_sibling)
        if merge < 0:
            sizes[k] = -1
        elif merge < count:
            sizes[k] = np.int64(child_size[merge]) + np.int64(parent_size[merge])
    return sizes


@njit(nogil=True, cache=True)
def payees(tx_index, change, first_output, script, unspendable):
    """The script that a payment goes to, where it has two spendable outputs and one of them pays the change script.

    Args:
        tx_index: int64 (n,), -1 for none; change: int64 (n,), script of the change output.
        first_output: int64 (transactions + 1,); script: uint32 of each output.
        unspendable: uint8, by script: can it never be spent?

    Returns:
        int64 (n,), -1 where there is no such script.
    """
    payee = np.full(tx_index.shape[0], -1, np.int64)
    for k in range(tx_index.shape[0]):
        if tx_index[k] < 0:
            continue
        spendable, other, returned = 0, np.int64(-1), False
        for row in range(first_output[tx_index[k]], first_output[tx_index[k] + 1]):
            paid = np.int64(script[row])
            if unspendable[paid]:
                continue
            spendable += 1
            if paid == change[k]:
                returned = True
            else:
                other = paid
        if spendable == 2 and returned:
            payee[k] = other
    return payee


# Pairs of clusters that must stay apart.


@njit(inline="always")
def _find(above, node):
    while above[node] != node:
        above[node] = above[above[node]]
        node = np.int64(above[node])
    return node


@njit(inline="always")
def _pair(one, two):
    return (min(one, two) << 32) | max(one, two)


@njit(inline="always")
def _slot(pairs, pair):
    """Where a pair stands in an open-addressing table, or the free slot (-1) in which it would."""
    mask = pairs.shape[0] - 1
    at = np.int64((np.uint64(pair) * _GOLDEN) >> np.uint64(32)) & mask
    while pairs[at] != -1 and pairs[at] != pair:
        at = (at + 1) & mask
    return at


@njit(nogil=True, cache=True)
def _roomier(pairs, above, room):
    """A table with room for that many more pairs, without the pairs of roots that are none any more.

    Returns:
        (table, how many are in it).
    """
    live = 0
    for at in range(pairs.shape[0]):
        pair = pairs[at]
        if pair != -1 and above[pair >> 32] == pair >> 32 and above[pair & 0xFFFFFFFF] == pair & 0xFFFFFFFF:
            live += 1
    capacity = 16
    while capacity < 3 * (live + room):
        capacity *= 2
    table = np.full(capacity, -1, np.int64)
    for at in range(pairs.shape[0]):
        pair = pairs[at]
        if pair != -1 and above[pair >> 32] == pair >> 32 and above[pair & 0xFFFFFFFF] == pair & 0xFFFFFFFF:
            table[_slot(table, pair)] = pair
    return table, live


@njit(inline="always")
def _hang(lists, entries, root, entry):
    """Add an entry to a root's list."""
    entries[entry, 1] = -1
    if lists[root, 2] == 0:
        lists[root, 0] = entry
    else:
        entries[lists[root, 1], 1] = entry
    lists[root, 1] = entry
    lists[root, 2] += 1


@njit(nogil=True, cache=True)
def _rename(pairs, above, lists, entries, old, new):
    """Give the pairs of root `old` to root `new`, which it is about to join; returns how many entered the table."""
    entered = 0
    entry = np.int64(lists[old, 0])
    while entry >= 0:
        after = np.int64(entries[entry, 1])
        far = _find(above, np.int64(entries[entry, 0]))
        slot = _slot(pairs, _pair(new, far))
        if far != new and far != old and pairs[slot] == -1:
            pairs[slot] = _pair(new, far)
            entered += 1
            _hang(lists, entries, new, entry)
        entry = after
    return entered


@njit(nogil=True, cache=True)
def _held(pairs, a, b, paid, trust, weight, actor, most):
    """The guard that forbids joining two clusters, contradictions first."""
    if actor[a] == SEVERAL or actor[b] == SEVERAL or (actor[a] != actor[b] and min(actor[a], actor[b]) >= 0):
        return CANNOT_LINK
    if paid in (a, b) or pairs[_slot(pairs, _pair(a, b))] != -1:
        return PAYEE
    if trust == JUDGED and weight[a] > most and weight[b] > most:
        return SIZE
    return ACCEPTED


@njit(nogil=True, cache=True)
def join(edge_a, edge_b, payee, trust, weight, actor, most, reason, size_a, size_b):
    """Join clusters edge by edge, in the order given, and hold the edges that a guard forbids.

    An accepted edge with a payee keeps the cluster of its ends and the payee's cluster apart from then on. An edge
    between nodes that are together already joins nothing and is accepted.

    Args:
        edge_a, edge_b: int64 (e,), nodes; payee: int64 (e,), a node or -1.
        trust: uint8 (e,), JUDGED, REVIEWED or SETTLED.
        weight: int64 (n,), scripts of each node; changed: of its cluster, for a root.
        actor: int64 (n,), who is known to hold scripts of it, NOBODY or SEVERAL; changed likewise.
        most: two clusters with more scripts than this are not joined.
        reason: uint8 (e,), written: ACCEPTED, or the guard.
        size_a, size_b: int64 (e,), written where an edge is held: scripts of both sides then.
    """
    nodes = weight.shape[0]
    above = np.arange(nodes)
    # A root's pairs are a list of entries: first, last, how many; an entry is a node on the other side, and the next.
    lists = np.full((nodes, 3), -1, np.int32)
    lists[:, 2] = 0
    constraints = np.int64((payee >= 0).sum())
    entries, listed = np.empty((2 * constraints, 2), np.int32), 0
    pairs, used = _roomier(np.empty(0, np.int64), above, constraints)
    for e in range(edge_a.shape[0]):
        a, b = _find(above, edge_a[e]), _find(above, edge_b[e])
        paid = _find(above, payee[e]) if payee[e] >= 0 else np.int64(-1)
        reason[e] = ACCEPTED
        if a != b:
            if trust[e] != SETTLED:
                reason[e] = _held(pairs, a, b, paid, trust[e], weight, actor, most)
            if reason[e] != ACCEPTED:
                size_a[e], size_b[e] = weight[a], weight[b]
                continue
            # The side with more pairs keeps its name, since theirs need not change then.
            if lists[a, 2] < lists[b, 2]:
                a, b = b, a
            if 2 * (used + lists[b, 2] + 1) > pairs.shape[0]:
                pairs, used = _roomier(pairs, above, lists[b, 2] + 1)
            used += _rename(pairs, above, lists, entries, b, a)
            above[b] = a
            weight[a] += weight[b]
            actor[a] = actor[a] if actor[b] == NOBODY else actor[b]
        if paid < 0 or paid in (a, b):
            continue
        if 2 * (used + 1) > pairs.shape[0]:
            pairs, used = _roomier(pairs, above, 1)
        slot = _slot(pairs, _pair(a, paid))
        if pairs[slot] == -1:
            pairs[slot] = _pair(a, paid)
            used += 1
            entries[listed, 0], entries[listed + 1, 0] = paid, a
            _hang(lists, entries, a, listed)
            _hang(lists, entries, paid, listed + 1)
            listed += 2


@njit(nogil=True, cache=True)
def shortest_path(first, neighbour, edge, start, goal):
    """Edges of a shortest path between two nodes, int64, in its order; empty if there is none. Breadth first.

    Args:
        first, neighbour, edge: as `bridges.adjacency` gives them.
        start, goal: nodes.
    """
    nodes = first.shape[0] - 1
    came_from = np.full(nodes, -1, np.int64)
    came_by = np.full(nodes, -1, np.int64)
    queue = np.empty(nodes, np.int64)
    queue[0], came_from[start] = start, start
    done, found = 0, 1
    while done < found and came_from[goal] < 0:
        node = queue[done]
        done += 1
        for k in range(first[node], first[node + 1]):
            near = np.int64(neighbour[k])
            if came_from[near] < 0:
                came_from[near], came_by[near] = node, edge[k]
                queue[found] = near
                found += 1
    steps = 0
    at = goal
    while came_by[at] >= 0:
        steps += 1
        at = came_from[at]
    path = np.empty(steps, np.int64)
    at = goal
    for step in range(steps - 1, -1, -1):
        path[step] = came_by[at]
        at = came_from[at]
    return path
