"""A chain in plain Python, straight from the text of the store format: what each row, digest and answer has to be.

Nothing of the ledger's or the ingest's code is used, only its list of columns. Slow, for chains of a few hundred
transactions. `batch` hands the rows to a writer without any ingest, so blocks need not obey a rule (maturity, values).
"""

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.fingerprint import input_flags
from cointrail.bitcoin.network import REGTEST, Network
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.ledger.schema import TABLES, Counts
from cointrail.ledger.writer import Batch

Cells = dict[tuple[str, str], list[bytes]]

_HASHES = {ScriptType.P2PKH: slice(3, 23), ScriptType.P2SH: slice(2, 22), ScriptType.P2WPKH: slice(2, 22)}
_HASHES |= {ScriptType.P2WSH: slice(2, 34), ScriptType.P2TR: slice(2, 34)}
_FORMATS = {"<u1": "<B", "<u2": "<H", "<u4": "<I", "<i4": "<i", "<i8": "<q"}


@dataclass(slots=True)
class ModelOutput:
    """An output; `spender` and `overwriter` are the input and the transaction that ended it, with their heights."""

    value_sat: int
    script: int
    transaction: int
    vout: int
    height: int
    before: int
    spender: tuple[int, int] | None = None
    overwriter: tuple[int, int] | None = None


@dataclass(slots=True)
class ModelBlock:
    """One block's rows (fixed and not local, by column) and the counts before it."""

    before: Counts
    cells: Cells = field(default_factory=lambda: defaultdict(list))
    digest: bytes = b""


