"""Spelling hashes of many scripts at once, and what the inputs of a batch reveal.

The rules are those of `bitcoin.spelling`, the plain reference; a test holds the two equal. HASH160 of a witness program
is one block of SHA-256 and one of RIPEMD-160, in sixteen lanes without a detour through memory.
"""

import numpy as np
from numba import njit

from cointrail.kernels import ripemd160, sha256
from cointrail.kernels.parse import HAS_WITNESS, _read_push, _valid_key, read_compact_size
from cointrail.kernels.ripemd160 import compress as ripemd160_compress
from cointrail.kernels.ripemd160 import reset as ripemd160_reset
from cointrail.kernels.ripemd160 import store
from cointrail.kernels.sha256 import _compress as sha256_compress
from cointrail.kernels.sha256 import _reset as sha256_reset

_P2PKH, _P2SH, _P2WPKH, _P2WSH = 2, 3, 6, 7

_TAPROOT = 128 | 256  # InputFlag.KEY_PATH, SCRIPT_PATH

# What a found place holds: bitcoin.spelling.Reveal, and an input that may spend a P2PK.
KEY, REDEEM_SCRIPT, WITNESS_SCRIPT, LONE_PUSH = 1, 2, 3, 4


@njit(inline="always")
def _byte(payloads, row, k, size):
    """Byte k of a padded program, as it lies in the message that is hashed."""
    if k < size:
        return np.uint32(payloads[row, k])
    return np.uint32(0x80) if k == size else np.uint32(0)


@njit(nogil=True, cache=True)
def _load_program(words, lane, payloads, row, size):
    """Load the message 00 || size || program, which with its padding is one block."""
    words[0, lane] = (
        (np.uint32(size) << np.uint32(16)) | (np.uint32(payloads[row, 0]) << np.uint32(8)) | np.uint32(payloads[row, 1])
    )
    for i in range(1, 9):
        k = 4 * i - 2
        words[i, lane] = (
            (_byte(payloads, row, k, size) << np.uint32(24))
            | (_byte(payloads, row, k + 1, size) << np.uint32(16))
            | (_byte(payloads, row, k + 2, size) << np.uint32(8))
            | _byte(payloads, row, k + 3, size)
        )
    for i in range(9, 15):
        words[i, lane] = np.uint32(0)
    words[15, lane] = np.uint32(8 * (size + 2))


@njit(nogil=True, cache=True)
def _digest_to_message(chain, words):
    """Make sixteen SHA-256 digests the messages of RIPEMD-160: the same bytes, read little-endian, and padding."""
    for i in range(8):
        for lane in range(16):
            word = chain[i, lane]
            words[i, lane] = (
                (word >> np.uint32(24))
                | ((word >> np.uint32(8)) & np.uint32(0xFF00))
                | ((word << np.uint32(8)) & np.uint32(0xFF0000))
                | (word << np.uint32(24))
            )
    for i in range(8, 16):
        for lane in range(16):
            words[i, lane] = np.uint32(0)
    for lane in range(16):
        words[8, lane] = np.uint32(0x80)
        words[14, lane] = np.uint32(256)


@njit(nogil=True, cache=True)
def spelling_hashes(kinds, payloads, hashes):
    """The spelling hash of each script.

    Args:
        kinds: uint8 (n,), `bitcoin.script.ScriptType`; a P2PK is given as the P2PKH of its key.
        payloads: uint8 (n, 32), hash or witness program, as in the script table.
        hashes: uint8 (n, 20), written; zeros for a type without spellings.
    """
    n = kinds.shape[0]
    wanted = np.empty(n, np.int64)
    count = 0
    for row in range(n):
        kind = kinds[row]
        if kind in (_P2PKH, _P2WPKH, _P2WSH):
            wanted[count] = row
            count += 1
            continue
        for k in range(20):
            hashes[row, k] = payloads[row, k] if kind == _P2SH else 0
    chain = np.empty((8, 16), np.uint32)
    state = np.empty((8, 16), np.uint32)
    words = np.zeros((16, 16), np.uint32)
    short = np.empty((5, 16), np.uint32)
    left = np.empty((5, 16), np.uint32)
    right = np.empty((5, 16), np.uint32)
    for first in range(0, count, 16):
        used = min(16, count - first)
        for lane in range(used):
            row = wanted[first + lane]
            _load_program(words, lane, payloads, row, 32 if kinds[row] == _P2WSH else 20)
        sha256_reset(chain)
        sha256_compress(chain, state, words)
        _digest_to_message(chain, words)
        ripemd160_reset(short)
        ripemd160_compress(short, left, right, words)
        for lane in range(used):
            store(short, lane, hashes, wanted[first + lane])


