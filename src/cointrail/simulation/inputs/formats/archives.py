"""DEFLATE, gzip, zlib and ZIP containers with the same bytes on any machine (RFC 1950, 1951, 1952; PKWARE's APPNOTE).

The compressor uses the fixed code for literals and no matches. It does not make anything smaller, but what is inside
cannot be read without inflating it, and on ASCII it is a byte translation and a shift, fast in pure Python.
"""

import zlib
from collections.abc import Callable, Sequence

_ASCII = 144
"""Literals below have a code of 8 bits in the fixed table, the others one of 9."""

_CHUNK = 1 << 20
_DOS_DATE = (2024 - 1980) << 9 | 7 << 5 | 1
_UTF8_NAME = 0x800


def _reversed(code: int, bits: int) -> int:
    """A Huffman code as it stands in the stream: its first bit lowest."""
    return int(f"{code:0{bits}b}"[::-1], 2)


_SHORT = bytes(_reversed(0x30 + literal, 8) if literal < _ASCII else 0 for literal in range(256))
_LONG = {literal: _reversed(0x190 + literal - _ASCII, 9) for literal in range(_ASCII, 256)}


class Deflate:
    """A DEFLATE stream of one block, fed piece by piece.

    Args:
        write: is given the compressed bytes.
    """

    __slots__ = ("_bits", "_value", "_write")

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._value, self._bits = 0b011, 3  # last block, fixed codes

    def feed(self, data: bytes) -> None:
        """Compress more."""
        for start in range(0, len(data), _CHUNK):
            piece = data[start : start + _CHUNK]
            if max(piece) < _ASCII:
                number = int.from_bytes(piece.translate(_SHORT), "little")
                self._put(number, 8 * len(piece))
            else:
                for literal in piece:
                    self._put(*((_SHORT[literal], 8) if literal < _ASCII else (_LONG[literal], 9)))

    def finish(self) -> None:
        """Write the end of the block."""
        self._put(0, 7)
        self._put(0, -self._bits % 8)

    def _put(self, number: int, bits: int) -> None:
        value, bits = self._value | number << self._bits, self._bits + bits
        whole = bits // 8
        self._value, self._bits = value >> 8 * whole, bits % 8
        self._write((value & (1 << 8 * whole) - 1).to_bytes(whole, "little"))


def deflate(data: bytes) -> bytes:
    """A whole DEFLATE stream."""
    parts: list[bytes] = []
    stream = Deflate(parts.append)
    stream.feed(data)
    stream.finish()
    return b"".join(parts)


class GzipWriter:
    """A gzip member without name and time, fed piece by piece; a context manager.

    Args:
        write: is given the bytes of the file.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._deflate = Deflate(write)
        self._crc, self.length = 0, 0
        write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")

    def feed(self, data: bytes) -> None:
        """Compress more; `length` counts what was fed."""
        self._crc = zlib.crc32(data, self._crc)
        self.length += len(data)
        self._deflate.feed(data)

    def finish(self) -> None:
        """Write the rest of the stream and the trailer."""
        self._deflate.finish()
        self._write(self._crc.to_bytes(4, "little") + (self.length & 0xFFFFFFFF).to_bytes(4, "little"))


def gzip(data: bytes) -> bytes:
    """A whole gzip file."""
    parts: list[bytes] = []
    writer = GzipWriter(parts.append)
    writer.feed(data)
    writer.finish()
    return b"".join(parts)


def zlib_stream(data: bytes) -> bytes:
    """A whole zlib stream, as PNG holds one."""
    return b"\x78\x01" + deflate(data) + zlib.adler32(data).to_bytes(4, "big")


def zip_file(members: Sequence[tuple[str, bytes]]) -> bytes:
    """A ZIP file of (name, content), every member deflated and dated 2024-07-01."""
    body, directory = bytearray(), bytearray()
    for name, content in members:
        packed, spelled = deflate(content), name.encode()
        record = b"".join(
            field.to_bytes(size, "little")
            for field, size in (
                (20, 2),  # version needed
                (_UTF8_NAME, 2),
                (8, 2),  # deflated
                (0, 2),  # midnight
                (_DOS_DATE, 2),
                (zlib.crc32(content), 4),
                (len(packed), 4),
                (len(content), 4),
                (len(spelled), 2),
                (0, 2),
            )
        )
        directory += b"PK\x01\x02\x14\x03" + record + bytes(6) + (0o100644 << 16).to_bytes(4, "little")
        directory += len(body).to_bytes(4, "little") + spelled
        body += b"PK\x03\x04" + record + spelled + packed
    count = len(members).to_bytes(2, "little")
    end = count + count + len(directory).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return bytes(body + directory) + b"PK\x05\x06" + bytes(4) + end + bytes(2)
