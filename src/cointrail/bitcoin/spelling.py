"""The spellings of one public key or script: which scriptPubKeys the hashes alone prove to be the same.

A key can be paid as P2PK, P2PKH, P2WPKH and P2SH-P2WPKH, a witness script as P2WSH and P2SH-P2WSH. Their *spelling
hash* is the P2SH hash of the nested form, which all of them determine. What only a spend shows - an uncompressed key, a
redeem script, a witness script - leads to further spellings. The plain reference of `kernels.spelling`; docs/methods/
same-key.md is the page. BIP13, BIP16, BIP141; SEC 1 section 2.3.3 for the forms of a key.
"""

from enum import IntEnum

from cointrail.bitcoin.fingerprint import InputFlag, input_flags
from cointrail.bitcoin.hashes import hash160, sha256
from cointrail.bitcoin.script import OP_16, ScriptType, classify, iterate_pushes, payload, witness_program
from cointrail.errors import EncodingError, InputRefused

_FIELD = 2**256 - 2**32 - 977  # the prime of secp256k1
_KEY_LENGTHS = {2: 33, 3: 33, 4: 65, 6: 65, 7: 65}  # by first byte; 6 and 7 are the hybrid keys
_NESTED_P2WSH = b"\x22\x00\x20"


class SameKeyKind(IntEnum):
    """Why two scripts are one. The codes are part of the store format (u8)."""

    KEY = 0
    """The same key hash: P2PK, P2PKH, P2WPKH."""
    NESTED = 1
    """A P2SH of the other's witness program."""
    KEY_FORM = 2
    """Uncompressed and compressed form of one key."""
    SCRIPT = 3
    """Plain P2SH and P2WSH (nested or not) of one script."""

    @property
    def label(self) -> str:
        """The kind's name in answers and reports."""
        return self.name.lower()


class Reveal(IntEnum):
    """What an input shows that its scriptPubKey does not."""

    KEY = 1
    """A public key of 65 bytes."""
    REDEEM_SCRIPT = 2
    """The script of a P2SH output that is no witness program."""
    WITNESS_SCRIPT = 3
    """The script of a P2WSH output, nested or not."""


def spelling_hash(script_pubkey: bytes) -> bytes | None:
    """Return the 20 bytes that all spellings of a key or witness script have in common.

    Args:
        script_pubkey: any script.

    Returns:
        The P2SH hash of the nested form; for a P2SH its own hash. None for a type without spellings.
    """
    kind = classify(script_pubkey)
    if kind is ScriptType.P2SH:
        return payload(script_pubkey, kind)
    if kind is ScriptType.P2PK:
        return _nested(hash160(script_pubkey[1:-1]))
    if kind in (ScriptType.P2PKH, ScriptType.P2WPKH, ScriptType.P2WSH):
        return _nested(payload(script_pubkey, kind))
    return None


def spelling_key(script_pubkey: bytes) -> int:
    """Return a script's key in the spelling index: eight bytes of its spelling hash, or else of its SHA-256."""
    return int.from_bytes((spelling_hash(script_pubkey) or sha256(script_pubkey))[:8], "little")


def kind_between(script_a: bytes, script_b: bytes) -> SameKeyKind | None:
    """Return why the hashes alone prove two different scripts to be one, or None if they do not."""
    ours, theirs = spelling_hash(script_a), spelling_hash(script_b)
    if script_a == script_b or ours is None or ours != theirs:
        return None
    nested = ScriptType.P2SH in (classify(script_a), classify(script_b))
    return SameKeyKind.NESTED if nested else SameKeyKind.KEY


def compressed_form(key: bytes) -> bytes:
    """Return the 33-byte form of an uncompressed or hybrid public key.

    The way back needs a square root, which this program does not take.

    Raises:
        InputRefused: the bytes are not a point of the curve in one of these forms.
    """
    if len(key) != 65 or key[0] not in (4, 6, 7):
        raise InputRefused(f"{key[:65].hex()} is not an uncompressed public key: 65 bytes beginning with 04 are needed")
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    hybrid_fits = key[0] == 4 or key[0] & 1 == y & 1
    if not (x < _FIELD and y < _FIELD and hybrid_fits and (y * y - x * x * x - 7) % _FIELD == 0):
        raise InputRefused(f"{key.hex()} is not a public key: it is no point of the curve")
    return bytes([2 + (y & 1)]) + key[1:33]


