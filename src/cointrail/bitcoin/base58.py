"""Base58 and Base58Check, the spelling of P2PKH and P2SH addresses.

Decoding is quadratic in the length of the text, so the length is capped before anything else happens. No error
repeats the text: it can be a private key somebody put into the wrong field. Rules: Core `base58.cpp`.
"""

from cointrail.bitcoin.hashes import double_sha256
from cointrail.errors import InputRefused

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_LENGTH = 200
"""Longest text decoded unless the caller says otherwise; an extended key has 112 characters."""

_DIGITS = {character: digit for digit, character in enumerate(ALPHABET)}
_CHECKSUM_SIZE = 4


def encode(data: bytes) -> str:
    """Return `data` in base58; leading zero bytes become leading ones."""
    zeros = len(data) - len(data.lstrip(b"\x00"))
    number = int.from_bytes(data, "big")
    characters = []
    while number:
        number, digit = divmod(number, 58)
        characters.append(ALPHABET[digit])
    return ALPHABET[0] * zeros + "".join(reversed(characters))


def decode(text: str, *, longest: int = MAX_LENGTH) -> bytes:
    """Return the bytes behind a base58 text.

    Args:
        text: base58 digits and nothing else.
        longest: characters allowed.

    Raises:
        InputRefused: the text is too long or has a character that is no base58 digit; positions count from 1.
    """
    if len(text) > longest:
        raise InputRefused(f"base58 text of {len(text)} characters is longer than {longest}")
    number = 0
    for position, character in enumerate(text, start=1):
        digit = _DIGITS.get(character)
        if digit is None:
            raise InputRefused(f"character {character!a} at position {position} is not in the base58 alphabet")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_check(payload: bytes) -> str:
    """Return the payload and its checksum in base58."""
    return encode(payload + double_sha256(payload)[:_CHECKSUM_SIZE])


def decode_check(text: str, *, longest: int = MAX_LENGTH) -> bytes:
    """Return the payload of a Base58Check text.

    Args:
        text: base58 digits and nothing else.
        longest: characters allowed.

    Raises:
        InputRefused: no base58, too short for a checksum, or the checksum does not fit the payload.
    """
    data = decode(text, longest=longest)
    if len(data) < _CHECKSUM_SIZE:
        raise InputRefused(f"base58 text of {len(data)} bytes is too short for a checksum")
    payload, checksum = data[:-_CHECKSUM_SIZE], data[-_CHECKSUM_SIZE:]
    if double_sha256(payload)[:_CHECKSUM_SIZE] != checksum:
        raise InputRefused("base58 checksum mismatch: a character is wrong or missing")
    return payload
