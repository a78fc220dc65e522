"""RIPEMD-160 of many messages at once.

Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996). Sixteen messages run side by
side, each step a loop over sixteen lanes, as in `kernels.sha256`. The plain reference is `bitcoin.hashes.ripemd160`.
All digests are bytes in internal (hash) order.
"""

import numpy as np
from numba import njit

from cointrail.kernels.sha256 import padded_byte

LANES = 16

# Two lines of five turns of sixteen steps: which word a step takes, and by how much it rotates.
_LEFT_WORDS = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
        [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
        [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
        [4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13],
    ]
)
_LEFT_SHIFTS = np.array(
    [
        [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
        [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
        [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
        [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
        [9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6],
    ],
    dtype=np.uint32,
)
_RIGHT_WORDS = np.array(
    [
        [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
        [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
        [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
        [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
        [12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11],
    ]
)
_RIGHT_SHIFTS = np.array(
    [
        [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
        [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
        [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
        [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
        [8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11],
    ],
    dtype=np.uint32,
)
_LEFT_CONSTANTS = np.array([0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E], dtype=np.uint32)
_RIGHT_CONSTANTS = np.array([0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000], dtype=np.uint32)
_INITIAL = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], dtype=np.uint32)


@njit(inline="always")
def _mix(function, x, y, z):
    """The five boolean functions; `function` is a literal, so one of them remains."""
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return z ^ (x & (y ^ z))
    if function == 2:
        return (x | ~y) ^ z
    if function == 3:
        return y ^ (z & (x ^ y))
    return x ^ (y | ~z)


@njit(inline="always")
def _step(line, words, lane, function, word, shift, constant):
    total = line[0, lane] + _mix(function, line[1, lane], line[2, lane], line[3, lane]) + words[word, lane]
    mixed = np.uint32(total + constant)  # numba adds in 64 bits: cut before the rotation
    turned = line[2, lane]
    fresh = ((mixed << shift) | (mixed >> (np.uint32(32) - shift))) + line[4, lane]
    line[0, lane] = line[4, lane]
    line[4, lane] = line[3, lane]
    line[3, lane] = (turned << np.uint32(10)) | (turned >> np.uint32(22))
    line[2, lane] = line[1, lane]
    line[1, lane] = fresh


@njit(inline="always")
def _steps(left, right, words, t, turn):
    """Step t of a turn in both lines; the right line takes the boolean functions from the last to the first."""
    for lane in range(16):
        _step(left, words, lane, turn, _LEFT_WORDS[turn, t], _LEFT_SHIFTS[turn, t], _LEFT_CONSTANTS[turn])
        _step(right, words, lane, 4 - turn, _RIGHT_WORDS[turn, t], _RIGHT_SHIFTS[turn, t], _RIGHT_CONSTANTS[turn])


@njit(nogil=True, cache=True)
def _turns(left, right, words):
    # The turn is a literal in each call, so that no step has to choose its function.
    for t in range(16):
        _steps(left, right, words, t, 0)
    for t in range(16):
        _steps(left, right, words, t, 1)
    for t in range(16):
        _steps(left, right, words, t, 2)
    for t in range(16):
        _steps(left, right, words, t, 3)
    for t in range(16):
        _steps(left, right, words, t, 4)


@njit(nogil=True, cache=True)
def reset(chain):
    """Begin sixteen hashes; chain uint32 (5, 16), written."""
    for i in range(5):
        for lane in range(16):
            chain[i, lane] = _INITIAL[i]


@njit(nogil=True, cache=True)
def compress(chain, left, right, words):
    """Compress one block in each of sixteen lanes.

    Args:
        chain: uint32 (5, 16), the state, changed; left, right: uint32 (5, 16), scratch.
        words: uint32 (16, 16), the block's words (little-endian), by word and lane.
    """
    left[:, :] = chain
    right[:, :] = chain
    _turns(left, right, words)
    for lane in range(16):
        first = chain[1, lane] + left[2, lane] + right[3, lane]
        chain[1, lane] = chain[2, lane] + left[3, lane] + right[4, lane]
        chain[2, lane] = chain[3, lane] + left[4, lane] + right[0, lane]
        chain[3, lane] = chain[4, lane] + left[0, lane] + right[1, lane]
        chain[4, lane] = chain[0, lane] + left[1, lane] + right[2, lane]
        chain[0, lane] = first


@njit(nogil=True, cache=True)
def _load(words, lane, buffer, start, length, block):
    """Load one block of a message: its bytes, 0x80, zeros, and the bit length in the final block."""
    for i in range(16):
        word = np.uint32(0)
        for j in range(4):
            word |= padded_byte(buffer, start, length, block * 64 + 4 * i + j) << np.uint32(8 * j)
        words[i, lane] = word
    if block == (length + 8) // 64:
        bits = np.uint64(length) * np.uint64(8)
        words[14, lane] |= np.uint32(bits & np.uint64(0xFFFFFFFF))
        words[15, lane] |= np.uint32(bits >> np.uint64(32))


@njit(inline="always")
def store(chain, lane, digests, message):
    """Write the digest of one lane to a row of `digests`, uint8 (n, 20)."""
    for i in range(5):
        for j in range(4):
            digests[message, 4 * i + j] = np.uint8((chain[i, lane] >> np.uint32(8 * j)) & np.uint32(255))


@njit(nogil=True, cache=True)
def hash_messages(buffer, starts, lengths, digests):
    """Hash messages that lie in one buffer; fast where neighbours have the same number of blocks.

    Args:
        buffer: uint8 (B,), holds the messages.
        starts: int64 (n,), first byte of each message.
        lengths: int64 (n,), bytes of each message; every start + length <= B.
        digests: uint8 (n, 20), written.
    """
    n = starts.shape[0]
    chain = np.empty((5, 16), np.uint32)
    left = np.empty((5, 16), np.uint32)
    right = np.empty((5, 16), np.uint32)
    words = np.zeros((16, 16), np.uint32)
    for first in range(0, n, 16):
        used = min(16, n - first)
        most = 0
        for lane in range(used):
            most = max(most, (lengths[first + lane] + 8) // 64 + 1)
        reset(chain)
        for block in range(most):
            for lane in range(used):
                if block <= (lengths[first + lane] + 8) // 64:
                    _load(words, lane, buffer, starts[first + lane], lengths[first + lane], block)
            compress(chain, left, right, words)
            # A lane is read when its own last block is done; what follows in it means nothing.
            for lane in range(used):
                if block == (lengths[first + lane] + 8) // 64:
                    store(chain, lane, digests, first + lane)
