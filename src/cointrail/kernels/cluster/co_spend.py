"""Groups of scripts that a transaction links: its believed co-spend, and same-key facts that it completes.

Groups come in the order of the transactions, facts before the co-spend of the same transaction (METHODS.md 2.6).
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def count_co_spent(first_input, signs, veto):
    """Inputs of the transactions whose co-spend may be believed: how many members the groups can have at most."""
    count = 0
    for k in range(signs.shape[0]):
        inputs = first_input[k + 1] - first_input[k]
        if inputs > 1 and not (signs[k] & veto):
            count += inputs
    return count


@njit(nogil=True, cache=True)
def link_groups(
    first_input, spent, flags, script, unowned, signs, veto, first_tx, same_tx, same_a, same_b, members, first, times
):
    """Write the groups of consecutive transactions.

    Args:
        first_input: int64 (t + 1,), input_index at which each transaction and the one after the last begins.
        spent: int64, output_index each input spends, -1 for a coinbase; flags: uint16; both from input 0 on.
        script: uint32, script_id of each output, from output 0 on.
        unowned: input flags that take an input out of its group.
        signs: uint32 (t,), what the gate saw; veto: those of them that forbid a group.
        first_tx: tx_index of the first.
        same_tx, same_a, same_b: facts, ordered by transaction.
        members: int64, first: int64, times: uint32, written.

    Returns:
        (groups, members).
    """
    groups = 0
    used = 0
    fact = 0
    first[0] = 0
    for k in range(signs.shape[0]):
        while fact < same_tx.shape[0] and same_tx[fact] <= first_tx + k:
            members[used], members[used + 1] = same_a[fact], same_b[fact]
            used += 2
            times[groups] = np.uint32(first_tx + k)
            groups += 1
            first[groups] = used
            fact += 1
        begin, end = first_input[k], first_input[k + 1]
        if end - begin < 2 or signs[k] & veto:
            continue
        start = used
        for i in range(begin, end):
            if spent[i] >= 0 and not (flags[i] & unowned):
                members[used] = script[spent[i]]
                used += 1
        if used - start < 2:
            used = start
            continue
        times[groups] = np.uint32(first_tx + k)
        groups += 1
        first[groups] = used
    return groups, used
