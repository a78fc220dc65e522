"""Block bytes to columns, in one pass.

The rules are those of `cointrail.bitcoin`, which is the plain reference: transaction encoding (BIP144), script
classification (`bitcoin.script`) and input fingerprints (`bitcoin.fingerprint`). A test holds the two equal. The kernel
only says *that* a block is malformed and where; the reference then names the reason.
"""

import numpy as np
from numba import njit

# Every input takes at least 41 bytes, every output 9, every transaction 60: the bounds of the column lengths.
SMALLEST_INPUT = 41
SMALLEST_OUTPUT = 9
SMALLEST_TRANSACTION = 60

HAS_WITNESS = 1

_WITNESS, _NESTED, _ANYONECANPAY, _LOW_R, _HIGH_R, _COMPRESSED, _UNCOMPRESSED = 1, 2, 4, 8, 16, 32, 64
_KEY_PATH, _SCRIPT_PATH, _OTHER_SIGHASH, _MULTI_SIGNATURE, _SCHNORR, _TWO_OF_TWO = 128, 256, 512, 1024, 2048, 4096

_NONSTANDARD, _P2PK, _P2PKH, _P2SH, _MULTISIG, _OP_RETURN = 0, 1, 2, 3, 4, 5
_P2WPKH, _P2WSH, _P2TR, _ANCHOR, _WITNESS_UNKNOWN, _EMPTY = 6, 7, 8, 9, 10, 11


@njit(inline="always")
def _u32(raw, p):
    q = np.uint64(p)
    return (
        np.uint32(raw[q])
        | (np.uint32(raw[q + np.uint64(1)]) << np.uint32(8))
        | (np.uint32(raw[q + np.uint64(2)]) << np.uint32(16))
        | (np.uint32(raw[q + np.uint64(3)]) << np.uint32(24))
    )


@njit(inline="always")
def _u64(raw, p):
    return np.uint64(_u32(raw, p)) | (np.uint64(_u32(raw, p + 4)) << np.uint64(32))


@njit(nogil=True, cache=True)
def read_compact_size(raw, p, end):
    """Return (value, next position); the position is -1 if the number is cut short or not minimal."""
    if p >= end:
        return 0, -1
    first = np.int64(raw[p])
    if first < 253:
        return first, p + 1
    if first == 253:
        if p + 3 > end:
            return 0, -1
        value = np.int64(raw[p + 1]) | (np.int64(raw[p + 2]) << 8)
        return (value, p + 3) if value >= 253 else (0, -1)
    if first == 254:
        if p + 5 > end:
            return 0, -1
        value = np.int64(_u32(raw, p + 1))
        # 0x02000000 is Core's MAX_SIZE: nothing larger can be serialised.
        return (value, p + 5) if 0x10000 <= value <= 0x02000000 else (0, -1)
    return 0, -1


@njit(nogil=True, cache=True)
def classify(raw, start, length):
    """Script type code of the `length` bytes at `start`; the codes are `bitcoin.script.ScriptType`."""
    if length == 0:
        return _EMPTY
    op = raw[start]
    if op == 0x6A:
        return _OP_RETURN
    if (
        length == 25
        and op == 0x76
        and raw[start + 1] == 0xA9
        and raw[start + 2] == 20
        and raw[start + 23] == 0x88
        and raw[start + 24] == 0xAC
    ):
        return _P2PKH
    if length == 23 and op == 0xA9 and raw[start + 1] == 20 and raw[start + 22] == 0x87:
        return _P2SH
    if 4 <= length <= 42 and (op == 0 or 0x51 <= op <= 0x60) and raw[start + 1] == length - 2:
        program = length - 2
        if op == 0:
            return _P2WPKH if program == 20 else (_P2WSH if program == 32 else _NONSTANDARD)
        if op == 0x51 and program == 32:
            return _P2TR
        if op == 0x51 and program == 2 and raw[start + 2] == 0x4E and raw[start + 3] == 0x73:
            return _ANCHOR
        return _WITNESS_UNKNOWN
    if (
        (length == 35 or length == 67)
        and op == length - 2
        and raw[start + length - 1] == 0xAC
        and _valid_key(raw, start + 1, length - 2)
    ):
        return _P2PK
    if raw[start + length - 1] == 0xAE and _is_multisig(raw, start, length):
        return _MULTISIG
    return _NONSTANDARD


