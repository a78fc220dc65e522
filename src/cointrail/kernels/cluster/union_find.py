"""Union-find forests without path compression: every link keeps the time it was made.

A forest is three uint32 arrays over nodes. `linked_at[x]` is the time at which x was hung below `parent[x]`, NEVER for
a root, ascending towards the root, so that a forest read only up to an earlier time is the forest of that time. The
parent cell of a root holds the size of its tree, so that nothing has to be counted when a forest is opened.
`last_child[x]` is the newest merge that hung a root below x. Union by size keeps the depth logarithmic, which is what
makes compression unnecessary.

A batch of unions is decided first (`find_merges`, which changes nothing) and applied later (`apply_merges`), so that
what undoes it can be on disk before.
"""

import numpy as np
from numba import njit

NEVER = np.iinfo(np.uint32).max
_AT_ONCE = 1 << 10  # members whose roots are looked up together: what they touch still lies in the cache


@njit(nogil=True, cache=True)
def root_before(parent, linked_at, node, time):
    """Root of a node over links made before `time`."""
    while linked_at[node] < time:
        node = np.int64(parent[node])
    return node


@njit(nogil=True, cache=True)
def roots_before(parent, linked_at, nodes, times):
    """Roots of nodes over links made before each one's time, int64 (n,)."""
    roots = np.empty(nodes.shape[0], np.int64)
    for k in range(nodes.shape[0]):
        roots[k] = root_before(parent, linked_at, np.int64(nodes[k]), times[k])
    return roots


@njit(nogil=True, cache=True)
def all_roots(parent, linked_at, time):
    """Root of every node over links made before `time`, uint32 (n,)."""
    roots = np.empty(parent.shape[0], np.uint32)
    for node in range(parent.shape[0]):
        roots[node] = root_before(parent, linked_at, node, time)
    return roots


@njit(nogil=True, cache=True)
def smallest_in_trees(parent, linked_at, time):
    """The smallest node of every node's tree over links made before `time`, uint32 (n,)."""
    smallest = np.full(parent.shape[0], NEVER, np.uint32)
    for node in range(parent.shape[0]):
        at = np.int64(node)
        # No further up than to a node that knows the answer: a smaller one, or a root below which one was.
        while smallest[at] == NEVER and linked_at[at] < time:
            at = np.int64(parent[at])
        if smallest[at] == NEVER:
            smallest[at] = node
        smallest[node] = smallest[at]
    return smallest


@njit(nogil=True, cache=True)
def _find_roots(parent, linked_at, members, roots):
    """Climb from some members before anything depends on it, so that the memory is waited for many at once."""
    for k in range(members.shape[0]):
        node = np.int64(members[k])
        while linked_at[node] != NEVER:
            node = np.int64(parent[node])
        roots[k] = node


