"""Policies where a transaction has many outputs or many labels: what needs to sort, and so to allocate.

Method: METHODS.md 4.1 to 4.3.
"""

import numpy as np

from cointrail.kernels.trace.state import ARRIVED, COALESCED, PIECES, TARGETS, allocating, plain


@plain
def share_of(total, weight, whole):
    """(total x weight // whole, the remainder), exactly, all below 2^52; the product passes 64 bits.

    A quotient of floats is off by less than three; the remainder it leaves is small and so survives wrapping.
    """
    share = np.int64(np.float64(total) * np.float64(weight) / np.float64(whole))
    left = np.int64(np.uint64(total) * np.uint64(weight) - np.uint64(share) * np.uint64(whole))
    while left < 0:
        share -= 1
        left += whole
    while left >= whole:
        share += 1
        left -= whole
    return share, left


@allocating
def to_greatest(crossing, missing):
    """Give one satoshi each to the targets with the greatest remainders, which stand in `counts`."""
    order = np.argsort(-crossing.counts[: crossing.size[TARGETS]], kind="mergesort")
    for k in range(missing):
        crossing.amounts[order[k]] += 1


@allocating
def highest_first(crossing, outputs):
    """Write the first targets into `visited` by descending value, ties by lower index."""
    crossing.visited[:outputs] = np.argsort(-crossing.targets[:outputs], kind="mergesort")


@allocating
def _labels_of(state, crossing):
    """(labels, satoshis of each) of all that arrives, ascending by label."""
    count = 0
    for k in range(crossing.size[ARRIVED]):
        part = crossing.arrived[k]
        count += state.first_piece[part + 1] - state.first_piece[part]
    names, sums = np.empty(count, np.uint32), np.empty(count, np.int64)
    count = 0
    for k in range(crossing.size[ARRIVED]):
        part = crossing.arrived[k]
        for p in range(state.first_piece[part], state.first_piece[part + 1]):
            names[count], sums[count] = state.label[p], state.length[p]
            count += 1
    order = np.argsort(names, kind="mergesort")
    kept = 0
    distinct, totals = np.empty(count, np.uint32), np.empty(count, np.int64)
    for k in range(count):
        name = names[order[k]]
        if kept and distinct[kept - 1] == name:
            totals[kept - 1] += sums[order[k]]
        else:
            distinct[kept], totals[kept] = name, sums[order[k]]
            kept += 1
    return distinct[:kept], totals[:kept]


@allocating
def count_labels(state, crossing):
    """How many labels arrive."""
    return np.int64(_labels_of(state, crossing)[0].shape[0])


@allocating
def _append(state, label, offset, length):
    at = state.counters[PIECES]
    state.label[at], state.offset[at], state.length[at] = label, offset, length
    state.counters[PIECES] = at + 1


@allocating
def poison_many(state, crossing):
    """Every target wholly, for every label that arrives; but a virtual output of no value is none."""
    names, _ = _labels_of(state, crossing)
    for j in range(crossing.size[TARGETS]):
        crossing.amounts[j] = crossing.targets[j]
        if crossing.targets[j] or crossing.names[j] >= 0:
            for k in range(names.shape[0]):
                _append(state, names[k], 0, crossing.targets[j])
            crossing.counts[j] = names.shape[0]


@allocating
def by_labels(state, crossing):
    """Give each target its amount out of what is left of the labels, in proportion: exact both ways."""
    names, left = _labels_of(state, crossing)
    whole, number = left.sum(), names.shape[0]
    shares, remainders = np.empty(number, np.int64), np.empty(number, np.int64)
    for j in range(crossing.size[TARGETS]):
        crossing.counts[j] = 0
        missing = crossing.amounts[j]
        if not missing:
            continue
        for k in range(number):
            shares[k], remainders[k] = share_of(crossing.amounts[j], left[k], whole)
            missing -= shares[k]
        if missing:
            order = np.argsort(-remainders, kind="mergesort")
            for k in range(missing):
                shares[order[k]] += 1
        whole -= crossing.amounts[j]
        at = np.int64(0)
        for k in range(number):
            if shares[k]:
                left[k] -= shares[k]
                _append(state, names[k], at, shares[k])
                at += shares[k]
                crossing.counts[j] += 1


@allocating
def coalesce(state, crossing, first, most):
    """Where a target has more than `most` pieces, keep one a label, laid end to end from the beginning."""
    kept = first
    for n in range(crossing.size[TARGETS]):
        j = crossing.visited[n]
        count = crossing.counts[j]
        if count <= most:
            for p in range(first, first + count):
                state.label[kept] = state.label[p]
                state.offset[kept], state.length[kept] = state.offset[p], state.length[p]
                kept += 1
        else:
            names, sums = state.label[first : first + count].copy(), state.length[first : first + count].copy()
            order = np.argsort(names, kind="mergesort")
            at, begins = np.int64(0), kept
            for k in range(count):
                if kept > begins and state.label[kept - 1] == names[order[k]]:
                    state.length[kept - 1] += sums[order[k]]
                else:
                    state.label[kept], state.offset[kept], state.length[kept] = names[order[k]], at, sums[order[k]]
                    kept += 1
                at += sums[order[k]]
            crossing.counts[j] = kept - begins
            state.counters[COALESCED] += 1
        first += count
    state.counters[PIECES] = kept