@njit(inline="always")
def _valid_key(raw, start, length):
    prefix = raw[start]
    return (length == 33 and (prefix == 2 or prefix == 3)) or (
        length == 65 and (prefix == 4 or prefix == 6 or prefix == 7)
    )


@njit(nogil=True, cache=True)
def _small_number(raw, p, end):
    """A key count 1..20 as Core's solver reads it: OP_1..OP_16, or a one-byte push of 17..20. (0, p) if it is none."""
    if p < end and 0x51 <= raw[p] <= 0x60:
        return np.int64(raw[p]) - 0x50, p + 1
    if p + 1 < end and raw[p] == 1 and 17 <= raw[p + 1] <= 20:
        return np.int64(raw[p + 1]), p + 2
    return np.int64(0), p


@njit(nogil=True, cache=True)
def _read_push(raw, p, end):
    """(first byte of the data, its length, next position) of the push at p; the next position is -1 if it is none."""
    if p >= end or raw[p] > 0x4E:
        return p, 0, -1
    op = np.int64(raw[p])
    p += 1
    size = op
    if op == 0x4C:
        if p + 1 > end:
            return p, 0, -1
        size = np.int64(raw[p])
        p += 1
    elif op == 0x4D:
        if p + 2 > end:
            return p, 0, -1
        size = np.int64(raw[p]) | (np.int64(raw[p + 1]) << 8)
        p += 2
    elif op == 0x4E:
        if p + 4 > end:
            return p, 0, -1
        size = np.int64(_u32(raw, p))
        p += 4
    if size > end - p:
        return p, 0, -1
    return p, size, p + size


@njit(nogil=True, cache=True)
def _is_multisig(raw, start, length):
    end = start + length
    required, p = _small_number(raw, start, end)
    if required == 0:
        return False
    keys = 0
    while True:
        data, size, following = _read_push(raw, p, end)
        if following < 0 or size < 33 or not _valid_key(raw, data, size):
            break
        keys += 1
        p = following
    total, p = _small_number(raw, p, end)
    return total > 0 and p + 1 == end and raw[p] == 0xAE and total == keys and required <= total


@njit(nogil=True, cache=True)
def _item_flags(raw, start, length):
    """(flags, 1 if it is an ECDSA signature) of one pushed item or witness item."""
    if 9 <= length <= 73 and raw[start] == 0x30 and raw[start + 1] == length - 3 and raw[start + 2] == 2:
        r = np.int64(raw[start + 3])
        if 5 + r < length:
            flags = 0
            if r > 32:
                flags |= _HIGH_R
            hash_type = raw[start + length - 1]
            if hash_type & 0x80:
                flags |= _ANYONECANPAY
            if hash_type != 1:
                flags |= _OTHER_SIGHASH
            return flags, 1
    if length == 33 and (raw[start] == 2 or raw[start] == 3):
        return _COMPRESSED, 0
    if length == 65 and (raw[start] == 4 or raw[start] == 6 or raw[start] == 7):
        return _UNCOMPRESSED, 0
    return 0, 0


@njit(nogil=True, cache=True)
def script_sig_flags(raw, start, length):
    """(flags, ECDSA signatures) of the pushes of a scriptSig; stops at what is not a push."""
    flags = 0
    signatures = 0
    p = start
    end = start + length
    while p < end:
        if 0x4F <= raw[p] <= 0x60:  # a small number: a push without data
            p += 1
            continue
        data, size, p = _read_push(raw, p, end)
        if p < 0:
            break
        if size:
            found, count = _item_flags(raw, data, size)
            flags |= found
            signatures += count
    return flags, signatures


@njit(inline="always")
def _schnorr_flags(raw, start, length):
    if length == 65:
        hash_type = raw[start + 64]
        flags = _SCHNORR
        if hash_type & 0x80:
            flags |= _ANYONECANPAY
        if hash_type > 1:
            flags |= _OTHER_SIGHASH
        return flags
    return _SCHNORR


