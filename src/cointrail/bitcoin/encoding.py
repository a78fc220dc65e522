"""Reading and writing the wire encoding: little-endian integers and compact sizes.

`Cursor` walks over a buffer it does not own and never reads past the end. A count is compared with the bytes that
are left before anything is allocated for it, so a hostile length costs nothing. Rules: Core `serialize.h`.
"""

import struct

from cointrail.errors import EncodingError

MAX_SIZE = 0x02000000
"""Largest length or count that may be announced (Core `MAX_SIZE`)."""

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_I64 = struct.Struct("<q")


class Cursor:
    """A position in a buffer that moves forward as values are read.

    Attributes:
        buffer: the bytes being read.
        position: index of the next byte to read.
    """

    __slots__ = ("_end", "buffer", "position")

    def __init__(self, buffer: bytes | memoryview, position: int = 0) -> None:
        self.buffer = buffer
        self.position = position
        self._end = len(buffer)

    @property
    def remaining(self) -> int:
        """Number of bytes not yet read."""
        return self._end - self.position

    def take(self, count: int) -> bytes:
        """Read `count` bytes.

        Raises:
            EncodingError: fewer bytes are left.
        """
        start = self._advance(count)
        return bytes(self.buffer[start : start + count])

    def u8(self) -> int:
        """Read an unsigned byte."""
        return self.buffer[self._advance(1)]

    def u16(self) -> int:
        """Read an unsigned 16-bit integer."""
        value: int = _U16.unpack_from(self.buffer, self._advance(2))[0]
        return value

    def u32(self) -> int:
        """Read an unsigned 32-bit integer."""
        value: int = _U32.unpack_from(self.buffer, self._advance(4))[0]
        return value

    def i32(self) -> int:
        """Read a signed 32-bit integer."""
        value: int = _I32.unpack_from(self.buffer, self._advance(4))[0]
        return value

    def u64(self) -> int:
        """Read an unsigned 64-bit integer."""
        value: int = _U64.unpack_from(self.buffer, self._advance(8))[0]
        return value

    def i64(self) -> int:
        """Read a signed 64-bit integer."""
        value: int = _I64.unpack_from(self.buffer, self._advance(8))[0]
        return value

    def compact_size(self) -> int:
        """Read a compact size: one, three, five or nine bytes.

        Raises:
            EncodingError: a longer form than needed was used, or the number is over `MAX_SIZE`.
        """
        start = self.position
        first = self.u8()
        if first < 253:
            return first
        if first == 253:
            value, smallest = self.u16(), 253
        elif first == 254:
            value, smallest = self.u32(), 0x10000
        else:
            value, smallest = self.u64(), 0x100000000
        if value < smallest:
            raise EncodingError(f"non-minimal compact size: {value} in the form for {smallest} and more", offset=start)
        if value > MAX_SIZE:
            raise EncodingError(f"compact size {value} is over {MAX_SIZE}", offset=start)
        return value

    def count(self, noun: str, smallest: int) -> int:
        """Read how many items follow and check that so many can fit into the bytes that are left.

        Args:
            noun: what is counted, in the plural, for the error message.
            smallest: bytes the shortest possible item takes, at least 1.

        Raises:
            EncodingError: the count cannot be true.
        """
        start = self.position
        value = self.compact_size()
        if value * smallest > self.remaining:
            raise EncodingError(f"{value} {noun} announced, {self.remaining} bytes left", offset=start)
        return value

    def var_bytes(self) -> bytes:
        """Read a compact size and that many bytes."""
        return self.take(self.compact_size())

    def finish(self, noun: str) -> None:
        """Check that everything was read.

        Args:
            noun: what the buffer should hold and nothing more, for the error message.

        Raises:
            EncodingError: bytes are left.
        """
        if self.remaining:
            raise EncodingError(f"{self.remaining} trailing bytes after the {noun}", offset=self.position)

    def _advance(self, count: int) -> int:
        start = self.position
        if count > self._end - start:
            raise EncodingError(f"{count} bytes needed, {self._end - start} left", offset=start)
        self.position = start + count
        return start


def write_compact_size(number: int) -> bytes:
    """Return the shortest compact size of `number`.

    Raises:
        EncodingError: the number is negative or needs more than 64 bits.
    """
    if number < 0 or number >= 1 << 64:
        raise EncodingError(f"{number} is not a compact size")
    if number < 253:
        return number.to_bytes(1, "little")
    if number < 0x10000:
        return b"\xfd" + _U16.pack(number)
    if number < 0x100000000:
        return b"\xfe" + _U32.pack(number)
    return b"\xff" + _U64.pack(number)
