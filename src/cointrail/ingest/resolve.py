"""Which output does each input spend? Two ways to the same answer.

`BulkResolver` keeps the unspent outputs in memory and serves long runs of blocks. `IndexResolver` asks the txid index
and the spender links, needs no memory, and serves a few new blocks on a large ledger. Both refuse an input whose
outpoint does not exist, is spent, can never be spent, or is created later.
"""

import secrets
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import Network
from cointrail.bitcoin.transaction import Outpoint
from cointrail.ingest.faults import BadBlock, block_name
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]

_CHUNK = 1 << 22
_FULL = 0.8
_GROWTH = 1.25
_SMALLEST_SHARD = 1 << 10


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """What the inputs of a batch spend.

    Attributes:
        output: int64 (i,), output_index each input spends, -1 for a coinbase's input.
        from_coinbase: bool (i,), True where that output was made by a coinbase.
        overwritten, overwriter: int64, earlier outputs that a coinbase of the same txid made unspendable (BIP30), and
            that coinbase's position in the batch.
    """

    output: I64
    from_coinbase: npt.NDArray[np.bool_]
    overwritten: I64
    overwriter: I64


class Resolver(Protocol):
    """Resolves batches in chain order."""

    def resolve(self, parsed: ParsedBlocks) -> Resolved:
        """Resolve the next batch; raises `BadBlock`, after which the resolver must not be used again."""
        ...


class BulkResolver:
    """Unspent outputs in memory (see `kernels.unspent`), rebuilt from the columns when it is made."""

    def __init__(self, rows: Rows, network: Network) -> None:
        from cointrail.kernels.unspent import SHARDS

        self._rows, self._network = rows, network
        # Secret, so that nobody can write a chain whose outpoints clash; the answers do not depend on it.
        self._salt = np.frombuffer(bytearray(secrets.token_bytes(24)), np.uint64) | np.uint64(1)
        self._slots = [np.zeros(2 * _SMALLEST_SHARD, np.uint64) for _ in range(SHARDS)]
        self._used = [0] * SHARDS
        self._fill()

    def _fill(self) -> None:
        from cointrail.kernels.unspent import live_events

        rows = self._rows
        for first in range(0, rows.counts.output, _CHUNK):
            outputs = np.arange(first, min(first + _CHUNK, rows.counts.output))
            live = outputs[rows.unspent(outputs)]
            transactions = rows.transaction_of_outputs(live)
            first_output = rows.column("transaction", "first_output")[transactions]
            coinbases = rows.column("block", "first_transaction")[rows.height_of_transactions(transactions)]
            keys, refs = np.empty(len(live), np.uint64), np.empty(len(live), np.int64)
            shards = live_events(
                np.ascontiguousarray(rows.column("transaction", "txid")[transactions]),
                live - first_output,
                live,
                coinbases == transactions,
                self._salt,
                keys,
                refs,
            )
            self._apply(keys, refs, shards, np.empty(0, np.int64), None)

    def resolve(self, parsed: ParsedBlocks) -> Resolved:
        """Resolve the next batch."""
        from cointrail.kernels.unspent import batch_events

        events = len(parsed.input_outpoint) + len(parsed.output_value)
        keys, refs = np.empty(events, np.uint64), np.empty(events, np.int64)
        shards = batch_events(
            parsed.blocks.raw,
            parsed.txid,
            parsed.tx_first_input,
            parsed.tx_first_output,
            parsed.input_outpoint,
            parsed.output_spendable,
            parsed.tx_coinbase,
            self._rows.counts.output,
            self._salt,
            keys,
            refs,
        )
        spent = np.full(len(parsed.input_outpoint), NONE, np.int64)
        spent[parsed.tx_first_input[:-1][parsed.tx_coinbase]] = 0
        overwritten = self._apply(keys, refs, shards, spent, parsed)
        missing = np.flatnonzero(spent == NONE)
        if len(missing):
            raise missing_input(parsed, int(missing[0]))
        from_coinbase = (spent & 1).astype(np.bool_)
        output = spent >> 1
        output[parsed.tx_first_input[:-1][parsed.tx_coinbase]] = NONE
        pairs = np.array(sorted(overwritten), np.int64).reshape(-1, 2)
        return Resolved(output, from_coinbase, pairs[:, 0], pairs[:, 1])

    def _apply(
        self, keys: npt.NDArray[np.uint64], refs: I64, shards: I64, spent: I64, parsed: ParsedBlocks | None
    ) -> list[tuple[int, int]]:
        """Run the events of every shard; returns (overwritten output, overwriting transaction of the batch)."""
        from cointrail.kernels.unspent import apply_events, replace_entry

        overwritten = []
        for shard in range(len(self._slots)):
            begin, end = int(shards[shard]), int(shards[shard + 1])
            self._reserve(shard, int(np.count_nonzero(refs[begin:end] >= 0)))
            while begin < end:
                slots = self._slots[shard]
                self._used[shard], begin, entry = apply_events(slots, keys, refs, begin, end, self._used[shard], spent)
                if begin < end:
                    overwritten.append(self._repeat(int(entry) >> 1, int(refs[begin]) >> 1, parsed))
                    replace_entry(slots, keys[begin], refs[begin])
                    begin += 1
        return overwritten

    def _reserve(self, shard: int, more: int) -> None:
        from cointrail.kernels.unspent import move_entries

        capacity = len(self._slots[shard]) // 2
        needed = int((self._used[shard] + more) / _FULL) + 1
        if needed > capacity:
            grown = np.zeros(2 * max(needed, int(capacity * _GROWTH)), np.uint64)
            move_entries(self._slots[shard], grown)
            self._slots[shard] = grown

    def _repeat(self, earlier: int, later: int, parsed: ParsedBlocks | None) -> tuple[int, int]:
        """Judge an output whose key is taken: the same outpoint once more, or a clash of two outpoints."""
        base = self._rows.counts.output
        if parsed is None or self._outpoint(earlier, parsed) != self._outpoint(later, parsed):
            raise KeyClash
        transaction = int(np.searchsorted(parsed.tx_first_output, later - base, "right")) - 1
        check_repeat(parsed, transaction, self._network)
        return earlier, transaction

    def _outpoint(self, output: int, parsed: ParsedBlocks) -> tuple[bytes, int]:
        base = self._rows.counts.output
        if output >= base:
            transaction = int(np.searchsorted(parsed.tx_first_output, output - base, "right")) - 1
            return bytes(parsed.txid[transaction]), output - base - int(parsed.tx_first_output[transaction])
        transaction = int(self._rows.transaction_of_outputs(output))
        first = int(self._rows.column("transaction", "first_output")[transaction])
        return bytes(self._rows.column("transaction", "txid")[transaction]), output - first


