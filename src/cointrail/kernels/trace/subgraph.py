"""What lies between seeds and targets: a reverse sweep over the parts of a poison flow, and the arcs of its network.

A node is a step, a transaction that the flow passed; an arc is a part, from the step that made it to the step that
spends it. Steps stand in chain order (a coinbase with fees propagated behind its block), so one sweep backward finds
every ancestor of a target. Method: METHODS.md 5; O(steps + parts + inputs of the nodes), times a logarithm.
"""

import numpy as np
from numba import njit

from cointrail.kernels.trace.stops import FEE, GOES_ON, SEED, UNCLAIMED, UNSPENT, place_of
from cointrail.kernels.trace.walk import block_end, fee_sat, height_of, inputs_of, key_of, subsidy_sat

NEVER = np.iinfo(np.int64).max


@njit(nogil=True, cache=True)
def keys_of(chain, txs):
    """Place of each transaction in the order of work, int64, same shape."""
    keys = np.empty(txs.shape[0], np.int64)
    for k in range(txs.shape[0]):
        keys[k] = key_of(chain, np.int64(txs[k]), True)
    return keys


@njit(nogil=True, cache=True)
def _spender_key(chain, output):
    """Place in the order of work of what spends an output or takes a fee, NEVER if nothing does."""
    if output >= 0:
        i = chain.spender[output]
        if not (0 <= i < chain.inputs and chain.spent[i] == output):
            return NEVER
        return key_of(chain, np.int64(np.searchsorted(chain.first_input, i, side="right") - 1), True)
    payer = (-2 - output) // 2
    return key_of(chain, np.int64(chain.first_transaction[height_of(chain, payer)]), True)


@njit(nogil=True, cache=True)
def spends(chain, keys, output, reason, next_step):
    """Where the parts of a poison flow go, also those that a limit ended.

    Args:
        chain: see `state.Chain`.
        keys: int64 (steps,), `keys_of` the transactions passed.
        output, reason, next_step: (p,), columns of the flow.

    Returns:
        (int64 (p,) the step that spends each part, -1 if none that was passed;
        int64 (p,) place in the order of work of a transaction that spends it and was not passed, else NEVER).
    """
    count = output.shape[0]
    step, unseen = next_step.copy(), np.full(count, NEVER, np.int64)
    for p in range(count):
        why = reason[p]
        if why in (GOES_ON, SEED, UNSPENT, FEE, UNCLAIMED):
            continue
        key = _spender_key(chain, output[p])
        if key == NEVER:
            continue
        at = np.searchsorted(keys, key)
        if at < keys.shape[0] and keys[at] == key:
            step[p] = at
        else:
            unseen[p] = key
    return step, unseen


@njit(nogil=True, cache=True)
def ancestors(first_part, step, is_target):
    """Which steps lead to a target, bool (steps,).

    Args:
        first_part: int64 (steps + 1,), the parts each step made.
        step: int64 (p,), the step that spends each part, -1 if none.
        is_target: bool (p,), a part that arrives at a target, and ends there.
    """
    count = first_part.shape[0] - 1
    wanted = np.zeros(count, np.bool_)
    for s in range(count - 1, -1, -1):
        for p in range(first_part[s], first_part[s + 1]):
            if is_target[p] or (step[p] >= 0 and wanted[step[p]]):
                wanted[s] = True
                break
    return wanted


@njit(nogil=True, cache=True)
def _came_from(chain, keys, targets, seeds, output, known_until, propagate):
    """Whether an input comes from a part of the flow (0), from outside and surely clean (1), or may be either (2)."""
    if place_of(targets, output) >= 0:
        return 1  # what leaves a target again is clean
    if place_of(seeds, output) >= 0:
        return 0
    maker = np.int64(np.searchsorted(chain.first_output, output, side="right") - 1)
    if not propagate and chain.spent[chain.first_input[maker]] < 0:
        return 1
    return _made_by(keys, key_of(chain, maker, True), known_until)


