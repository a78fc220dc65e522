"""Writes blk files in layouts of our own: any order, duplicates, several files, obfuscated, preallocated.

The records are Core's: network magic, size as u32, block. The preallocated tail is raw zero, as Core leaves it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

RECORD_HEADER_SIZE = 8
KEY_SIZE = 8


class Placement(NamedTuple):
    """Where a block lies: `offset` is that of the block's first byte, after the record header."""

    path: Path
    offset: int
    size: int


def obfuscate(data: bytes, key: bytes, offset: int = 0) -> bytes:
    """XOR data that starts at an offset of its file with the repeated key; applied twice it is the identity."""
    if not data:
        return b""
    phase = offset % len(key)
    stream = (key * (len(data) // len(key) + 2))[phase : phase + len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(data), "little")


def write_block_files(
    folder: Path,
    blocks: Iterable[bytes],
    magic: bytes,
    *,
    xor_key: bytes | None = None,
    preallocate: int = 0,
    per_file: int | None = None,
    first_file: int = 0,
) -> list[Placement]:
    """Write serialized blocks in the given order to blkNNNNN.dat, and xor.dat if there is a key.

    Args:
        folder: made if missing; files of the same name are replaced.
        blocks: written in this order, as often as they are given.
        magic: four bytes before each record.
        xor_key: eight bytes; None writes plain files and no xor.dat.
        preallocate: each file is filled up with raw zeros to a multiple of this.
        per_file: how many blocks go into one file, by default all.
        first_file: number of the first file.

    Returns:
        The place of each block.
    """
    if xor_key is not None and len(xor_key) != KEY_SIZE:
        raise ValueError(f"the key has {KEY_SIZE} bytes, not {len(xor_key)}")
    folder.mkdir(parents=True, exist_ok=True)
    placements: list[Placement] = []
    for number, group in enumerate(_grouped(blocks, per_file), first_file):
        path = folder / f"blk{number:05}.dat"
        content = bytearray()
        for block in group:
            content += magic + len(block).to_bytes(4, "little")
            placements.append(Placement(path, len(content), len(block)))
            content += block
        raw = bytes(content) if xor_key is None else obfuscate(bytes(content), xor_key)
        tail = -len(raw) % preallocate if preallocate else 0
        path.write_bytes(raw + bytes(tail))
    if xor_key is not None:
        (folder / "xor.dat").write_bytes(xor_key)
    return placements


def read_record(placement: Placement, xor_key: bytes | None = None) -> bytes:
    """Read back the block at a place."""
    with placement.path.open("rb") as file:
        file.seek(placement.offset)
        raw = file.read(placement.size)
    return raw if xor_key is None else obfuscate(raw, xor_key, placement.offset)


def _grouped(blocks: Iterable[bytes], per_file: int | None) -> Iterator[list[bytes]]:
    """Split the blocks into the files' shares; no blocks make one empty file."""
    remaining = iter(blocks)
    yield list(islice(remaining, per_file))
    while share := list(islice(remaining, per_file)):
        yield share
