"""Where a peel chain may lead, many transactions at once: guesses, to be judged in one batch by who asked.

A guess follows the decision that is stored about a transaction, else the only output that pays a script which the
transaction spends, else, if that is wanted, the larger output. A wrong guess costs time and nothing else.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cointrail.kernels.cluster.union_find import NEVER, newest_merge
from cointrail.kernels.signs.change import transaction_of

MOST_RULED = 10  # outputs of a transaction that change rules look at (METHODS.md 2.2)
_MOST_INPUTS = 256  # more are not guessed through

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]


class Chain(NamedTuple):
    """Columns of a ledger, cut at a snapshot. Method: docs/reference/store-format."""

    first_input: I64
    first_output: I64
    spent: I64
    value: I64
    script: U32
    spender: I64
    decided_at: U32
    decided: U32
    change: I64


@njit(nogil=True, cache=True)
def _end(first, tx, rows):
    """The row after the last one of a transaction."""
    return np.int64(first[tx + 1]) if tx + 1 < first.shape[0] else np.int64(rows)


@njit(nogil=True, cache=True)
def _spender(chain, output, low):
    """The transaction that spends an output, not below `low`; -1 if none does in the snapshot."""
    at = np.int64(chain.spender[output])
    if not 0 <= at < chain.spent.shape[0] or np.int64(chain.spent[at]) != output:
        return np.int64(-1)
    return np.int64(transaction_of(chain.first_input, at, low, chain.first_input.shape[0] - 1))


@njit(nogil=True, cache=True)
def _stored(chain, tx, first, end):
    """The change output that is stored about a transaction, found by the spenders of its outputs; -1 if none is."""
    rows = chain.decided_at.shape[0]
    for output in range(first, end):
        spender = _spender(chain, output, tx)
        low, high = 0, rows if spender >= 0 else 0
        while low < high:
            middle = (low + high) >> 1
            at = np.int64(chain.decided_at[middle])
            if at < spender or (at == spender and np.int64(chain.decided[middle]) < tx):
                low = middle + 1
            else:
                high = middle
        if spender >= 0 and low < rows and chain.decided_at[low] == spender and chain.decided[low] == tx:
            return np.int64(chain.change[low])
    return np.int64(-1)


@njit(nogil=True, cache=True)
def _returned(chain, tx, first, end):
    """The only output that pays a script which its transaction spends; -1 if there is none or another one."""
    found = np.int64(-1)
    begin, last = np.int64(chain.first_input[tx]), _end(chain.first_input, tx, chain.spent.shape[0])
    for output in range(first, end):
        for row in range(begin, last):
            spent = np.int64(chain.spent[row])
            if spent >= 0 and chain.script[spent] == chain.script[output]:
                if found >= 0:
                    return np.int64(-1)
                found = np.int64(output)
                break
    return found


@njit(nogil=True, cache=True)
def _decided(chain, tx):
    """The output that a guess takes for the change of a transaction by its decisions; -1 if there is none."""
    first, end = np.int64(chain.first_output[tx]), _end(chain.first_output, tx, chain.value.shape[0])
    if end - first > MOST_RULED:
        return np.int64(-1)
    found = _stored(chain, tx, first, end)
    return found if found >= 0 else _returned(chain, tx, first, end)


@njit(nogil=True, cache=True)
def _larger(chain, tx):
    """The output of the greatest value, the first of several."""
    found = np.int64(chain.first_output[tx])
    for output in range(found + 1, _end(chain.first_output, tx, chain.value.shape[0])):
        if chain.value[output] > chain.value[found]:
            found = np.int64(output)
    return found


@njit(nogil=True, cache=True)
def _outputs(chain, tx):
    return _end(chain.first_output, tx, chain.value.shape[0]) - np.int64(chain.first_output[tx])


@njit(nogil=True, cache=True)
def ahead(chain, starts, hops, to_larger, most_outputs, found):
    """Transactions that spend outputs, and those that spend what may be their change, and so on.

    Args:
        chain: `Chain`.
        starts: int64 (n,), outputs; hops: int64 (n,), most transactions from each.
        to_larger: whether the larger output is taken where nothing is decided.
        most_outputs: a transaction with more outputs is not guessed through.
        found: int64 (m,), written: transactions, of each start in chain order.

    Returns:
        How many were written; no more than fit.
    """
    count = 0
    for k in range(starts.shape[0]):
        output, tx = np.int64(starts[k]), np.int64(0)
        for _ in range(hops[k]):
            tx = _spender(chain, output, tx)
            if tx < 0:
                break
            if count == found.shape[0]:
                return count
            found[count] = tx
            count += 1
            if _outputs(chain, tx) > most_outputs:
                break
            output = _decided(chain, tx)
            if output < 0 and to_larger:
                output = _larger(chain, tx)
            if output < 0:
                break
    return count


@njit(nogil=True, cache=True)
def behind(chain, starts, hops, to_larger, most_outputs, found):
    """Transactions that made outputs, and those that made the inputs which may have been their change, and so on.

    Arguments and result as of `ahead`, but later transactions come first.
    """
    count = 0
    for k in range(starts.shape[0]):
        output, last = np.int64(starts[k]), np.int64(chain.first_output.shape[0] - 1)
        for _ in range(hops[k]):
            tx = np.int64(transaction_of(chain.first_output, output, 0, last))
            if count == found.shape[0]:
                return count
            found[count] = tx
            count += 1
            if _outputs(chain, tx) > most_outputs:
                break
            output, last = _funded_by(chain, tx, to_larger), tx
            if output < 0:
                break
    return count


@njit(nogil=True, cache=True)
def _funded_by(chain, tx, to_larger):
    """The most valuable input of a transaction that may have been change of its maker; -1 if none may."""
    begin, end = np.int64(chain.first_input[tx]), _end(chain.first_input, tx, chain.spent.shape[0])
    best, best_sure = np.int64(-1), False
    if end - begin > _MOST_INPUTS:
        return best
    for row in range(begin, end):
        spent = np.int64(chain.spent[row])
        if spent < 0:
            return np.int64(-1)
        maker = np.int64(transaction_of(chain.first_output, spent, 0, tx))
        change = _decided(chain, maker)
        sure = change == spent
        if not sure and not (to_larger and change < 0 and _larger(chain, maker) == spent):
            continue
        if best < 0 or (sure and not best_sure) or (sure == best_sure and chain.value[spent] > chain.value[best]):
            best, best_sure = spent, sure
    return best


@njit(nogil=True, cache=True)
def cluster_sizes(roots, last_child, merges, previous_sibling, child_size, parent_size, sizes):
    """How many scripts lie in the clusters of roots.

    Args:
        roots: int64 (n,); last_child: uint32 of the forest.
        merges: merges that exist in the snapshot; previous_sibling, child_size, parent_size: columns of their log.
        sizes: int64 (n,), written; 1 where the log cannot be followed.
    """
    for k in range(roots.shape[0]):
        merge = newest_merge(np.int64(last_child[roots[k]]), merges, previous_sibling)
        sizes[k] = 1
        if merge >= 0 and merge != NEVER:
            sizes[k] = np.int64(child_size[merge]) + np.int64(parent_size[merge])
