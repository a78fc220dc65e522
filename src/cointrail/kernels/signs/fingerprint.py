"""Fingerprints of transactions as 64-bit words: one pass over columns, so that batches compare with a mask.

Assumes columns that are cut at the same snapshot. The fields stand in METHODS.md 2.5; order of inputs and outputs is
BIP69's. Two equal values next to one another leave the order to scripts that are not in a column: TIED says so, and
`cluster.fingerprint` looks.
"""

import numpy as np
from numba import njit

from cointrail.kernels.signs.change import transaction_of

# Where each field lies in the word; version has the low 32 bits.
LOCK_TIME, REPLACEABLE, SEGWIT, LOW_R, BIP69, KEY, ORDER, ORDER_KNOWN, TYPES = 32, 34, 35, 36, 38, 40, 42, 46, 48
LOCK_ZERO, LOCK_HEIGHT, LOCK_OTHER = 0, 1, 2
UNKNOWN, LOW, HIGH = 0, 1, 2
TOO_SMALL, SORTED, UNSORTED, TIED = 0, 1, 2, 3
COMPRESSED, UNCOMPRESSED, MIXED = 1, 2, 3
VALUE_UP, VALUE_DOWN, AGE_UP, AGE_DOWN = 1, 2, 4, 8

LEAST_ORDERED = 3  # inputs; two always stand in some order
LEAST_ORDERS = 24  # possible orders, of which one is BIP69's; with fewer, chance is a good explanation
LEAST_LOW = 3  # inputs with signatures; k of them have low R by chance with 2^-k
_LOCK_IS_TIME = 500_000_000
_FINAL = 0xFFFFFFFE  # a sequence below this signals replaceability (BIP125)
_WITNESS, _LOW_FLAG, _HIGH_FLAG, _COMPRESSED_FLAG, _UNCOMPRESSED_FLAG = 1, 8, 16, 32, 64  # bitcoin.fingerprint


@njit(nogil=True, cache=True)
def _compare_txids(one, two, txid):
    """Negative, zero or positive as the txid of one transaction, as it is displayed, stands before that of two."""
    for byte in range(31, -1, -1):  # displayed from the last byte to the first
        if txid[one, byte] != txid[two, byte]:
            return np.int64(txid[one, byte]) - np.int64(txid[two, byte])
    return np.int64(0)


@njit(nogil=True, cache=True)
def _outpoints_ascend(tx, first_in, end_in, first_output, txid, spent):
    """Whether the outpoints of a transaction's inputs stand in the order of BIP69: by txid, then by vout."""
    last, last_from = np.int64(-1), np.int64(-1)
    for row in range(first_in, end_in):
        output = np.int64(spent[row])
        low, high = (0, last_from) if output < last else (max(last_from, 0), tx)
        made_by = transaction_of(first_output, output, low, high)
        if row > first_in:
            order = np.int64(0) if made_by == last_from else _compare_txids(last_from, made_by, txid)
            # Two transactions of one txid (BIP30): the vout decides.
            if order > 0 or (
                order == 0 and last - np.int64(first_output[last_from]) > output - np.int64(first_output[made_by])
            ):
                return False
        last, last_from = output, made_by
    return True


@njit(nogil=True, cache=True)
def _bip69(tx, first_in, end_in, first_out, end_out, first_output, txid, spent, value, script):
    """Class of the order of a transaction's inputs and outputs: one that contradicts BIP69 is proof in any number."""
    orders = 1
    for count in (end_in - first_in, end_out - first_out):
        for factor in range(2, min(count, LEAST_ORDERS) + 1):
            orders = min(orders * factor, LEAST_ORDERS)
    found = SORTED if orders >= LEAST_ORDERS else TOO_SMALL
    tied = False
    for row in range(first_out + 1, end_out):
        before, after = np.int64(value[row - 1]), np.int64(value[row])
        if before > after:
            return UNSORTED
        if before == after and script[row - 1] != script[row]:
            tied = True
    if end_in - first_in > 1 and not _outpoints_ascend(tx, first_in, end_in, first_output, txid, spent):
        return UNSORTED
    return TIED if tied else found


