"""Strings that must not be reported: each looks like something, and its checksum or its chain says otherwise."""

import hashlib
import hmac
from collections.abc import Callable

from cointrail.bitcoin import base58, bech32
from cointrail.bitcoin.network import NETWORKS, REGTEST, Network
from cointrail.errors import InputRefused
from cointrail.simulation.inputs.seized.exhibit import Draft
from cointrail.simulation.plot.bip32 import PRIVATE_VERSION, PUBLIC_VERSION
from cointrail.simulation.plot.bip39 import is_valid, words
from cointrail.simulation.stream import Stream

Decoy = tuple[str, str]
"""(text, kind it resembles)."""

_OTHER_BASE58 = (30, 48, 76, 22)  # version bytes of Dogecoin, Litecoin, Dash, and Dogecoin's scripts
_OTHER_BECH32 = ("ltc", "vtc", "dgb", "grs")
_ELECTRUM_PREFIXES = ("01", "100", "101", "102")


def decoys(count: int, stream: Stream) -> Draft:
    """A file of numbered lines, one decoy each; the numbers keep the words of two lines apart.

    Args:
        count: how many.
        stream: decides which.
    """
    draft = Draft()
    for number in range(1, count + 1):
        text, kind = stream.weighted(_KINDS)(stream)
        draft.text(f"{number:06d}\t")
        draft.plant(text, kind, decoy=True)
        draft.text("\n")
    return draft


def _bytes(stream: Stream, length: int) -> bytes:
    return b"".join(stream.word().to_bytes(8, "little") for _ in range(-(-length // 8)))[:length]


def _changed(text: str, alphabet: str, first: int, stream: Stream) -> str:
    """The text with one character, not before `first`, replaced by another of the alphabet."""
    at = stream.between(first, len(text) - 1)
    other = stream.pick([character for character in alphabet if character != text[at]])
    return text[:at] + other + text[at + 1 :]


def _fails(check: Callable[[str], object], text: str) -> bool:
    try:
        check(text)
    except InputRefused:
        return True
    return False


def _bad_base58(payload: bytes, stream: Stream, *, kept: int = 1) -> str:
    """Base58Check text with one character wrong, but not one of the first."""
    while True:
        text = _changed(base58.encode_check(payload), base58.ALPHABET, kept, stream)
        if _fails(base58.decode_check, text):
            return text


def _network(stream: Stream) -> Network:
    return stream.pick([REGTEST, *NETWORKS.values()])


def _base58_address(stream: Stream) -> Decoy:
    network = _network(stream)
    version = stream.pick((network.pubkey_hash_prefix, network.script_hash_prefix))
    return _bad_base58(bytes((version,)) + _bytes(stream, 20), stream), "address"


def _bech32_address(stream: Stream) -> Decoy:
    network, version = _network(stream), stream.below(2)
    text = bech32.encode(network.bech32_prefix, version, _bytes(stream, 32 if version else 20))
    while True:
        wrong = _changed(text, bech32.CHARSET, len(network.bech32_prefix) + 1, stream)
        if _fails(bech32.decode_values, wrong):
            return wrong, "address"


def _wrong_constant(stream: Stream) -> Decoy:
    """A taproot address that ends in the checksum of version 0, as programs older than BIP350 wrote it."""
    text = bech32.encode(_network(stream).bech32_prefix, 1, _bytes(stream, 32))
    hrp, values, _ = bech32.decode_values(text)
    return bech32.encode_values(hrp, values, bech32.Encoding.BECH32), "address"


def _private_key(stream: Stream) -> Decoy:
    payload = bytes((_network(stream).wif_prefix,)) + _bytes(stream, 32) + b"\x01"
    return _bad_base58(payload, stream), "private_key"


def _extended_key(stream: Stream) -> Decoy:
    version, kind = stream.pick(((PRIVATE_VERSION, "extended_private_key"), (PUBLIC_VERSION, "extended_public_key")))
    return _bad_base58(version + bytes(9) + _bytes(stream, 65), stream, kept=4), kind


def _mnemonic(stream: Stream) -> Decoy:
    """Twelve words that are neither a BIP39 phrase nor an Electrum seed."""
    while True:
        text = " ".join(stream.pick(words()) for _ in range(12))
        electrum = hmac.digest(b"Seed version", text.encode(), hashlib.sha512).hex()
        if not is_valid(text) and not electrum.startswith(_ELECTRUM_PREFIXES):
            return text, "mnemonic"


def _digest(stream: Stream) -> Decoy:
    """A digest in hex: MD5, SHA-1, SHA-256 or SHA-512 by its length."""
    return stream.hexadecimal(stream.pick((32, 40, 64, 128))), "digest"


def _other_base58(stream: Stream) -> Decoy:
    return base58.encode_check(bytes((stream.pick(_OTHER_BASE58),)) + _bytes(stream, 20)), "address"


def _other_bech32(stream: Stream) -> Decoy:
    return bech32.encode(stream.pick(_OTHER_BECH32), 0, _bytes(stream, 20)), "address"


def _ethereum(stream: Stream) -> Decoy:
    return f"0x{stream.hexadecimal(40)}", "address"


_KINDS: tuple[tuple[Callable[[Stream], Decoy], int], ...] = (
    (_base58_address, 22),
    (_bech32_address, 22),
    (_wrong_constant, 6),
    (_private_key, 8),
    (_extended_key, 6),
    (_mnemonic, 10),
    (_digest, 10),
    (_other_base58, 6),
    (_other_bech32, 6),
    (_ethereum, 4),
)
