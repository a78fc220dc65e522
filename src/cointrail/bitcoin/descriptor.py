"""Output descriptors: the checksum and the outline of BIP380, and the scripts of those that need no derivation.

`addr`, `raw` (BIP385), `pk`, `pkh`, `combo` (BIP381, 384), `wpkh` (BIP382) and `sh(wpkh())` of plain public keys give
their scripts. Others are read as far as their checksum and outermost function; what they pay has to be derived.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cointrail.bitcoin.bech32 import CHARSET as CHECKSUM_CHARSET
from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.key_expression import KeyKind, parse_key
from cointrail.bitcoin.script import ScriptType, script_from_payload
from cointrail.errors import InputRefused

FUNCTIONS: Final = (
    "addr", "combo", "multi", "multi_a", "musig", "pk", "pkh", "raw", "rawtr", "sh", "sortedmulti", "sortedmulti_a",
    "sp", "tr", "wpkh", "wsh",
)  # fmt: skip
"""Outermost functions that BIPs 381 to 392 define."""

MAX_LENGTH: Final = 40_000
"""Longest descriptor read; `raw` of the longest script that can be spent fits."""

_INPUT_CHARSET: Final = (
    "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
)
_PLACES: Final = {character: place for place, character in enumerate(_INPUT_CHARSET)}
_GENERATOR: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
_CHECKSUM_LENGTH: Final = 8
_OUTLINE: Final = re.compile(r"([a-z_]+)\((.*)\)", re.DOTALL)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_PRIVATE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[a-zA-Z]prv[1-9A-HJ-NP-Za-km-z]{8,}|[5KL9c][1-9A-HJ-NP-Za-km-z]{50,51})"
)


@dataclass(frozen=True, slots=True, repr=False)
class Descriptor:
    """A descriptor that was read.

    Attributes:
        function: the outermost one.
        checksum: eight characters, computed.
        has_checksum: whether it was given, and then right.
        scripts: scriptPubKeys it stands for; empty if they have to be derived, or for `addr`.
        address: of `addr`, not decoded; else an empty text.
        is_private: whether it holds a private key: then it is a secret.
    """

    function: str
    checksum: str
    has_checksum: bool
    scripts: tuple[bytes, ...]
    address: str
    is_private: bool


def parse_descriptor(text: str) -> Descriptor:
    """Read a descriptor.

    Args:
        text: `SCRIPT` or `SCRIPT#CHECKSUM`, no surrounding space.

    Raises:
        InputRefused: it is none; keys are not repeated.
    """
    if len(text) > MAX_LENGTH:
        raise InputRefused(
            f"a text of {len(text):,} characters is longer than any descriptor read here ({MAX_LENGTH:,})"
        )
    body, mark, stated = text.partition("#")
    checksum = descriptor_checksum(body)
    if mark and len(stated) != _CHECKSUM_LENGTH:
        raise InputRefused(f"the checksum of a descriptor has {_CHECKSUM_LENGTH} characters, not {len(stated)}")
    if mark and stated != checksum:
        raise InputRefused("descriptor checksum mismatch: a character is wrong or missing")
    outline = _OUTLINE.fullmatch(body)
    if not outline or outline[1] not in FUNCTIONS or not _balanced(body):
        raise InputRefused("not a descriptor: it is written FUNCTION(...), with a function of BIP381 to BIP392")
    function, inner = outline[1], outline[2]
    if _PRIVATE.search(inner):
        return Descriptor(function, checksum, bool(mark), (), "", is_private=True)
    if function == "addr":
        return Descriptor(function, checksum, bool(mark), (), inner, is_private=False)
    return Descriptor(function, checksum, bool(mark), _scripts(function, inner), "", is_private=False)


def descriptor_checksum(body: str) -> str:
    """Return the eight characters that follow `#` (BIP380).

    Raises:
        InputRefused: a character that cannot stand in a descriptor; positions count from 1.
    """
    remainder, group, held = 1, 0, 0
    for position, character in enumerate(body, start=1):
        place = _PLACES.get(character)
        if place is None:
            raise InputRefused(f"U+{ord(character):04X} at position {position} cannot stand in a descriptor")
        remainder = _step(remainder, place & 31)
        group, held = group * 3 + (place >> 5), held + 1
        if held == 3:
            remainder, group, held = _step(remainder, group), 0, 0
    if held:
        remainder = _step(remainder, group)
    for _ in range(_CHECKSUM_LENGTH):
        remainder = _step(remainder, 0)
    remainder ^= 1
    shifts: Iterable[int] = range(5 * (_CHECKSUM_LENGTH - 1), -1, -5)
    return "".join(CHECKSUM_CHARSET[remainder >> shift & 31] for shift in shifts)


def _step(remainder: int, value: int) -> int:
    """One step of the polynomial division of the checksum's code."""
    top = remainder >> 35
    remainder = (remainder & 0x7FFFFFFFF) << 5 ^ value
    for place, term in enumerate(_GENERATOR):
        if top >> place & 1:
            remainder ^= term
    return remainder


def _balanced(body: str) -> bool:
    """Whether every parenthesis closes, and the outermost one only at the end."""
    depth = 0
    for position, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if depth < 0 or (depth == 0 and character == ")" and position + 1 < len(body)):
            return False
    return depth == 0


def _scripts(function: str, inner: str) -> tuple[bytes, ...]:
    """The scripts of a descriptor whose keys are plain public keys; none if they have to be derived."""
    if function == "raw":
        if not _HEX.fullmatch(inner):
            raise InputRefused("raw() holds a script in hex")
        return (bytes.fromhex(inner),)
    if function == "sh" and inner.startswith("wpkh(") and inner.endswith(")"):
        nested = _scripts("wpkh", inner[5:-1])
        return tuple(script_from_payload(ScriptType.P2SH, hash160(script)) for script in nested)
    if function not in ("pk", "pkh", "wpkh", "combo"):
        return ()
    key = parse_key(inner)
    if key.kind is not KeyKind.PUBLIC:
        if key.kind is KeyKind.X_ONLY:
            raise InputRefused(f"{function}() needs a public key of 33 or 65 bytes")
        return ()
    forms = _of_key(key.public_key)
    if function == "combo":
        return tuple(forms.values())
    if function not in forms:
        raise InputRefused(f"{function}() needs a compressed public key, 33 bytes")
    return (forms[function],)


def _of_key(key: bytes) -> dict[str, bytes]:
    """The scripts of a plain public key by function; BIP384 gives their order in `combo`."""
    digest = hash160(key)
    forms = {
        "pk": bytes([len(key)]) + key + b"\xac",
        "pkh": script_from_payload(ScriptType.P2PKH, digest),
    }
    if len(key) == 33:
        forms["wpkh"] = script_from_payload(ScriptType.P2WPKH, digest)
        forms["sh"] = script_from_payload(ScriptType.P2SH, hash160(forms["wpkh"]))
    return forms
