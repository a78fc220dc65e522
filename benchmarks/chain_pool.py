"""The pool of unspent outputs of the synthetic chain, in order of age (compiled)."""
# Compiled functions: array arguments are described in words.
# ruff: noqa: ANN001, ANN201, ANN202

from typing import NamedTuple

import numpy as np

from chain_draw import BY_AGE, compiled, distance

GONE = np.uint32(0xFFFFFFFF)
# Cells of Pool.state: length of `order`, how many of it are GONE, free slots, sum of values.
ORDER, DEAD, FREE, VALUE = 0, 1, 2, 3


class Pool(NamedTuple):
    """Unspent outputs by age: `order` lists slots, oldest first, GONE where spent; `free` is a stack of slots."""

    txid: np.ndarray
    vout: np.ndarray
    value: np.ndarray
    script: np.ndarray
    order: np.ndarray
    free: np.ndarray
    state: np.ndarray


@compiled
def live_count(pool):
    return pool.state[ORDER] - pool.state[DEAD]


@compiled
def add_output(pool, txid, vout, value, script):
    """Append an unspent output to the pool; there is a free slot."""
    pool.state[FREE] -= 1
    slot = pool.free[pool.state[FREE]]
    pool.txid[slot] = txid
    pool.vout[slot] = vout
    pool.value[slot] = value
    pool.script[slot] = script
    pool.order[pool.state[ORDER]] = slot
    pool.state[ORDER] += 1
    pool.state[VALUE] += value


@compiled
def _remove(pool, at):
    """Spend what stands at this place of the order; its slot stays readable until it is freed."""
    slot = pool.order[at]
    pool.order[at] = GONE
    pool.state[DEAD] += 1
    pool.state[VALUE] -= pool.value[slot]
    return slot


@compiled
def free_slot(pool, slot):
    pool.free[pool.state[FREE]] = slot
    pool.state[FREE] += 1


@compiled
def take_oldest(pool):
    """Remove the oldest unspent output."""
    at = 0
    while pool.order[at] == GONE:
        at += 1
    return _remove(pool, at)


@compiled
def take_output(pool, stream, most):
    """Remove an unspent output of heavy-tailed age, if five draws find it, of at most this value."""
    n = pool.state[ORDER]
    at = 0
    for _ in range(5):
        at = n - 1 - distance(stream, n, BY_AGE)
        while at >= 0 and pool.order[at] == GONE:
            at -= 1
        if at < 0:
            at = n - 1
            while pool.order[at] == GONE:
                at -= 1
        if pool.value[pool.order[at]] <= most:
            break
    return _remove(pool, at)


@compiled
def compact(pool, first):
    kept = first
    for at in range(first, pool.state[ORDER]):
        if pool.order[at] != GONE:
            pool.order[kept] = pool.order[at]
            kept += 1
    pool.state[DEAD] -= pool.state[ORDER] - kept
    pool.state[ORDER] = kept
