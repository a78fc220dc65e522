"""Rows of a ledger and how they hang together, for the reader and the writer alike.

Links are believed only if they lie inside the counts *and* the row they name points back, so a link left over from a
withdrawn branch can never speak.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.hashes import sha256
from cointrail.bitcoin.script import ScriptType, script_from_payload
from cointrail.ledger.columns import Array
from cointrail.ledger.indexes import SCRIPT, TXID, Run, key_of, keys_of
from cointrail.ledger.schema import NONE, Counts

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_HASHED_TYPES = (ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH)
_PROGRAM_TYPES = (ScriptType.P2WSH, ScriptType.P2TR)
PAYLOAD_TYPES = (*_HASHED_TYPES, *_PROGRAM_TYPES)
"""Types whose scripts fit the 32-byte payload; the bytes of all others lie in `script_byte`."""


class Rows(ABC):
    """Row look-ups over columns that are cut at `counts`."""

    counts: Counts

    @abstractmethod
    def column(self, table: str, name: str) -> Array:
        """The cells of a column within the counts: shape (rows,) or (rows, width)."""

    @abstractmethod
    def runs(self, index: str) -> Sequence[Run]:
        """The sorted runs of an index."""

    # Chain order: which transaction, which block.

    def block_hash(self, height: int) -> bytes:
        """Hash of a block, internal order."""
        return bytes(self.column("block", "hash")[height])

    def height_of_transactions(self, tx_index: npt.ArrayLike) -> I64:
        """Heights of transactions, int64, same shape."""
        first = self.column("block", "first_transaction")
        return np.searchsorted(first, np.asarray(tx_index, first.dtype), "right") - 1

    def transaction_of_outputs(self, output_index: npt.ArrayLike) -> I64:
        """Transactions that made the outputs, int64, same shape."""
        return np.searchsorted(self.column("transaction", "first_output"), output_index, "right") - 1

    def transaction_of_inputs(self, input_index: npt.ArrayLike) -> I64:
        """Transactions the inputs belong to, int64, same shape."""
        return np.searchsorted(self.column("transaction", "first_input"), input_index, "right") - 1

    def output_bounds(self, tx_index: I64) -> tuple[I64, I64]:
        """First output of each transaction, and the one after its last."""
        first = self.column("transaction", "first_output")
        following = np.minimum(tx_index + 1, self.counts.transaction - 1)
        end = np.where(tx_index + 1 < self.counts.transaction, first[following], self.counts.output)
        return np.asarray(first[tx_index], np.int64), end.astype(np.int64)

    def inputs_of(self, tx_index: int) -> range:
        """The input_index range of a transaction."""
        return self._rows_of(tx_index, "first_input", self.counts.input)

    def outputs_of(self, tx_index: int) -> range:
        """The output_index range of a transaction."""
        return self._rows_of(tx_index, "first_output", self.counts.output)

    def _rows_of(self, tx_index: int, name: str, rows: int) -> range:
        first = self.column("transaction", name)
        end = int(first[tx_index + 1]) if tx_index + 1 < self.counts.transaction else rows
        return range(int(first[tx_index]), end)

    def is_coinbase(self, tx_index: int) -> bool:
        """True for a block's first transaction."""
        return int(self.column("input", "output")[self.inputs_of(tx_index).start]) == NONE

    # Links.

    def spenders(self, output_index: npt.ArrayLike) -> I64:
        """The inputs that spend the outputs at this snapshot, int64, -1 where there is none."""
        outputs = np.asarray(output_index, np.int64)
        links = np.array(self.column("output", "spender")[outputs], np.int64)
        spent = self.column("input", "output")
        inside = (links >= 0) & (links < self.counts.input)
        links[~inside] = NONE
        links[inside & (spent[np.where(inside, links, 0)] != outputs)] = NONE
        return links

    def overwritten(self, output_index: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """True where a later transaction of the same txid made the output unspendable (BIP30)."""
        outputs = np.asarray(output_index, np.int64)
        links = np.array(self.column("output", "spender")[outputs], np.int64)
        marked: Flags = np.asarray((links <= -2) & (-2 - links < self.counts.transaction))
        if marked.any():
            txids = self.column("transaction", "txid")
            later, owner = -2 - links[marked], self.transaction_of_outputs(outputs[marked])
            marked[marked] = (later > owner) & (txids[later] == txids[owner]).all(axis=-1)
        return marked

    def unspent(self, output_index: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """True where the output can still be spent: not spent, not overwritten, spendable, not the genesis output."""
        outputs = np.asarray(output_index, np.int64)
        open_ = (self.spenders(outputs) == NONE) & ~self.overwritten(outputs)
        genesis = self.outputs_of(0)
        open_ &= ~((outputs >= genesis.start) & (outputs < genesis.stop))
        live: Flags = open_ & ~self.unspendable_scripts(self.column("output", "script")[outputs])
        return live

    def unspendable_scripts(self, script_id: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """True for scripts that can never be spent (Core's IsUnspendable): OP_RETURN, or beyond 10,000 bytes."""
        scripts = np.asarray(script_id, np.int64)
        types = self.column("script", "type")[scripts]
        lengths = np.ascontiguousarray(self.column("script", "payload")[scripts][..., 8:12]).view("<u4")[..., 0]
        in_heap = ~np.isin(types, PAYLOAD_TYPES)
        unspendable: Flags = (types == ScriptType.OP_RETURN) | (in_heap & (lengths > 10_000))
        return unspendable

    # Exact indexes.

    def find_transactions(self, txid: bytes) -> list[int]:
        """All transactions of a txid in chain order: none, one, or two for a BIP30 duplicate."""
        txids = self.column("transaction", "txid")
        found = self._candidates(TXID, txid, self.counts.transaction)
        return [tx_index for tx_index in found if bytes(txids[tx_index]) == txid]

    def find_latest_transactions(self, txids: npt.NDArray[np.uint8]) -> I64:
        """For each txid, shape (n, 32), the last transaction that has it, or -1."""
        latest = np.full(len(txids), NONE, np.int64)
        if not self.counts.transaction or not len(txids):
            return latest
        table, keys = self.column("transaction", "txid"), keys_of(txids)
        for run in self.runs(TXID):
            at = np.searchsorted(run.keys, keys)
            asked = np.flatnonzero((at < len(run.keys)) & (run.keys[np.minimum(at, len(run.keys) - 1)] == keys))
            while len(asked):
                rows = run.ids[at[asked]].astype(np.int64)
                valid = rows < min(run.end, self.counts.transaction)
                valid[valid] = (table[rows[valid]] == txids[asked[valid]]).all(axis=1)
                hit = asked[valid]
                latest[hit] = np.maximum(latest[hit], rows[valid])
                at[asked] += 1
                asked = asked[at[asked] < len(run.keys)]
                asked = asked[run.keys[at[asked]] == keys[asked]]
        return latest

    def find_block(self, block_hash: bytes) -> int | None:
        """Height of a block of this chain, or None."""
        rows = np.nonzero((self.column("block", "hash") == np.frombuffer(block_hash, np.uint8)).all(axis=1))[0]
        return int(rows[0]) if len(rows) else None

    def find_script(self, script_pubkey: bytes) -> int | None:
        """The script_id of a scriptPubKey, or None if no output of this snapshot pays it."""
        found = self._candidates(SCRIPT, sha256(script_pubkey), self.counts.script)
        return next((script for script in found if self.script_pubkey(script) == script_pubkey), None)

    def find_script_hash(self, digest: bytes) -> int | None:
        """The script_id whose scriptPubKey has this SHA-256, or None."""
        found = self._candidates(SCRIPT, digest, self.counts.script)
        return next((script for script in found if self.script_hash(script) == digest), None)

    def find_script_hashes(self, digests: npt.NDArray[np.uint8]) -> I64:
        """The scripts whose scriptPubKey has each SHA-256, shape (n, 32), or -1; int64 (n,)."""
        found = np.full(len(digests), NONE, np.int64)
        keys = keys_of(digests)
        order = np.argsort(keys)  # neighbours in the index are asked for one after the other
        for run in self.runs(SCRIPT):
            at = np.searchsorted(run.keys, keys[order])
            asked = order[(at < len(run.keys)) & (run.keys[np.minimum(at, len(run.keys) - 1)] == keys[order])]
            for number in asked.tolist():
                digest = digests[number].tobytes()
                for script in run.find(int(keys[number])):
                    if script < self.counts.script and self.script_hash(script) == digest:
                        found[number] = script
        return found

    def _candidates(self, index: str, digest: bytes, count: int) -> list[int]:
        key = key_of(digest)
        return sorted(row for run in self.runs(index) for row in run.find(key) if row < count)

    # Scripts.

    def script_type(self, script_id: int) -> ScriptType:
        """Type of a script."""
        return ScriptType(int(self.column("script", "type")[script_id]))

    def script_pubkey(self, script_id: int) -> bytes:
        """The scriptPubKey."""
        kind, payload = self.script_type(script_id), bytes(self.column("script", "payload")[script_id])
        if kind in _HASHED_TYPES:
            return script_from_payload(kind, payload[:20])
        if kind in _PROGRAM_TYPES:
            return script_from_payload(kind, payload)
        first, length = int.from_bytes(payload[:8], "little"), int.from_bytes(payload[8:12], "little")
        return bytes(self.column("script_byte", "byte")[first : first + length])

    def script_hash(self, script_id: int) -> bytes:
        """SHA-256 of the scriptPubKey."""
        return sha256(self.script_pubkey(script_id))
