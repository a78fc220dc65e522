"""SHA-256 and double SHA-256 of many messages at once (FIPS 180-4).

Sixteen messages run side by side: each step of the compression function is a loop over sixteen lanes of uint32,
which the compiler turns into vector instructions. Messages of equal block count share a group, so no lane waits.
All digests are bytes in internal (hash) order.
"""

import numpy as np
from numba import njit

LANES = 16

_K = np.array(
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ],
    dtype=np.uint32,
)  # fmt: skip
_INITIAL = np.array(
    [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19],
    dtype=np.uint32,
)


@njit(inline="always")
def _round(state, words, t, a, b, c, d, e, f, g, h):
    k = _K[t]
    for lane in range(16):
        ve = state[e, lane]
        s1 = ((ve >> np.uint32(6)) | (ve << np.uint32(26))) ^ ((ve >> np.uint32(11)) | (ve << np.uint32(21)))
        s1 ^= (ve >> np.uint32(25)) | (ve << np.uint32(7))
        choice = state[g, lane] ^ (ve & (state[f, lane] ^ state[g, lane]))
        t1 = state[h, lane] + s1 + choice + k + words[t & 15, lane]
        va = state[a, lane]
        s0 = ((va >> np.uint32(2)) | (va << np.uint32(30))) ^ ((va >> np.uint32(13)) | (va << np.uint32(19)))
        s0 ^= (va >> np.uint32(22)) | (va << np.uint32(10))
        majority = (va & state[b, lane]) | (state[c, lane] & (va | state[b, lane]))
        state[d, lane] += t1
        state[h, lane] = t1 + s0 + majority


@njit(inline="always")
def _schedule(words, t):
    i0 = t & 15
    i1 = (t + 1) & 15
    i9 = (t + 9) & 15
    i14 = (t + 14) & 15
    for lane in range(16):
        w1 = words[i1, lane]
        w14 = words[i14, lane]
        s0 = ((w1 >> np.uint32(7)) | (w1 << np.uint32(25))) ^ ((w1 >> np.uint32(18)) | (w1 << np.uint32(14)))
        s0 ^= w1 >> np.uint32(3)
        s1 = ((w14 >> np.uint32(17)) | (w14 << np.uint32(15))) ^ ((w14 >> np.uint32(19)) | (w14 << np.uint32(13)))
        s1 ^= w14 >> np.uint32(10)
        words[i0, lane] += s0 + words[i9, lane] + s1


@njit(nogil=True, cache=True)
def _compress(chain, state, words):
    """One compression of sixteen lanes; chain, state (8, 16), words (16, 16), all uint32."""
    state[:, :] = chain
    for t in range(0, 16, 8):
        _round(state, words, t, 0, 1, 2, 3, 4, 5, 6, 7)
        _round(state, words, t + 1, 7, 0, 1, 2, 3, 4, 5, 6)
        _round(state, words, t + 2, 6, 7, 0, 1, 2, 3, 4, 5)
        _round(state, words, t + 3, 5, 6, 7, 0, 1, 2, 3, 4)
        _round(state, words, t + 4, 4, 5, 6, 7, 0, 1, 2, 3)
        _round(state, words, t + 5, 3, 4, 5, 6, 7, 0, 1, 2)
        _round(state, words, t + 6, 2, 3, 4, 5, 6, 7, 0, 1)
        _round(state, words, t + 7, 1, 2, 3, 4, 5, 6, 7, 0)
    for t in range(16, 64, 8):
        for step in range(8):
            _schedule(words, t + step)
        _round(state, words, t, 0, 1, 2, 3, 4, 5, 6, 7)
        _round(state, words, t + 1, 7, 0, 1, 2, 3, 4, 5, 6)
        _round(state, words, t + 2, 6, 7, 0, 1, 2, 3, 4, 5)
        _round(state, words, t + 3, 5, 6, 7, 0, 1, 2, 3, 4)
        _round(state, words, t + 4, 4, 5, 6, 7, 0, 1, 2, 3)
        _round(state, words, t + 5, 3, 4, 5, 6, 7, 0, 1, 2)
        _round(state, words, t + 6, 2, 3, 4, 5, 6, 7, 0, 1)
        _round(state, words, t + 7, 1, 2, 3, 4, 5, 6, 7, 0)
    for i in range(8):
        for lane in range(16):
            chain[i, lane] += state[i, lane]


@njit(nogil=True, cache=True)
def _reset(chain):
    for i in range(8):
        for lane in range(16):
            chain[i, lane] = _INITIAL[i]


