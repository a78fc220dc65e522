"""A ledger read back as plain values, to be compared with what a node or a kernel says."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from cointrail.bitcoin.script import ScriptType
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import ALL_TABLES, CLUSTER, TABLES


class SeenOutput(NamedTuple):
    """An output as the ledger knows it; equal to the judge's `SpentOutput` with the same values."""

    value_sat: int
    script_pubkey: bytes
    height: int
    is_coinbase: bool


class SeenTransaction(NamedTuple):
    """A transaction; `prevouts` has None for a coinbase's input, `spenders` -1 for what is not spent."""

    tx_index: int
    txid: bytes
    version: int
    lock_time: int
    size: int
    weight: int
    has_witness: bool
    prevouts: list[SeenOutput | None]
    outpoints: list[tuple[bytes, int] | None]
    sequences: list[int]
    outputs: list[SeenOutput]
    types: list[ScriptType]

    @property
    def fee_sat(self) -> int:
        """Inputs less outputs; a coinbase's inputs count nothing."""
        spent = sum(prevout.value_sat for prevout in self.prevouts if prevout)
        return spent - sum(output.value_sat for output in self.outputs) if spent or self.prevouts[0] else 0


class SeenBlock(NamedTuple):
    """A block and the sums the ledger keeps of it."""

    block_hash: bytes
    header: bytes
    time: int
    median_time: int
    size: int
    weight: int
    fees_sat: int
    unclaimed_sat: int
    unspent_outputs: int
    unspent_value_sat: int
    transactions: list[SeenTransaction]


class LedgerView(NamedTuple):
    """Everything of a ledger at one height."""

    digest: str
    blocks: list[SeenBlock]
    unspent: dict[tuple[bytes, int], SeenOutput]
    overwritten: list[tuple[int, int]]

    @property
    def hashes(self) -> list[bytes]:
        """Hashes of the blocks by height, internal order."""
        return [block.block_hash for block in self.blocks]

    @property
    def transactions(self) -> list[SeenTransaction]:
        """All transactions in chain order."""
        return [transaction for block in self.blocks for transaction in block.transactions]


def read_back(folder: Path, height: int | None = None) -> LedgerView:
    """Read a whole (small) ledger.

    Args:
        folder: the ledger.
        height: height to read at, by default the tip.
    """
    with Reader(folder, height) as reader:
        return _View(reader).read()


class _View:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.columns = {
            (table.name, column.name): _plain(reader.column(table.name, column.name), column.width)
            for table in TABLES
            for column in table.columns
            if table.name not in ("script", "script_byte")
        }
        counts = reader.counts
        self.first_tx = [*self.columns["block", "first_transaction"], counts.transaction]
        self.first_input = [*self.columns["transaction", "first_input"], counts.input]
        self.first_output = [*self.columns["transaction", "first_output"], counts.output]
        self.scripts = [reader.script_pubkey(script) for script in range(counts.script)]
        self.types = [ScriptType(int(code)) for code in reader.column("script", "type")]
        self.outputs: list[SeenOutput] = []
        self.outpoints: list[tuple[bytes, int]] = []

    def read(self) -> LedgerView:
        blocks = [self._block(height) for height in range(self.reader.counts.block)]
        everything = np.arange(self.reader.counts.output)
        live = np.flatnonzero(self.reader.unspent(everything)).tolist()
        gone = np.flatnonzero(self.reader.overwritten(everything)).tolist()
        unspent = {self.outpoints[output]: self.outputs[output] for output in live}
        assert len(unspent) == len(live), "two unspent outputs have one outpoint"
        owners = self.reader.transaction_of_outputs(gone).tolist()
        places = [(owner, output - self.first_output[owner]) for owner, output in zip(owners, gone, strict=True)]
        return LedgerView(self.reader.snapshot.digest, blocks, unspent, places)

    def _block(self, height: int) -> SeenBlock:
        transactions = range(self.first_tx[height], self.first_tx[height + 1])
        cells = [
            self.columns["block", name][height]
            for name in ("hash", "header", "time", "median_time", "size", "weight", "fees_sat", "unclaimed_sat")
        ]
        sums = [self.columns["block", name][height] for name in ("unspent_outputs", "unspent_value_sat")]
        seen = [self._transaction(t, height, is_coinbase=t == transactions[0]) for t in transactions]
        return SeenBlock(*cells, *sums, transactions=seen)

    def _transaction(self, tx_index: int, height: int, *, is_coinbase: bool) -> SeenTransaction:
        columns = self.columns
        inputs = slice(self.first_input[tx_index], self.first_input[tx_index + 1])
        outputs = slice(self.first_output[tx_index], self.first_output[tx_index + 1])
        txid = columns["transaction", "txid"][tx_index]
        spent = columns["input", "output"][inputs]
        script_ids = columns["output", "script"][outputs]
        for vout, (value, script) in enumerate(zip(columns["output", "value_sat"][outputs], script_ids, strict=True)):
            self.outputs.append(SeenOutput(value, self.scripts[script], height, is_coinbase))
            self.outpoints.append((txid, vout))
        assert len(self.outputs) == outputs.stop
        return SeenTransaction(
            tx_index=tx_index,
            txid=txid,
            version=columns["transaction", "version"][tx_index],
            lock_time=columns["transaction", "lock_time"][tx_index],
            size=columns["transaction", "size"][tx_index],
            weight=columns["transaction", "weight"][tx_index],
            has_witness=bool(columns["transaction", "flags"][tx_index] & 1),
            prevouts=[None if output < 0 else self.outputs[output] for output in spent],
            outpoints=[None if output < 0 else self.outpoints[output] for output in spent],
            sequences=columns["input", "sequence"][inputs],
            outputs=self.outputs[outputs],
            types=[self.types[script] for script in script_ids],
        )


def _plain(cells: np.ndarray, width: int) -> list:
    return cells.tolist() if width == 1 else [bytes(cell) for cell in cells]


def fixed_bytes(folder: Path) -> dict[str, bytes]:
    """Bytes within the counts of every column that is neither local to the host nor a link of the chain, by name.

    The links of the clusters are among them: nothing is left over in a ledger that a writer has closed.
    """
    with Reader(folder) as reader:
        return {
            f"{table.name}/{column.name}": reader.column(table.name, column.name).tobytes()
            for table in ALL_TABLES
            for column in table.columns
            if (not column.link or table is CLUSTER) and (not column.local or column.name == "digest")
        }