class KeyClash(Exception):
    """Two different unspent outpoints have one 64-bit key; about once in a thousand mainnet builds."""


class IndexResolver:
    """Resolution through the txid index and the spender links; no memory of its own."""

    def __init__(self, rows: Rows, network: Network) -> None:
        self._rows, self._network = rows, network

    def resolve(self, parsed: ParsedBlocks) -> Resolved:
        """Resolve the next batch."""
        base = self._rows.counts.output
        if len(np.unique(parsed.txid, axis=0)) < len(parsed.txid):
            return BulkResolver(self._rows, self._network).resolve(parsed)  # a BIP30 pair inside one batch
        at = parsed.input_outpoint
        txids = parsed.blocks.raw[at[:, None] + np.arange(32)]
        vout = (
            np.ascontiguousarray(parsed.blocks.raw[at[:, None] + np.arange(32, 36)]).view("<u4")[:, 0].astype(np.int64)
        )
        owner = np.repeat(np.arange(len(parsed.txid)), np.diff(parsed.tx_first_input))
        coinbase_input = parsed.tx_coinbase[owner]
        output, from_coinbase = self._in_ledger(txids, vout)
        local, local_coinbase = _in_batch(parsed, txids, vout, owner)
        output = np.where(local >= 0, local + base, output)
        from_coinbase = np.where(local >= 0, local_coinbase, from_coinbase)
        first_use = np.zeros(len(output), np.bool_)
        first_use[np.unique(output, return_index=True)[1]] = True
        missing = np.flatnonzero(((output < 0) | ~first_use) & ~coinbase_input)
        if len(missing):
            raise missing_input(parsed, int(missing[0]))
        output[coinbase_input] = NONE
        overwritten, overwriter = self._overwritten(parsed, output)
        return Resolved(output, from_coinbase & ~coinbase_input, overwritten, overwriter)

    def _in_ledger(self, txids: npt.NDArray[np.uint8], vout: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        rows = self._rows
        transaction = rows.find_latest_transactions(txids)
        found = np.flatnonzero(transaction >= 0)
        output = np.full(len(txids), NONE, np.int64)
        from_coinbase = np.zeros(len(txids), np.bool_)
        if not len(found):
            return output, from_coinbase
        first, end = rows.output_bounds(transaction[found])
        within = first + vout[found] < end
        found, first = found[within], first[within]
        candidate = first + vout[found]
        open_ = rows.unspent(candidate)
        output[found[open_]] = candidate[open_]
        heights = rows.height_of_transactions(transaction[found])
        from_coinbase[found] = rows.column("block", "first_transaction")[heights] == transaction[found]
        return output, from_coinbase

    def _overwritten(self, parsed: ParsedBlocks, spent: I64) -> tuple[I64, I64]:
        rows = self._rows
        earlier = rows.find_latest_transactions(parsed.txid)
        overwritten: list[int] = []
        overwriter: list[int] = []
        for transaction in np.flatnonzero(earlier >= 0):
            outputs = np.array(rows.outputs_of(int(earlier[transaction])), np.int64)
            left = outputs[rows.unspent(outputs)]
            left = left[~np.isin(left, spent)]
            if len(left):
                check_repeat(parsed, int(transaction), self._network)
                overwritten += left.tolist()
                overwriter += [int(transaction)] * len(left)
        return np.array(overwritten, np.int64), np.array(overwriter, np.int64)


def _in_batch(
    parsed: ParsedBlocks, txids: npt.NDArray[np.uint8], vout: I64, owner: I64
) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Outputs of earlier transactions of the same batch: (position or -1, made by a coinbase)."""
    places = {bytes(txid): number for number, txid in enumerate(parsed.txid)}
    transaction = np.array([places.get(bytes(txid), -1) for txid in txids], np.int64)
    position = np.full(len(txids), NONE, np.int64)
    earlier = np.flatnonzero((transaction >= 0) & (transaction < owner))
    candidate = parsed.tx_first_output[transaction[earlier]] + vout[earlier]
    inside = candidate < parsed.tx_first_output[transaction[earlier] + 1]
    earlier, candidate = earlier[inside], candidate[inside]
    spendable = parsed.output_spendable[candidate]
    position[earlier[spendable]] = candidate[spendable]
    return position, parsed.tx_coinbase[transaction] & (position >= 0)


def block_of(parsed: ParsedBlocks, transaction: int) -> int:
    """Position in the batch of the block a transaction belongs to."""
    return int(np.searchsorted(parsed.block_first_tx, transaction, "right")) - 1


def missing_input(parsed: ParsedBlocks, number: int) -> BadBlock:
    """The error for an input whose outpoint is not there to be spent."""
    transaction = int(np.searchsorted(parsed.tx_first_input, number, "right")) - 1
    block = block_of(parsed, transaction)
    at = int(parsed.input_outpoint[number])
    raw = parsed.blocks.raw[at : at + 36].tobytes()
    outpoint = Outpoint(raw[:32], int.from_bytes(raw[32:], "little"))
    siblings = parsed.input_outpoint[slice(*parsed.tx_first_input[transaction : transaction + 2])]
    if [parsed.blocks.raw[place : place + 36].tobytes() for place in siblings].count(raw) > 1:
        rule, fault = "bad-txns-inputs-duplicate", "twice"
    else:
        rule, fault = "bad-txns-inputs-missingorspent", "which does not exist or is spent"
    return BadBlock(
        f"{block_name(parsed.blocks, block)} refused: {rule} (transaction "
        f"{display(bytes(parsed.txid[transaction]))} spends {outpoint}, {fault})",
        block,
        damaged=False,
    )


def check_repeat(parsed: ParsedBlocks, transaction: int, network: Network) -> None:
    """Allow a txid that is still unspent to come again only where the chain did: coinbases, before BIP30."""
    block = block_of(parsed, transaction)
    height = parsed.blocks.first_height + block
    allowed = {each for each, _ in network.bip30_repeats}
    if not parsed.tx_coinbase[transaction] or (allowed and height not in allowed):
        raise BadBlock(
            f"{block_name(parsed.blocks, block)} refused: bad-txns-BIP30 (transaction "
            f"{display(bytes(parsed.txid[transaction]))} repeats one that is not spent)",
            block,
            damaged=False,
        )
