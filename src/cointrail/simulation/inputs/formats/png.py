"""Black and white pictures as PNG (ISO/IEC 15948), one bit a pixel."""

import zlib
from collections.abc import Sequence

from cointrail.simulation.inputs.formats.archives import zlib_stream


def picture(modules: Sequence[Sequence[bool]], *, scale: int, border: int) -> bytes:
    """The file.

    Args:
        modules: rows, True for black.
        scale: pixels along the edge of a module.
        border: white modules around it.
    """
    width = scale * (len(modules[0]) + 2 * border)
    rows = [b"\x00" + _row([False] * width)] * (scale * border)
    lines = list(rows)
    for row in modules:
        pixels = [dark for dark in (*[False] * border, *row, *[False] * border) for _ in range(scale)]
        lines += [b"\x00" + _row(pixels)] * scale
    lines += rows
    header = width.to_bytes(4, "big") + len(lines).to_bytes(4, "big") + b"\x01\x00\x00\x00\x00"
    chunks = ((b"IHDR", header), (b"IDAT", zlib_stream(b"".join(lines))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _row(pixels: Sequence[bool]) -> bytes:
    """White is 1; the last byte is filled up with black."""
    length = -(-len(pixels) // 8)
    bits = "".join("0" if dark else "1" for dark in pixels).ljust(8 * length, "0")
    return int(bits, 2).to_bytes(length, "big")


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
