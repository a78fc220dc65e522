"""Family F4, the spender: how the transaction that spends an output behaves beside the one that made it.

Rules C8, C14 and C16 to C18 of METHODS.md 2.2. All read the spender, so they cannot rule out what is not spent.
Page: docs/methods/change-spender.md.
"""

import numpy as np

from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.spans import I64, input_counts, output_counts

MOST_CONSUMER_OUTPUTS = 2


def same_lock_time(context: Context) -> Mask:
    """C8: the spender has a lock time above zero if and only if the transaction has one."""
    locks = context.rows.column("transaction", "lock_time")
    mine, theirs = locks[context.tx_index] > 0, locks[np.maximum(context.spender, 0)] > 0
    return np.asarray((mine[context.outputs.owner] == theirs) | ~context.spent, np.bool_)


def same_feerate(context: Context) -> Mask:
    """C14: the spender pays the same fee x 1000 / vsize, rounded down."""
    return np.asarray((context.own[1][context.outputs.owner] == context.next[1]) | ~context.spent, np.bool_)


def same_input_order(context: Context) -> Mask:
    """C16: the inputs of both stand in a common order (by value, by age), or in none; fewer than three show none."""
    from cointrail.kernels.signs.fingerprint import ORDER, ORDER_KNOWN

    mine, theirs = context.own[0][context.outputs.owner], context.next[0]
    known = (mine & theirs) >> np.uint64(ORDER_KNOWN) & np.uint64(1) == 1
    left, right = ((word >> np.uint64(ORDER)) & np.uint64(15) for word in (mine, theirs))
    agree = (left & right != 0) | ((left == 0) & (right == 0))
    return np.asarray(agree | ~known | ~context.spent, np.bool_)


def peel(context: Context) -> Mask:
    """C17: its spender has one input and two outputs, as the transaction and the one before it."""
    from cointrail.kernels.signs.change import transactions_between

    kept = ~context.spent | _one_to_two(context, np.maximum(context.spender, 0))
    run = _one_to_two(context, context.tx_index) & (context.input_counts == 1)
    # The only input of each; a coinbase is never looked at, so there is one.
    spends, tx_index = context.spends[run[context.inputs.owner]], context.tx_index[run]
    funder = np.empty(len(spends), np.int64)
    first_output = context.rows.column("transaction", "first_output")
    transactions_between(spends, np.zeros_like(tx_index), tx_index, first_output, funder)
    run[run] = _one_to_two(context, funder)
    return np.asarray(kept & run[context.outputs.owner], np.bool_)


def consumer(context: Context) -> Mask:
    """C18: its spender has at most two outputs."""
    few = output_counts(context.rows, np.maximum(context.spender, 0)) <= MOST_CONSUMER_OUTPUTS
    return np.asarray(few | ~context.spent, np.bool_)


def _one_to_two(context: Context, tx_index: I64) -> Mask:
    rows = context.rows
    return np.asarray((input_counts(rows, tx_index) == 1) & (output_counts(rows, tx_index) == 2), np.bool_)