@njit(nogil=True, cache=True)
def hash160_messages(buffer, starts, lengths, hashes):
    """RIPEMD-160 of SHA-256.

    Args:
        buffer: uint8 (B,), holds the messages; starts, lengths: int64 (n,), where each lies.
        hashes: uint8 (n, 20), written.
    """
    n = starts.shape[0]
    digests = np.empty((n, 32), np.uint8)
    sha256.hash_messages(buffer, starts, lengths, False, digests)
    ripemd160.hash_messages(digests.reshape(n * 32), np.arange(n) * 32, np.full(n, 32, np.int64), hashes)


@njit(nogil=True, cache=True)
def _last_push(raw, start, end):
    """(first byte, length, pushes) of what a scriptSig leaves on top; length 0 if it is a number or not all pushes."""
    p = start
    data = start
    size = 0
    pushes = 0
    while p < end:
        pushes += 1
        if 0x4F <= raw[p] <= 0x60:
            size = 0
            p += 1
            continue
        data, size, p = _read_push(raw, p, end)
        if p < 0:
            return start, 0, 0
    return data, size, pushes


@njit(inline="always")
def _is_witness_program(raw, start, length):
    return 4 <= length <= 42 and raw[start + 1] == length - 2 and (raw[start] == 0 or 0x51 <= raw[start] <= 0x60)


@njit(nogil=True, cache=True)
def find_reveals(
    raw,
    tx_first_input,
    tx_first_output,
    tx_flags,
    tx_coinbase,
    input_outpoint,
    input_flags,
    output_script,
    output_length,
    number,
    shown,
    start,
    length,
):
    """Find keys and scripts that inputs show.

    Args:
        raw: uint8, the blocks; the next eight: columns of `kernels.parse` (tx_coinbase: bool (t,)).
        number, shown, start, length: int64 (2 i,), written: the input, KEY, REDEEM_SCRIPT, WITNESS_SCRIPT or LONE_PUSH,
            and where the data lies in `raw`. A LONE_PUSH stands beside another reading of the same bytes.

    Returns:
        How many were found.
    """
    found = 0
    end = raw.shape[0]
    for t in range(tx_coinbase.shape[0]):
        if tx_coinbase[t]:
            continue
        # A transaction's witness follows its last output.
        last = tx_first_output[t + 1] - 1
        w = output_script[last] + np.int64(output_length[last])
        for i in range(tx_first_input[t], tx_first_input[t + 1]):
            items = 0
            data = np.int64(0)
            size = np.int64(0)
            if tx_flags[t] & HAS_WITNESS:
                items, w = read_compact_size(raw, w, end)
                for _ in range(items):
                    size, data = read_compact_size(raw, w, end)
                    w = data + size
            sig_size, sig = read_compact_size(raw, input_outpoint[i] + 36, end)
            if items == 0:
                data, size, pushes = _last_push(raw, sig, sig + sig_size)
                what = REDEEM_SCRIPT
                if size > 0 and _valid_key(raw, data, size):
                    what = KEY if size == 65 else 0
                elif size > 0 and pushes == 1:
                    number[found] = i
                    shown[found] = LONE_PUSH
                    start[found] = data
                    length[found] = size
                    found += 1
            elif sig_size == 0:
                taproot = input_flags[i] & _TAPROOT
                is_key = items == 2 and size == 33 and _valid_key(raw, data, size)
                what = 0 if taproot or is_key else WITNESS_SCRIPT
            else:
                nested = sig_size == 35 and raw[sig] == 34 and raw[sig + 1] == 0 and raw[sig + 2] == 32
                what = WITNESS_SCRIPT if nested else 0
            if what == 0 or size == 0 or (what != KEY and _is_witness_program(raw, data, size)):
                continue
            number[found] = i
            shown[found] = what
            start[found] = data
            length[found] = size
            found += 1
    return found
