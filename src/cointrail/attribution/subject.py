"""Where a tag's subject stands on a chain: the script of an address, on whichever networks it is one.

Packs mix chains, and an address text does not say which test network it is for: `networks` keeps all that fit. What is
no address of any network of `bitcoin.network` has no script, and that is no error here. Which chain a tag means is told
by the tag, if it says so (`networks_of`).

The codecs are `bitcoin`'s. A list of a million witness addresses would spend half a minute in the checksum; as that
is linear over GF(2), the common lengths are checked by tables, which the codec itself fills.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final, NamedTuple

from cointrail.attribution.tag import Subject, SubjectKind
from cointrail.bitcoin import base58, bech32
from cointrail.bitcoin.hashes import sha256
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.script import ScriptType, classify, script_from_payload
from cointrail.errors import InputRefused

MAX_LENGTH: Final = 20_100
"""Longest text that is looked at: `script:` and the hex of the longest script that can be spent."""

ALL_NETWORKS: Final = (1 << len(NETWORKS)) - 1

_TEST: Final = "testnet"
CHAINS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("", "btc", "xbt", "bitcoin"), ALL_NETWORKS),
    **{name: 1 << place for place, name in enumerate(NETWORKS)},
    _TEST: sum(1 << place for place, name in enumerate(NETWORKS) if name.startswith(_TEST)),
}
"""What the currency or network of a tag about Bitcoin is called, in lower case, and the networks that may be meant."""

_LONGEST_ADDRESS = 100
_LONGEST_BASE58 = 40  # 21 bytes and a checksum take at most 35 digits
_SCRIPT_PREFIX = "script:"
_KEY_LENGTHS = (66, 130)
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


class Located(NamedTuple):
    """What a search for a subject goes by.

    Attributes:
        script_hash: SHA-256 of the scriptPubKey, 32 bytes; None if the subject stands for no script.
        networks: bit n is set if it does so on the n-th of `NETWORKS`, in its order.
    """

    script_hash: bytes | None
    networks: int


def locate(subject: Subject) -> Located:
    """Find the script a subject stands for; whatever the text, there is an answer and no error.

    An address may also be given as a public key in hex (pay-to-public-key) or as `script:HEX`, as everywhere in
    cointrail. A transaction, an output, an extended key and a coinbase text stand for no script.
    """
    text, found = subject.text, None
    if len(text) <= MAX_LENGTH:
        if subject.kind is SubjectKind.ADDRESS:
            found = _script_of_address(text)
        elif subject.kind is SubjectKind.PUBKEY:
            found = _script_of_key(text)
    if found is None:
        return Located(None, 0)
    script, networks = found
    return Located(sha256(script), networks)


@lru_cache(maxsize=256)
def networks_of(currency: str, network: str) -> int:
    """On which of `NETWORKS` a tag may be, by the chain it names, as bits; 0 if that is another chain's.

    Other chains have addresses that are spelled as Bitcoin's are, so the address alone does not tell.
    """
    return CHAINS.get(currency.lower(), 0) & CHAINS.get(network.lower(), 0)


def _bits(attribute: str) -> dict[object, int]:
    """Bits of the networks by the value of one of their constants."""
    bits: dict[object, int] = {}
    for place, network in enumerate(NETWORKS.values()):
        value = getattr(network, attribute)
        bits[value] = bits.get(value, 0) | 1 << place
    return bits


_BY_PUBKEY_HASH: Final = _bits("pubkey_hash_prefix")
_BY_SCRIPT_HASH: Final = _bits("script_hash_prefix")
_BY_BECH32: Final = _bits("bech32_prefix")


def _script_of_address(text: str) -> tuple[bytes, int] | None:
    if len(text) <= _LONGEST_ADDRESS:
        separator = text.rfind("1")
        if text[:separator].lower() in _BY_BECH32:
            return _witness(text, separator)
        if len(text) <= _LONGEST_BASE58:
            return _base58(text)
    return _script_of_key(text) or _stated(text)


def _base58(text: str) -> tuple[bytes, int] | None:
    try:
        data = base58.decode_check(text)
    except InputRefused:
        return None
    if len(data) == 21:
        if networks := _BY_PUBKEY_HASH.get(data[0]):
            return script_from_payload(ScriptType.P2PKH, data[1:]), networks
        if networks := _BY_SCRIPT_HASH.get(data[0]):
            return script_from_payload(ScriptType.P2SH, data[1:]), networks
    return None


def _witness(text: str, separator: int) -> tuple[bytes, int] | None:
    common = _Common.of(text, separator)
    if common is not None and (script := common.script(text, separator)):
        return script, _BY_BECH32[common.hrp]
    try:
        decoded = bech32.decode(text)
    except InputRefused:
        return None
    networks = _BY_BECH32.get(decoded.hrp)
    if networks is None:
        return None
    opcode = 0x50 + decoded.version if decoded.version else 0
    return bytes((opcode, len(decoded.program))) + decoded.program, networks


def _script_of_key(text: str) -> tuple[bytes, int] | None:
    """The pay-to-public-key script of a key in hex; a key is of every network."""
    if len(text) not in _KEY_LENGTHS or not _HEX_DIGITS.issuperset(text):
        return None
    raw = bytes.fromhex(text)
    script = bytes((len(raw),)) + raw + b"\xac"
    return (script, ALL_NETWORKS) if classify(script) is ScriptType.P2PK else None


def _stated(text: str) -> tuple[bytes, int] | None:
    digits = text.removeprefix(_SCRIPT_PREFIX)
    if digits == text or len(digits) % 2 or not _HEX_DIGITS.issuperset(digits):
        return None
    return bytes.fromhex(digits), ALL_NETWORKS


class _Common:
    """The checksum of one common form: program of 20 or 32 bytes, version 0 or 1, one human-readable part.

    The checksum of BIP173 is affine in the values: that of a text is the one of all zeros, XORed with what each value
    adds at its place. Each table is made of single texts that `bitcoin.bech32` encodes.
    """

    _BYTES: Final = {("q", 33): 20, ("q", 53): 32, ("p", 53): 32}  # by version and number of values before the checksum

    def __init__(self, hrp: str, version: str, count: int) -> None:
        self.hrp, self._size = hrp, self._BYTES[version, count]
        self._opcode = 0x51 if version == "p" else 0
        self._padding = 5 * (count - 1) - 8 * self._size
        encoding = bech32.Encoding.BECH32M if self._opcode else bech32.Encoding.BECH32
        first = bech32.CHARSET.index(version)

        def checksum(place: int, value: int) -> int:
            values = [first, *bytes(count - 1)]
            values[place] ^= value
            return _number(bech32.encode_values(hrp, values, encoding)[-6:])

        self._zero = checksum(0, 0)
        self._added = [
            {letter: checksum(place, value) ^ self._zero for value, letter in enumerate(bech32.CHARSET)}
            for place in range(1, count)
        ]

    @staticmethod
    @cache
    def _made(hrp: str, version: str, count: int) -> "_Common":
        return _Common(hrp, version, count)

    @classmethod
    def of(cls, text: str, separator: int) -> "_Common | None":
        """The form of a text in lower case, if it has a common one."""
        version, count = text[separator + 1 : separator + 2], len(text) - separator - 7
        return (
            cls._made(text[:separator], version, count) if (version, count) in cls._BYTES and text.islower() else None
        )

    def script(self, text: str, separator: int) -> bytes | None:
        """The scriptPubKey, or None if anything is wrong with the text."""
        data, checksum = text[separator + 2 : -6], self._zero
        try:
            for added, letter in zip(self._added, data, strict=True):
                checksum ^= added[letter]
            number = _number(data)
            right = checksum == _number(text[-6:])
        except KeyError:
            return None
        if not right or number & (1 << self._padding) - 1:
            return None
        return bytes((self._opcode, self._size)) + (number >> self._padding).to_bytes(self._size, "big")


_VALUE: Final = {letter: value for value, letter in enumerate(bech32.CHARSET)}


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number << 5 | _VALUE[letter]
    return number
