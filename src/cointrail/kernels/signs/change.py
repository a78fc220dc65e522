"""What became of outputs by a given transaction: who spent them, and whether their script was paid again.

The horizon of an output is the last transaction that may be known; rows of later ones are read only to be skipped.
Links are believed only if the row they name points back, as everywhere in the ledger. Source: METHODS.md 1.2.
"""

import numpy as np
from numba import njit

_NEAR = 16  # cells that lie side by side in the cache
_GUESSES = 3
_FEW = 16  # cells that are sorted faster by insertion


@njit(nogil=True, cache=True)
def transaction_of(first, row, low, high):
    """The transaction a row belongs to: the last t in low .. high with first[t] <= row.

    Rows are spread evenly enough that a few guesses come near; strides that double from there find an interval, which
    is then halved.
    """
    bottom, top = np.int64(first[low]), np.int64(first[high])
    if top <= row:
        return high
    if high - low > _NEAR:
        each = (high - low) / (top - bottom)
        at = low
        for _ in range(_GUESSES):
            at = min(max(at + np.int64((row - np.int64(first[at])) * each), low), high - 1)
        stride = 2
        if np.int64(first[at]) <= row:
            low = at
            while low + stride < high and np.int64(first[low + stride]) <= row:
                low += stride
                stride *= 2
            high = min(high, low + stride)
        else:
            high = at
            while high - stride > low and np.int64(first[high - stride]) > row:
                high -= stride
                stride *= 2
            low = max(low, high - stride)
    while high - low > 1:
        middle = (low + high) >> 1
        if np.int64(first[middle]) <= row:
            low = middle
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _sort(cells):
    """Sort a few or many numbers."""
    if cells.shape[0] > _FEW:
        cells.sort()
        return
    for k in range(1, cells.shape[0]):
        moved, at = cells[k], k
        while at > 0 and cells[at - 1] > moved:
            cells[at] = cells[at - 1]
            at -= 1
        cells[at] = moved


@njit(nogil=True, cache=True)
def funders(first_tx, first_input, end_input, spent, first_output, funder, horizon):
    """The distinct transactions that consecutive transactions spend from.

    Args:
        first_tx: the first of them; first_input: int64 (n,), where the inputs of each begin; end_input: where they end.
        spent: int64, `input.output`; first_output: int64, `transaction.first_output`.
        funder, horizon: int64 (inputs,), written: the transaction spent from and the one that spends, by both.

    Returns:
        Pairs written.
    """
    written = 0
    for k in range(first_input.shape[0]):
        begin = written
        end = np.int64(first_input[k + 1]) if k + 1 < first_input.shape[0] else end_input
        for row in range(np.int64(first_input[k]), end):
            output = np.int64(spent[row])
            if output >= 0:
                funder[written] = transaction_of(first_output, output, 0, first_tx + k)
                written += 1
        if written > begin + 1:
            _sort(funder[begin:written])
            last = begin
            for at in range(begin + 1, written):
                if funder[at] != funder[last]:
                    last += 1
                    funder[last] = funder[at]
            written = last + 1
        horizon[begin:written] = first_tx + k
    return written