class ChainModel:
    """Everything about a chain of blocks.

    Attributes:
        outputs: by output_index; inputs: (output_index or -1, height) by input_index; txids and heights by tx_index;
        scripts: scriptPubKeys by script_id; blocks: rows by height; hashes: block hashes by height, internal order.
    """

    def __init__(self, raw_blocks: Sequence[bytes], network: Network = REGTEST) -> None:
        self.network = network
        self.outputs: list[ModelOutput] = []
        self.inputs: list[tuple[int, int]] = []
        self.txids: list[bytes] = []
        self.tx_heights: list[int] = []
        self.first_outputs: list[int] = []
        self.scripts: list[bytes] = []
        self.script_ids: dict[bytes, int] = {}
        self.blocks: list[ModelBlock] = []
        self.hashes: list[bytes] = []
        self._newest: dict[int, int] = {}
        self._live: dict[tuple[bytes, int], int] = {}
        self._times: list[int] = []
        self._heap = 0
        self._digest = bytes(32)
        for raw in raw_blocks:
            self._add(Block.parse(raw), raw)

    def counts(self, height: int) -> Counts:
        """Row counts of the snapshot at a height."""
        return self.blocks[height + 1].before if height + 1 < len(self.blocks) else self._counts()

    def _counts(self) -> Counts:
        return Counts(
            block=len(self.blocks),
            transaction=len(self.txids),
            input=len(self.inputs),
            output=len(self.outputs),
            script=len(self.scripts),
            script_byte=self._heap,
        )

    # Rows.

    def _add(self, block: Block, raw: bytes) -> None:
        height, model = len(self.blocks), ModelBlock(self._counts())
        cells, counts = model.cells, model.before
        fees = change = change_value = 0
        for place, transaction in enumerate(block.transactions):
            spent, live, live_value = self._add_transaction(cells, transaction, height, is_coinbase=place == 0)
            if place:
                fees += spent - sum(output.value_sat for output in transaction.outputs)
            change, change_value = change + live, change_value + live_value
        claimed = sum(output.value_sat for output in block.transactions[0].outputs)
        self._times.append(block.header.time)
        stripped = len(block.serialize(witness=False))
        previous = self.blocks[-1].cells if self.blocks else None
        recent = sorted(self._times[-11:])
        totals = [
            now + (int.from_bytes(previous["block", name][0], "little") if previous else 0)
            for name, now in (("unspent_outputs", change), ("unspent_value_sat", change_value))
        ]
        self.hashes.append(sha256(sha256(raw[:80]).digest()).digest())
        row = {
            "hash": self.hashes[-1],
            "header": raw[:80],
            "time": block.header.time,
            "median_time": recent[len(recent) // 2],
            "size": len(raw),
            "weight": 3 * stripped + len(raw),
            "first_transaction": counts.transaction,
            "first_script": counts.script,
            "first_script_byte": counts.script_byte,
            "fees_sat": fees,
            "unclaimed_sat": subsidy_sat(height, self.network.halving_interval) + fees - claimed,
            "unspent_outputs": totals[0],
            "unspent_value_sat": totals[1],
        }
        self._put(cells, "block", row)
        self.blocks.append(model)
        state = sha256(self._digest)
        for table in TABLES:
            for column in table.columns:
                if not (column.link or column.local):
                    state.update(b"".join(cells[table.name, column.name]))
        self._digest = model.digest = state.digest()

    def _add_transaction(
        self, cells: Cells, transaction: object, height: int, *, is_coinbase: bool
    ) -> tuple[int, int, int]:
        """Returns (value spent, change in unspent outputs, change in their value)."""
        tx_index, txid = len(self.txids), transaction.txid
        row = {
            "txid": txid,
            "first_input": len(self.inputs),
            "first_output": len(self.outputs),
            "version": transaction.version,
            "lock_time": transaction.lock_time,
            "size": len(transaction.serialize()),
            "weight": 3 * len(transaction.serialize(witness=False)) + len(transaction.serialize()),
            "flags": int(any(each.witness for each in transaction.inputs)),
        }
        self._put(cells, "transaction", row)
        self.txids.append(txid)
        self.tx_heights.append(height)
        self.first_outputs.append(len(self.outputs))
        total = change = change_value = 0
        for each in transaction.inputs:
            output = -1
            if not is_coinbase:
                output = self._live.pop((each.outpoint.txid, each.outpoint.vout))
                spent = self.outputs[output]
                spent.spender = (len(self.inputs), height)
                total += spent.value_sat
                change, change_value = change - 1, change_value - spent.value_sat
            flags = input_flags(each.script_sig, each.witness)
            self._put(cells, "input", {"output": output, "sequence": each.sequence, "flags": flags})
            self.inputs.append((output, height))
        for vout, made in enumerate(transaction.outputs):
            script, output = self._script(cells, made.script_pubkey), len(self.outputs)
            before = self._newest.get(script, -1)
            self._put(cells, "output", {"value_sat": made.value_sat, "script": script, "previous_same_script": before})
            self._newest[script] = output
            self.outputs.append(ModelOutput(made.value_sat, script, tx_index, vout, height, before))
            if not self._can_be_spent(made.script_pubkey) or height == 0:
                continue
            repeated = self._live.get((txid, vout))
            if repeated is not None:  # BIP30: the earlier one can never be spent any more
                self.outputs[repeated].overwriter = (tx_index, height)
                change, change_value = change - 1, change_value - self.outputs[repeated].value_sat
            self._live[txid, vout] = output
            change, change_value = change + 1, change_value + made.value_sat
        return total, change, change_value

    @staticmethod
    def _can_be_spent(script: bytes) -> bool:
        return not script.startswith(b"\x6a") and len(script) <= 10_000

    def _script(self, cells: Cells, script: bytes) -> int:
        if script in self.script_ids:
            return self.script_ids[script]
        kind = classify(script)
        if kind in _HASHES:
            payload = script[_HASHES[kind]].ljust(32, b"\x00")
        else:
            payload = struct.pack("<qI", self._heap, len(script)) + sha256(script).digest()[:20]
            cells["script_byte", "byte"].append(script)
            self._heap += len(script)
        self._put(cells, "script", {"type": int(kind), "payload": payload})
        self.script_ids[script] = len(self.scripts)
        self.scripts.append(script)
        return self.script_ids[script]

    @staticmethod
    def _put(cells: Cells, table_name: str, row: dict[str, object]) -> None:
        table = next(table for table in TABLES if table.name == table_name)
        for name, value in row.items():
            dtype = table.column(name).dtype
            cells[table_name, name].append(value if isinstance(value, bytes) else struct.pack(_FORMATS[dtype], value))

    # Answers.

    def unspent(self, height: int) -> list[int]:
        """Outputs that can still be spent after a height."""
        return [
            number
            for number, output in enumerate(self.outputs)
            if 0 < output.height <= height
            and not (output.spender and output.spender[1] <= height)
            and not (output.overwriter and output.overwriter[1] <= height)
            and self._can_be_spent(self.scripts[output.script])
        ]

    def history(self, script: bytes, height: int) -> list[int]:
        """Outputs that pay a script up to a height, newest first."""
        number = self.script_ids[script]
        found = [
            place for place, output in enumerate(self.outputs) if output.script == number and output.height <= height
        ]
        return found[::-1]

    def spenders(self, height: int) -> list[int]:
        """For each output up to a height the input that has spent it by then, or -1."""
        return [
            output.spender[0] if output.spender and output.spender[1] <= height else -1
            for output in self.outputs
            if output.height <= height
        ]

    def overwritten(self, height: int) -> list[bool]:
        """For each output up to a height whether a transaction of the same txid has ended it by then."""
        return [
            output.overwriter is not None and output.overwriter[1] <= height
            for output in self.outputs
            if output.height <= height
        ]

    def height_of_row(self, table: str, row: int) -> int:
        """The block whose rows a row belongs to."""
        return max(height for height, block in enumerate(self.blocks) if block.before.of(table) <= row)

    # For a writer.

    def batch(self, first: int, end: int) -> Batch:
        """The rows of blocks first .. end - 1, as a writer takes them; block h is said to lie in file 0 at 1000 h."""
        low, high = self.counts(first - 1) if first else Counts(), self.counts(end - 1)
        rows = {}
        for table in TABLES:
            for column in table.columns:
                if not (column.link or column.local):
                    key = table.name, column.name
                    raw = b"".join(b"".join(block.cells[key]) for block in self.blocks[first:end])
                    cells = np.frombuffer(raw, column.dtype)
                    rows[key] = cells if column.width == 1 else cells.reshape(-1, column.width)
        rows["block", "file_number"] = np.zeros(end - first, np.uint32)
        rows["block", "file_offset"] = np.arange(first, end, dtype=np.int64) * 1_000
        bounds = [[self.blocks[h].before.of(t.name) - low.of(t.name) for t in TABLES] for h in range(first, end)]
        bounds.append([high.of(table.name) - low.of(table.name) for table in TABLES])
        spent = [(o, i) for i, (o, _) in enumerate(self.inputs) if low.input <= i < high.input and o >= 0]
        marks = [
            (number, output.overwriter[0])
            for number, output in enumerate(self.outputs)
            if output.overwriter and first <= output.overwriter[1] < end
        ]
        newest = {output.script: low.output + k for k, output in enumerate(self.outputs[low.output : high.output])}
        txid_keys, txid_ids = _sorted_keys(self.txids[low.transaction : high.transaction], low.transaction)
        hashes = [sha256(script).digest() for script in self.scripts[low.script : high.script]]
        script_keys, script_ids = _sorted_keys(hashes, low.script)
        return Batch(
            rows=rows,
            bounds=np.array(bounds, np.int64),
            spent=np.array([output for output, _ in spent], np.int64),
            spender=np.array([number for _, number in spent], np.int64),
            overwritten=np.array([output for output, _ in marks], np.int64),
            overwriter=np.array([number for _, number in marks], np.int64),
            paid=np.array(list(newest), np.int64),
            last_output=np.array(list(newest.values()), np.int64),
            txid_keys=txid_keys,
            txid_ids=txid_ids,
            script_keys=script_keys,
            script_ids=script_ids,
            spelling_keys=script_keys,
            spelling_ids=script_ids,
            same_key={name: np.empty(0, np.uint32) for name in ("tx_index", "script_a", "script_b", "kind")},
        )


def _sorted_keys(hashes: list[bytes], first: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = sorted((int.from_bytes(each[:8], "little"), first + number) for number, each in enumerate(hashes))
    return np.array([key for key, _ in pairs], np.uint64), np.array([row for _, row in pairs], np.uint32)
