"""The compiled detectors of METHODS.md 3.1 over the sorted figures of one transaction.

The plain definition is `cluster.gate.reference`; the tests hold the two equal. `limits` are those of
`kernels.signs.limits`. Arrays are scratch that the caller has filled: only the first rows of each, as many as `Figures`
says, belong to the transaction.
"""

from typing import NamedTuple

import numpy as np
from numba import njit


class Figures(NamedTuple):
    """Counts of one transaction.

    Attributes:
        inputs, input_scripts: nI and sI; commonest: inputs that spend the commonest script.
        outputs, output_scripts: spendable outputs and their distinct scripts, nO and sO.
        every_output: outputs, the unspendable among them.
        sorted_segwit: True if inputs spend P2WPKH or P2TR only and values on both sides never rise.
    """

    inputs: int
    input_scripts: int
    commonest: int
    outputs: int
    output_scripts: int
    every_output: int
    sorted_segwit: bool


class Repeats(NamedTuple):
    """How spendable output values repeat.

    Attributes:
        values: values that occur at least twice; outputs: outputs that carry them.
        amount: the most equal outputs above dust.
        denominations: outputs whose value is a standard amount of Wasabi 2.
    """

    values: int
    outputs: int
    amount: int
    denominations: int


@njit(nogil=True, cache=True)
def sort_rows(array, count):
    """Sort the first rows of an array in place; most transactions are small."""
    if count > 24:
        array[:count].sort()
        return
    for i in range(1, count):
        item = array[i]
        j = i - 1
        while j >= 0 and array[j] > item:
            array[j + 1] = array[j]
            j -= 1
        array[j + 1] = item


@njit(nogil=True, cache=True)
def run_end(array, count, start):
    """One beyond the last row that equals row `start` of a sorted array."""
    end = start + 1
    while end < count and array[end] == array[start]:
        end += 1
    return end


@njit(nogil=True, cache=True)
def is_in(sorted_values, value):
    """True if a sorted array holds the value."""
    at = np.searchsorted(sorted_values, value)
    return at < sorted_values.shape[0] and sorted_values[at] == value


@njit(nogil=True, cache=True)
def repeats_of(limits, values, count, denominations):
    """Figures of sorted output values."""
    kinds, outputs, amount, standard = 0, 0, 0, 0
    start = 0
    while start < count:
        end = run_end(values, count, start)
        n = end - start
        if n > 1:
            kinds += 1
            outputs += n
        if values[start] > limits.dust_sat:
            amount = max(amount, n)
        if is_in(denominations, values[start]):
            standard += n
        start = end
    return Repeats(kinds, outputs, amount, standard)


@njit(nogil=True, cache=True)
def is_whirlpool(limits, f, in_values, in_scripts, values, scripts):
    """Whirlpool mix; all four arrays sorted."""
    n = f.inputs
    if n < limits.whirlpool_least or n > limits.whirlpool_most or f.outputs != n:
        return False
    pool = values[0]
    if f.input_scripts != n or f.output_scripts != n or pool != values[n - 1] or pool not in limits.whirlpool_pools_sat:
        return False
    # Sorted: some input is worth exactly the pool, some more, none less.
    if in_values[0] != pool or in_values[n - 1] == pool or in_values[n - 1] > pool + limits.whirlpool_room_sat:
        return False
    for i in range(n):  # noqa: SIM110
        if is_in(scripts[:n], in_scripts[i]):
            return False
    return True


@njit(nogil=True, cache=True)
def is_spread(limits, f):
    """True if the commonest script gives at most a tenth of the inputs."""
    return limits.one_script_share * f.commonest <= f.inputs


@njit(nogil=True, cache=True)
def is_wasabi2_graphsense(limits, f, repeats, least_value):
    """Wasabi 2 as graphsense-lib sees it."""
    return (
        f.inputs >= limits.wasabi2_least_inputs[0]
        and is_spread(limits, f)
        and f.output_scripts == f.outputs
        and least_value >= limits.wasabi2_least_sat
        and repeats.values >= limits.least_equal
        and 2 * repeats.outputs >= f.outputs - 1
        and repeats.outputs < f.outputs
    )


@njit(nogil=True, cache=True)
def is_wasabi2_dumplings(limits, f, repeats):
    """Wasabi 2 as Dumplings sees it."""
    share, whole = limits.wasabi2_share
    enough = f.inputs >= limits.wasabi2_least_inputs[1] and whole * repeats.denominations > share * f.outputs
    return enough and f.sorted_segwit


@njit(nogil=True, cache=True)
def is_wasabi2_relaxed(limits, f, repeats):
    """Wasabi 2 with few inputs."""
    share, whole = limits.wasabi2_share
    return (
        f.inputs >= limits.wasabi2_least_inputs[2]
        and f.output_scripts == f.outputs
        and repeats.values >= limits.least_equal
        and whole * repeats.denominations >= share * f.outputs
    )


@njit(nogil=True, cache=True)
def is_wasabi1_shape(limits, f, equal):
    """What Wasabi 1.0 and 1.1 have in common."""
    return (
        f.inputs >= limits.wasabi1_least_inputs
        and equal >= limits.least_equal
        and equal <= f.input_scripts
        and f.input_scripts <= limits.wasabi1_scripts_each * equal
        and is_spread(limits, f)
        and f.output_scripts == f.outputs
    )


