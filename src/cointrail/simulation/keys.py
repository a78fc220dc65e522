"""Keys and scripts of wallets.

Without a signer, public keys are pseudo-random bytes whose hashes match their scripts, and signatures are DER-shaped or
64-byte placeholders of true length: nobody holds a key, and no code here could use one. A test may pass a `Signer`,
which makes every key real and every input valid.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.stream import Stream

_SIGNATURES = 1 << 10


class Signer(Protocol):
    """What a test passes to make a chain fully valid. The product has none."""

    def public_key(self, secret: bytes) -> bytes:
        """The compressed public key, 33 bytes, of a 32-byte secret."""
        ...

    def taproot_key(self, secret: bytes) -> bytes:
        """The 32-byte output key of a key-path-only taproot output (BIP341, BIP86)."""
        ...

    def unlock(self, signing: "Signing", position: int) -> tuple[bytes, tuple[bytes, ...]]:
        """(scriptSig, witness) of one input."""
        ...


@dataclass(frozen=True, slots=True)
class Signing:
    """A transaction to be signed, as a signer sees it.

    Attributes:
        version, lock_time: of the transaction.
        outpoints: 36 bytes each; sequences, values, scripts: of the inputs.
        outputs: (value, scriptPubKey).
        locks: what unlocks each input.
        sighash: hash type of each input, 0x01 (ALL) unless said otherwise.
    """

    version: int
    lock_time: int
    outpoints: tuple[bytes, ...]
    sequences: tuple[int, ...]
    values: tuple[int, ...]
    scripts: tuple[bytes, ...]
    outputs: tuple[tuple[int, bytes], ...]
    locks: tuple["Script", ...]
    sighash: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Script:
    """A script somebody holds.

    Attributes:
        script_pubkey: the script; kind: its type (P2SH is P2SH-P2WPKH here).
        secret: 32 bytes that its key is made of; public_key: its key, empty for taproot.
        witness_script: of a P2WSH 2-of-2; then `secret` is the two secrets, in the order of the keys in the script.
        wallet_id, entity_id, role, account_id, derivation: for the truth tables.
        low_r: habit of its wallet's signatures.
        uses: how often it was paid.
    """

    script_pubkey: bytes
    kind: ScriptType
    secret: bytes
    public_key: bytes
    wallet_id: int
    entity_id: int
    role: str
    low_r: bool
    account_id: str = ""
    derivation: str = ""
    uses: int = 0
    number: int = -1
    witness_script: bytes = b""


@dataclass(slots=True)
class Keys:
    """Makes scripts and unlocks them.

    Attributes:
        seed: the world's seed.
        signer: None outside tests.
    """

    seed: int
    signer: Signer | None = None
    _low_r: list[bytes] = field(default_factory=list)
    _any_r: list[bytes] = field(default_factory=list)
    _schnorr: list[bytes] = field(default_factory=list)
    _used: int = 0

    def __post_init__(self) -> None:
        stream = Stream(self.seed, "signatures")
        self._low_r = [_der(stream, high_r=False) for _ in range(_SIGNATURES)]
        self._any_r = [_der(stream, high_r=stream.chance(1, 2)) for _ in range(_SIGNATURES)]
        self._schnorr = [_bytes(stream, 64) for _ in range(_SIGNATURES)]

    def public_key(self, secret: bytes, *, compressed: bool = True) -> bytes:
        """A public key, real only with a signer."""
        if self.signer is not None:
            return self.signer.public_key(secret)
        digest = hashlib.sha256(b"public" + secret).digest()
        if compressed:
            return bytes((2 + (digest[0] & 1),)) + digest
        return b"\x04" + digest + hashlib.sha256(digest).digest()

    def script(self, kind: ScriptType, secret: bytes, *, compressed: bool = True) -> tuple[bytes, bytes]:
        """(scriptPubKey, public key) of a secret."""
        if kind is ScriptType.P2TR:
            key = self.signer.taproot_key(secret) if self.signer else hashlib.sha256(b"taproot" + secret).digest()
            return b"\x51\x20" + key, b""
        # A signer knows compressed keys only; the chain it makes differs from the unsigned one anyway.
        public_key = self.public_key(secret, compressed=compressed)
        return script_of_key(kind, public_key), public_key

    def joint_script(self, secrets: tuple[bytes, bytes]) -> tuple[bytes, bytes, bytes]:
        """A P2WSH 2-of-2 as of a Lightning channel: scriptPubKey, witness script, the secrets in key order (BOLT 3)."""
        (first, one), (second, two) = sorted((self.public_key(secret), secret) for secret in secrets)
        witness_script = b"\x52\x21" + first + b"\x21" + second + b"\x52\xae"
        return b"\x00\x20" + hashlib.sha256(witness_script).digest(), witness_script, one + two

    def placeholder(self, script: Script, sighash: int = 1) -> tuple[bytes, bytes]:
        """(scriptSig with its length, serialised witness) of true length; the witness is empty for a legacy input."""
        self._used += 1
        at = self._used % _SIGNATURES
        if script.kind is ScriptType.P2TR:
            if sighash == 1:
                return b"\x00", b"\x01\x40" + self._schnorr[at]
            return b"\x00", b"\x01\x41" + self._schnorr[at] + bytes((sighash,))
        signature = (self._low_r if script.low_r else self._any_r)[at] + bytes((sighash,))
        key = script.public_key
        if script.witness_script:
            other = self._any_r[at - 1] + bytes((sighash,))
            pushed = (b"", signature, other, script.witness_script)
            return b"\x00", b"\x04" + b"".join(bytes((len(item),)) + item for item in pushed)
        if script.kind is ScriptType.P2PKH:
            script_sig = bytes((len(signature),)) + signature + bytes((len(key),)) + key
            return bytes((len(script_sig),)) + script_sig, b""
        witness = b"\x02" + bytes((len(signature),)) + signature + b"\x21" + key
        if script.kind is ScriptType.P2SH:
            return b"\x17\x16\x00\x14" + hash160(key), witness
        return b"\x00", witness


def script_of_key(kind: ScriptType, public_key: bytes) -> bytes:
    """The scriptPubKey of a key: P2PKH, P2WPKH, or P2SH for P2SH-P2WPKH."""
    digest = hash160(public_key)
    if kind is ScriptType.P2PKH:
        return b"\x76\xa9\x14" + digest + b"\x88\xac"
    if kind is ScriptType.P2WPKH:
        return b"\x00\x14" + digest
    return b"\xa9\x14" + hash160(b"\x00\x14" + digest) + b"\x87"


def _bytes(stream: Stream, length: int) -> bytes:
    return b"".join(stream.word().to_bytes(8, "little") for _ in range(-(-length // 8)))[:length]


def _der(stream: Stream, *, high_r: bool) -> bytes:
    """A DER-shaped signature without its hash type: R of 32 or 33 bytes, S low."""
    r, s = bytearray(_bytes(stream, 32)), bytearray(_bytes(stream, 32))
    s[0] = s[0] & 0x7F or 1
    r[0] = r[0] | 0x80 if high_r else r[0] & 0x7F or 1
    r_bytes = b"\x00" + r if high_r else bytes(r)
    body = bytes((2, len(r_bytes))) + r_bytes + b"\x02\x20" + s
    return bytes((0x30, len(body))) + body