@njit(nogil=True, cache=True)
def ordinary_outputs(
    tx_index, first_input, first_output, spent, flags, value, script, script_type,
    unowned, never, in_heap, carriers, total, asked,
):  # fmt: skip
    """How many outputs transactions have, 0 for those that no change rule looks at whatever their number.

    Args:
        tx_index: int64 (n,).
        first_input, first_output: columns of `transaction`; spent, flags: `output`, `flags` of `input`.
        value, script: `value_sat`, `script` of `output`; script_type: `type` of `script`.
        unowned: bits of flags that let others add inputs; carriers: int64, values that carry a protocol.
        never, in_heap: bool (256,), by type: types of no ordinary output, types whose scripts lie in the heap.
        total: int64 (n,), written: outputs, or 0.
        asked: int64 (n,), written: how many of them have a script in the heap.
    """
    transactions, inputs, outputs = first_input.shape[0], spent.shape[0], value.shape[0]
    for k in range(tx_index.shape[0]):
        tx = tx_index[k]
        total[k], asked[k] = 0, 0
        first = np.int64(first_output[tx])
        end = np.int64(first_output[tx + 1]) if tx + 1 < transactions else outputs
        if end - first < 2:
            continue
        ordinary, heap = np.int64(1), np.int64(0)
        for row in range(first, end):
            if not ordinary:
                break
            kind, worth = script_type[script[row]], np.int64(value[row])
            heap += np.int64(in_heap[kind])
            ordinary &= np.int64(not never[kind])
            for carrier in carriers:
                ordinary &= np.int64(worth != carrier)
        at = np.int64(first_input[tx])
        last = np.int64(first_input[tx + 1]) if tx + 1 < transactions else inputs
        while ordinary and at < last:
            ordinary = np.int64(np.int64(spent[at]) >= 0 and not (flags[at] & unowned))
            at += 1
        if ordinary:
            total[k], asked[k] = end - first, heap


@njit(nogil=True, cache=True)
def spending_inputs(output, horizon, link, spent, first_input, spending):
    """The inputs that spend outputs, as far as the horizon.

    Args:
        output, horizon: int64 (m,), outputs, the last transactions that may be known.
        link: int64, `output.spender`; spent: int64, `input.output`; first_input: int64, `transaction.first_input`.
        spending: int64 (m,), written: an input_index, or -1 where no transaction up to the horizon spends the output.
    """
    transactions, inputs = first_input.shape[0], spent.shape[0]
    for k in range(output.shape[0]):
        spending[k] = -1
        at, last = np.int64(link[output[k]]), horizon[k]
        end = np.int64(first_input[last + 1]) if last + 1 < transactions else inputs
        if 0 <= at < end and np.int64(spent[at]) == output[k]:
            spending[k] = at


@njit(nogil=True, cache=True)
def transactions_between(row, low, high, first, found):
    """The transactions that rows belong to.

    Args:
        row: int64 (m,), inputs or outputs, -1 for none; low, high: int64 (m,), between which transactions each lies.
        first: int64, the column that says where the rows of each transaction begin.
        found: int64 (m,), written: a tx_index, or -1.
    """
    for k in range(row.shape[0]):
        found[k] = transaction_of(first, row[k], low[k], high[k]) if row[k] >= 0 else -1


@njit(nogil=True, cache=True)
def found_in_item(owner, figure, other_owner, other_figure, found):
    """Whether a figure of an item's output is among the figures of the item's inputs.

    Args:
        owner, figure: int64 (m,), of outputs, by owner; other_owner, other_figure: int64 (k,), of inputs, by owner.
        found: bool (m,), written.
    """
    begin = 0
    for row in range(owner.shape[0]):
        item = owner[row]
        while begin < other_owner.shape[0] and other_owner[begin] < item:
            begin += 1
        found[row] = False
        at = begin
        while at < other_owner.shape[0] and other_owner[at] == item and not found[row]:
            found[row] = other_figure[at] == figure[row]
            at += 1


@njit(nogil=True, cache=True)
def paid_again(output, newest, following, end, previous, again):
    """Whether the script of an output was paid by a later transaction, as far as a horizon.

    Args:
        output: int64 (m,), outputs; newest: int64 (m,), the newest known output of the same script.
        following: int64 (m,), the first output after the transaction that made it.
        end: int64 (m,), the first output beyond the horizon.
        previous: int64, `output.previous_same_script`.
        again: bool (m,), written.
    """
    for k in range(output.shape[0]):
        at = newest[k]
        while at >= end[k]:
            below = np.int64(previous[at])
            if below >= at:
                break  # a damaged link: the history ends here
            at = below
        again[k] = following[k] <= at < end[k]
