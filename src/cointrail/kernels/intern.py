"""Giving scripts their numbers: equal scripts of a batch are found in one pass, known ones by exact comparison."""

import numpy as np
from numba import njit


@njit(inline="always")
def _same_bytes(raw, a, b, length):
    for k in range(length):  # noqa: SIM110 - compiled: a generator would not be
        if raw[a + k] != raw[b + k]:
            return False
    return True


@njit(nogil=True, cache=True)
def distinct_scripts(raw, start, length, keys, distinct, previous, first, last):
    """Number the distinct scripts of a batch by first appearance.

    Args:
        raw: uint8, holds the scripts; start: int64 (o,), length: uint32 (o,).
        keys: uint64 (o,), a hash of each script; equal scripts have equal keys.
        distinct: int64 (o,), written: number of the output's script among the distinct ones.
        previous: int64 (o,), written: the output before it in this batch that pays the same script, or -1.
        first, last: int64 (o,), written for each distinct script: its first and last output in this batch.

    Returns:
        How many distinct scripts there are.
    """
    n = start.shape[0]
    capacity = 16
    while capacity < 2 * n:
        capacity *= 2
    mask = np.uint64(capacity - 1)
    table = np.full(capacity, -1, np.int32)
    found = 0
    for o in range(n):
        slot = np.int64((keys[o] ^ (keys[o] >> np.uint64(32))) & mask)
        while True:
            d = table[slot]
            if d < 0:
                table[slot] = found
                distinct[o] = found
                previous[o] = -1
                first[found] = o
                last[found] = o
                found += 1
                break
            other = first[d]
            if (
                keys[other] == keys[o]
                and length[other] == length[o]
                and _same_bytes(raw, start[other], start[o], np.int64(length[o]))
            ):
                distinct[o] = d
                previous[o] = last[d]
                last[d] = o
                break
            slot = (slot + 1) & np.int64(mask)
    return found


@njit(inline="always")
def payload_place(kind):
    """(offset, length) of the payload inside a script of this type; (0, 0) if it goes to the heap."""
    if kind == 2:  # P2PKH
        return 3, 20
    if kind == 3 or kind == 6:  # P2SH, P2WPKH
        return 2, 20
    if kind == 7 or kind == 8:  # P2WSH, P2TR
        return 2, 32
    return 0, 0


@njit(nogil=True, cache=True)
def match_scripts(
    raw, start, length, kinds, wanted_keys, wanted, at, run_keys, run_ids, run_end, types, payloads, heap, script_ids
):
    """Find known scripts in one sorted run, comparing whole scripts.

    Args:
        raw, start, length, kinds: the batch's distinct scripts, by number.
        wanted_keys: uint64 (w,), ascending, and wanted: int64 (w,), the script number each belongs to.
        at: int64 (w,), where each key would stand in the run (`searchsorted`, left).
        run_keys: uint64 (r,), run_ids: uint32 (r,), ids at or beyond run_end are withdrawn.
        types: uint8 (s,), payloads: uint8 (s, 32), heap: uint8 (h,): the script table.
        script_ids: int64, by script number; written where it was -1 and the script is known.
    """
    entries = run_keys.shape[0]
    for k in range(wanted_keys.shape[0]):
        number = wanted[k]
        if script_ids[number] >= 0:
            continue
        position = at[k]
        while position < entries and run_keys[position] == wanted_keys[k]:
            row = np.int64(run_ids[position])
            position += 1
            if row >= run_end or types[row] != kinds[number]:
                continue
            offset, size = payload_place(kinds[number])
            same = True
            if size:
                for j in range(size):
                    if payloads[row, j] != raw[start[number] + offset + j]:
                        same = False
                        break
            else:
                heap_start = np.int64(0)
                for j in range(8):
                    heap_start |= np.int64(payloads[row, j]) << (8 * j)
                heap_length = np.int64(0)
                for j in range(4):
                    heap_length |= np.int64(payloads[row, 8 + j]) << (8 * j)
                same = heap_length == np.int64(length[number])
                if same:
                    for j in range(heap_length):
                        if heap[heap_start + j] != raw[start[number] + j]:
                            same = False
                            break
            if same:
                script_ids[number] = row
                break


@njit(nogil=True, cache=True)
def new_script_rows(raw, start, length, kinds, digests, numbers, base_heap, payloads, heap):
    """Rows of scripts that are new.

    Args:
        raw, start, length, kinds, digests: the distinct scripts, digests uint8 (d, 32) their SHA-256.
        numbers: int64 (n,), which of them are new, in order of first appearance.
        base_heap: script_byte rows so far.
        payloads: uint8 (n, 32), written; heap: uint8, written, large enough for all long scripts.

    Returns:
        Bytes written to the heap.
    """
    used = np.int64(0)
    for k in range(numbers.shape[0]):
        number = numbers[k]
        offset, size = payload_place(kinds[number])
        if size:
            for j in range(size):
                payloads[k, j] = raw[start[number] + offset + j]
            for j in range(size, 32):
                payloads[k, j] = 0
            continue
        place = base_heap + used
        long = np.int64(length[number])
        for j in range(8):
            payloads[k, j] = np.uint8((place >> (8 * j)) & 255)
        for j in range(4):
            payloads[k, 8 + j] = np.uint8((long >> (8 * j)) & 255)
        for j in range(20):
            payloads[k, 12 + j] = digests[number, j]
        for j in range(long):
            heap[used + j] = raw[start[number] + j]
        used += long
    return used
