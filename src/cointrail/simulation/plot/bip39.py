"""BIP39 seed phrases: the operator keeps twelve words, and the seized media hold words that only look like a phrase.

The English list is part of BIP39 (MIT licence) and kept beside this file.
"""

import hashlib
from functools import cache
from pathlib import Path

_WORD_BITS = 11
_ROUNDS = 2_048


@cache
def words() -> tuple[str, ...]:
    """The 2,048 words, in order."""
    return tuple((Path(__file__).parent / "english.txt").read_text(encoding="ascii").split())


def phrase_of(entropy: bytes) -> str:
    """The words of 16, 20, 24, 28 or 32 bytes, checksum included."""
    checksum_bits = len(entropy) // 4
    checksum = hashlib.sha256(entropy).digest()[0] >> (8 - checksum_bits)
    number = int.from_bytes(entropy, "big") << checksum_bits | checksum
    count = (8 * len(entropy) + checksum_bits) // _WORD_BITS
    return " ".join(words()[number >> (_WORD_BITS * place) & 2_047] for place in reversed(range(count)))


def is_valid(phrase: str) -> bool:
    """True if every word is in the list and the checksum fits."""
    places = {word: place for place, word in enumerate(words())}
    parts = phrase.split()
    if len(parts) not in (12, 15, 18, 21, 24) or not all(part in places for part in parts):
        return False
    number = 0
    for part in parts:
        number = number << _WORD_BITS | places[part]
    checksum_bits = len(parts) // 3
    entropy = (number >> checksum_bits).to_bytes(4 * checksum_bits, "big")
    return phrase_of(entropy) == " ".join(parts)


def seed_of(phrase: str, passphrase: str = "") -> bytes:
    """The 64-byte seed of a phrase (ASCII)."""
    return hashlib.pbkdf2_hmac("sha512", phrase.encode(), b"mnemonic" + passphrase.encode(), _ROUNDS)