@njit(inline="always")
def _is_two_of_two(raw, start, length):
    return (
        length == 71
        and raw[start] == 0x52
        and raw[start + 1] == 0x21
        and raw[start + 35] == 0x21
        and raw[start + 69] == 0x52
        and raw[start + 70] == 0xAE
    )


@njit(nogil=True, cache=True)
def _witness_flags(raw, item_start, item_length, items, nested):
    """(flags, ECDSA signatures, Schnorr signatures) of a witness stack."""
    flags = 0
    ecdsa = 0
    schnorr = 0
    looked_at = items
    if not nested:
        if _is_two_of_two(raw, item_start[items - 1], item_length[items - 1]):
            flags |= _TWO_OF_TWO
        left = items
        if left >= 2 and item_length[left - 1] > 0 and raw[item_start[left - 1]] == 0x50:
            left -= 1  # the annex of BIP341
        if left == 1 and (item_length[0] == 64 or item_length[0] == 65):
            return _KEY_PATH | _schnorr_flags(raw, item_start[0], item_length[0]), 0, 1
        last = item_length[left - 1]
        if (
            left >= 2
            and 33 <= last <= 33 + 32 * 128
            and (last - 33) % 32 == 0
            and (raw[item_start[left - 1]] & 0xFE) >= 0xC0
        ):
            flags |= _SCRIPT_PATH
            looked_at = left - 2
    for i in range(looked_at):
        if flags & _SCRIPT_PATH and (item_length[i] == 64 or item_length[i] == 65):
            flags |= _schnorr_flags(raw, item_start[i], item_length[i])
            schnorr += 1
        else:
            found, count = _item_flags(raw, item_start[i], item_length[i])
            flags |= found
            ecdsa += count
    return flags, ecdsa, schnorr


@njit(inline="always")
def _signature_flags(flags, ecdsa, schnorr):
    """Add what only the whole input tells: every R is low, more than one signature."""
    if ecdsa > 0 and not (flags & _HIGH_R):
        flags |= _LOW_R
    if ecdsa + schnorr > 1:
        flags |= _MULTI_SIGNATURE
    return flags