@njit(nogil=True, cache=True)
def _made_by(keys, key, known_until):
    at = np.searchsorted(keys, key)
    if at < keys.shape[0] and keys[at] == key:
        return 0
    return 1 if key < known_until else 2


@njit(nogil=True, cache=True)
def outside(chain, keys, txs, wanted, targets, seeds, known_until, propagate):
    """What flows into the nodes from elsewhere.

    Args:
        chain: see `state.Chain`.
        keys, txs: int64 (steps,), of the flow.
        wanted: bool (steps,), the nodes.
        targets, seeds: int64, output_index, ascending.
        known_until: what is made before this place in the order of work, and is no part, descends from no seed.
        propagate: bool, fees go into the coinbase.

    Returns:
        (int64 (steps,) satoshis that are surely clean; int64 (steps,) that may be either; outputs that may be either).
    """
    count = txs.shape[0]
    clean, either, unsure = np.zeros(count, np.int64), np.zeros(count, np.int64), np.int64(0)
    for s in range(count):
        if not wanted[s]:
            continue
        tx = np.int64(txs[s])
        first, end = inputs_of(chain, tx)
        if chain.spent[first] < 0:
            height = height_of(chain, tx)
            clean[s] += subsidy_sat(chain, height)
            for payer in range(tx + 1, block_end(chain, height)):
                kind = _made_by(keys, key_of(chain, np.int64(payer), True), known_until)
                if kind:
                    fee = fee_sat(chain, np.int64(payer))
                    if kind == 1:
                        clean[s] += fee
                    elif fee:
                        either[s] += fee
                        unsure += 1
            continue
        for i in range(first, end):
            output = chain.spent[i]
            kind = _came_from(chain, keys, targets, seeds, output, known_until, propagate)
            if kind == 1:
                clean[s] += chain.value[output]
            elif kind == 2 and chain.value[output]:
                either[s] += chain.value[output]
                unsure += 1
    return clean, either, unsure


@njit(nogil=True, cache=True)
def origins(chain, keys, targets, known_until, propagate):
    """Of targets that no step made and that are no seeds: int64 (n,), 0 a step did, 1 surely clean, 2 either."""
    none = np.empty(0, np.int64)
    kinds = np.empty(targets.shape[0], np.int64)
    for k in range(targets.shape[0]):
        kinds[k] = _came_from(chain, keys, none, none, targets[k], known_until, propagate)
    return kinds


@njit(nogil=True, cache=True)
def arcs(output, sat, first_part, step, is_target, seeds_apart, wanted, number, clean, either, source, spring, sink):
    """The arcs of the network.

    Args:
        output, sat, first_part: columns of the flow.
        step, is_target, wanted: see `ancestors`.
        seeds_apart: bool (seeds,), seeds that are targets, and flow nowhere.
        number: int32 (steps,), of each node.
        clean, either: see `outside`.
        source, spring, sink: numbers of the nodes of the seeds, of other money, of the targets.

    Returns:
        (int32 tails, int32 heads, int64 capacities).
    """
    most = output.shape[0] + 2 * wanted.shape[0]
    tails, heads = np.empty(most, np.int32), np.empty(most, np.int32)
    capacities = np.empty(most, np.int64)
    count = 0
    for p in range(first_part[0]):
        if sat[p] and not seeds_apart[p] and step[p] >= 0 and wanted[step[p]]:
            tails[count], heads[count], capacities[count] = source, number[step[p]], sat[p]
            count += 1
    for s in range(wanted.shape[0]):
        if not wanted[s]:
            continue
        for p in range(first_part[s], first_part[s + 1]):
            if sat[p] and (is_target[p] or (step[p] >= 0 and wanted[step[p]])):
                tails[count], capacities[count] = number[s], sat[p]
                heads[count] = sink if is_target[p] else number[step[p]]
                count += 1
        if either[s]:
            tails[count], heads[count], capacities[count] = source, number[s], either[s]
            count += 1
        if clean[s] + either[s]:
            tails[count], heads[count], capacities[count] = spring, number[s], clean[s] + either[s]
            count += 1
    return tails[:count].copy(), heads[:count].copy(), capacities[:count].copy()