def revealed_data(script_sig: bytes, witness: tuple[bytes, ...]) -> tuple[Reveal, bytes] | None:
    """Return the key or script that an input shows, judged by shape alone.

    Shapes that belong to other spends are not read as scripts: a pushed key, the witness of a P2WPKH (two items, the
    last a compressed key) and of a taproot spend.
    """
    if witness:
        script = witness[-1]
        if script_sig:
            is_script = len(script_sig) == 35 and script_sig.startswith(_NESTED_P2WSH)
        else:
            taproot = input_flags(script_sig, witness) & (InputFlag.KEY_PATH | InputFlag.SCRIPT_PATH)
            is_script = not taproot and not (len(witness) == 2 and len(script) == 33 and _is_key(script))
        shown = Reveal.WITNESS_SCRIPT if is_script else None
    else:
        script = _last_push(script_sig)
        shown = Reveal.REDEEM_SCRIPT
        if _is_key(script):
            shown = Reveal.KEY if len(script) == 65 else None
    if shown is None or not script or (shown is not Reveal.KEY and witness_program(script) is not None):
        return None
    return shown, script


def proven_spelling(script_pubkey: bytes, shown: Reveal, data: bytes) -> tuple[bytes, SameKeyKind] | None:
    """Return the spelling hash of what must be the same as a script, given the data behind it.

    Args:
        script_pubkey: the script that the data was shown for.
        shown: what the data is.
        data: a key or script; it counts only if the scriptPubKey commits to it.

    Returns:
        The spelling hash of the other form and why, or None if nothing follows.
    """
    kind = classify(script_pubkey)
    if shown is Reveal.KEY:
        stands = kind is ScriptType.P2PK and script_pubkey[1:-1] == data
        if not stands and not (kind is ScriptType.P2PKH and payload(script_pubkey, kind) == hash160(data)):
            return None
        try:
            return _nested(hash160(compressed_form(data))), SameKeyKind.KEY_FORM
        except InputRefused:
            return None
    program = sha256(data)
    if shown is Reveal.REDEEM_SCRIPT:
        fits = kind is ScriptType.P2SH and payload(script_pubkey, kind) == hash160(data)
        return (_nested(program), SameKeyKind.SCRIPT) if fits else None
    # A P2WSH holds the script's SHA-256, a P2SH-P2WSH the hash of that program.
    fits = kind in (ScriptType.P2WSH, ScriptType.P2SH) and spelling_hash(script_pubkey) == _nested(program)
    return (hash160(data), SameKeyKind.SCRIPT) if fits else None


def revealed_spelling(
    script_pubkey: bytes, script_sig: bytes, witness: tuple[bytes, ...]
) -> tuple[bytes, SameKeyKind] | None:
    """Return the spelling hash that an input proves to be the same as the script it spends.

    Args:
        script_pubkey: of the output that is spent. The key in a P2PK is read without looking at the input.
        script_sig: the input's scriptSig.
        witness: the input's witness items, in order.

    Returns:
        The spelling hash of the other form and why, or None if nothing follows.

    Method: METHODS.md 1.1.
    """
    if classify(script_pubkey) is ScriptType.P2PK:
        return proven_spelling(script_pubkey, Reveal.KEY, script_pubkey[1:-1])
    found = revealed_data(script_sig, witness)
    return found and proven_spelling(script_pubkey, *found)


def _nested(program: bytes) -> bytes:
    """The P2SH hash of a version 0 witness program."""
    return hash160(bytes([0, len(program)]) + program)


def _is_key(data: bytes) -> bool:
    return bool(data) and _KEY_LENGTHS.get(data[0]) == len(data)


def _last_push(script_sig: bytes) -> bytes:
    """What a scriptSig of pushes leaves on top; nothing if that is a number, or if there is another opcode."""
    last = b""
    try:
        for opcode, data, _ in iterate_pushes(script_sig):
            if opcode > OP_16:
                return b""
            last = data or b""
    except EncodingError:
        return b""
    return last
