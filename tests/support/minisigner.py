"""Signs files as minisign does, with a throw-away key: the program itself can only verify."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Minisigner:
    def __init__(self, seed: int = 1) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._id = bytes([seed]) * 8

    @property
    def public_key(self) -> str:
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(b"Ed" + self._id + raw).decode()

    def sign(self, content: bytes, comment: str = "timestamp:1700000000\tfile:list") -> str:
        signature = self._key.sign(hashlib.blake2b(content).digest())
        over_comment = self._key.sign(signature + comment.encode())
        line = base64.b64encode(b"ED" + self._id + signature).decode()
        last = base64.b64encode(over_comment).decode()
        return f"untrusted comment: a test\n{line}\ntrusted comment: {comment}\n{last}\n"
