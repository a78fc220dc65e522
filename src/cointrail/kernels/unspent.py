"""The unspent outputs as an open-addressing table, in shards.

A shard is one uint64 array of slots, two words each: key, and output_index * 2 + coinbase bit. A key of 0 marks an
empty slot. The key is a keyed 64-bit hash of the outpoint; its top bits choose the shard, the rest the home slot.
Removal shifts the following entries back, so there are no tombstones. Two live outpoints with one key are reported at
insertion and never confused (the caller compares full outpoints).
"""

import numpy as np
from numba import njit

SHARD_BITS = 6
SHARDS = 1 << SHARD_BITS

MISSING = -1


@njit(inline="always")
def _word(raw, p):
    value = np.uint64(0)
    for i in range(8):
        value |= np.uint64(raw[np.uint64(p) + np.uint64(i)]) << np.uint64(8 * i)
    return value


@njit(inline="always")
def _mix(value):
    value ^= value >> np.uint64(32)
    value *= np.uint64(0xD6E8FEB86659FD93)
    value ^= value >> np.uint64(32)
    value *= np.uint64(0xD6E8FEB86659FD93)
    return value ^ (value >> np.uint64(32))


@njit(inline="always")
def outpoint_key(raw, p, vout, salt):
    """Keyed hash of (txid at raw[p : p + 32], vout); never 0. The salt is secret, so nobody can aim for a clash."""
    key = _mix((_word(raw, p) ^ salt[0]) + _mix((_word(raw, p + 8) ^ salt[1]) + np.uint64(vout) * salt[2]))
    return key if key else np.uint64(1)


@njit(inline="always")
def _home(key, capacity):
    return np.int64(((key & np.uint64(0xFFFFFFFF)) * np.uint64(capacity)) >> np.uint64(32))


@njit(nogil=True, cache=True)
def batch_events(
    raw,
    txids,
    tx_first_input,
    tx_first_output,
    input_outpoint,
    output_spendable,
    coinbase,
    base_output,
    salt,
    keys,
    refs,
):
    """The table operations of a batch in chain order, grouped by shard.

    Args:
        raw: uint8, block bytes; input_outpoint: int64 (i,), where outpoints lie in it.
        txids: uint8 (t, 32); tx_first_input, tx_first_output: int64 (t + 1,); coinbase: bool (t,).
        output_spendable: bool (o,); outputs that can never be spent are not entered.
        base_output: output_index of the batch's first output.
        salt: uint64 (3,).
        keys: uint64 (i + o,), refs: int64 (i + o,), written. A ref >= 0 enters output_index * 2 + coinbase bit; a ref
            < 0 spends by input -ref - 1 of the batch.

    Returns:
        int64 (SHARDS + 1,): where each shard's events begin.
    """
    most = keys.shape[0]
    plain_keys = np.empty(most, np.uint64)
    plain_refs = np.empty(most, np.int64)
    n = 0
    for t in range(txids.shape[0]):
        if not coinbase[t]:
            for i in range(tx_first_input[t], tx_first_input[t + 1]):
                p = input_outpoint[i]
                q = np.uint64(p + 32)
                vout = np.uint64(raw[q]) | (np.uint64(raw[q + np.uint64(1)]) << np.uint64(8))
                vout |= (np.uint64(raw[q + np.uint64(2)]) << np.uint64(16)) | (
                    np.uint64(raw[q + np.uint64(3)]) << np.uint64(24)
                )
                plain_keys[n] = outpoint_key(raw, p, vout, salt)
                plain_refs[n] = -i - 1
                n += 1
        txid = txids[t]
        first = tx_first_output[t]
        for o in range(first, tx_first_output[t + 1]):
            if output_spendable[o]:
                plain_keys[n] = outpoint_key(txid, 0, o - first, salt)
                plain_refs[n] = (base_output + o) * 2 + (1 if coinbase[t] else 0)
                n += 1
    return _group(plain_keys, plain_refs, n, keys, refs)


