"""Bech32 and Bech32m (BIP173, BIP350), the spelling of witness addresses.

The two differ in one constant of the checksum. Version 0 programs are written in bech32, all later versions in
bech32m; a text with the other checksum is refused by name, because it was made by a program that mixes them up.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from cointrail.errors import InputRefused

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MAX_LENGTH = 90

_VALUES = {character: value for value, character in enumerate(CHARSET)}
_CHECKSUM_LENGTH = 6
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class Encoding(Enum):
    """The two checksums; the value is the constant BIP173 or BIP350 sets."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


class WitnessAddress(NamedTuple):
    """A decoded witness address."""

    hrp: str
    version: int
    program: bytes
    encoding: Encoding


def decode(text: str) -> WitnessAddress:
    """Read a witness address.

    Args:
        text: all lower or all upper case, no surrounding space.

    Returns:
        Human-readable part in lower case, witness version, program, and which checksum was used.

    Raises:
        InputRefused: with the first reason found; positions count from 1.
    """
    hrp, values, encoding = decode_values(text)
    if not values:
        raise InputRefused("no witness version after the human-readable part")
    version = values[0]
    if version > 16:
        raise InputRefused(f"witness version {version} is above 16")
    needed = _encoding_of(version)
    if encoding is not needed:
        raise InputRefused(
            f"checksum is {encoding.name.lower()}, witness version {version} needs {needed.name.lower()}"
        )
    program = _bytes_from_values(values[1:])
    _check_program(version, program)
    return WitnessAddress(hrp, version, program, encoding)


def encode(hrp: str, version: int, program: bytes) -> str:
    """Return the address of a witness program, in lower case.

    Args:
        hrp: human-readable part of the network, such as ``bc``.
        version: witness version, 0 to 16.
        program: 2 to 40 bytes; 20 or 32 for version 0.

    Raises:
        InputRefused: version or program is out of range.
    """
    if not 0 <= version <= 16:
        raise InputRefused(f"witness version {version} is not between 0 and 16")
    _check_program(version, program)
    return encode_values(hrp, [version, *_values_from_bytes(program)], _encoding_of(version))


def decode_values(text: str) -> tuple[str, list[int], Encoding]:
    """Read any bech32 or bech32m text, without giving its data a meaning.

    Returns:
        Human-readable part in lower case, the five-bit values without checksum, and which checksum was used.

    Raises:
        InputRefused: too long, mixed case, a character out of range, no separator, or neither checksum fits.
    """
    if len(text) > MAX_LENGTH:
        raise InputRefused(f"bech32 text of {len(text)} characters is longer than {MAX_LENGTH}")
    for position, character in enumerate(text, start=1):
        if not "!" <= character <= "~":
            raise InputRefused(f"character {character!a} at position {position} cannot stand in a bech32 text")
    if text != text.lower() and text != text.upper():
        raise InputRefused("mixed case: bech32 is all lower or all upper case")
    text = text.lower()
    separator = text.rfind("1")
    if separator < 0:
        raise InputRefused("no separator '1' in the bech32 text")
    if separator == 0:
        raise InputRefused("nothing before the separator '1' of the bech32 text")
    if len(text) - separator - 1 < _CHECKSUM_LENGTH:
        raise InputRefused(f"fewer than {_CHECKSUM_LENGTH} characters after the separator '1'")
    hrp, values = text[:separator], []
    for position, character in enumerate(text[separator + 1 :], start=separator + 2):
        value = _VALUES.get(character)
        if value is None:
            raise InputRefused(f"character {character!a} at position {position} is not in the bech32 alphabet")
        values.append(value)
    remainder = _polymod([*_expanded(hrp), *values])
    for encoding in Encoding:
        if remainder == encoding.value:
            return hrp, values[:-_CHECKSUM_LENGTH], encoding
    raise InputRefused("bech32 checksum mismatch: a character is wrong or missing")


def encode_values(hrp: str, values: Sequence[int], encoding: Encoding) -> str:
    """Return five-bit values as a text with checksum.

    Args:
        hrp: human-readable part in lower case.
        values: numbers from 0 to 31.
        encoding: which checksum to write.

    Raises:
        InputRefused: the text would be longer than `MAX_LENGTH`.
    """
    length = len(hrp) + 1 + len(values) + _CHECKSUM_LENGTH
    if length > MAX_LENGTH:
        raise InputRefused(f"bech32 text of {length} characters is longer than {MAX_LENGTH}")
    remainder = _polymod([*_expanded(hrp), *values, *bytes(_CHECKSUM_LENGTH)]) ^ encoding.value
    checksum = [remainder >> 5 * (_CHECKSUM_LENGTH - 1 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return hrp + "1" + "".join(CHARSET[value] for value in (*values, *checksum))


def _encoding_of(version: int) -> Encoding:
    return Encoding.BECH32 if version == 0 else Encoding.BECH32M


def _check_program(version: int, program: bytes) -> None:
    if not 2 <= len(program) <= 40:
        raise InputRefused(f"witness program of {len(program)} bytes, 2 to 40 are allowed")
    if version == 0 and len(program) not in (20, 32):
        raise InputRefused(f"witness program of {len(program)} bytes, version 0 needs 20 or 32")


def _polymod(values: Iterable[int]) -> int:
    """Return the remainder of the BCH code's polynomial division (BIP173)."""
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                remainder ^= term
    return remainder


def _expanded(hrp: str) -> list[int]:
    """Return the human-readable part as the checksum sees it: high bits, a zero, low bits."""
    codes = [ord(character) for character in hrp]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _values_from_bytes(data: bytes) -> list[int]:
    """Regroup bytes to five-bit values; the last one is padded with zero bits."""
    count = -(-8 * len(data) // 5)
    number = int.from_bytes(data, "big") << 5 * count - 8 * len(data)
    return [number >> 5 * (count - 1 - place) & 31 for place in range(count)]


def _bytes_from_values(values: Sequence[int]) -> bytes:
    """Regroup five-bit values to bytes; BIP173 allows at most four bits of padding, all zero."""
    number = 0
    for value in values:
        number = number << 5 | value
    count, padding = divmod(5 * len(values), 8)
    if padding > 4:
        raise InputRefused(f"padding of {padding} bits after the witness program, at most 4 are allowed")
    if number & (1 << padding) - 1:
        raise InputRefused("padding after the witness program is not zero")
    return (number >> padding).to_bytes(count, "big")