@njit(nogil=True, cache=True)
def parse_blocks(
    raw,
    block_start,
    block_end,
    block_first_tx,
    tx_start,
    tx_size,
    tx_base_size,
    tx_version,
    tx_lock_time,
    tx_flags,
    tx_first_input,
    tx_first_output,
    tx_stripped,
    input_outpoint,
    input_sequence,
    input_flags,
    output_value,
    output_script,
    output_length,
    output_type,
    stripped,
):
    """Parse whole blocks.

    Args:
        raw: uint8 (B,), the blocks, one after another or apart.
        block_start, block_end: int64 (b,), extent of each block in `raw`.
        block_first_tx: int64 (b + 1,), written: position of each block's first transaction.
        tx_start: int64, first byte in `raw`; tx_size, tx_base_size: uint32, with and without witness;
            tx_version: int32; tx_lock_time: uint32; tx_flags: uint8 (HAS_WITNESS);
            tx_first_input, tx_first_output: int64, one longer than the rest;
            tx_stripped: int64, where in `stripped` a segwit transaction's txid preimage begins, -1 for a legacy one.
        input_outpoint: int64, where in `raw` the 36 bytes of the outpoint lie; input_sequence: uint32;
            input_flags: uint16 (`bitcoin.fingerprint.InputFlag`).
        output_value: int64 (a value past 2**63 turns negative); output_script: int64, output_length: uint32, where
            the scriptPubKey lies; output_type: uint8.
        stripped: uint8 (B,), written: segwit transactions without marker, flag and witness.

    Returns:
        (transactions, inputs, outputs, stripped bytes, bad block or -1, position of the fault).
    """
    t = 0
    i = 0
    o = 0
    s = 0
    stack = 256
    item_start = np.empty(stack, np.int64)
    item_length = np.empty(stack, np.int64)
    for b in range(block_start.shape[0]):
        end = block_end[b]
        block_first_tx[b] = t
        p = block_start[b] + 80
        if p > end:
            return t, i, o, s, b, block_start[b]
        count, p = read_compact_size(raw, p, end)
        if p < 0 or count == 0 or count > (end - p) // SMALLEST_TRANSACTION:
            return t, i, o, s, b, block_start[b] + 80
        for _ in range(count):
            start = p
            if p + 10 > end:
                return t, i, o, s, b, start
            tx_start[t] = start
            tx_version[t] = np.int32(_u32(raw, p))
            tx_first_input[t] = i
            tx_first_output[t] = o
            p += 4
            segwit = raw[p] == 0
            if segwit:
                if raw[p + 1] != 1:
                    return t, i, o, s, b, p
                p += 2
            body = p
            inputs, p = read_compact_size(raw, p, end)
            if p < 0 or inputs == 0 or inputs > (end - p) // SMALLEST_INPUT:
                return t, i, o, s, b, body
            first_input = i
            for _ in range(inputs):
                here = p
                length, q = read_compact_size(raw, p + 36, end)
                if q < 0 or length > end - q - 4:
                    return t, i, o, s, b, here
                flags, ecdsa = script_sig_flags(raw, q, length)
                input_outpoint[i] = here
                input_flags[i] = np.uint16(_signature_flags(flags, ecdsa, 0))
                p = q + length
                input_sequence[i] = _u32(raw, p)
                p += 4
                i += 1
            here = p
            outputs, p = read_compact_size(raw, p, end)
            if p < 0 or outputs == 0 or outputs > (end - p) // SMALLEST_OUTPUT:
                return t, i, o, s, b, here
            for _ in range(outputs):
                here = p
                if p + 9 > end:
                    return t, i, o, s, b, here
                output_value[o] = np.int64(_u64(raw, p))
                length, q = read_compact_size(raw, p + 8, end)
                if q < 0 or length > end - q:
                    return t, i, o, s, b, here
                output_script[o] = q
                output_length[o] = np.uint32(length)
                output_type[o] = np.uint8(classify(raw, q, length))
                p = q + length
                o += 1
            body_end = p
            if segwit:
                any_witness = False
                for k in range(inputs):
                    here = p
                    items, p = read_compact_size(raw, p, end)
                    if p < 0 or items > end - p:
                        return t, i, o, s, b, here
                    if items == 0:
                        continue
                    any_witness = True
                    if items > stack:
                        stack = items
                        item_start = np.empty(stack, np.int64)
                        item_length = np.empty(stack, np.int64)
                    for w in range(items):
                        length, q = read_compact_size(raw, p, end)
                        if q < 0 or length > end - q:
                            return t, i, o, s, b, here
                        item_start[w] = q
                        item_length[w] = length
                        p = q + length
                    # The scriptSig's length byte is 0 exactly when it is empty.
                    nested = raw[input_outpoint[first_input + k] + 36] != 0
                    flags, ecdsa, schnorr = _witness_flags(raw, item_start, item_length, items, nested)
                    flags |= _WITNESS
                    if nested:
                        length, q = read_compact_size(raw, input_outpoint[first_input + k] + 36, end)
                        more, count = script_sig_flags(raw, q, length)
                        flags |= _NESTED | more
                        ecdsa += count
                    input_flags[first_input + k] = np.uint16(_signature_flags(flags, ecdsa, schnorr))
                if not any_witness or p + 4 > end:
                    return t, i, o, s, b, start
            if p + 4 > end:
                return t, i, o, s, b, p
            tx_lock_time[t] = _u32(raw, p)
            p += 4
            tx_size[t] = np.uint32(p - start)
            if segwit:
                tx_flags[t] = HAS_WITNESS
                tx_stripped[t] = s
                stripped[s : s + 4] = raw[start : start + 4]
                s += 4
                stripped[s : s + body_end - body] = raw[body:body_end]
                s += body_end - body
                stripped[s : s + 4] = raw[p - 4 : p]
                s += 4
                tx_base_size[t] = np.uint32(8 + body_end - body)
            else:
                tx_flags[t] = 0
                tx_stripped[t] = -1
                tx_base_size[t] = tx_size[t]
            t += 1
        if p != end:
            return t, i, o, s, b, p
        tx_first_input[t] = i
        tx_first_output[t] = o
    block_first_tx[block_start.shape[0]] = t
    return t, i, o, s, -1, 0
