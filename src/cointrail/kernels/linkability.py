"""Counting the interpretations of one transaction: which groups of inputs may pay which outputs.

Equal values are taken together, so a set of inputs or outputs is a *code*: a number in mixed radix whose digit j says
how many of value j are in it. A *state* is a pair (inputs, outputs) that may still be divided; the states of one input
code are a run of output codes in order of their sums, so a state is found without a table. The count of a state is the
sum, over the groups that hold its first input, of the count of what is left.

Counts are kept divided by the factorials of all digits, as residues modulo primes below 2^31: then the weight of a
group is the product of one number for its inputs and one for its outputs, and no count is too large.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

_HALF = np.uint64(1 << 63)
_STEPS_A_GROUP = 40  # what a group costs beside its pairs, in pairs
_STEPS_A_SEARCH = 8  # what a search in the list of a state costs
_NEVER = np.int64(1 << 62)


class Codes(NamedTuple):
    """All codes of one side, in order of the code for inputs, in order of the sum for outputs.

    Attributes:
        code: int64 (c,).
        digits: int32 (c, t), how many of each of the t values.
        packed: uint64 (c,), the same digits in fields with a free bit above each.
        weight: uint64 (c, k), 1 / product of the digits' factorials, modulo each of k primes.
        stride: int64 (t,), what one more of a value adds to the code; most: int64 (t,), how many there are.
    """

    code: np.ndarray
    digits: np.ndarray
    packed: np.ndarray
    weight: np.ndarray
    stride: np.ndarray
    most: np.ndarray


class Runs(NamedTuple):
    """By input code, which places in the outputs' order fit. All int64 (c,).

    Attributes:
        group_from, group_to: with which outputs these inputs can be a group.
        state_from, state_to: with which outputs they can be a state.
        first: number of the first state.
    """

    group_from: np.ndarray
    group_to: np.ndarray
    state_from: np.ndarray
    state_to: np.ndarray
    first: np.ndarray


class Below(NamedTuple):
    """The sets inside each set of outputs: places `place[first[o]:first[o + 1]]`, ascending.

    Attributes:
        first: int64 (c + 1,); empty if there are too many to list.
        place: int32.
    """

    first: np.ndarray
    place: np.ndarray


@njit(nogil=True, cache=True)
def _first_value(digits):
    j = 0
    while digits[j] == 0:
        j += 1
    return j


@njit(nogil=True, cache=True)
def _inside(digits, first):
    """How many codes inside one hold its first input."""
    inside = np.int64(digits[first])
    for j in range(first + 1, digits.shape[0]):
        inside *= digits[j] + 1
    return inside


@njit(nogil=True, cache=True)
def _groups_of(whole, inputs, guards, live, is_live, buffer):
    """Write the codes inside `whole` that hold its first input and can be a group; gives their number.

    Either all codes inside are made, or the live ones are tried: whichever is less.
    """
    digits = inputs.digits[whole]
    first = _first_value(digits)
    n = 0
    if _inside(digits, first) > live.shape[0]:
        full = inputs.packed[whole] + guards
        for i in range(live.shape[0]):
            part = live[i]
            if inputs.digits[part, first] > 0 and (full - inputs.packed[part]) & guards == guards:
                buffer[n] = part
                n += 1
        return n
    for count in range(1, digits[first] + 1):
        buffer[n] = count * inputs.stride[first]
        n += 1
    for j in range(first + 1, digits.shape[0]):
        made = n
        for count in range(1, digits[j] + 1):
            for i in range(made):
                buffer[n] = buffer[i] + count * inputs.stride[j]
                n += 1
    kept = 0
    for i in range(n):
        if is_live[buffer[i]]:
            buffer[kept] = buffer[i]
            kept += 1
    return kept


@njit(nogil=True, cache=True)
def _pull_steps(part, whole, runs, below):
    """What `_pull` takes, if the sets inside the states lie evenly over all places."""
    if below.first.shape[0] == 0:
        return _NEVER
    low, high = runs.state_from[whole], runs.state_to[whole]
    inside = below.first[high] - below.first[low]
    width = runs.group_to[part] - runs.group_from[part]
    return (high - low) * _STEPS_A_SEARCH + inside * width // (below.first.shape[0] - 1)


@njit(nogil=True, cache=True)
def effort(inputs, guards, runs, below, live, is_live, most, steps):
    """What `count_ways` will take for each input code, in pairs looked at: an estimate, the same on every machine.

    Args:
        inputs: `Codes`; guards: uint64, the free bits of its packed digits.
        runs: `Runs`; below: `Below`.
        live: int64, ascending, input codes that can be a group; is_live: bool (c,), the same.
        most: int64; once beyond it in all, the rest is left out.
        steps: int64 (c,), zeros; written.
    """
    buffer = np.empty(inputs.code.shape[0], np.int64)
    total = np.int64(0)
    for whole in range(1, inputs.code.shape[0]):
        states = runs.state_to[whole] - runs.state_from[whole]
        if states <= 0:
            continue
        n = _groups_of(whole, inputs, guards, live, is_live, buffer)
        digits = inputs.digits[whole]
        found = min(np.int64(live.shape[0]), _inside(digits, _first_value(digits))) + n * _STEPS_A_GROUP
        for i in range(n):
            part = buffer[i]
            rest = whole - part
            pairs = (runs.group_to[part] - runs.group_from[part]) * (runs.state_to[rest] - runs.state_from[rest])
            found += min(pairs, _pull_steps(part, whole, runs, below))
        steps[whole] = found
        total += found
        if total > most:
            break


@njit(nogil=True, cache=True)
def _times(a, b, prime):
    """A product modulo a prime; of equal amounts there are few, so most factors are 1 and need no division."""
    product = a * b
    if product >= prime:
        product %= prime
    return product


@njit(nogil=True, cache=True)
def _add(sums, at, weights, ways, state, primes):
    for k in range(primes.shape[0]):
        total = sums[at, k] + weights[k] * np.uint64(ways[state, k])
        # Both terms stay below 2^63, so the sum fits; a multiple of the prime comes off before the next.
        if total >= _HALF:
            total -= (_HALF // primes[k]) * primes[k]
        sums[at, k] = total


@njit(nogil=True, cache=True)
def _push(part, whole, factors, outputs, order, guards, runs, primes, ways, sums, weights):
    """Add what a group and each of its outputs leave: every pair of a group's outputs and a state's."""
    rest = whole - part
    low, high = runs.state_from[whole], runs.state_to[whole]
    full = guards[1]
    for b in range(runs.group_from[part], runs.group_to[part]):
        for k in range(primes.shape[0]):
            weights[k] = _times(factors[k], outputs.weight[b, k], primes[k])
        room = full - outputs.packed[b]
        for s in range(runs.state_from[rest], runs.state_to[rest]):
            if (room - outputs.packed[s]) & guards[0] != guards[0]:
                continue
            place = order[outputs.code[b] + outputs.code[s]]
            if low <= place < high:
                _add(sums, place - low, weights, ways, runs.first[rest] + s - runs.state_from[rest], primes)


@njit(nogil=True, cache=True)
def _first_from(places, low, high, least):
    """The first index from low on, below high, whose place is not before `least`; high if there is none."""
    while low < high:
        middle = (low + high) // 2
        if places[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _pull(part, whole, factors, outputs, order, below, runs, primes, ways, sums, weights):
    """The same from the other end: for each state of the whole, the sets inside it that the group can pay."""
    rest = whole - part
    low = runs.state_from[whole]
    begin, end = runs.group_from[part], runs.group_to[part]
    for place in range(low, runs.state_to[whole]):
        last = below.first[place + 1]
        for at in range(_first_from(below.place, below.first[place], last, begin), last):
            b = below.place[at]
            if b >= end:
                break
            s = order[outputs.code[place] - outputs.code[b]]
            if s < runs.state_from[rest] or s >= runs.state_to[rest]:
                continue
            for k in range(primes.shape[0]):
                weights[k] = _times(factors[k], outputs.weight[b, k], primes[k])
            _add(sums, place - low, weights, ways, runs.first[rest] + s - runs.state_from[rest], primes)


@njit(nogil=True, cache=True)
def count_ways(inputs, outputs, order, guards, runs, below, live, is_live, primes, inverse, begin, end, ways):
    """Count the interpretations of the states of some input codes; those of all lower codes are counted.

    Args:
        inputs, outputs: `Codes`.
        order: int64 (c,), the place of each output code.
        guards: uint64 (3,): the free bits of the outputs' packed digits, the same with all digits at their most, the
            free bits of the inputs' packed digits.
        runs: `Runs`; below: `Below`.
        live, is_live: as in `effort`.
        primes: uint64 (k,); inverse: uint64 (n, k), of the numbers 0 .. n - 1, at least of all digits.
        begin, end: int64, the input codes; the first call begins with 1.
        ways: uint32 (states, k), zeros at first; written.
    """
    kinds = primes.shape[0]
    buffer = np.empty(inputs.code.shape[0], np.int64)
    sums = np.zeros((np.max(runs.state_to - runs.state_from), kinds), np.uint64)
    factors = np.empty(kinds, np.uint64)
    weights = np.empty(kinds, np.uint64)
    if begin == 1:
        ways[runs.first[0] + order[0] - runs.state_from[0], :] = 1
    for whole in range(begin, end):
        states = runs.state_to[whole] - runs.state_from[whole]
        if states <= 0:
            continue
        n = _groups_of(whole, inputs, guards[2], live, is_live, buffer)
        first = _first_value(inputs.digits[whole])
        sums[:states] = 0
        for i in range(n):
            part = buffer[i]
            rest = whole - part
            pairs = (runs.group_to[part] - runs.group_from[part]) * (runs.state_to[rest] - runs.state_from[rest])
            if pairs <= 0:
                continue
            for k in range(kinds):
                factors[k] = _times(inputs.weight[part, k], np.uint64(inputs.digits[part, first]), primes[k])
            if pairs <= _pull_steps(part, whole, runs, below):
                _push(part, whole, factors, outputs, order, guards, runs, primes, ways, sums, weights)
            else:
                _pull(part, whole, factors, outputs, order, below, runs, primes, ways, sums, weights)
        for s in range(states):
            for k in range(kinds):
                share = inverse[inputs.digits[whole, first], k]
                ways[runs.first[whole] + s, k] = _times(sums[s, k] % primes[k], share, primes[k])


@njit(nogil=True, cache=True)
def link_ways(inputs, outputs, order, runs, live, primes, ways, links):
    """Add up, over all groups, in how many interpretations each links an input value and an output value.

    Args:
        inputs, outputs, order, runs, live, primes, ways: as `count_ways` left them.
        links: uint64 (input values, output values, k), zeros; written. Each cell is the sum of (inputs of that value)
            x (outputs of that value) over the groups of all interpretations, divided by all factorials.
    """
    whole, kinds = inputs.code.shape[0] - 1, primes.shape[0]
    row = np.empty((outputs.most.shape[0], kinds), np.uint64)
    for i in range(live.shape[0]):
        part = live[i]
        rest = whole - part
        row[:] = 0
        for b in range(runs.group_from[part], runs.group_to[part]):
            s = order[order.shape[0] - 1 - outputs.code[b]]
            if s < runs.state_from[rest] or s >= runs.state_to[rest]:
                continue
            for k in range(kinds):
                left = np.uint64(ways[runs.first[rest] + s - runs.state_from[rest], k])
                found = _times(outputs.weight[b, k], left, primes[k])
                for o in range(row.shape[0]):
                    row[o, k] = (row[o, k] + found * np.uint64(outputs.digits[b, o])) % primes[k]
        for j in range(inputs.most.shape[0]):
            for k in range(kinds):
                factor = inputs.weight[part, k] * np.uint64(inputs.digits[part, j]) % primes[k]
                for o in range(row.shape[0]):
                    links[j, o, k] = (links[j, o, k] + factor * row[o, k]) % primes[k]
