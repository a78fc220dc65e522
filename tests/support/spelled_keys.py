"""Real public keys and scripts in all their spellings, each with what unlocks it, for tests of the same-key rule.

Signatures are placeholders of the right shape; keys are points of the curve, found from their x by a square root.
"""

import hashlib
from dataclasses import dataclass

from script_zoo import hash160, p2sh, push

FIELD = 2**256 - 2**32 - 977
SIGNATURE = b"\x30\x44\x02\x20" + b"\x01" * 32 + b"\x02\x20" + b"\x02" * 32 + b"\x01"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A scriptPubKey and an input that spends it."""

    name: str
    script_pubkey: bytes
    script_sig: bytes
    witness: tuple[bytes, ...] = ()


def point(name: str) -> tuple[bytes, bytes]:
    """The uncompressed and the compressed form of a public key."""
    x = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % FIELD
    while True:
        square = (x * x * x + 7) % FIELD
        y = pow(square, (FIELD + 1) // 4, FIELD)
        if y * y % FIELD == square:
            break
        x += 1
    if hashlib.sha256(name.encode()).digest()[0] & 1:
        y = FIELD - y
    left, right = x.to_bytes(32, "big"), y.to_bytes(32, "big")
    return b"\x04" + left + right, bytes([2 + (y & 1)]) + left


def of_key(name: str) -> dict[str, Spelling]:
    """The spellings of one key; those of the uncompressed form are `long_...`."""
    long, short = point(name)
    found = []
    for prefix, key in (("", short), ("long_", long)):
        code = b"\x76\xa9\x14" + hash160(key) + b"\x88\xac"
        found.append(Spelling(prefix + "p2pk", push(key) + b"\xac", push(SIGNATURE)))
        found.append(Spelling(prefix + "p2pkh", code, push(SIGNATURE) + push(key)))
    program = b"\x00\x14" + hash160(short)
    found.append(Spelling("p2wpkh", program, b"", (SIGNATURE, short)))
    found.append(Spelling("nested_p2wpkh", p2sh(program), push(program), (SIGNATURE, short)))
    return {each.name: each for each in found}


def of_script(script: bytes) -> dict[str, Spelling]:
    """The spellings of one script that takes a signature."""
    program = b"\x00\x20" + hashlib.sha256(script).digest()
    found = (
        Spelling("p2sh", p2sh(script), b"\x00" + push(SIGNATURE) + push(script)),
        Spelling("p2wsh", program, b"", (b"", SIGNATURE, script)),
        Spelling("nested_p2wsh", p2sh(program), push(program), (b"", SIGNATURE, script)),
    )
    return {each.name: each for each in found}


def multisig(*names: str) -> bytes:
    """A 1-of-n script of the compressed keys of these names."""
    keys = b"".join(push(point(name)[1]) for name in names)
    return b"\x51" + keys + bytes([0x50 + len(names)]) + b"\xae"