@njit(nogil=True, cache=True)
def _inputs(first, end, spent, sequence, flags, value, script, script_type):
    """Fields that the inputs decide, as bits of the word, and the sum of what they spend."""
    word = np.int64(0)
    seen, types, total, low = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    order = np.int64(VALUE_UP | VALUE_DOWN | AGE_UP | AGE_DOWN)
    before, before_value = np.int64(-1), np.int64(-1)
    for row in range(first, end):
        output = np.int64(spent[row])
        worth = np.int64(value[output])
        if row > first:
            if worth < before_value:
                order &= ~VALUE_UP
            if worth > before_value:
                order &= ~VALUE_DOWN
            if output < before:
                order &= ~AGE_UP
            if output > before:
                order &= ~AGE_DOWN
        before, before_value = output, worth
        total += worth
        seen |= np.int64(flags[row])
        low += np.int64(flags[row]) & _LOW_FLAG
        types |= np.int64(1) << np.int64(script_type[script[output]])
        if np.int64(sequence[row]) < _FINAL:
            word |= np.int64(1) << REPLACEABLE
    if seen & _WITNESS:
        word |= np.int64(1) << SEGWIT
    if seen & _HIGH_FLAG:
        word |= np.int64(HIGH) << LOW_R
    elif low >= LEAST_LOW * _LOW_FLAG:
        word |= np.int64(LOW) << LOW_R
    if seen & _COMPRESSED_FLAG:
        word |= np.int64(COMPRESSED) << KEY
    if seen & _UNCOMPRESSED_FLAG:
        word |= np.int64(UNCOMPRESSED) << KEY
    if end - first >= LEAST_ORDERED:
        word |= (np.int64(1) << ORDER_KNOWN) | (order << ORDER)
    return word | (types << TYPES), total


@njit(nogil=True, cache=True)
def fingerprint_words(
    tx_index, first_input, first_output, version, lock_time, weight, txid,
    spent, sequence, flags, value, script, script_type, first_transaction, words, feerates,
):  # fmt: skip
    """Fingerprint transactions.

    Args:
        tx_index: int64 (n,).
        first_input, first_output, version, lock_time, weight, txid: columns of `transaction`.
        spent, sequence, flags: columns `output`, `sequence`, `flags` of `input`.
        value, script: columns `value_sat`, `script` of `output`; script_type: `type` of `script`.
        first_transaction: column of `block`.
        words: uint64 (n,), written; a coinbase has its version, lock time and outputs' order only.
        feerates: int64 (n,), written: fee x 1000 / vsize rounded down, -1 for a coinbase.
    """
    transactions, inputs, outputs = first_input.shape[0], spent.shape[0], value.shape[0]
    for k in range(tx_index.shape[0]):
        tx = tx_index[k]
        first_in, first_out = np.int64(first_input[tx]), np.int64(first_output[tx])
        end_in = np.int64(first_input[tx + 1]) if tx + 1 < transactions else inputs
        end_out = np.int64(first_output[tx + 1]) if tx + 1 < transactions else outputs
        word = np.int64(version[tx]) & 0xFFFFFFFF
        lock = np.int64(lock_time[tx])
        if lock:
            height = np.int64(-1)
            if lock < _LOCK_IS_TIME:
                height = transaction_of(first_transaction, tx, 0, first_transaction.shape[0] - 1)
            word |= np.int64(LOCK_HEIGHT if lock <= height else LOCK_OTHER) << LOCK_TIME
        feerates[k] = -1
        if end_in > first_in and np.int64(spent[first_in]) >= 0:
            fields, total = _inputs(first_in, end_in, spent, sequence, flags, value, script, script_type)
            word |= fields
            for row in range(first_out, end_out):
                total -= np.int64(value[row])
            feerates[k] = total * 1000 // ((np.int64(weight[tx]) + 3) // 4)
            order = _bip69(tx, first_in, end_in, first_out, end_out, first_output, txid, spent, value, script)
            word |= np.int64(order) << BIP69
        words[k] = np.uint64(word)
