"""A `keys.Signer` for tests: every key real, every input valid. The product has no signing code.

ECDSA as wallets do it: deterministic nonces (RFC 6979), and where the wallet has the habit, more tries with a counter
as extra entropy until R is below 2**255, as Core does. Schnorr signatures follow BIP340, taproot keys BIP86.
"""

from functools import cache

import pytest
from sighash import Spending
from taproot import ORDER, tagged_hash

from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.keys import Script, Signing

_DEFAULT, _ALL = 0, 1


class Signer:
    """Signs for any secret it is shown. Skips the test if `coincurve` is not installed."""

    def __init__(self) -> None:
        self._curve = pytest.importorskip("coincurve", reason="coincurve is not installed: nothing can sign")
        self._key = cache(self._curve.PrivateKey)
        self._tweaked = cache(self._tweak)
        self._last: tuple[Signing, Spending] | None = None
        self.signatures = 0

    def public_key(self, secret: bytes) -> bytes:
        """The compressed public key, 33 bytes."""
        return bytes(self._key(secret).public_key.format())

    def taproot_key(self, secret: bytes) -> bytes:
        """The output key of BIP86."""
        return bytes(self._tweaked(secret).public_key.format()[1:])

    def _tweak(self, secret: bytes) -> object:
        """The private key behind `taproot_key`."""
        public = self._key(secret).public_key.format()
        number = int.from_bytes(secret, "big")
        even = number if public[0] == 2 else ORDER - number
        tweak = int.from_bytes(tagged_hash("TapTweak", public[1:]), "big")
        return self._key(((even + tweak) % ORDER).to_bytes(32, "big"))

    def unlock(self, signing: Signing, position: int) -> tuple[bytes, tuple[bytes, ...]]:
        """(scriptSig, witness) of one input."""
        lock, hash_type = signing.locks[position], signing.sighash[position]
        spending = self._spending(signing)
        if lock.kind is ScriptType.P2TR:
            return b"", (self._schnorr(lock, spending, position, hash_type),)
        if lock.witness_script:
            message = spending.witness_v0(position, lock.witness_script, hash_type)
            secrets = lock.secret[:32], lock.secret[32:]
            signatures = (self._ecdsa(secret, message, hash_type, low_r=lock.low_r) for secret in secrets)
            return b"", (b"", *signatures, lock.witness_script)
        key = lock.public_key
        code = b"\x76\xa9\x14" + hash160(key) + b"\x88\xac"
        if lock.kind is ScriptType.P2PKH:
            signature = self._ecdsa(
                lock.secret, spending.legacy(position, code, hash_type), hash_type, low_r=lock.low_r
            )
            return bytes((len(signature),)) + signature + bytes((len(key),)) + key, ()
        message = spending.witness_v0(position, code, hash_type)
        signature = self._ecdsa(lock.secret, message, hash_type, low_r=lock.low_r)
        script_sig = b"\x16\x00\x14" + hash160(key) if lock.kind is ScriptType.P2SH else b""
        return script_sig, (signature, key)

    def _spending(self, signing: Signing) -> Spending:
        if self._last is None or self._last[0] is not signing:
            spending = Spending(
                signing.version,
                signing.lock_time,
                signing.outpoints,
                signing.sequences,
                signing.values,
                signing.scripts,
                signing.outputs,
            )
            self._last = signing, spending
        return self._last[1]

    def _schnorr(self, lock: Script, spending: Spending, position: int, hash_type: int) -> bytes:
        # ALL stands for the wallet's default, which taproot leaves away.
        hash_type = _DEFAULT if hash_type == _ALL else hash_type
        message = spending.taproot(position, hash_type)
        self.signatures += 1
        signature: bytes = self._tweaked(lock.secret).sign_schnorr(message, bytes(32))  # type: ignore[attr-defined]
        return signature + bytes((hash_type,) if hash_type else ())

    def _ecdsa(self, secret: bytes, message: bytes, hash_type: int, *, low_r: bool) -> bytes:
        key = self._key(secret)
        self.signatures += 1
        signature = bytes(key.sign(message, hasher=None))
        tries = 0
        while low_r and signature[3] > 32:  # R begins with a zero byte, so it is above 2**255
            tries += 1
            signature = bytes(key.sign(message, hasher=None, custom_nonce=self._nonce(tries)))
        return signature + bytes((hash_type,))

    def _nonce(self, tries: int) -> tuple[object, object]:
        ffi = self._curve._libsecp256k1.ffi
        return ffi.NULL, ffi.new("unsigned char[32]", tries.to_bytes(32, "little"))