@njit(nogil=True, cache=True)
def is_wasabi1_0(limits, f, values):
    """Wasabi 1.0; values sorted."""
    equal, start = 0, 0
    while start < f.outputs:
        end = run_end(values, f.outputs, start)
        if abs(values[start] - limits.wasabi1_sat) <= limits.wasabi1_room_sat:
            equal = max(equal, end - start)
        start = end
    return is_wasabi1_shape(limits, f, equal) and 2 * equal >= f.outputs - 1


@njit(nogil=True, cache=True)
def is_wasabi1_1(limits, f, values):
    """Wasabi 1.1; values sorted, so that the levels come one after the other."""
    equal, total, at = 0, 0, 0
    level = limits.wasabi1_sat
    while at < f.outputs:
        room = level // limits.wasabi1_room_share
        while at < f.outputs and values[at] < level - room:
            at += 1
        first = at
        while at < f.outputs and values[at] <= level + room:
            at += 1
        if at - first > 1:
            total += at - first
            equal = max(equal, at - first)
        level *= 2
    if not is_wasabi1_shape(limits, f, equal):
        return False
    return 2 * total >= f.outputs - 1 or total >= f.outputs - f.input_scripts - 1


@njit(nogil=True, cache=True)
def is_joinmarket(limits, f, equal):
    """JoinMarket; `equal` is the most equal outputs above dust."""
    more, than = limits.joinmarket_outputs_each
    if equal < limits.least_equal or 2 * equal < f.outputs or equal > f.input_scripts or equal == f.outputs:
        return False
    if f.output_scripts != f.outputs:
        return False
    if f.inputs < limits.joinmarket_large:
        return True
    return f.inputs <= limits.joinmarket_inputs_each * equal and than * f.outputs >= more * equal


@njit(nogil=True, cache=True)
def is_generic(limits, f, equal):
    """Equal outputs that at least as many scripts pay for."""
    return equal >= limits.least_equal and 3 * equal >= f.outputs and f.input_scripts >= equal


@njit(nogil=True, cache=True)
def is_blocksci_flag(limits, f, every_value):
    """BlockSci's flag; all values, sorted."""
    people = (f.every_output + 1) // 2
    if f.inputs < 2 or f.every_output < 3 or people > f.inputs or people > f.input_scripts:
        return False
    found, start = False, 0
    while start < f.every_output:
        end = run_end(every_value, f.every_output, start)
        if end - start > people:
            return False
        if end - start == people and every_value[start] not in limits.token_sat:
            found = True
        start = end
    return found


@njit(nogil=True, cache=True)
def is_stonewall(limits, f, values):
    """Stonewall; values sorted."""
    if f.outputs not in limits.stonewall_outputs or f.output_scripts != f.outputs or f.input_scripts < 2:
        return False
    pairs, value, start = 0, np.int64(0), 0
    while start < f.outputs:
        end = run_end(values, f.outputs, start)
        if end - start == 2:
            pairs += 1
            value = values[start]
        start = end
    return pairs == 1 and value >= limits.stonewall_least_sat


@njit(nogil=True, cache=True)
def is_tx0_possible(limits, values, count):
    """True if some value is that of an output prepared for a pool; anything else cannot be a Tx0."""
    for i in range(count):
        for pool, _ in limits.tx0_pools_sat:
            if pool + limits.tx0_least_room_sat <= values[i] and values[i] <= pool + limits.tx0_most_room_sat:
                return True
    return False


@njit(nogil=True, cache=True)
def is_tx0(limits, values, outputs):
    """Preparation of a Whirlpool mix, given exactly one OP_RETURN; values sorted."""
    for pool, fee in limits.tx0_pools_sat:
        fees, equal, start = 0, 0, 0
        while start < outputs:
            end = run_end(values, outputs, start)
            value = values[start]
            if fee <= 2 * value and value <= 3 * fee:
                fees += end - start
            if pool + limits.tx0_least_room_sat <= value and value <= pool + limits.tx0_most_room_sat:
                equal = max(equal, end - start)
            start = end
        if fees == 1 and equal >= max(1, outputs - limits.tx0_others) and equal <= limits.tx0_most_equal:
            return True
    return False


@njit(nogil=True, cache=True)
def is_other_equal_output(limits, f, repeats, values, in_values):
    """One repeated value and as many others, or one less; values of both sides sorted."""
    n = repeats.outputs
    others = f.outputs - n
    if repeats.values != 1 or others < n - 1 or others > n or f.output_scripts < n or f.input_scripts < n:
        return False
    equal = np.int64(0)
    for i in range(1, f.outputs):
        if values[i] == values[i - 1]:
            equal = values[i]
    at = f.outputs - 1
    while values[at] == equal:
        at -= 1
    return in_values[f.inputs - 1] <= equal + values[at] - limits.other_equal_fee_sat


@njit(nogil=True, cache=True)
def is_input_unnecessary(outputs, values, inputs, in_values):
    """UIH2: two outputs, the larger is payable without the smallest input."""
    if outputs != 2 or inputs < 2:
        return False
    total = np.int64(0)
    least = in_values[0]
    for i in range(inputs):
        total += in_values[i]
        least = min(least, in_values[i])
    return total - least >= max(values[0], values[1])