@njit(nogil=True, cache=True)
def live_events(txids, vouts, outputs, coinbase, salt, keys, refs):
    """Entries of outputs that are known to be unspent, grouped by shard; shapes (n, 32), (n,), (n,), (n,)."""
    n = txids.shape[0]
    plain_keys = np.empty(n, np.uint64)
    plain_refs = np.empty(n, np.int64)
    for k in range(n):
        plain_keys[k] = outpoint_key(txids[k], 0, vouts[k], salt)
        plain_refs[k] = outputs[k] * 2 + (1 if coinbase[k] else 0)
    return _group(plain_keys, plain_refs, n, keys, refs)


@njit(nogil=True, cache=True)
def _group(plain_keys, plain_refs, n, keys, refs):
    """Stable counting sort by shard."""
    first = np.zeros(SHARDS + 1, np.int64)
    for k in range(n):
        first[np.int64(plain_keys[k] >> np.uint64(64 - SHARD_BITS)) + 1] += 1
    for shard in range(SHARDS):
        first[shard + 1] += first[shard]
    at = first[:SHARDS].copy()
    for k in range(n):
        group = np.int64(plain_keys[k] >> np.uint64(64 - SHARD_BITS))
        keys[at[group]] = plain_keys[k]
        refs[at[group]] = plain_refs[k]
        at[group] += 1
    return first


@njit(nogil=True, cache=True)
def apply_events(slots, keys, refs, begin, end, used, spent):
    """Enter and spend, in order, the events begin .. end - 1 of one shard.

    Args:
        slots: uint64 (2 * capacity,); must have room for all entries.
        keys, refs: the events.
        used: live entries before.
        spent: int64 (i,), written for each spending input: output_index * 2 + coinbase bit, or MISSING.

    Returns:
        (live entries, next event, clashing entry): the next event is `end`, or that of an outpoint whose key is
        already there, whose entry is then left as it is.
    """
    capacity = slots.shape[0] // 2
    for k in range(begin, end):
        key = keys[k]
        slot = _home(key, capacity)
        if refs[k] >= 0:
            while slots[2 * slot] != 0 and slots[2 * slot] != key:
                slot = slot + 1 if slot + 1 < capacity else 0
            if slots[2 * slot] == key:
                return used, k, np.int64(slots[2 * slot + 1])
            slots[2 * slot] = key
            slots[2 * slot + 1] = np.uint64(refs[k])
            used += 1
            continue
        while slots[2 * slot] != 0 and slots[2 * slot] != key:
            slot = slot + 1 if slot + 1 < capacity else 0
        if slots[2 * slot] == 0:
            spent[-refs[k] - 1] = MISSING
            continue
        spent[-refs[k] - 1] = np.int64(slots[2 * slot + 1])
        used -= 1
        hole = slot
        slot = slot + 1 if slot + 1 < capacity else 0
        while slots[2 * slot] != 0:
            home = _home(slots[2 * slot], capacity)
            # Move the entry into the hole unless its home lies cyclically behind the hole.
            distance_home = slot - home if slot >= home else slot - home + capacity
            distance_hole = slot - hole if slot >= hole else slot - hole + capacity
            if distance_home >= distance_hole:
                slots[2 * hole] = slots[2 * slot]
                slots[2 * hole + 1] = slots[2 * slot + 1]
                hole = slot
            slot = slot + 1 if slot + 1 < capacity else 0
        slots[2 * hole] = 0
    return used, end, np.int64(0)


@njit(nogil=True, cache=True)
def replace_entry(slots, key, entry):
    """Give the entry of a key that is there another value."""
    capacity = slots.shape[0] // 2
    slot = _home(key, capacity)
    while slots[2 * slot] != key:
        slot = slot + 1 if slot + 1 < capacity else 0
    slots[2 * slot + 1] = np.uint64(entry)


@njit(nogil=True, cache=True)
def move_entries(old, new):
    """Enter everything of one slot array into a larger one."""
    capacity = new.shape[0] // 2
    for at in range(old.shape[0] // 2):
        key = old[2 * at]
        if key != 0:
            slot = _home(key, capacity)
            while new[2 * slot] != 0:
                slot = slot + 1 if slot + 1 < capacity else 0
            new[2 * slot] = key
            new[2 * slot + 1] = old[2 * at + 1]
