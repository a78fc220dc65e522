"""Compiled parts of the synthetic chain: scripts, signatures and witnesses.

Scripts are numbers: kind, hash and keys follow from the number, nothing is kept.
Signatures are placeholders of the right shape.
"""
# Compiled functions: array arguments are described in words.
# ruff: noqa: ANN001, ANN201, ANN202

from typing import NamedTuple

import numpy as np

from chain_draw import (
    BY_POPULARITY,
    MULTISIG,
    P2PK,
    P2PKH,
    P2SH,
    P2TR,
    P2WPKH,
    P2WSH,
    below,
    compiled,
    distance,
    draw,
    kind_of,
    word_of,
)

SCRIPTS = 0  # the counter of script numbers given out
NEVER_SEEN = 520  # outputs in 1000 that pay a new script


class Body(NamedTuple):
    """One block's transactions but the coinbase: their bytes, extents, preimages, ids and new outputs."""

    raw: np.ndarray
    stripped: np.ndarray
    start: np.ndarray
    size: np.ndarray
    stripped_start: np.ndarray
    stripped_size: np.ndarray
    txid: np.ndarray
    wtxid: np.ndarray
    new_tx: np.ndarray
    new_vout: np.ndarray
    new_value: np.ndarray
    new_script: np.ndarray
    slot: np.ndarray
    share: np.ndarray
    owed: np.ndarray


@compiled
def put(raw, p, value, n):
    """Write the low n bytes of a uint64, little-endian; return the next position."""
    for i in range(n):
        raw[p + i] = np.uint8(value >> np.uint64(8 * i))
    return p + n


@compiled
def put_count(raw, p, n):
    if n < 253:
        raw[p] = n
        return p + 1
    raw[p] = 253
    return put(raw, p + 1, np.uint64(n), 2)


@compiled
def put_random(raw, p, stream, n):
    for i in range(0, n, 8):
        put(raw, p + i, draw(stream), min(8, n - i))
    return p + n


@compiled
def _put_signature(raw, p, stream):
    """Push of a DER-shaped signature of 71 (60 %) or 72 bytes, SIGHASH_ALL."""
    n = 71 if below(stream, 10) < 6 else 72
    raw[p] = n
    put_random(raw, p + 1, stream, n)
    r = n - 39
    raw[p + 1], raw[p + 2], raw[p + 3], raw[p + 4] = 0x30, n - 3, 2, r
    raw[p + 5] = 0 if r == 33 else (raw[p + 5] & 0x7F) | 1
    raw[p + 6] |= 0x80
    raw[p + 5 + r], raw[p + 6 + r] = 2, 32
    raw[p + 7 + r] = (raw[p + 7 + r] & 0x7F) | 1
    raw[p + n] = 1
    return p + 1 + n


@compiled
def _put_hash(raw, p, script, salt, n):
    for i in range(0, n, 8):
        put(raw, p + i, word_of(script, salt, i // 8), min(8, n - i))
    return p + n


@compiled
def _put_key(raw, p, script, salt, which):
    """Push of a compressed public key."""
    for i in range(4):
        put(raw, p + 2 + 8 * i, word_of(script, salt, 8 + 4 * which + i), 8)
    raw[p] = 33
    raw[p + 1] = 2 + (raw[p + 2] & 1)
    return p + 34


@compiled
def put_script(raw, p, script, salt):
    """Length and scriptPubKey of a script number."""
    kind = kind_of(script)
    if kind == P2WPKH:
        raw[p], raw[p + 1], raw[p + 2] = 22, 0, 20
        return _put_hash(raw, p + 3, script, salt, 20)
    if kind in (P2WSH, P2TR):
        raw[p], raw[p + 1], raw[p + 2] = 34, 0x51 if kind == P2TR else 0, 32
        return _put_hash(raw, p + 3, script, salt, 32)
    if kind == P2PKH:
        raw[p], raw[p + 1], raw[p + 2], raw[p + 3] = 25, 0x76, 0xA9, 20
        p = _put_hash(raw, p + 4, script, salt, 20)
        raw[p], raw[p + 1] = 0x88, 0xAC
        return p + 2
    if kind == P2SH:
        raw[p], raw[p + 1], raw[p + 2] = 23, 0xA9, 20
        p = _put_hash(raw, p + 3, script, salt, 20)
        raw[p] = 0x87
        return p + 1
    if kind == P2PK:
        raw[p] = 35
        p = _put_key(raw, p + 1, script, salt, 0)
        raw[p] = 0xAC
        return p + 1
    raw[p], raw[p + 1] = 71, 0x51
    p = _put_key(raw, _put_key(raw, p + 2, script, salt, 0), script, salt, 1)
    raw[p], raw[p + 1] = 0x52, 0xAE
    return p + 2


@compiled
def put_script_sig(raw, p, stream, script, salt):
    kind = kind_of(script)
    raw[p] = 0
    q = p + 1
    if kind == P2PKH:
        q = _put_key(raw, _put_signature(raw, q, stream), script, salt, 0)
    elif kind == P2SH:
        raw[q], raw[q + 1], raw[q + 2] = 22, 0, 20
        q = _put_hash(raw, q + 3, script, salt, 20)
    elif kind == P2PK:
        q = _put_signature(raw, q, stream)
    elif kind == MULTISIG:
        raw[q] = 0
        q = _put_signature(raw, q + 1, stream)
    raw[p] = q - p - 1
    return q


@compiled
def put_witness(raw, p, stream, script, salt):
    kind = kind_of(script)
    if kind in (P2WPKH, P2SH):
        raw[p] = 2
        return _put_key(raw, _put_signature(raw, p + 1, stream), script, salt, 0)
    if kind == P2TR:
        by_script = below(stream, 25) == 0
        raw[p], raw[p + 1] = 3 if by_script else 1, 64
        p = put_random(raw, p + 2, stream, 64)
        if by_script:
            # <key> OP_CHECKSIG, then a control block without a merkle path.
            raw[p], raw[p + 1] = 34, 32
            p = put_random(raw, p + 2, stream, 32)
            raw[p], raw[p + 1], raw[p + 2] = 0xAC, 33, 0xC0
            p = put_random(raw, p + 3, stream, 32)
        return p
    if kind == P2WSH:
        raw[p], raw[p + 1] = 4, 0
        p = _put_signature(raw, _put_signature(raw, p + 2, stream), stream)
        raw[p], raw[p + 1] = 105, 0x52
        p += 2
        for which in range(3):
            p = _put_key(raw, p, script, salt, which)
        raw[p], raw[p + 1] = 0x53, 0xAE
        return p + 2
    raw[p] = 0
    return p + 1


@compiled
def choose_script(stream, counters, own):
    """A new script, or a seen one: the payer's own, an old popular one, or a recent one."""
    u = below(stream, 1000)
    seen = counters[SCRIPTS]
    if u < NEVER_SEEN:
        counters[SCRIPTS] += 1
        return np.uint64(seen)
    way = u % 3
    if way == 0:
        return own
    d = distance(stream, seen, BY_POPULARITY)
    return np.uint64(d if way == 1 else seen - 1 - d)
