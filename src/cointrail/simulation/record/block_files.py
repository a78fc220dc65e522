"""Block files as a node leaves them: records out of height order, stale and duplicate blocks, a preallocated tail.

The same records are written plain and, if wanted, obfuscated with the eight bytes of `xor.dat` as since Core 28. Sizes
and digests are taken while writing. Memory is bounded by the window of blocks that wait.
"""

from pathlib import Path

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block as Parsed
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction
from cointrail.simulation.chain import PRELUDE_BLOCKS, Block, assemble, make_coinbase
from cointrail.simulation.record.hashed import Digest, HashedFile
from cointrail.simulation.stream import Stream
from cointrail.simulation.transactions import Built

WINDOW = 30
"""No block stands behind one that is higher by this many or more."""
STALE_BLOCKS = 3
LARGEST_FILE = 128 << 20  # Core's MAX_BLOCKFILE_SIZE
_HELD = 12  # blocks among which the next record is drawn
_BUFFER = 1 << 20
_CHUNKS = 8  # Core preallocates 16 MiB of 128 MiB at a time


class ChainFiles:
    """A sink for the blocks of a chain, in height order, that writes `plain/`, `xor/` and `headers.bin`.

    Args:
        seed: the world's seed.
        folder: the folder `chain` of the world.
        blocks: how many the chain will have after the prelude.
        file_size: most bytes of a file.
        obfuscated: False to leave `xor/` out.
    """

    def __init__(self, seed: int, folder: Path, blocks: int, file_size: int, *, obfuscated: bool) -> None:
        self._stream = Stream(seed, "block files")
        self._stale = {PRELUDE_BLOCKS + blocks * (2 * n + 1) // 8 for n in range(STALE_BLOCKS)}
        self._duplicate = PRELUDE_BLOCKS + blocks // 2
        self._held: list[Block] = []
        self._headers = HashedFile(folder / "headers.bin")
        self._folders = [RecordFiles(folder / "plain", bytes(8), file_size)]
        if obfuscated:
            key = Stream(seed, "xor.dat").word() | 0x0101010101010101
            self._folders.append(RecordFiles(folder / "xor", key.to_bytes(8, "little"), file_size))
        self.stale = self.duplicates = self.records = 0
        self.last: list[Block] = []
        """The two highest blocks."""

    def __call__(self, block: Block) -> None:
        """Take the next block of the best chain."""
        self._headers.write(block.raw[:80])
        self.last = [*self.last[-1:], block]
        if block.height == 0:
            self._write(block)  # a node writes the genesis block before it knows any other
            return
        self._held.append(block)
        if block.height in self._stale:
            self._held.append(_rival(block))
            self.stale += 1
        if block.height == self._duplicate:
            self._held.append(block)
            self.duplicates += 1
        while len(self._held) > _HELD or self._held[0].height <= block.height - WINDOW + 1:
            self._write_one(block.height)

    def _write_one(self, height: int) -> None:
        overdue = self._held[0].height <= height - WINDOW + 1
        self._write(self._held.pop(0 if overdue else self._stream.below(len(self._held))))

    def _write(self, block: Block) -> None:
        self.records += 1
        for folder in self._folders:
            folder.write(block.raw)

    def finish(self) -> list[Digest]:
        """Write what waits, and the tail; returns what was written."""
        while self._held:
            self._write(self._held.pop(self._stream.below(len(self._held))))
        return [self._headers.close(), *(digest for folder in self._folders for digest in folder.finish())]

    def close(self) -> None:
        """Close the files without finishing them."""
        self._headers.close()
        for folder in self._folders:
            folder.close()


class RecordFiles:
    """`blk*.dat` files of one folder."""

    def __init__(self, folder: Path, key: bytes, file_size: int) -> None:
        assert file_size <= LARGEST_FILE
        self._folder, self._key, self._file_size = folder, key, file_size
        folder.mkdir(parents=True)
        self._digests: list[Digest] = []
        self._buffer = bytearray()
        self._file: HashedFile | None = None
        if any(key):
            file = HashedFile(folder / "xor.dat")
            file.write(key)
            self._digests.append(file.close())
        self._files = self._size = 0

    def write(self, raw: bytes) -> None:
        """Append a record."""
        if self._file is None or self._size + 8 + len(raw) > self._file_size:
            self._next()
        self._buffer += REGTEST.magic
        self._buffer += len(raw).to_bytes(4, "little")
        self._buffer += raw
        self._size += 8 + len(raw)
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def _next(self) -> None:
        self.close()
        self._file = HashedFile(self._folder / f"blk{self._files:05}.dat")
        self._files, self._size = self._files + 1, 0

    def _flush(self) -> None:
        assert self._file is not None
        if any(self._key):
            start = self._file.size % 8
            self._file.write(_obfuscate(self._buffer, self._key[start:] + self._key[:start]))
        else:
            self._file.write(self._buffer)
        self._buffer.clear()

    def close(self) -> None:
        """Finish the file that is open."""
        if self._file is not None:
            self._flush()
            self._digests.append(self._file.close())
            self._file = None

    def finish(self) -> list[Digest]:
        """Preallocate the last file's tail, unwritten and so not obfuscated, and close."""
        assert self._file is not None
        self._flush()
        chunk = self._file_size // _CHUNKS
        self._file.write(bytes(-self._file.size % chunk or chunk))
        self.close()
        return self._digests


def _obfuscate(raw: bytearray, key: bytes) -> bytes:
    length = len(raw)
    pattern = (key * (length // 8 + 1))[:length]
    return (int.from_bytes(raw, "little") ^ int.from_bytes(pattern, "little")).to_bytes(length, "little")


def _rival(block: Block) -> Block:
    """A stale block: found a second later at the same height, with half the transactions, and claiming no fees."""
    parsed = Parsed.parse(block.raw)
    taken = [_built(transaction) for transaction in parsed.transactions[1 : (len(parsed.transactions) + 1) // 2]]
    paid = parsed.transactions[0].outputs[0]
    outputs = [(paid.script_pubkey, subsidy_sat(block.height, REGTEST.halving_interval))]
    coinbase = make_coinbase(block.height, outputs, [each.wtxid for each in taken], extra_nonce=1)
    return assemble(parsed.header.previous_hash, block.height, block.time + 1, [coinbase, *taken])


def _built(transaction: Transaction) -> Built:
    return Built(transaction.serialize(), transaction.txid, transaction.wtxid, transaction.weight)