@njit(nogil=True, cache=True)
def _rehash(chain, words):
    """Make the sixteen 32-byte digests in `chain` the message of a second hash."""
    for i in range(8):
        for lane in range(16):
            words[i, lane] = chain[i, lane]
    for lane in range(16):
        words[8, lane] = np.uint32(0x80000000)
        for i in range(9, 15):
            words[i, lane] = np.uint32(0)
        words[15, lane] = np.uint32(256)
    _reset(chain)


@njit(nogil=True, cache=True)
def _load_block(words, lane, buffer, position):
    for i in range(16):
        p = np.uint64(position + 4 * i)
        words[i, lane] = (
            (np.uint32(buffer[p]) << np.uint32(24))
            | (np.uint32(buffer[p + np.uint64(1)]) << np.uint32(16))
            | (np.uint32(buffer[p + np.uint64(2)]) << np.uint32(8))
            | np.uint32(buffer[p + np.uint64(3)])
        )


@njit(inline="always")
def padded_byte(buffer, start, length, place):
    """A byte of a message and its padding, 0x80 and zeros, as uint32; the bit length at the end is left out."""
    if place < length:
        return np.uint32(buffer[start + place])
    return np.uint32(0x80) if place == length else np.uint32(0)


@njit(nogil=True, cache=True)
def _load_tail(words, lane, buffer, start, length, block):
    """Load a block that holds the padding: the last bytes, 0x80, zeros, and the bit length in the final block."""
    for i in range(16):
        word = np.uint32(0)
        for j in range(4):
            word = (word << np.uint32(8)) | padded_byte(buffer, start, length, block * 64 + 4 * i + j)
        words[i, lane] = word
    if block == (length + 8) // 64:
        bits = np.uint64(length) * np.uint64(8)
        words[14, lane] |= np.uint32(bits >> np.uint64(32))
        words[15, lane] |= np.uint32(bits & np.uint64(0xFFFFFFFF))


@njit(nogil=True, cache=True)
def _order_by_blocks(lengths):
    """Message numbers sorted by block count (counting sort; counts above 4095 share the last class)."""
    n = lengths.shape[0]
    counts = np.zeros(4097, np.int64)
    for i in range(n):
        counts[min((lengths[i] + 8) // 64, 4095) + 1] += 1
    for i in range(4096):
        counts[i + 1] += counts[i]
    order = np.empty(n, np.int64)
    for i in range(n):
        c = min((lengths[i] + 8) // 64, 4095)
        order[counts[c]] = i
        counts[c] += 1
    return order


@njit(nogil=True, cache=True)
def hash_messages(buffer, starts, lengths, twice, digests):
    """Hash messages that lie in one buffer.

    Args:
        buffer: uint8 (B,), holds the messages.
        starts: int64 (n,), first byte of each message.
        lengths: int64 (n,), bytes of each message; every start + length <= B.
        twice: True for double SHA-256.
        digests: uint8 (n, 32), written.
    """
    n = starts.shape[0]
    order = _order_by_blocks(lengths)
    chain = np.empty((8, 16), np.uint32)
    state = np.empty((8, 16), np.uint32)
    words = np.empty((16, 16), np.uint32)
    frozen = np.empty((8, 16), np.uint32)
    for first in range(0, n, 16):
        used = min(16, n - first)
        most = 0
        same = True
        blocks0 = (lengths[order[first]] + 8) // 64 + 1
        for lane in range(used):
            blocks = (lengths[order[first + lane]] + 8) // 64 + 1
            most = max(most, blocks)
            same = same and blocks == blocks0
        _reset(chain)
        for block in range(most):
            for lane in range(used):
                message = order[first + lane]
                length = lengths[message]
                if (block + 1) * 64 <= length:
                    _load_block(words, lane, buffer, starts[message] + block * 64)
                elif same or block * 64 <= length + 8:
                    _load_tail(words, lane, buffer, starts[message], length, block)
            if same:
                _compress(chain, state, words)
            else:
                # Lanes of different length: keep the finished ones as they are.
                frozen[:, :] = chain
                _compress(chain, state, words)
                for lane in range(used):
                    if block > (lengths[order[first + lane]] + 8) // 64:
                        for i in range(8):
                            chain[i, lane] = frozen[i, lane]
        if twice:
            _rehash(chain, words)
            _compress(chain, state, words)
        for lane in range(used):
            message = order[first + lane]
            for i in range(8):
                word = chain[i, lane]
                digests[message, 4 * i] = np.uint8(word >> np.uint32(24))
                digests[message, 4 * i + 1] = np.uint8((word >> np.uint32(16)) & np.uint32(255))
                digests[message, 4 * i + 2] = np.uint8((word >> np.uint32(8)) & np.uint32(255))
                digests[message, 4 * i + 3] = np.uint8(word & np.uint32(255))
