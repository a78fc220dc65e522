"""Extended public keys: base58check of BIP32, with the version bytes of BIP32 and SLIP132.

Nothing is derived here. An extended private key is refused by name and never repeated. The version says which scripts
a wallet makes of the key, by a convention that Core does not know; a wallet may do otherwise.
"""

from dataclasses import dataclass
from typing import Final

from cointrail.bitcoin import base58
from cointrail.bitcoin.hashes import hash160
from cointrail.bitcoin.public_key import is_public_key
from cointrail.errors import InputRefused

LENGTHS: Final = range(100, 121)
"""Characters of a text that is worth decoding; every version that is known makes 111."""

HARDENED: Final = 1 << 31
_SIZE: Final = 78
_MAIN, _TEST = ("mainnet",), ("testnet3", "testnet4", "signet", "regtest")


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """What four version bytes say: the text's prefix, networks, and the scripts a wallet makes of the key."""

    prefix: str
    networks: tuple[str, ...]
    scripts: str
    private: bool


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedPublicKey:
    """A decoded extended public key.

    Attributes:
        version: what its version bytes say.
        depth: steps from the master key, 0 to 255.
        parent_fingerprint: 4 bytes, zeros for a master key.
        child_number: index below the parent; from 2^31 on hardened.
        chain_code: 32 bytes.
        public_key: 33 bytes.
    """

    version: KeyVersion
    depth: int
    parent_fingerprint: bytes
    child_number: int
    chain_code: bytes
    public_key: bytes

    @property
    def fingerprint(self) -> bytes:
        """Four bytes that name the key (BIP32)."""
        return hash160(self.public_key)[:4]


def _versions() -> dict[bytes, KeyVersion]:
    table = (
        ("x", "t", "p2pkh", "0488b21e 0488ade4 043587cf 04358394"),
        ("y", "u", "p2sh-p2wpkh", "049d7cb2 049d7878 044a5262 044a4e28"),
        ("z", "v", "p2wpkh", "04b24746 04b2430c 045f1cf6 045f18bc"),
        ("Y", "U", "multisig in p2sh-p2wsh", "0295b43f 0295b005 024289ef 024285b5"),
        ("Z", "V", "multisig in p2wsh", "02aa7ed3 02aa7a99 02575483 02575048"),
    )
    found = {}
    for main, test, scripts, numbers in table:
        kinds = [
            (letter, networks, word) for letter, networks in ((main, _MAIN), (test, _TEST)) for word in ("pub", "prv")
        ]
        for number, (letter, networks, word) in zip(numbers.split(), kinds, strict=True):
            found[bytes.fromhex(number)] = KeyVersion(letter + word, networks, scripts, word == "prv")
    return found


VERSIONS: Final = _versions()
"""By version bytes."""

PREFIXES: Final = frozenset(version.prefix for version in VERSIONS.values())


def parse_extended_public_key(text: str) -> ExtendedPublicKey:
    """Read an extended public key.

    Args:
        text: base58 digits and nothing else.

    Raises:
        InputRefused: it is none, private, or breaks a rule of BIP32; the text is not repeated.
    """
    data = base58.decode_check(text, longest=LENGTHS[-1])
    if len(data) != _SIZE:
        raise InputRefused(f"an extended key has {_SIZE} bytes, not {len(data)}")
    version = VERSIONS.get(data[:4])
    if version is None:
        raise InputRefused(f"version bytes {data[:4].hex()} belong to no extended key")
    if version.private:
        raise InputRefused(f"an extended private key ({version.prefix}); it is not repeated here")
    key = ExtendedPublicKey(version, data[4], data[5:9], int.from_bytes(data[9:13], "big"), data[13:45], data[45:])
    if key.depth == 0 and any(key.parent_fingerprint):
        raise InputRefused("an extended key of depth 0 has no parent, but names one")
    if key.depth == 0 and key.child_number:
        raise InputRefused("an extended key of depth 0 is no child, but has a child number")
    if not is_public_key(key.public_key):
        raise InputRefused("the extended public key holds no point of the curve")
    return key
