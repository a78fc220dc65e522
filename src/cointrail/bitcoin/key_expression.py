"""Key expressions of output descriptors: `[fingerprint/path]KEY/path` (BIP380, BIP389). Nothing is derived.

A private key is told apart and not kept: what is read of it is its kind.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cointrail.bitcoin import base58
from cointrail.bitcoin.extended_key import VERSIONS, ExtendedPublicKey, parse_extended_public_key
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.public_key import is_public_key, is_x_coordinate
from cointrail.errors import InputRefused

_ORIGIN: Final = re.compile(r"\[([0-9a-fA-F]{8})((?:/[0-9]{1,10}[h']?)*)\]")
_STEP: Final = re.compile(r"[0-9]{1,10}[h']?|<[0-9]{1,10}[h']?(?:;[0-9]{1,10}[h']?)+>")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_LARGEST: Final = (1 << 31) - 1
_EXTENDED: Final = re.compile(r"[a-zA-Z](?:pub|prv)")


class KeyKind(StrEnum):
    """What stands in a key expression."""

    PUBLIC = "public key"
    X_ONLY = "x-only public key"
    EXTENDED_PUBLIC = "extended public key"
    PRIVATE = "private key"
    EXTENDED_PRIVATE = "extended private key"


@dataclass(frozen=True, slots=True, repr=False)
class KeyExpression:
    """One key.

    Attributes:
        kind: what it is.
        origin: fingerprint of the master key and the way from it, or an empty text.
        public_key: 32, 33 or 65 bytes of a plain public key, or nothing.
        extended: of an extended public key.
        path: the way from the key to the one used, `*` for all; empty for the key itself.
    """

    kind: KeyKind
    origin: str
    public_key: bytes
    extended: ExtendedPublicKey | None
    path: str

    @property
    def is_private(self) -> bool:
        """Whether it can spend."""
        return self.kind in (KeyKind.PRIVATE, KeyKind.EXTENDED_PRIVATE)


def parse_key(text: str) -> KeyExpression:
    """Read a key expression.

    Raises:
        InputRefused: it is none; a private key is not repeated.
    """
    origin = ""
    if text.startswith("["):
        match = _ORIGIN.match(text)
        if not match:
            raise InputRefused("the origin of a key is not written [fingerprint/path], with h or ' for hardened steps")
        for step in match[2].split("/")[1:]:
            _check_step(step)
        origin, text = match[1] + match[2].replace("'", "h"), text[match.end() :]
    key, slash, path = text.partition("/")
    steps = path.split("/") if slash else []
    for step in steps[:-1] if steps and steps[-1] in ("*", "*h", "*'") else steps:
        _check_step(step)
    path = path.replace("'", "h")
    if _EXTENDED.match(key):
        extended = _extended(key)
        kind = KeyKind.EXTENDED_PUBLIC if extended else KeyKind.EXTENDED_PRIVATE
        return KeyExpression(kind, origin, b"", extended, path)
    if slash:
        raise InputRefused("a plain key has no path: only an extended key has")
    if not _HEX.fullmatch(key):
        _check_wif(key)
        return KeyExpression(KeyKind.PRIVATE, origin, b"", None, "")
    data = bytes.fromhex(key)
    if len(data) == 32 and is_x_coordinate(data):
        return KeyExpression(KeyKind.X_ONLY, origin, data, None, "")
    if len(data) in (33, 65) and is_public_key(data):
        return KeyExpression(KeyKind.PUBLIC, origin, data, None, "")
    raise InputRefused(f"hex of {len(data)} bytes is no public key: a point of the curve has 33 or 65")


def _check_step(step: str) -> None:
    if not _STEP.fullmatch(step):
        raise InputRefused("a step of a path is a number, with h or ' if hardened, or <a;b>")
    if any(int(number) > _LARGEST for number in re.findall(r"[0-9]+", step)):
        raise InputRefused(f"a step of a path is larger than {_LARGEST}")


def _extended(text: str) -> ExtendedPublicKey | None:
    """The extended public key, or None for a private one."""
    data = base58.decode_check(text, longest=120)
    version = VERSIONS.get(data[:4])
    if version is not None and version.private and len(data) == 78:
        return None
    return parse_extended_public_key(text)


def _check_wif(text: str) -> None:
    data = base58.decode_check(text, longest=60)
    fits = len(data) == 33 or (len(data) == 34 and data[-1] == 1)
    if not fits or all(data[0] != network.wif_prefix for network in NETWORKS.values()):
        raise InputRefused(f"base58 of {len(data)} bytes is no key")
