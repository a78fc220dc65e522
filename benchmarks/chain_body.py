"""Compiled writer of the synthetic chain: the transactions of one block, but the coinbase.

A block is written in waves. The txids of a wave are hashed side by side, then its outputs join the pool, so a later
wave of the same block can spend them.
"""
# Compiled functions: array arguments are described in words.
# ruff: noqa: ANN001, ANN201, ANN202

import numpy as np

from chain_draw import MULTISIG, P2PK, P2PKH, below, compiled, distance, input_count, kind_of, output_count
from chain_pool import DEAD, ORDER, VALUE, add_output, compact, free_slot, live_count, take_oldest, take_output
from chain_write import (
    Body,
    choose_script,
    put,
    put_count,
    put_random,
    put_script,
    put_script_sig,
    put_witness,
)
from cointrail.kernels.sha256 import hash_messages

WAVE = 256  # transactions a wave
WAVE_OUTPUTS = 4096  # a wave with more outputs ends early
FLOOR = 16384  # with fewer unspent outputs than this, transactions split the oldest into SPLIT
SPLIT = 480  # no ordinary transaction has so many
WEIGHT_STOP = 3_600_000  # no transaction starts beyond; the largest weighs less than the 400,000 left
DUST = 330
ANY_VALUE = np.int64(2**62)
TWICE = True
MOST_TRANSACTIONS = 2500
MOST_OUTPUTS = 40_000  # of a block: by weight
MOST_INPUTS_OF_ONE = 512
MOST_OUTPUTS_OF_ONE = 512

# Counters of a chain.
SCRIPTS, FEES, INPUTS, OUTPUTS, DATA, OWED = 0, 1, 2, 3, 4, 5


def empty_body() -> Body:
    """Room for one block."""
    n = MOST_TRANSACTIONS
    new = WAVE_OUTPUTS + MOST_OUTPUTS_OF_ONE
    return Body(
        raw=np.empty(4_500_000, np.uint8),
        stripped=np.empty(4_500_000, np.uint8),
        start=np.empty(n, np.int64),
        size=np.empty(n, np.int64),
        stripped_start=np.empty(n, np.int64),
        stripped_size=np.empty(n, np.int64),
        txid=np.empty((n, 32), np.uint8),
        wtxid=np.empty((n, 32), np.uint8),
        new_tx=np.empty(new, np.int64),
        new_vout=np.empty(new, np.uint32),
        new_value=np.empty(new, np.int64),
        new_script=np.empty(new, np.uint64),
        slot=np.empty(MOST_INPUTS_OF_ONE, np.int64),
        share=np.empty(MOST_OUTPUTS_OF_ONE, np.int64),
        owed=np.empty(1024, np.int64),
    )


@compiled
def _choose_counts(pool, stream):
    """(inputs, outputs) of the next transaction."""
    if live_count(pool) < FLOOR:
        return 1, SPLIT
    inputs = input_count(stream)
    outputs = output_count(stream)
    # Who gathers many outputs pays one or two.
    return inputs, (min(outputs, 2) if inputs > 10 else outputs)


@compiled
def _take_inputs(pool, body, stream, inputs, outputs):
    """Take the outputs to spend into body.slot; return (sum, any needs a witness)."""
    # Who gathers, gathers small change.
    most = _mean(pool) >> 6 if inputs > 5 else ANY_VALUE
    total = np.int64(0)
    segwit = False
    for i in range(inputs):
        slot = take_oldest(pool) if outputs == SPLIT else take_output(pool, stream, most)
        body.slot[i] = slot
        total += pool.value[slot]
        segwit = segwit or kind_of(pool.script[slot]) not in (P2PKH, P2PK, MULTISIG)
    return total, segwit


@compiled
def _mean(pool):
    return pool.state[VALUE] // max(1, live_count(pool))


@compiled
def _by_wealth(pool, body, counters, total, outputs):
    """Who is poor leaves a payout to many to the next who is rich, so the counts keep their distribution."""
    mean = _mean(pool)
    if 4 < outputs < SPLIT and total < outputs * (mean >> 4) and counters[OWED] < len(body.owed):
        body.owed[counters[OWED]] = outputs
        counters[OWED] += 1
        return 2
    if outputs <= 2 and total > 2 * mean and counters[OWED] > 0:
        counters[OWED] -= 1
        return body.owed[counters[OWED]]
    return outputs


@compiled
def _put_inputs(pool, body, stream, salt, inputs, p):
    """Write the inputs of the taken slots; return the next position."""
    u = below(stream, 20)
    sequence = np.uint64(0xFFFFFFFD) if u < 12 else (np.uint64(0xFFFFFFFF) if u < 17 else np.uint64(0xFFFFFFFE))
    p = put_count(body.raw, p, inputs)
    for i in range(inputs):
        slot = body.slot[i]
        body.raw[p : p + 32] = pool.txid[slot]
        p = put(body.raw, p + 32, np.uint64(pool.vout[slot]), 4)
        p = put_script_sig(body.raw, p, stream, pool.script[slot], salt)
        p = put(body.raw, p, sequence, 4)
    return p


