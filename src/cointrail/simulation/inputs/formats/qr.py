"""QR codes (ISO/IEC 18004): byte mode, error correction level M, versions 1 to 6, the mask of least penalty.

A symbol is a list of rows of modules, True for dark, without the quiet zone.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

Modules = list[list[bool]]

_BLOCKS = {1: (1, 16, 10), 2: (1, 28, 16), 3: (1, 44, 26), 4: (2, 32, 18), 5: (2, 43, 24), 6: (4, 27, 16)}
"""Version: number of blocks, data codewords of each, error correction codewords of each; level M."""

_BYTE_MODE = 0b0100
_LEVEL_M = 0b00
_FORMAT_GENERATOR, _FORMAT_MASK = 0x537, 0x5412
_FIELD = 0x11D
_FINDER_LIKE = ((1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0), (0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1))

_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)


def encode(content: bytes) -> Modules:
    """The symbol of least version that holds the content, at most 106 bytes."""
    version = next(number for number, (blocks, size, _) in _BLOCKS.items() if len(content) + 2 <= blocks * size)
    modules, reserved = _function_patterns(version)
    codewords = _codewords(content, version)
    bits = (codeword >> place & 1 for codeword in codewords for place in range(7, -1, -1))
    for row, column in _zigzag(reserved):
        modules[row][column] = bool(next(bits, 0))
    return min((_masked(modules, reserved, mask) for mask in range(len(_MASKS))), key=penalty)


def _codewords(content: bytes, version: int) -> list[int]:
    """Data codewords and error correction codewords, interleaved."""
    blocks, size, correction = _BLOCKS[version]
    capacity = blocks * size
    # Mode (4 bits), count (8 bits), content, terminator (4 bits): whole bytes, shifted by half a byte.
    packed = (_BYTE_MODE << 8 | len(content)).to_bytes(2, "big") + content
    data = (int.from_bytes(packed, "big") << 4).to_bytes(len(packed), "big")
    data += bytes((0xEC, 0x11)[place % 2] for place in range(capacity - len(data)))
    parts = [data[start : start + size] for start in range(0, capacity, size)]
    remainders = [error_correction(part, correction) for part in parts]
    result = [part[place] for place in range(size) for part in parts]
    return result + [part[place] for place in range(correction) for part in remainders]


def error_correction(data: bytes, count: int) -> bytes:
    """Reed-Solomon codewords of a block."""
    generator = [1]
    root = 1
    for _ in range(count):
        generator = [*generator, 0]
        for place in range(len(generator) - 1, 0, -1):
            generator[place] ^= _times(generator[place - 1], root)
        root = _times(root, 2)
    remainder = [0] * count
    for byte in data:
        factor = byte ^ remainder[0]
        remainder = [*remainder[1:], 0]
        remainder = [value ^ _times(term, factor) for value, term in zip(remainder, generator[1:], strict=True)]
    return bytes(remainder)


def _times(first: int, second: int) -> int:
    product = 0
    while second:
        if second & 1:
            product ^= first
        first = first << 1 ^ (_FIELD if first & 0x80 else 0)
        second >>= 1
    return product


def _function_patterns(version: int) -> tuple[Modules, Modules]:
    """The symbol without data and format, and which modules are taken."""
    size = 17 + 4 * version
    modules = [[False] * size for _ in range(size)]
    reserved = [[False] * size for _ in range(size)]

    def put(row: int, column: int, *, dark: bool) -> None:
        if 0 <= row < size and 0 <= column < size:
            modules[row][column], reserved[row][column] = dark, True

    for place in range(size):
        put(6, place, dark=place % 2 == 0)
        put(place, 6, dark=place % 2 == 0)
    for top, left in ((3, 3), (3, size - 4), (size - 4, 3)):
        for down in range(-4, 5):
            for right in range(-4, 5):
                put(top + down, left + right, dark=max(abs(down), abs(right)) not in (2, 4))
    if version > 1:
        for down in range(-2, 3):
            for right in range(-2, 3):
                put(size - 7 + down, size - 7 + right, dark=max(abs(down), abs(right)) != 1)
    for row, column in (place for copy in _format_places(size) for place in copy):
        put(row, column, dark=False)
    put(size - 8, 8, dark=True)
    return modules, reserved


def _format_places(size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where the 15 bits of the format stand, twice, lowest bit first."""
    corner = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    edges = [(8, size - 1 - place) for place in range(8)] + [(size - 7 + place, 8) for place in range(7)]
    return corner, edges


def _zigzag(reserved: Modules) -> Iterator[tuple[int, int]]:
    """Free modules in the order of the data bits: pairs of columns from the right, upwards first."""
    size = len(reserved)
    columns = [column for column in range(size - 1, 0, -2) if column > 6] + [5, 3, 1]
    for number, right in enumerate(columns):
        for step in range(size):
            row = step if number % 2 else size - 1 - step
            for column in (right, right - 1):
                if not reserved[row][column]:
                    yield row, column


def _masked(modules: Modules, reserved: Modules, mask: int) -> Modules:
    """The finished symbol under one mask."""
    flips = _MASKS[mask]
    result = [
        [dark ^ (not taken and flips(row, column)) for column, (dark, taken) in enumerate(zip(line, held, strict=True))]
        for row, (line, held) in enumerate(zip(modules, reserved, strict=True))
    ]
    bits = format_bits(mask)
    for copy in _format_places(len(modules)):
        for place, (row, column) in enumerate(copy):
            result[row][column] = bool(bits >> place & 1)
    return result


def format_bits(mask: int) -> int:
    """The 15 bits that tell level and mask."""
    data = _LEVEL_M << 3 | mask
    remainder = data << 10
    for place in range(14, 9, -1):
        if remainder >> place & 1:
            remainder ^= _FORMAT_GENERATOR << place - 10
    return (data << 10 | remainder) ^ _FORMAT_MASK


def penalty(modules: Modules) -> int:
    """How hard a symbol is to read, by the four rules of the standard."""
    size = len(modules)
    lines = [*modules, *([modules[row][column] for row in range(size)] for column in range(size))]
    total = sum(_runs(line) + _finders(line) for line in lines)
    for upper, lower in pairwise(modules):
        total += 3 * sum(
            upper[column] == upper[column + 1] == lower[column] == lower[column + 1] for column in range(size - 1)
        )
    dark = sum(map(sum, modules))
    return total + 10 * (abs(20 * dark - 10 * size * size) // (size * size))


def _runs(line: list[bool]) -> int:
    total, length = 0, 0
    for place, dark in enumerate(line):
        length = length + 1 if place and dark == line[place - 1] else 1
        if length >= 5:
            total += 3 if length == 5 else 1
    return total


def _finders(line: list[bool]) -> int:
    numbers = tuple(map(int, line))
    return 40 * sum(numbers[start : start + 11] in _FINDER_LIKE for start in range(len(numbers) - 10))
