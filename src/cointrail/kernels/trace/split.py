"""The policies: how traced parts of a transaction's one side go to its other side. Integers only.

A policy writes pieces behind those the state has, target after target, and says how much each target got and how many
pieces. What the targets get is what the sources brought, to the satoshi, but for poison, which marks. What is met often
(one label, few targets) allocates nothing; the rest is in `split_many`.

Method: METHODS.md 4.1, 4.2.
"""

import numpy as np

from cointrail.kernels.trace.split_many import by_labels, coalesce, highest_first, poison_many, share_of, to_greatest
from cointrail.kernels.trace.state import ARRIVED, PIECES, SOURCES, TARGETS, plain

POISON, HAIRCUT, FIFO, LIFO, TIHO, SENIORITY, PURITY = range(7)
MOST_PIECES = 10_000  # in one output, then it keeps amounts by label only

_FEW = 16


@plain
def write(state, label, offset, length):
    """Append a piece."""
    at = state.counters[PIECES]
    state.label[at], state.offset[at], state.length[at] = label, offset, length
    state.counters[PIECES] = at + 1


@plain
def only_label(state, crossing):
    """The label of all that arrives, or -1 if there are several."""
    first = np.int64(state.label[state.first_piece[crossing.arrived[0]]])
    for k in range(crossing.size[ARRIVED]):
        part = crossing.arrived[k]
        for p in range(state.first_piece[part], state.first_piece[part + 1]):
            if state.label[p] != first:
                return np.int64(-1)
    return first


@plain
def _haircut(crossing, total):
    """Pro rata by largest remainder, ties by lower index."""
    count, whole = crossing.size[TARGETS], np.int64(0)
    for j in range(count):
        whole += crossing.targets[j]
    missing = total
    if not whole:
        return
    for j in range(count):
        # `counts` holds the remainders for now.
        crossing.amounts[j], crossing.counts[j] = share_of(total, crossing.targets[j], whole)
        missing -= crossing.amounts[j]
    if count > _FEW and missing:
        to_greatest(crossing, missing)
        return
    for _ in range(missing):
        best = 0
        for j in range(1, count):
            if crossing.counts[j] > crossing.counts[best]:
                best = j
        crossing.amounts[best] += 1
        crossing.counts[best] = -1


@plain
def _pour(crossing, total, rule):
    """Fill targets one after another until the total is used up; the last target is the fee."""
    outputs, left = crossing.size[TARGETS] - 1, total
    if rule == TIHO:
        highest_first(crossing, outputs)
    for k in range(outputs + 1):
        j = outputs - k if rule == PURITY else crossing.visited[k] if rule == TIHO and k < outputs else k
        crossing.amounts[j] = min(left, crossing.targets[j])
        left -= crossing.amounts[j]
    for j in range(outputs + 1):
        crossing.visited[j] = j


@plain
def _lay_over(state, crossing, forward, mirrored):
    """Lay the sources' satoshis end to end over the targets', and cut the traced ones at the targets' edges.

    Mirrored, satoshis inside sources and targets are counted from their ends, and the inputs lie in reverse order.
    """
    sources, number = crossing.size[SOURCES], crossing.size[TARGETS]
    for k in range(number):
        crossing.visited[k] = number - 1 - k if mirrored and not forward else k
    place, begin, start = 0, np.int64(0), np.int64(0)
    end = crossing.targets[crossing.visited[0]]
    for k in range(sources):
        s = sources - 1 - k if mirrored and forward else k
        part = crossing.part_of[s]
        if part >= 0:
            first, last = state.first_piece[part], state.first_piece[part + 1]
            for n in range(last - first):
                p = last - 1 - n if mirrored else first + n
                label, length = state.label[p], state.length[p]
                at = start + (crossing.values[s] - state.offset[p] - length if mirrored else state.offset[p])
                while length:
                    # What a damaged saved trace may bring too much lands on the last target, not behind it.
                    while end <= at and place + 1 < number:
                        place += 1
                        begin = end
                        end += crossing.targets[crossing.visited[place]]
                    taken = length if place + 1 == number else min(length, end - at)
                    j = crossing.visited[place]
                    newest = state.counters[PIECES] - 1
                    if (
                        crossing.counts[j]
                        and state.label[newest] == label
                        and state.offset[newest] + state.length[newest] == at - begin
                    ):
                        state.length[newest] += taken
                    else:
                        write(state, label, at - begin, taken)
                        crossing.counts[j] += 1
                    crossing.amounts[j] += taken
                    at += taken
                    length -= taken
        start += crossing.values[s]


@plain
def _turn(state, crossing, first):
    """Count the satoshis of each target from its beginning again, ascending."""
    for k in range(crossing.size[TARGETS]):
        j = crossing.visited[k]
        last = first + crossing.counts[j] - 1
        for n in range((crossing.counts[j] + 1) // 2):
            low, high = first + n, last - n
            label, offset, length = state.label[low], state.offset[low], state.length[low]
            moved = crossing.targets[j] - state.offset[high] - state.length[high]
            state.label[low], state.length[low], state.offset[low] = state.label[high], state.length[high], moved
            if high != low:
                state.label[high], state.length[high] = label, length
                state.offset[high] = crossing.targets[j] - offset - length
        first += crossing.counts[j]


@plain
def _one_label(state, crossing, rule, label):
    """Pieces of one label: what each target got, or under poison all of it, outputs without value too."""
    for j in range(crossing.size[TARGETS]):
        crossing.counts[j] = 0
        if rule == POISON:
            crossing.amounts[j] = crossing.targets[j]
        if crossing.amounts[j] or (rule == POISON and crossing.names[j] >= 0):
            write(state, label, 0, crossing.amounts[j])
            crossing.counts[j] = 1


@plain
def split(state, crossing, rule, forward, label):
    """Divide what arrives at a transaction by a rule.

    Args:
        state: pieces are appended.
        crossing: the transaction; amounts, counts and visited are written.
        rule: a policy.
        forward: bool, and the last target is then a fee; backward a policy of segments is its own exact inverse.
        label: the only label that arrives, -1 if there are several.
    """
    first, number = state.counters[PIECES], crossing.size[TARGETS]
    for j in range(number):
        crossing.amounts[j] = crossing.counts[j] = 0
        crossing.visited[j] = j
    if rule in (FIFO, LIFO):
        _lay_over(state, crossing, forward, rule == LIFO)
        if rule == LIFO:
            _turn(state, crossing, first)
        if state.counters[PIECES] - first > MOST_PIECES:
            coalesce(state, crossing, first, MOST_PIECES)
        return
    if rule != POISON:
        total = np.int64(0)
        for k in range(crossing.size[ARRIVED]):
            total += state.sat[crossing.arrived[k]]
        if not total:
            return
        if rule == HAIRCUT:
            _haircut(crossing, total)
        else:
            _pour(crossing, total, rule)
    if label >= 0:
        _one_label(state, crossing, rule, np.uint32(label))
    elif rule == POISON:
        poison_many(state, crossing)
    else:
        by_labels(state, crossing)
