"""The k best paths through a flow, exactly: every step keeps the k best ways that lead to it, in chain order.

A *way* to a step is a path from a seed to one of the outputs it spends. Ways are ordered by their score, then by the
output they arrive with, then as the ways that led to that output were. An output changes the score of every way through
it alike, never the order, so the k best of a step are among the k best of the steps before it (O(k x arcs)).

A score is (major, minor), the greater the better: of shares (exponent, mantissa in [0.5, 1)) of the satoshis that
haircut carries along, so that no way is too thin and the result is the same on every machine; of hops (-hops, 0).
Method: METHODS.md 6.2, 4.2.
"""

import math

import numpy as np
from numba import njit

MOST_WAYS = np.int64(1) << 60  # more are not counted
_NOTHING = -(np.int64(1) << 40)  # exponent of no satoshi at all


@njit(nogil=True, cache=True)
def _scaled(major, mantissa):
    if mantissa == 0.0:
        return np.int64(_NOTHING), 0.0
    minor, exponent = math.frexp(mantissa)
    return np.int64(major + exponent), minor


@njit(nogil=True, cache=True)
def arrivals(next_step, wanted):
    """The parts that arrive at each wanted step: (int64 (steps + 1,) where each one's begin, int64 (n,) parts)."""
    first = np.zeros(wanted.shape[0] + 1, np.int64)
    for p in range(next_step.shape[0]):
        if next_step[p] >= 0 and wanted[next_step[p]]:
            first[next_step[p] + 1] += 1
    for s in range(wanted.shape[0]):
        first[s + 1] += first[s]
    at = first[:-1].copy()
    parts = np.empty(first[-1], np.int64)
    for p in range(next_step.shape[0]):
        if next_step[p] >= 0 and wanted[next_step[p]]:
            parts[at[next_step[p]]] = p
            at[next_step[p]] += 1
    return first, parts


@njit(nogil=True, cache=True)
def taken(chain, txs, wanted):
    """What each wanted step takes from its inputs, int64 (steps,), satoshi."""
    sums = np.zeros(txs.shape[0], np.int64)
    for s in range(txs.shape[0]):
        if not wanted[s]:
            continue
        tx = np.int64(txs[s])
        end = chain.first_input[tx + 1] if tx + 1 < chain.transactions else chain.inputs
        for i in range(chain.first_input[tx], end):
            sums[s] += chain.value[chain.spent[i]]
    return sums


@njit(nogil=True, cache=True)
def count_ways(first, parts, maker):
    """How many ways lead to each step, int64 (steps,), at most `MOST_WAYS`; `first` and `parts` of `arrivals`."""
    ways = np.zeros(first.shape[0] - 1, np.int64)
    for s in range(ways.shape[0]):
        for a in range(first[s], first[s + 1]):
            before = np.int64(1) if maker[parts[a]] < 0 else ways[maker[parts[a]]]
            ways[s] = min(ways[s] + before, MOST_WAYS)
    return ways


@njit(nogil=True, cache=True)
def score_of(ways, part, rank, maker, value, inputs, by_share):
    """Score of the way of some rank through a part.

    Args:
        ways: (first, major, minor, ...) of `best_ways`.
        part, rank: the part, and which of its maker's ways; a seed has one.
        maker: int64 (p,), the step that made each part, -1 for a seed.
        value: int64 (p,), satoshi of the whole output; inputs: int64 (steps,), `taken`.
        by_share: bool, else by hops.
    """
    made = maker[part]
    if made < 0:
        if by_share:
            return _scaled(0, np.float64(value[part]))
        return np.int64(0), 0.0
    first, major, minor = ways[0], ways[1], ways[2]
    at = first[made] + rank
    if not by_share:
        return major[at] - 1, 0.0
    if not value[part]:
        return np.int64(_NOTHING), 0.0
    return _scaled(major[at], minor[at] * (np.float64(value[part]) / np.float64(inputs[made])))


@njit(nogil=True, cache=True)
def best_ways(first, parts, output, maker, value, inputs, counts, k, by_share):
    """The k best ways to every step.

    Args:
        first, parts: of `arrivals`.
        output, maker, value: int64 (p,), of the parts.
        inputs: `taken`.
        counts: `count_ways`.
        k: int, at least 1.
        by_share: bool, else by hops.

    Returns:
        (int64 (steps + 1,) where each step's ways begin, best first; int64 and float64 (ways,) score;
        int64 (ways,) the part it arrives with; int64 (ways,) rank among the ways of that part's maker).
    """
    steps = counts.shape[0]
    begin = np.zeros(steps + 1, np.int64)
    widest = np.int64(0)
    for s in range(steps):
        begin[s + 1] = begin[s] + min(counts[s], k)
        widest = max(widest, first[s + 1] - first[s])
    major, minor = np.empty(begin[steps], np.int64), np.empty(begin[steps], np.float64)
    via, rank = np.empty(begin[steps], np.int64), np.empty(begin[steps], np.int64)
    ways = (begin, major, minor)
    # The best way through each arriving part that was not taken yet.
    head, head_major, head_minor = np.empty(widest, np.int64), np.empty(widest, np.int64), np.empty(widest, np.float64)
    for s in range(steps):
        arrived = parts[first[s] : first[s + 1]]
        for a in range(arrived.shape[0]):
            head[a] = 0
            head_major[a], head_minor[a] = score_of(ways, arrived[a], 0, maker, value, inputs, by_share)
        for w in range(begin[s], begin[s + 1]):
            best = -1
            for a in range(arrived.shape[0]):
                if head[a] < 0:
                    continue
                if best >= 0:
                    if head_major[a] != head_major[best]:
                        better = head_major[a] > head_major[best]
                    elif head_minor[a] != head_minor[best]:
                        better = head_minor[a] > head_minor[best]
                    else:
                        better = output[arrived[a]] < output[arrived[best]]
                    if not better:
                        continue
                best = a
            part = arrived[best]
            major[w], minor[w], via[w], rank[w] = head_major[best], head_minor[best], part, head[best]
            made = maker[part]
            if made >= 0 and head[best] + 1 < begin[made + 1] - begin[made]:
                head[best] += 1
                head_major[best], head_minor[best] = score_of(ways, part, head[best], maker, value, inputs, by_share)
            else:
                head[best] = -1
    return begin, major, minor, via, rank
