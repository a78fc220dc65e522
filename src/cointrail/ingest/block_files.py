"""Bitcoin Core's block files: finding them, undoing their obfuscation, listing their records.

A record is four bytes of network magic, a little-endian length and a block. Files are not in height order, hold stale
and duplicate blocks, end in preallocated zeros, and may be growing while we read. Since Core 28 they are XORed with
the eight bytes of `xor.dat`: byte p of a file with key[p mod 8].
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.network import NETWORKS, Network, by_magic
from cointrail.errors import CointrailError, InputRefused, Unavailable, UsageError

Bytes = npt.NDArray[np.uint8]

HEADER_SIZE = 80
RECORD_PREFIX = 8
MAX_BLOCK_SIZE = 4_000_000  # Core's MAX_BLOCK_SERIALIZED_SIZE
NO_KEY = bytes(8)

_FILE_NAME = re.compile(r"blk(\d{5,9})\.dat")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BlockFile:
    """One block file and its number."""

    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class BlockFolder:
    """A folder of block files of one network.

    Attributes:
        path: the folder.
        network: whose blocks it holds.
        key: the eight bytes of `xor.dat`, zeros for plain files.
        files: in order of their numbers.
    """

    path: Path
    network: Network
    key: bytes
    files: tuple[BlockFile, ...]

    def path_of(self, number: int) -> Path:
        """The file of that number."""
        return next(file.path for file in self.files if file.number == number)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of a block file that are no complete record."""

    file: Path
    offset: int
    length: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file.name} at byte {self.offset}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Record:
    """Where one block lies: offset and size of its bytes, after the record's prefix."""

    file_number: int
    offset: int
    size: int
    header: bytes


def open_folder(source: Path, network: Network | None = None) -> BlockFolder:
    """Find the block files below a node's data directory, its `blocks` folder, or any folder of block files.

    Args:
        source: where to look.
        network: the network wanted, or None to recognise it.

    Raises:
        Unavailable: nothing is there.
        UsageError: blocks of several networks are there and none was chosen.
        InputRefused: the files are of another network, or their key is lost.
    """
    if not source.is_dir():
        raise Unavailable(
            f"{source} is not a folder", hint="give a node's data directory, its blocks folder, or a folder of blk*.dat"
        )
    folders = _candidates(source, network)
    if network is not None and folders:
        return _of_network(folders, network)
    if not folders:
        raise Unavailable(
            f"there are no block files (blk00000.dat ...) in {source} or its blocks folder",
            hint="give a node's data directory, its blocks folder, or any folder of block files",
        )
    if len(folders) > 1:
        names = " and ".join(folder.network.name for folder in folders)
        raise UsageError(f"{source} holds blocks of {names}", hint="say which with --network")
    return folders[0]


def _candidates(source: Path, network: Network | None) -> list[BlockFolder]:
    named = NETWORKS.values() if network is None else [network]
    places = [source, source / "blocks"]
    places += [source / each.block_folder / "blocks" for each in named if each.block_folder]
    return [_open(place) for place in places if place.is_dir() and _files(place)]


def _of_network(folders: list[BlockFolder], wanted: Network) -> BlockFolder:
    for folder in folders:
        if folder.network == wanted:
            return folder
    raise InputRefused(f"the block files in {folders[0].path} are of {folders[0].network.name}, not of {wanted.name}")


