"""Who a wallet paid and who paid it, transaction by transaction, by haircut in integers.

One rule for all shapes. Of what a transaction pays to the wallet, the wallet's inputs bear their share by value: that
is change. What is left of the wallet's inputs is divided over the other outputs and the fee by value, what is left of
its outputs over the other inputs by value; largest remainder, ties to what comes first. Where all inputs are the
wallet's, each other output is what was sent; where none is, everything was received.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from cointrail.kernels.profile.proportion import divide
from cointrail.kernels.trace.split_many import share_of

OTHERS, OWN, NOBODY = range(3)  # whose output: another's, the wallet's, one that can never be spent


class Side(NamedTuple):
    """Inputs or outputs of transactions, one transaction after the other.

    Attributes:
        first: int64 (t + 1,), where each transaction's begin.
        value: int64 (m,), satoshi.
        script: uint32 (m,).
        whose: uint8 (m,), OTHERS, OWN, or of an output NOBODY.
    """

    first: npt.NDArray[np.int64]
    value: npt.NDArray[np.int64]
    script: npt.NDArray[np.uint32]
    whose: npt.NDArray[np.uint8]


class Payments(NamedTuple):
    """What is written: a row a payment, in the order of transactions, receipts before sends.

    Attributes:
        place: int64 (p,), which transaction.
        script: uint32 (p,), of the other side.
        receipt: bool (p,), the other side is an input.
        received, sent: int64 (p,), satoshi.
    """

    place: npt.NDArray[np.int64]
    script: npt.NDArray[np.uint32]
    receipt: npt.NDArray[np.bool_]
    received: npt.NDArray[np.int64]
    sent: npt.NDArray[np.int64]


def room(rows: int) -> Payments:
    """Place for so many payments."""
    return Payments(
        np.empty(rows, np.int64),
        np.empty(rows, np.uint32),
        np.empty(rows, np.bool_),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
    )


@njit(nogil=True, cache=True)
def payments(came, left, found, change, fee, nobody):
    """Divide what transactions moved. None of them is a coinbase, and each makes its outputs from its inputs.

    Args:
        came, left: Side of inputs and of outputs.
        found: Payments, long enough for every input and output of others.
        change, fee, nobody: int64 (t,), written: of the wallet's inputs what came back, paid the fee, went to nobody.

    Returns:
        Rows written.
    """
    most = 1
    for t in range(change.shape[0]):
        most = max(most, came.first[t + 1] - came.first[t], left.first[t + 1] - left.first[t] + 1)
    weight, part, rest = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    rows = 0
    for t in range(change.shape[0]):
        total_in, own_in, inputs = _total(came, t)
        total_out, own_out, outputs = _total(left, t)
        back = share_of(own_out, own_in, total_in)[0] if total_in else np.int64(0)
        change[t], fee[t], nobody[t] = back, 0, 0
        if outputs:
            count = _others(came, t, weight)
            divide(own_out - back, weight[:count], part, rest)
            rows = _write_receipts(came, t, part, found, rows)
        if inputs:
            count = _others(left, t, weight)
            weight[count] = total_in - total_out
            divide(own_in - back, weight[: count + 1], part, rest)
            fee[t] = part[count]
            rows, nobody[t] = _write_sends(left, t, part, found, rows)
    return rows


@njit(nogil=True, cache=True)
def _others(side, t, weight):
    """Write the values of what is not the wallet's into `weight`, and say how many they are."""
    count = 0
    for k in range(side.first[t], side.first[t + 1]):
        if side.whose[k] != OWN:
            weight[count] = side.value[k]
            count += 1
    return count


@njit(nogil=True, cache=True)
def _write_receipts(came, t, part, found, rows):
    """A payment for each input of others; gives the number of rows."""
    first = rows
    for k in range(came.first[t], came.first[t + 1]):
        if came.whose[k] != OWN:
            found.place[rows], found.script[rows], found.receipt[rows] = t, came.script[k], True
            found.received[rows], found.sent[rows] = part[rows - first], 0
            rows += 1
    return rows


@njit(nogil=True, cache=True)
def _write_sends(left, t, part, found, rows):
    """A payment for each output of others; gives the number of rows, and what went to nobody."""
    count, nobody = 0, np.int64(0)
    for k in range(left.first[t], left.first[t + 1]):
        if left.whose[k] == OWN:
            continue
        if left.whose[k] == OTHERS:
            found.place[rows], found.script[rows], found.receipt[rows] = t, left.script[k], False
            found.received[rows], found.sent[rows] = 0, part[count]
            rows += 1
        else:
            nobody += part[count]
        count += 1
    return rows, nobody


@njit(nogil=True, cache=True)
def _total(side, t):
    """(value of all, value of the wallet's, how many are the wallet's)."""
    total, own, count = np.int64(0), np.int64(0), 0
    for k in range(side.first[t], side.first[t + 1]):
        total += side.value[k]
        if side.whose[k] == OWN:
            own += side.value[k]
            count += 1
    return total, own, count
