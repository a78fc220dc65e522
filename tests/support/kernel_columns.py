"""Runs the parse kernel into columns that are exactly as long as its contract allows, between guards.

The plain reference for the same columns is here too, so that every parse test compares everything.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.fingerprint import input_flags
from cointrail.bitcoin.script import classify
from cointrail.errors import EncodingError
from cointrail.kernels.parse import HAS_WITNESS, SMALLEST_INPUT, SMALLEST_OUTPUT, SMALLEST_TRANSACTION, parse_blocks

Columns = dict[str, Any]

_GUARD = 4
_POISON = 0xA5

# Argument of the kernel, numpy type, what limits its length, entries beyond that.
_ARGUMENTS = (
    ("block_first_tx", np.int64, "block", 1),
    ("tx_start", np.int64, "tx", 0),
    ("tx_size", np.uint32, "tx", 0),
    ("tx_base_size", np.uint32, "tx", 0),
    ("tx_version", np.int32, "tx", 0),
    ("tx_lock_time", np.uint32, "tx", 0),
    ("tx_flags", np.uint8, "tx", 0),
    ("tx_first_input", np.int64, "tx", 1),
    ("tx_first_output", np.int64, "tx", 1),
    ("tx_stripped", np.int64, "tx", 0),
    ("input_outpoint", np.int64, "input", 0),
    ("input_sequence", np.uint32, "input", 0),
    ("input_flags", np.uint16, "input", 0),
    ("output_value", np.int64, "output", 0),
    ("output_script", np.int64, "output", 0),
    ("output_length", np.uint32, "output", 0),
    ("output_type", np.uint8, "output", 0),
    ("stripped", np.uint8, "byte", 0),
)


def run_parse(raw: np.ndarray, extents: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], Columns]:
    """Run the kernel.

    Args:
        raw: uint8, holds the blocks.
        extents: first byte and the byte after the last of each block.

    Returns:
        What the kernel returned, and the columns cut to the rows it says it wrote.

    Raises:
        AssertionError: it wrote outside a column.
    """
    size = sum(end - start for start, end in extents)
    most = {
        "block": len(extents),
        "tx": size // SMALLEST_TRANSACTION,
        "input": size // SMALLEST_INPUT,
        "output": size // SMALLEST_OUTPUT,
        "byte": size,
    }
    guarded = {}
    for name, dtype, limit, more in _ARGUMENTS:
        guarded[name] = np.full((most[limit] + more + 2 * _GUARD) * dtype().itemsize, _POISON, np.uint8).view(dtype)
    starts, ends = (np.array([extent[side] for extent in extents], np.int64) for side in (0, 1))
    inner = [column[_GUARD:-_GUARD] for column in guarded.values()]
    verdict = tuple(int(number) for number in parse_blocks(raw, starts, ends, *inner))
    for name, column in guarded.items():
        edges = np.concatenate((column[:_GUARD], column[-_GUARD:])).view(np.uint8)
        assert (edges == _POISON).all(), f"the kernel wrote outside {name}"
    rows = dict(zip(("tx", "input", "output", "byte"), verdict[:4], strict=True)) | {"block": len(extents)}
    cut = {
        name: guarded[name][_GUARD : _GUARD + rows[limit] + more].tolist() for name, _, limit, more in _ARGUMENTS[:-1]
    }
    cut["stripped"] = guarded["stripped"][_GUARD : _GUARD + rows["byte"]].tobytes()
    return verdict, cut


def accepted_block(raw: bytes) -> Block | None:
    """The block in these bytes, if the plain reference takes them for one the kernel has to take.

    The reference also reads a block without transactions and a transaction without outputs. Core's CheckBlock and
    CheckTransaction refuse both (bad-blk-length, bad-txns-vout-empty), and the kernel does so at once.
    """
    try:
        block = Block.parse(raw)
    except EncodingError:
        return None
    sound = block.transactions and all(transaction.outputs for transaction in block.transactions)
    return block if sound else None


def check_columns(raw: np.ndarray, extents: Sequence[tuple[int, int]], blocks: Sequence[Block]) -> int:
    """Parse accepted blocks and compare every column with the plain reference.

    Returns:
        How many inputs were compared.
    """
    verdict, columns = run_parse(raw, extents)
    expected = _reference(extents, blocks)
    for name, cells in expected.items():
        assert columns[name] == cells, f"{name}: {_difference(columns[name], cells)}"
    assert len(columns) == len(expected)
    assert verdict == (
        len(expected["tx_size"]),
        len(expected["input_flags"]),
        len(expected["output_type"]),
        len(expected["stripped"]),
        -1,
        0,
    )
    return len(expected["input_flags"])


def _reference(extents: Sequence[tuple[int, int]], blocks: Sequence[Block]) -> Columns:
    """The columns that the kernel has to write, from the values of the plain reference."""
    columns: Columns = {name: [] for name, *_ in _ARGUMENTS}
    stripped = b""
    for (start, _), block in zip(extents, blocks, strict=True):
        columns["block_first_tx"].append(len(columns["tx_start"]))
        position = start + 80 + _compact_size(len(block.transactions))
        for transaction in block.transactions:
            whole, base = transaction.serialize(), transaction.serialize(witness=False)
            columns["tx_start"].append(position)
            columns["tx_size"].append(len(whole))
            columns["tx_base_size"].append(len(base))
            columns["tx_version"].append(transaction.version)
            columns["tx_lock_time"].append(transaction.lock_time)
            columns["tx_flags"].append(HAS_WITNESS if transaction.has_witness else 0)
            columns["tx_first_input"].append(len(columns["input_flags"]))
            columns["tx_first_output"].append(len(columns["output_type"]))
            columns["tx_stripped"].append(len(stripped) if transaction.has_witness else -1)
            stripped += base if transaction.has_witness else b""
            place = position + (6 if transaction.has_witness else 4) + _compact_size(len(transaction.inputs))
            for each in transaction.inputs:
                columns["input_outpoint"].append(place)
                columns["input_sequence"].append(each.sequence)
                columns["input_flags"].append(input_flags(each.script_sig, each.witness))
                place += 36 + _compact_size(len(each.script_sig)) + len(each.script_sig) + 4
            place += _compact_size(len(transaction.outputs))
            for output in transaction.outputs:
                value, script = output.value_sat, output.script_pubkey
                place += 8 + _compact_size(len(script))
                columns["output_value"].append(value - (1 << 64) if value >> 63 else value)
                columns["output_script"].append(place)
                columns["output_length"].append(len(script))
                columns["output_type"].append(int(classify(script)))
                place += len(script)
            position += len(whole)
    columns["block_first_tx"].append(len(columns["tx_start"]))
    columns["tx_first_input"].append(len(columns["input_flags"]))
    columns["tx_first_output"].append(len(columns["output_type"]))
    return columns | {"stripped": stripped}


def _compact_size(number: int) -> int:
    return 1 if number < 0xFD else 3 if number < 0x10000 else 5


def _difference(found: Any, wanted: Any) -> str:
    if len(found) != len(wanted):
        return f"{len(found)} cells instead of {len(wanted)}"
    at = next(place for place, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other)
    return f"{found[at]} instead of {wanted[at]} at {at}"
