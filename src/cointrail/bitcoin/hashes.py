"""Hashes of the protocol and the two spellings of a 32-byte identifier.

A txid or block hash is kept in internal order, the order SHA-256 produces; people and RPC see it reversed.
RIPEMD-160 is absent from many OpenSSL 3 builds, so a version in Python stands behind `hash160`. It follows
Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996).
"""

import hashlib
import re
import struct

from cointrail.errors import InputRefused

NULL_HASH = bytes(32)
"""Thirty-two zero bytes: the previous hash of a genesis block, the txid a coinbase refers to."""

_HASH_TEXT = re.compile(r"[0-9a-fA-F]{64}")

# RIPEMD-160: the word order of round j is this permutation applied j times; shifts stand by round and word.
_PERMUTATION = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
_SHIFTS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)
_LEFT_CONSTANTS = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_RIGHT_CONSTANTS = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
_INITIAL_STATE = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_MASK = 0xFFFFFFFF


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def double_sha256(data: bytes) -> bytes:
    """Return SHA-256 applied twice: the hash behind txids, block hashes and checksums."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash160(data: bytes) -> bytes:
    """Return RIPEMD-160 of SHA-256, the 20 bytes inside P2PKH, P2SH and P2WPKH scripts."""
    digest = sha256(data)
    try:
        return hashlib.new("ripemd160", digest, usedforsecurity=False).digest()
    except ValueError:  # OpenSSL 3 without its legacy provider
        return ripemd160(digest)


def script_hash(script_pubkey: bytes) -> bytes:
    """Return the SHA-256 of a scriptPubKey, not reversed (the Electrum protocol shows it reversed)."""
    return sha256(script_pubkey)


def display(identifier: bytes) -> str:
    """Return the reversed hex of an identifier, as every explorer and RPC answer shows it."""
    return identifier[::-1].hex()


def parse_hash(text: str) -> bytes:
    """Read a txid or block hash from its reversed hex.

    Args:
        text: exactly 64 hex digits, no prefix and no surrounding space.

    Returns:
        The 32 bytes in internal order.

    Raises:
        InputRefused: the text is anything else.
    """
    if not _HASH_TEXT.fullmatch(text):
        shown = ascii(text) if len(text) <= 100 else f"text of {len(text)} characters"
        raise InputRefused(f"{shown} is not a hash: 64 hex digits are needed")
    return bytes.fromhex(text)[::-1]


def ripemd160(data: bytes) -> bytes:
    """Return the RIPEMD-160 of `data`, 20 bytes, without OpenSSL."""
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data) & (1 << 64) - 1)
    state: tuple[int, ...] = _INITIAL_STATE
    for start in range(0, len(padded), 64):
        words = struct.unpack_from("<16I", padded, start)
        left = _ripemd160_line(state, words, tuple(range(16)), _LEFT_CONSTANTS, (0, 1, 2, 3, 4))
        right = _ripemd160_line(
            state, words, tuple((9 * i + 5) % 16 for i in range(16)), _RIGHT_CONSTANTS, (4, 3, 2, 1, 0)
        )
        state = tuple((state[(i + 1) % 5] + left[(i + 2) % 5] + right[(i + 3) % 5]) & _MASK for i in range(5))
    return struct.pack("<5I", *state)


def _ripemd160_line(
    state: tuple[int, ...],
    words: tuple[int, ...],
    order: tuple[int, ...],
    constants: tuple[int, ...],
    functions: tuple[int, ...],
) -> tuple[int, ...]:
    """Run one of the two parallel lines of the compression function over one 64-byte chunk."""
    a, b, c, d, e = state
    for turn in range(5):
        for word in order:
            mixed = (a + _ripemd160_mix(functions[turn], b, c, d) + words[word] + constants[turn]) & _MASK
            rotated = _rotate(mixed, _SHIFTS[turn][word]) + e
            a, b, c, d, e = e, rotated & _MASK, b, _rotate(c, 10), d
        order = tuple(_PERMUTATION[word] for word in order)
    return a, b, c, d, e


def _ripemd160_mix(function: int, x: int, y: int, z: int) -> int:
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return (x & y) | (~x & z)
    if function == 2:
        return (x | (~y & _MASK)) ^ z
    if function == 3:
        return (x & z) | (y & ~z)
    return x ^ (y | (~z & _MASK))


def _rotate(value: int, count: int) -> int:
    return (value << count | value >> (32 - count)) & _MASK