def _files(folder: Path) -> tuple[BlockFile, ...]:
    named = ((_FILE_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return tuple(sorted((BlockFile(int(match[1]), path) for match, path in named if match), key=lambda f: f.number))


def _open(folder: Path) -> BlockFolder:
    files, key = _files(folder), _key(folder)
    found: Network | None = None
    for file in files:
        head = _read(file.path, 0, 4)
        found = by_magic(deobfuscate(head, 0, key).tobytes()) if len(head) == 4 else None
        if found:
            break
    if found is None:
        if all(not _read(file.path, 0, 64).any() for file in files):
            raise Unavailable(f"the block files in {folder} are still empty", hint="wait until the node has blocks")
        reason = "xor.dat does not fit them" if key != NO_KEY else "there is no xor.dat to undo an obfuscation"
        raise InputRefused(
            f"no block file in {folder} begins with the magic of a known network, and {reason}",
            hint="restore the xor.dat that the node wrote beside these files",
        )
    return BlockFolder(folder, found, key, files)


def _key(folder: Path) -> bytes:
    path = folder / "xor.dat"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return NO_KEY
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
    if len(key) != RECORD_PREFIX:
        raise InputRefused(f"{path} has {len(key)} bytes instead of 8", hint="restore it from the node or a copy")
    return key


def _read(path: Path, offset: int, length: int) -> Bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return np.frombuffer(bytearray(file.read(length)), np.uint8)
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}", hint="check its permissions") from error


def deobfuscate(raw: Bytes, position: int, key: bytes) -> Bytes:
    """Undo the XOR of bytes that begin at `position` of a file, in place; returns `raw`."""
    if key == NO_KEY:
        return raw
    rotated = np.frombuffer(key[position % 8 :] + key[: position % 8], np.uint8)
    whole = len(raw) // 8 * 8
    words = raw[:whole].view(np.uint64)
    words ^= rotated.view(np.uint64)[0]
    raw[whole:] ^= rotated[: len(raw) - whole]
    return raw


class _Scan:
    """The records of one file, read through a memory map."""

    def __init__(self, folder: BlockFolder, file: BlockFile, raw: mmap.mmap) -> None:
        self.folder, self.file, self.raw = folder, file, raw
        self.gaps: list[Gap] = []

    def plain(self, offset: int, length: int) -> bytes:
        part = np.frombuffer(bytearray(self.raw[offset : offset + length]), np.uint8)
        return deobfuscate(part, offset, self.folder.key).tobytes()

    def gap(self, offset: int, end: int, reason: str) -> None:
        self.gaps.append(Gap(self.file.path, offset, end - offset, reason))

    def records(self) -> Iterator[Record]:
        size, position = len(self.raw), 0
        while position < size:
            # Zeros are judged on the raw bytes: a preallocated tail reads as the key once it is un-XORed.
            if not any(self.raw[position : position + RECORD_PREFIX]):
                written = self._next_written(position)
                if written == size:
                    return
                position = self._resume(position, written, "unwritten bytes inside the file")
                continue
            prefix = self.plain(position, RECORD_PREFIX)
            if prefix[:4] != self.folder.network.magic:
                self._refuse_foreign(prefix[:4], position)
                position = self._resume(position, position + 1, "bytes that are no record")
                continue
            length = int.from_bytes(prefix[4:], "little")
            body = position + RECORD_PREFIX
            if size - position < RECORD_PREFIX or body + length > size:
                # A file that grows ends so, but damage can stand there too: look for records behind it.
                position = self._resume(position, position + 4, "a record that is cut short")
                continue
            if not HEADER_SIZE < length <= MAX_BLOCK_SIZE:
                position = self._resume(position, position + 4, f"a record of impossible length {length}")
                continue
            yield Record(self.file.number, body, length, self.plain(body, HEADER_SIZE))
            position = body + length

    def _next_written(self, position: int) -> int:
        while position < len(self.raw):
            chunk = np.frombuffer(self.raw[position : position + _CHUNK], np.uint8)
            written = np.flatnonzero(chunk)
            if len(written):
                return position + int(written[0])
            position += len(chunk)
        return len(self.raw)

    def _resume(self, gap: int, search: int, reason: str) -> int:
        """Note a gap that begins at `gap` and find the next record at or after `search`."""
        magic = self.folder.network.magic
        position = search
        while position < len(self.raw):
            chunk = self.plain(position, _CHUNK + 3)
            at = chunk.find(magic)
            if at >= 0:
                self.gap(gap, position + at, reason)
                return position + at
            position += _CHUNK
        self.gap(gap, len(self.raw), reason)
        return len(self.raw)

    def _refuse_foreign(self, magic: bytes, position: int) -> None:
        other = by_magic(magic)
        if other is not None:
            raise InputRefused(
                f"{self.file.path} at byte {position} holds a block of {other.name} among those of "
                f"{self.folder.network.name}",
                hint="a folder must hold the blocks of one network",
            )


def scan(folder: BlockFolder, file: BlockFile) -> tuple[list[Record], list[Gap]]:
    """List the records of one file, and what lies between them.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it holds blocks of another network.
    """
    try:
        with file.path.open("rb") as handle:
            if handle.seek(0, 2) == 0:
                return [], []
            with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
                scanner = _Scan(folder, file, raw)
                records = list(scanner.records())
    except OSError as error:
        raise Unavailable(f"cannot read {file.path}: {error.strerror}", hint="check its permissions") from error
    return records, scanner.gaps


def is_complete(folder: BlockFolder, record: Record) -> bool:
    """True if a record holds its whole block: while a node writes, the prefix stands before an incomplete body."""
    raw = deobfuscate(_read(folder.path_of(record.file_number), record.offset, record.size), record.offset, folder.key)
    try:
        block = Block.parse(raw.tobytes())
    except CointrailError:
        return False
    return merkle_root([transaction.txid for transaction in block.transactions])[0] == block.header.merkle_root
