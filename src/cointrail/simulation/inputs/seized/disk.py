"""The disk image: copies of all other exhibits at 4,096-byte boundaries in noise, without a file system."""

import hashlib
from collections.abc import Iterator, Sequence
from io import BufferedWriter
from pathlib import Path

from cointrail.simulation.inputs.seized.exhibit import Exhibit
from cointrail.simulation.stream import Stream

SECTOR = 4_096
_CHUNK = 1 << 20


def write_disk(folder: Path, path: str, exhibits: Sequence[Exhibit], noise_bytes: int, stream: Stream) -> Exhibit:
    """Write the image; files come in random order, gaps of noise between them are of random length.

    Args:
        folder: where the exhibits were written, and where the image goes.
        path: of the image below it.
        exhibits: what is copied into it.
        noise_bytes: noise in all, in whole sectors, besides what fills up the last sector of each file.
        stream: decides order, gaps and noise.
    """
    order = list(exhibits)
    stream.shuffle(order)
    sectors = noise_bytes // SECTOR
    cuts = sorted(stream.below(sectors + 1) for _ in order)
    gaps = [upper - lower for lower, upper in zip([0, *cuts], [*cuts, sectors], strict=True)]
    noise = _Noise(stream)
    image = Exhibit(path)
    with (folder / path).open("wb") as target:
        for exhibit, gap in zip(order, gaps, strict=False):
            noise.write(target, gap * SECTOR)
            start = target.tell()
            image.finds += [find.moved(start) for find in exhibit.finds]
            for piece in _pieces(folder / exhibit.path):
                target.write(piece)
            noise.write(target, -target.tell() % SECTOR)
        noise.write(target, gaps[-1] * SECTOR)
    return image


class _Noise:
    """Bytes of SHAKE-256, in pieces."""

    def __init__(self, stream: Stream) -> None:
        self._key = b"".join(stream.word().to_bytes(8, "little") for _ in range(4))
        self._piece = 0

    def write(self, target: BufferedWriter, length: int) -> None:
        """Write so many bytes of noise."""
        while length > 0:
            self._piece += 1
            size = min(length, _CHUNK)
            target.write(hashlib.shake_256(self._key + self._piece.to_bytes(8, "little")).digest(size))
            length -= size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while piece := source.read(_CHUNK):
            yield piece