@compiled
def _put_outputs(body, stream, salt, counters, tx, new, total, outputs, own, p):
    """Write outputs that sum to `total` and list them as new; return (new outputs, next position)."""
    data_at = -1
    if outputs > 1 and below(stream, 10) == 0:
        data_at = below(stream, outputs)
    paying = outputs - 1 if data_at >= 0 else outputs
    if paying > 1 and total < 2 * DUST * paying:
        outputs, paying, data_at = 1, 1, -1
    # Half in equal parts, so that nobody soon has too little to split; half by chance. The last takes the rest.
    shares = np.int64(0)
    for k in range(paying):
        body.share[k] = 1 + (below(stream, 65536) >> below(stream, 8))
        shares += body.share[k]
    part = total // (2 * paying)
    spread = total - part * paying
    left = total
    p = put_count(body.raw, p, outputs)
    paid = 0
    for vout in range(outputs):
        if vout == data_at:
            size = 20 + below(stream, 56)
            p = put(body.raw, p, np.uint64(0), 8)
            body.raw[p], body.raw[p + 1], body.raw[p + 2] = size + 2, 0x6A, size
            p = put_random(body.raw, p + 3, stream, size)
            counters[DATA] += 1
            continue
        value = left if paid == paying - 1 else part + spread * body.share[paid] // shares
        left -= value
        paid += 1
        script = choose_script(stream, counters, own)
        p = put_script(body.raw, put(body.raw, p, np.uint64(value), 8), script, salt)
        body.new_tx[new], body.new_vout[new], body.new_value[new], body.new_script[new] = tx, vout, value, script
        new += 1
    counters[OUTPUTS] += outputs
    return new, p


@compiled
def _put_transaction(pool, body, stream, salt, counters, height, tx, new, p, s):
    """Write one transaction at p and its txid preimage at s; return (new outputs, next p, next s)."""
    raw = body.raw
    inputs, outputs = _choose_counts(pool, stream)
    total, segwit = _take_inputs(pool, body, stream, inputs, outputs)
    outputs = _by_wealth(pool, body, counters, total, outputs)
    own = pool.script[body.slot[0]]
    feerate = 1 + (distance(stream, 4096, 6) >> 5)
    fee = min(feerate * (11 + 68 * inputs + 31 * outputs), total >> 5)
    start = p
    p = put(raw, p, np.uint64(2 if below(stream, 5) else 1), 4)
    if segwit:
        raw[p], raw[p + 1] = 0, 1
        p += 2
    here = p
    p = _put_inputs(pool, body, stream, salt, inputs, p)
    new, p = _put_outputs(body, stream, salt, counters, tx, new, total - fee, outputs, own, p)
    end = p
    if segwit:
        for i in range(inputs):
            p = put_witness(raw, p, stream, pool.script[body.slot[i]], salt)
    p = put(raw, p, np.uint64(height - 1 if below(stream, 5) == 0 else 0), 4)
    for i in range(inputs):
        free_slot(pool, body.slot[i])
    counters[FEES] += fee
    counters[INPUTS] += inputs
    body.start[tx], body.size[tx], body.stripped_start[tx] = start, p - start, s
    body.stripped[s : s + 4] = raw[start : start + 4]
    s += 4
    body.stripped[s : s + end - here] = raw[here:end]
    s += end - here
    body.stripped[s : s + 4] = raw[p - 4 : p]
    s += 4
    body.stripped_size[tx] = s - body.stripped_start[tx]
    return new, p, s


@compiled
def write_body(pool, body, stream, salt, counters, height, wanted):
    """Write up to `wanted` transactions of a block.

    The pool has room for MOST_OUTPUTS more. `counters` (int64, SCRIPTS to OWED) go on counting.
    Returns (transactions, bytes); txid and wtxid of each stand in `body`.
    """
    tx, p, s = 0, 0, 0
    while tx < wanted and 3 * s + p < WEIGHT_STOP:
        first, new = tx, 0
        while (
            tx < min(first + WAVE, wanted)
            and new < WAVE_OUTPUTS
            and 3 * s + p < WEIGHT_STOP
            and pool.state[ORDER] > pool.state[DEAD]
        ):
            new, p, s = _put_transaction(pool, body, stream, salt, counters, height, tx, new, p, s)
            tx += 1
        if tx == first:
            break
        part = slice(first, tx)
        start, size = body.stripped_start[part], body.stripped_size[part]
        hash_messages(body.stripped, start, size, TWICE, body.txid[part])
        compact(pool, max(0, pool.state[ORDER] - 16384))
        if pool.state[DEAD] > pool.state[ORDER] // 8:
            compact(pool, 0)
        for i in range(new):
            add_output(pool, body.txid[body.new_tx[i]], body.new_vout[i], body.new_value[i], body.new_script[i])
    hash_messages(body.raw, body.start[:tx], body.size[:tx], TWICE, body.wtxid[:tx])
    return tx, p
