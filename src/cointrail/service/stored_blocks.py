"""The bytes of blocks and transactions, read back from the block files that the ledger was made of.

The ledger keeps no raw bytes, only where each block lies (plain or XORed). Nothing that is read is believed: a header
must hash to the block's hash, a transaction to its txid.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from cointrail.bitcoin.encoding import write_compact_size
from cointrail.bitcoin.hashes import display, double_sha256
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.transaction import Transaction
from cointrail.errors import CointrailError, EncodingError, Unavailable
from cointrail.ingest.block_files import HEADER_SIZE, Record, open_folder
from cointrail.ingest.raw_blocks import BlockSource
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at


class StoredBlocks:
    """The block files of a ledger. A context manager.

    Args:
        reader: the ledger at a snapshot.

    Raises:
        Unavailable: the files are not where they were when the ledger was made.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        source = reader.manifest.source
        if not source:
            raise Unavailable("this ledger does not say where its block files are", hint="run `cointrail ingest` again")
        try:
            folder = open_folder(Path(source), NETWORKS[reader.snapshot.network])
        except CointrailError as error:
            raise _moved(f"the block files cannot be read: {error}") from error
        self._files = {file.number for file in folder.files}
        self._source = BlockSource(folder)
        self._checked: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, error, trace)

    def block(self, height: int) -> bytes:
        """The bytes of a block of the snapshot.

        Raises:
            Unavailable: they cannot be read, or are not this block.
        """
        self._check_header(height)
        return self._read(height, 0, int(self.reader.column("block", "size")[height]))

    def transaction(self, tx_index: int) -> Transaction:
        """A transaction of the snapshot, without reading its whole block.

        Raises:
            Unavailable: it cannot be read, or the bytes are not this transaction.
        """
        reader = self.reader
        height = int(reader.height_of_transactions(tx_index))
        self._check_header(height)
        first, end = counts_at(reader, height - 1).transaction, counts_at(reader, height).transaction
        sizes = reader.column("transaction", "size")
        begin = HEADER_SIZE + len(write_compact_size(end - first)) + int(sizes[first:tx_index].sum())
        raw = self._read(height, begin, int(sizes[tx_index]))
        txid = bytes(reader.column("transaction", "txid")[tx_index])
        try:
            transaction = Transaction.parse(raw)
        except EncodingError as error:
            raise _moved(f"the bytes of transaction {display(txid)} at height {height} are damaged") from error
        if transaction.txid != txid:
            raise _moved(f"the bytes of transaction {display(txid)} at height {height} have another hash")
        return transaction

    def _check_header(self, height: int) -> None:
        if height in self._checked:
            return
        if double_sha256(self._read(height, 0, HEADER_SIZE)) != self.reader.block_hash(height):
            raise _moved(f"the block files hold another block where that of height {height} was")
        self._checked.add(height)

    def _read(self, height: int, begin: int, size: int) -> bytes:
        number = int(self.reader.column("block", "file_number")[height])
        offset = int(self.reader.column("block", "file_offset")[height]) + begin
        if number not in self._files:
            raise _moved(f"block file {number}, which holds the block of height {height}, is gone")
        blocks = self._source.read([Record(number, offset, size, b"")], height)
        return blocks.raw[:size].tobytes()


def _moved(message: str) -> Unavailable:
    return Unavailable(
        message, hint="run `cointrail ingest SOURCE` with the folder where the node's block files are now"
    )
