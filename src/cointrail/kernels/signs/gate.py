"""The gate over a batch of transactions: one pass over the columns of a ledger, one u32 of signs for each.

Follows METHODS.md 3.1; the plain definition is `cluster.gate.reference`. What a transaction's counts already rule out
is not read: scripts and spent outputs, the scattered reads, are looked at only where values leave something possible.
The bits are those of `cluster.gate.kinds.Sign`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from cointrail.kernels.signs.detectors import (
    Figures,
    is_blocksci_flag,
    is_generic,
    is_input_unnecessary,
    is_joinmarket,
    is_other_equal_output,
    is_stonewall,
    is_tx0,
    is_tx0_possible,
    is_wasabi1_0,
    is_wasabi1_1,
    is_wasabi2_dumplings,
    is_wasabi2_graphsense,
    is_wasabi2_relaxed,
    is_whirlpool,
    repeats_of,
    run_end,
    sort_rows,
)

WHIRLPOOL, WASABI2_GRAPHSENSE, WASABI2_DUMPLINGS, WASABI2_RELAXED = 1 << 1, 1 << 2, 1 << 3, 1 << 4
WASABI1_0, WASABI1_1, JOINMARKET, BLOCKSCI_FLAG, GENERIC, STONEWALL = 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
TX0, UNNECESSARY_INPUT, OTHER_EQUAL_OUTPUT = 1 << 16, 1 << 17, 1 << 18

# Codes of bitcoin.script.ScriptType, and its length beyond which a script cannot be spent.
_OP_RETURN, _SEGWIT_KEYS = 5, (6, 8)
_PAYLOAD_TYPES = (2, 3, 6, 7, 8)
_MAX_SCRIPT_SIZE = 10_000

# Below these a transaction shows a sign only if some output value repeats, or none at all.
_LEAST_INPUTS_OF_LEVELS = 10
_LEAST_INPUTS_OF_FEW_OUTPUTS = 15
_LEAST_OUTPUTS = 3


class Columns(NamedTuple):
    """The columns of a ledger that the gate reads, cut at its snapshot.

    Attributes:
        first_input, first_output: int64 (transactions,).
        spent: int64 (inputs,), the output each input spends, -1 for a coinbase.
        value: int64 (outputs,); script: uint32 (outputs,).
        script_type: uint8 (scripts,).
        payload: uint8 (scripts, 32); bytes 8 to 11 are the length of a script of no payload type.
    """

    first_input: np.ndarray
    first_output: np.ndarray
    spent: np.ndarray
    value: np.ndarray
    script: np.ndarray
    script_type: np.ndarray
    payload: np.ndarray


class _Scratch(NamedTuple):
    """Room for the largest transaction of the batch, int64."""

    in_values: np.ndarray
    in_scripts: np.ndarray
    values: np.ndarray
    scripts: np.ndarray
    every_value: np.ndarray


@njit(nogil=True, cache=True)
def _bounds(first, row, rows):
    return first[row], first[row + 1] if row + 1 < first.shape[0] else rows


@njit(nogil=True, cache=True)
def _most(tx_index, first, rows):
    most = 1
    for t in tx_index:
        begin, end = _bounds(first, t, rows)
        most = max(most, end - begin)
    return most


@njit(nogil=True, cache=True)
def _is_unspendable(script, script_type, payload):
    kind = script_type[script]
    if kind == _OP_RETURN:
        return True
    if kind in _PAYLOAD_TYPES:
        return False
    length = np.int64(0)
    for place in range(4):
        length |= np.int64(payload[script, 8 + place]) << (8 * place)
    return length > _MAX_SCRIPT_SIZE


@njit(nogil=True, cache=True)
def _distinct(scripts, count):
    """Distinct rows and the longest run; sorts."""
    sort_rows(scripts, count)
    distinct, longest, start = 0, 0, 0
    while start < count:
        end = run_end(scripts, count, start)
        distinct += 1
        longest = max(longest, end - start)
        start = end
    return distinct, longest


@njit(nogil=True, cache=True)
def _read_outputs(columns, begin, end, values, scripts):
    """Copy the spendable outputs; how many, how many OP_RETURN, and whether the values never rise."""
    count, notes, falling = 0, 0, True
    for o in range(begin, end):
        s = np.int64(columns.script[o])
        if _is_unspendable(s, columns.script_type, columns.payload):
            notes += columns.script_type[s] == _OP_RETURN
            continue
        values[count] = columns.value[o]
        scripts[count] = s
        falling &= count == 0 or values[count] <= values[count - 1]
        count += 1
    return count, notes, falling


@njit(nogil=True, cache=True)
def _read_inputs(columns, begin, end, values, scripts):
    """Copy what is spent; True if P2WPKH and P2TR only, and values never rise."""
    sorted_segwit = True
    for i in range(begin, end):
        o = columns.spent[i]
        k = i - begin
        values[k] = columns.value[o]
        scripts[k] = columns.script[o]
        kind = columns.script_type[scripts[k]]
        sorted_segwit &= kind in _SEGWIT_KEYS
        sorted_segwit &= k == 0 or values[k] <= values[k - 1]
    return sorted_segwit


@njit(nogil=True, cache=True)
def _shape_signs(limits, f, room, denominations):
    """Signs of a transaction of two inputs or more; all arrays sorted."""
    signs = 0
    values = room.values
    repeats = repeats_of(limits, values, f.outputs, denominations)
    if is_whirlpool(limits, f, room.in_values, room.in_scripts, values, room.scripts):
        signs |= WHIRLPOOL
    if is_wasabi2_graphsense(limits, f, repeats, values[0]):
        signs |= WASABI2_GRAPHSENSE
    if is_wasabi2_dumplings(limits, f, repeats):
        signs |= WASABI2_DUMPLINGS
    if is_wasabi2_relaxed(limits, f, repeats):
        signs |= WASABI2_RELAXED
    if is_wasabi1_0(limits, f, values):
        signs |= WASABI1_0
    if is_wasabi1_1(limits, f, values):
        signs |= WASABI1_1
    if is_joinmarket(limits, f, repeats.amount):
        signs |= JOINMARKET
    if is_blocksci_flag(limits, f, room.every_value):
        signs |= BLOCKSCI_FLAG
    if is_generic(limits, f, repeats.amount):
        signs |= GENERIC
    if is_stonewall(limits, f, values):
        signs |= STONEWALL
    if is_other_equal_output(limits, f, repeats, values, room.in_values):
        signs |= OTHER_EQUAL_OUTPUT
    return signs


@njit(nogil=True, cache=True)
def _repeats(every_value, count):
    """Whether a sorted array holds any value twice."""
    for i in range(1, count):  # noqa: SIM110
        if every_value[i] == every_value[i - 1]:
            return True
    return False


@njit(nogil=True, cache=True)
def _by_counts(wanted, inputs, outputs):
    """The bits of `wanted` that so many inputs and outputs leave possible."""
    if outputs < _LEAST_OUTPUTS:
        wanted &= ~TX0
        if inputs < _LEAST_INPUTS_OF_FEW_OUTPUTS:
            wanted &= UNNECESSARY_INPUT if outputs == _LEAST_OUTPUTS - 1 else 0
    return wanted if inputs > 1 else wanted & TX0


@njit(nogil=True, cache=True)
def _by_values(limits, wanted, inputs, every_value, count):
    """The bits of `wanted` that the values of all outputs leave possible; sorts."""
    sort_rows(every_value, count)
    if (wanted & TX0) != 0 and not is_tx0_possible(limits, every_value, count):
        wanted &= ~TX0
    if inputs < _LEAST_INPUTS_OF_LEVELS and not _repeats(every_value, count):
        wanted &= TX0 | UNNECESSARY_INPUT
    return wanted


@njit(nogil=True, cache=True)
def _signs(limits, columns, room, denominations, wanted, begin, end, first, last):
    """Signs of one transaction, given the bounds of its inputs and outputs."""
    found, count = 0, last - first
    if wanted != UNNECESSARY_INPUT:
        room.every_value[:count] = columns.value[first:last]
        wanted = _by_values(limits, wanted, end - begin, room.every_value, count)
    if wanted == 0 or columns.spent[begin] < 0:
        return found
    shape = (wanted & ~(TX0 | UNNECESSARY_INPUT)) != 0
    inputs = end - begin
    outputs, notes, falling = _read_outputs(columns, first, last, room.values, room.scripts)
    uih = (wanted & UNNECESSARY_INPUT) != 0 and outputs == 2
    in_order = False
    if uih or shape:
        in_order = _read_inputs(columns, begin, end, room.in_values, room.in_scripts)
    if uih and is_input_unnecessary(outputs, room.values, inputs, room.in_values):
        found |= UNNECESSARY_INPUT
    sort_rows(room.values, outputs)
    if (wanted & TX0) != 0 and notes == 1 and is_tx0(limits, room.values, outputs):
        found |= TX0
    if shape:
        input_scripts, commonest = _distinct(room.in_scripts, inputs)
        output_scripts, _ = _distinct(room.scripts, outputs)
        sort_rows(room.in_values, inputs)
        in_order = in_order and falling
        f = Figures(inputs, input_scripts, commonest, outputs, output_scripts, count, in_order)
        found |= _shape_signs(limits, f, room, denominations)
    return found


@njit(nogil=True, cache=True)
def gate_signs(tx_index, columns, limits, denominations, wanted, signs):
    """Find the signs of a batch of transactions.

    Args:
        tx_index: int64 (n,), rows of the transaction table.
        columns: `Columns`.
        limits: `kernels.signs.limits.Limits`.
        denominations: int64, ascending, the standard amounts of Wasabi 2.
        wanted: bits to look for.
        signs: uint32 (n,), overwritten.

    Method: METHODS.md 3.1.
    """
    first_input, first_output = columns.first_input, columns.first_output
    all_inputs, all_outputs = columns.spent.shape[0], columns.value.shape[0]
    most_inputs, most_outputs = _most(tx_index, first_input, all_inputs), _most(tx_index, first_output, all_outputs)
    room = _Scratch(
        np.empty(most_inputs, np.int64),
        np.empty(most_inputs, np.int64),
        np.empty(most_outputs, np.int64),
        np.empty(most_outputs, np.int64),
        np.empty(most_outputs, np.int64),
    )
    # Most transactions end at their counts: nothing is passed to a function for them, which would cost more.
    for k in range(tx_index.shape[0]):
        begin, end = _bounds(first_input, tx_index[k], all_inputs)
        first, last = _bounds(first_output, tx_index[k], all_outputs)
        signs[k] = 0
        possible = _by_counts(wanted, end - begin, last - first)
        if possible:
            signs[k] = _signs(limits, columns, room, denominations, possible, begin, end, first, last) & wanted
