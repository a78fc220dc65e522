"""BIP32 extended keys of regtest: private and public derivation, for Bazaar's BIP84 account and planted artefacts.

Nothing here signs. A secret is left out of `repr`. Whole ranges of children are derived together, in bounded batches.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cointrail.bitcoin.base58 import decode_check, encode_check
from cointrail.bitcoin.hashes import hash160
from cointrail.simulation.plot.curve import ORDER, Point, add, compress, decompress, public_points

HARDENED = 1 << 31

PRIVATE_VERSION = bytes.fromhex("04358394")
PUBLIC_VERSION = bytes.fromhex("043587cf")
"""tprv and tpub: test networks share them, regtest too."""

_BATCH = 2_048


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A node of a BIP32 tree.

    Attributes:
        public_key: 33 bytes.
        chain_code: 32 bytes.
        depth, parent_fingerprint, child_number: as serialised.
        secret: 32 bytes, or empty for a public node.
    """

    public_key: bytes
    chain_code: bytes = field(repr=False)
    depth: int = 0
    parent_fingerprint: bytes = bytes(4)
    child_number: int = 0
    secret: bytes = field(default=b"", repr=False)

    @classmethod
    def of_seed(cls, seed: bytes) -> "ExtendedKey":
        """The master key of a seed."""
        digest = hmac.digest(b"Bitcoin seed", seed, hashlib.sha512)
        return cls(_public_key(digest[:32]), digest[32:], secret=digest[:32])

    @classmethod
    def parse(cls, text: str, *, private: bytes = PRIVATE_VERSION, public: bytes = PUBLIC_VERSION) -> "ExtendedKey":
        """Read the base58 form; the versions are those of test networks unless said otherwise."""
        data = decode_check(text)
        version, depth, fingerprint, number = data[:4], data[4], data[5:9], int.from_bytes(data[9:13], "big")
        if len(data) != 78 or version not in (private, public):
            raise ValueError("not an extended key of these versions")
        chain_code, key = data[13:45], data[45:]
        if version == private:
            return cls(_public_key(key[1:]), chain_code, depth, fingerprint, number, key[1:])
        decompress(key)
        return cls(key, chain_code, depth, fingerprint, number)

    @property
    def fingerprint(self) -> bytes:
        """First four bytes of the key's hash, by which children name their parent."""
        return hash160(self.public_key)[:4]

    def neuter(self) -> "ExtendedKey":
        """The public half."""
        return ExtendedKey(self.public_key, self.chain_code, self.depth, self.parent_fingerprint, self.child_number)

    def serialize(self, *, private: bytes = PRIVATE_VERSION, public: bytes = PUBLIC_VERSION) -> str:
        """The base58 form, private if the node is."""
        version, key = (private, b"\x00" + self.secret) if self.secret else (public, self.public_key)
        head = bytes((self.depth,)) + self.parent_fingerprint + self.child_number.to_bytes(4, "big")
        return encode_check(version + head + self.chain_code + key)

    def child(self, number: int) -> "ExtendedKey":
        """A child; hardened ones, from `HARDENED` on, need a private node."""
        tweak, chain_code = self._tweak(number)
        if self.secret:
            secret = _plus(self.secret, tweak)
            return ExtendedKey(_public_key(secret), chain_code, self.depth + 1, self.fingerprint, number, secret)
        key = compress(_sum(public_points([tweak])[0], decompress(self.public_key)))
        return ExtendedKey(key, chain_code, self.depth + 1, self.fingerprint, number)

    def derive(self, path: str) -> "ExtendedKey":
        """A descendant, by a path such as `84'/1'/0'` (also `84h/1h/0h`)."""
        node = self
        for step in path.split("/"):
            hardened = step[-1] in "'hH"
            node = node.child(int(step.rstrip("'hH")) + (HARDENED if hardened else 0))
        return node

    def secrets(self, numbers: Sequence[int]) -> list[bytes]:
        """Secrets of many children of a private node."""
        return [_plus(self.secret, self._tweak(number)[0]) for number in numbers]

    def public_keys(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Public keys of many children, not hardened, by public derivation; memory stays bounded."""
        own = decompress(self.public_key)
        for start in range(0, len(numbers), _BATCH):
            tweaks = public_points([self._tweak(number)[0] for number in numbers[start : start + _BATCH]])
            for point in add([(tweak, own) for tweak in tweaks]):
                yield compress(_finite(point))

    def _tweak(self, number: int) -> tuple[int, bytes]:
        if number < HARDENED:
            data = self.public_key
        elif self.secret:
            data = b"\x00" + self.secret
        else:
            raise ValueError("a public key has no hardened children")
        digest = hmac.digest(self.chain_code, data + number.to_bytes(4, "big"), hashlib.sha512)
        tweak = int.from_bytes(digest[:32], "big")
        if not 0 < tweak < ORDER:  # less likely than 2**-127; BIP32 would skip the number
            raise ValueError(f"child {number} of this key does not exist")
        return tweak, digest[32:]


def _public_key(secret: bytes) -> bytes:
    return compress(public_points([int.from_bytes(secret, "big")])[0])


def _plus(secret: bytes, tweak: int) -> bytes:
    return ((int.from_bytes(secret, "big") + tweak) % ORDER).to_bytes(32, "big")


def _sum(one: Point, other: Point) -> Point:
    return _finite(add([(one, other)])[0])


def _finite(point: Point | None) -> Point:
    if point is None:
        raise ValueError("a child of this key does not exist")
    return point
