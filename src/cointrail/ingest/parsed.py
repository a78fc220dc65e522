"""Blocks as columns: parsing and hashing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.ingest.faults import name_fault
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.timing import Stages

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

LONGEST_SPENDABLE = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlocks:
    """Columns of consecutive blocks; positions count from the batch's first row.

    Attributes:
        blocks: the bytes they came from.
        block_hash: uint8 (b, 32); block_first_tx: int64 (b + 1,); block_weight: int64 (b,).
        txid, wtxid: uint8 (t, 32); tx_size, tx_weight, tx_lock_time: uint32; tx_version: int32; tx_flags: uint8;
        tx_first_input, tx_first_output: int64 (t + 1,); tx_coinbase: bool (t,).
        input_outpoint: int64, where outpoints lie in the bytes; input_sequence: uint32; input_flags: uint16.
        output_value: int64; output_script, output_length: where scripts lie; output_type: uint8;
        output_spendable: bool, False for OP_RETURN, for scripts beyond 10,000 bytes and in the genesis block;
        script_digest: uint8 (o, 32), SHA-256 of each script.
    """

    blocks: RawBlocks
    block_hash: U8
    block_first_tx: I64
    block_weight: I64
    txid: U8
    wtxid: U8
    tx_size: U32
    tx_weight: U32
    tx_version: npt.NDArray[np.int32]
    tx_lock_time: U32
    tx_flags: U8
    tx_first_input: I64
    tx_first_output: I64
    tx_coinbase: npt.NDArray[np.bool_]
    input_outpoint: I64
    input_sequence: U32
    input_flags: npt.NDArray[np.uint16]
    output_value: I64
    output_script: I64
    output_length: U32
    output_type: U8
    output_spendable: npt.NDArray[np.bool_]
    script_digest: U8


def parse(blocks: RawBlocks, stages: Stages) -> ParsedBlocks:
    """Turn blocks into columns.

    Raises:
        BadBlock: a block's encoding is malformed.
    """
    from cointrail.kernels.parse import parse_blocks

    with stages.measure("parse"):
        columns = _empty_columns(len(blocks.start), len(blocks.raw))
        transactions, inputs, outputs, _, bad, _ = parse_blocks(blocks.raw, blocks.start, blocks.end, *columns.values())
    if bad >= 0:
        raise name_fault(blocks, int(bad))
    with stages.measure("hash"):
        txid, wtxid, block_hash, script_digest = _hashes(blocks, columns, transactions, outputs)
    first_tx = columns["block_first_tx"]
    coinbase = np.zeros(transactions, np.bool_)
    coinbase[first_tx[:-1]] = True
    tx_size, base = columns["tx_size"][:transactions], columns["tx_base_size"][:transactions]
    tx_weight = tx_size + 3 * base
    kinds, lengths = columns["output_type"][:outputs], columns["output_length"][:outputs]
    spendable = (kinds != ScriptType.OP_RETURN) & (lengths <= LONGEST_SPENDABLE)
    if blocks.first_height == 0:
        spendable[: int(columns["tx_first_output"][first_tx[1]])] = False  # nobody can spend the genesis output
    return ParsedBlocks(
        blocks=blocks,
        block_hash=block_hash,
        block_first_tx=first_tx,
        block_weight=_block_weights(first_tx, tx_weight),
        txid=txid,
        wtxid=wtxid,
        tx_size=tx_size,
        tx_weight=tx_weight,
        tx_version=columns["tx_version"][:transactions],
        tx_lock_time=columns["tx_lock_time"][:transactions],
        tx_flags=columns["tx_flags"][:transactions],
        tx_first_input=columns["tx_first_input"][: transactions + 1],
        tx_first_output=columns["tx_first_output"][: transactions + 1],
        tx_coinbase=coinbase,
        input_outpoint=columns["input_outpoint"][:inputs],
        input_sequence=columns["input_sequence"][:inputs],
        input_flags=columns["input_flags"][:inputs],
        output_value=columns["output_value"][:outputs],
        output_script=columns["output_script"][:outputs],
        output_length=lengths,
        output_type=kinds,
        output_spendable=spendable,
        script_digest=script_digest,
    )


def _empty_columns(blocks: int, size: int) -> dict[str, npt.NDArray[Any]]:
    """Columns as long as any blocks of this size could need; memory that stays untouched costs nothing."""
    from cointrail.kernels.parse import SMALLEST_INPUT, SMALLEST_OUTPUT, SMALLEST_TRANSACTION

    per_transaction, per_input, per_output = (
        size // smallest + 2 for smallest in (SMALLEST_TRANSACTION, SMALLEST_INPUT, SMALLEST_OUTPUT)
    )
    lengths = {"block": blocks + 1, "tx": per_transaction, "input": per_input, "output": per_output, "stripped": size}
    dtypes = {
        "block_first_tx": np.int64, "tx_start": np.int64, "tx_size": np.uint32, "tx_base_size": np.uint32,
        "tx_version": np.int32, "tx_lock_time": np.uint32, "tx_flags": np.uint8, "tx_first_input": np.int64,
        "tx_first_output": np.int64, "tx_stripped": np.int64, "input_outpoint": np.int64, "input_sequence": np.uint32,
        "input_flags": np.uint16, "output_value": np.int64, "output_script": np.int64, "output_length": np.uint32,
        "output_type": np.uint8, "stripped": np.uint8,
    }  # fmt: skip
    return {name: np.empty(lengths[name.split("_")[0]], dtype) for name, dtype in dtypes.items()}


def _hashes(
    blocks: RawBlocks, columns: dict[str, npt.NDArray[Any]], transactions: int, outputs: int
) -> tuple[U8, U8, U8, U8]:
    """(txids, wtxids, block hashes, SHA-256 of scripts)."""
    from cointrail.kernels.sha256 import hash_messages

    def digests(buffer: U8, start: I64, length: npt.NDArray[Any], *, twice: bool) -> U8:
        result = np.empty((len(start), 32), np.uint8)
        hash_messages(buffer, np.ascontiguousarray(start, np.int64), length.astype(np.int64), twice, result)
        return result

    raw = blocks.raw
    wtxid = digests(raw, columns["tx_start"][:transactions], columns["tx_size"][:transactions], twice=True)
    stripped_at = columns["tx_stripped"][:transactions]
    segwit = np.flatnonzero(stripped_at >= 0)
    txid = wtxid
    if len(segwit):
        txid = wtxid.copy()
        base = columns["tx_base_size"][:transactions][segwit]
        txid[segwit] = digests(columns["stripped"], stripped_at[segwit], base, twice=True)
    block_hash = digests(raw, blocks.start, np.full(len(blocks.start), 80), twice=True)
    scripts = digests(raw, columns["output_script"][:outputs], columns["output_length"][:outputs], twice=False)
    return txid, wtxid, block_hash, scripts


def _block_weights(first_tx: I64, tx_weight: U32) -> I64:
    totals = np.concatenate(([0], np.cumsum(tx_weight, dtype=np.int64)))
    weights: I64 = totals[first_tx[1:]] - totals[first_tx[:-1]] + 4 * (80 + compact_size_bytes(np.diff(first_tx)))
    return weights


def compact_size_bytes(numbers: I64) -> I64:
    """Bytes that each number takes as a compact size."""
    return np.where(numbers < 0xFD, 1, np.where(numbers <= 0xFFFF, 3, 5))