@njit(nogil=True, cache=True)
def find_merges(parent, linked_at, last_child, members, first, times, next_merge, merges):
    """Decide the unions that join the members of each group with one another, groups in order of time.

    Args:
        parent, linked_at, last_child: uint32 (n,), the forest; read only.
        members: int64 (m,), nodes; group g is members[first[g]] .. members[first[g + 1] - 1].
        first: int64 (g + 1,), from 0 on.
        times: uint32 (g,), ascending.
        next_merge: number of the next merge.
        merges: uint32 (6, m), written: time, child, parent, sizes of both before, previous merge of the parent.

    Returns:
        How many merges were written.
    """
    # Roots met so far: an open-addressing table of numbers of slots + 1, and the slots, which are a small union-find of
    # their own: root, slot above, size, newest merge below.
    table = np.zeros(2 * members.shape[0] + 1, np.uint32)
    slots = np.empty((members.shape[0], 4), np.uint32)
    roots = np.empty(_AT_ONCE, np.int64)
    used = np.int64(0)
    count = 0
    for g in range(first.shape[0] - 1):
        one = np.int64(-1)
        for k in range(first[g], first[g + 1]):
            if k % _AT_ONCE == 0:
                _find_roots(parent, linked_at, members[k : k + _AT_ONCE], roots)
            root = roots[k % _AT_ONCE]
            mixed = (np.uint64(root) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
            at = np.int64((mixed * np.uint64(table.shape[0])) >> np.uint64(32))
            while table[at] != 0 and slots[table[at] - 1, 0] != root:
                at = np.int64(at + 1 if at + 1 < table.shape[0] else 0)
            if table[at] == 0:
                two = used
                used += 1
                table[at] = used
                slots[two, 0], slots[two, 1] = root, two
                slots[two, 2], slots[two, 3] = parent[root], last_child[root]
            else:
                two = np.int64(table[at]) - 1
            while slots[two, 1] != two:
                slots[two, 1] = slots[slots[two, 1], 1]
                two = np.int64(slots[two, 1])
            if one < 0 or one == two:
                one = two
                continue
            # The larger keeps its root; between equals the older one, so that the result is determined.
            if slots[one, 2] < slots[two, 2] or (slots[one, 2] == slots[two, 2] and slots[two, 0] < slots[one, 0]):
                one, two = two, one
            merges[0, count] = times[g]
            merges[1, count] = slots[two, 0]
            merges[2, count] = slots[one, 0]
            merges[3, count] = slots[two, 2]
            merges[4, count] = slots[one, 2]
            merges[5, count] = slots[one, 3]
            slots[two, 1] = one
            slots[one, 2] += slots[two, 2]
            slots[one, 3] = np.uint32(next_merge + count)
            count += 1
    return count


@njit(nogil=True, cache=True)
def apply_merges(parent, linked_at, last_child, merges, first_merge):
    """Write decided merges, uint32 (6, m), into the forest; the first of them has the number `first_merge`."""
    for m in range(merges.shape[1]):
        low, high = merges[1, m], merges[2, m]
        parent[high] = merges[3, m] + merges[4, m]
        last_child[high] = np.uint32(first_merge + m)
        parent[low] = high
        linked_at[low] = merges[0, m]


@njit(nogil=True, cache=True)
def undo_merges(parent, linked_at, last_child, merges):
    """Take the newest merges back, uint32 (6, m); whether or not, or half, they were applied.

    They must be all that were made since, in order: every cell one of them may have written gets its former value.
    """
    for m in range(merges.shape[1] - 1, -1, -1):
        low, high = merges[1, m], merges[2, m]
        linked_at[low] = NEVER
        parent[low] = merges[3, m]
        parent[high] = merges[4, m]
        last_child[high] = merges[5, m]


@njit(nogil=True, cache=True)
def row_checks(rows, first):
    """A checksum of each row, uint32 (fields, m), and its number, counted from `first`; uint32 (m,)."""
    checks = np.empty(rows.shape[1], np.uint32)
    for m in range(rows.shape[1]):
        mixed = np.uint64(first + m) + np.uint64(0x9E3779B97F4A7C15)
        for field in range(rows.shape[0]):
            mixed = (mixed ^ np.uint64(rows[field, m])) * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(29)
        checks[m] = np.uint32(mixed >> np.uint64(32))
    return checks


@njit(nogil=True, cache=True)
def newest_merge(merge, count, previous_sibling):
    """The newest of a parent's merges that is below `count`, from the newest of all; NEVER if there is none.

    Returns:
        -1 for a link that leads nowhere.
    """
    while merge != NEVER and merge >= count:
        if merge >= previous_sibling.shape[0] or (
            previous_sibling[merge] >= merge and previous_sibling[merge] != NEVER
        ):
            return np.int64(-1)
        merge = previous_sibling[merge]
    return np.int64(merge)


@njit(nogil=True, cache=True)
def members_of(root, count, child, previous_sibling, last_child, members, order):
    """The tree of a root over the first `count` merges, newest branch first.

    Args:
        root: node.
        count: merges that exist.
        child, previous_sibling: uint32, of at least these merges; last_child: uint32 (n,).
        members, order: int64 (limit,), written: the nodes, and the merge that hung each (-1 for the root).

    Returns:
        How many were written; -1 if a link leads nowhere.
    """
    members[0], order[0] = root, -1
    found, done = 1, 0
    while done < found and found < members.shape[0]:
        merge = newest_merge(np.int64(last_child[members[done]]), count, previous_sibling)
        if merge < 0:
            return -1
        while merge != NEVER and found < members.shape[0]:
            if merge >= count or child[merge] >= last_child.shape[0]:
                return -1
            members[found], order[found] = child[merge], merge
            found += 1
            before = np.int64(previous_sibling[merge])
            if before >= merge and before != NEVER:
                return -1
            merge = before
        done += 1
    return found


@njit(nogil=True, cache=True)
def replay(first, end, merges, first_merge, parent, linked_at, last_child):
    """Write what merges leave in the cells of nodes first .. end - 1, which begin as single roots.

    Args:
        merges: uint32 (6, m), in order, the first of them numbered `first_merge`.
        parent, linked_at, last_child: uint32 (end - first,), changed.

    Returns:
        The first merge of a pair that is not two roots of the stated sizes, or -1.
    """
    bad = -1
    for m in range(merges.shape[1]):
        low, high = np.int64(merges[1, m]), np.int64(merges[2, m])
        right = True
        if first <= high < end:
            right &= linked_at[high - first] == NEVER and parent[high - first] == merges[4, m]
            right &= last_child[high - first] == merges[5, m]
            parent[high - first] = merges[3, m] + merges[4, m]
            last_child[high - first] = np.uint32(first_merge + m)
        if first <= low < end:
            right &= linked_at[low - first] == NEVER and parent[low - first] == merges[3, m]
            parent[low - first] = merges[2, m]
            linked_at[low - first] = merges[0, m]
        if not right and bad < 0:
            bad = first_merge + m
    return bad
