"""Signatures of files in minisign's format: who vouches for a list of transactions.

Verification only, Ed25519 (RFC 8032) through the `cryptography` package; both kinds of signature, over the file (`Ed`)
and over its BLAKE2b-512 hash (`ED`), and the signature over the trusted comment. Nothing here can sign.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cointrail.errors import InputRefused

_LEGACY, _PREHASHED = b"Ed", b"ED"
_UNTRUSTED, _TRUSTED = "untrusted comment:", "trusted comment: "


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a valid signature says.

    Attributes:
        key_id: of the key, as minisign prints it.
        comment: the trusted comment.
    """

    key_id: str
    comment: str


def verify(content: bytes, signature: str, public_key: str) -> Vouched:
    """Check a signature.

    Args:
        content: the signed file's bytes.
        signature: text of its `.minisig` file.
        public_key: the line that begins with `RW`, or the text of a `.pub` file.

    Raises:
        InputRefused: the signature or the key is malformed, or the signature is not this key's over these bytes.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    _, key_id, key = _fields(public_key.strip().splitlines()[-1] if public_key.strip() else "", 32, "public key")
    lines = signature.splitlines()
    if len(lines) != 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
        raise InputRefused("the signature file does not have minisign's four lines")
    algorithm, signed_by, ours = _fields(lines[1], 64, "signature")
    if signed_by != key_id:
        raise InputRefused(
            f"the file is signed by key {_shown(signed_by)}, not by {_shown(key_id)}",
            hint="give the public key of whom you trust to have signed it",
        )
    comment = lines[2].removeprefix(_TRUSTED)
    signed = hashlib.blake2b(content).digest() if algorithm == _PREHASHED else content
    try:
        verifier = Ed25519PublicKey.from_public_bytes(key)
        verifier.verify(ours, signed)
        verifier.verify(_decoded(lines[3], 64, "signature of the comment"), ours + comment.encode())
    except InvalidSignature:
        raise InputRefused(
            f"the signature is not that of key {_shown(key_id)} over this file",
            hint="the file, its comment or the signature was changed",
        ) from None
    return Vouched(_shown(key_id), comment)


def _fields(line: str, size: int, what: str) -> tuple[bytes, bytes, bytes]:
    """(algorithm, key id, the rest)."""
    raw = _decoded(line, 10 + size, what)
    if raw[:2] not in (_LEGACY, _PREHASHED):
        raise InputRefused(f"the {what} is of another algorithm than minisign's Ed25519")
    return raw[:2], raw[2:10], raw[10:]


def _decoded(line: str, size: int, what: str) -> bytes:
    try:
        raw = base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size:
        raise InputRefused(f"the {what} is not {size} bytes in base64")
    return raw


def _shown(key_id: bytes) -> str:
    return key_id[::-1].hex().upper()
