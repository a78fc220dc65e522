"""From checked columns of a batch to rows of the ledger."""

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.block import MEDIAN_TIME_SPAN, median_time_past
from cointrail.ingest.intern import Interned
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ingest.resolve import Resolved
from cointrail.ingest.same_key import SameKeys
from cointrail.ingest.values import BlockSums
from cointrail.ledger.indexes import keys_of
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import TABLES
from cointrail.ledger.writer import Batch

I64 = npt.NDArray[np.int64]


def make_batch(
    rows: Rows, parsed: ParsedBlocks, resolved: Resolved, interned: Interned, sums: BlockSums, same_keys: SameKeys
) -> Batch:
    """Number everything from the ledger's counts on."""
    counts, blocks, first_tx = rows.counts, parsed.blocks, parsed.block_first_tx
    bounds = _bounds(parsed, interned)
    headers = blocks.raw[blocks.start[:, None] + np.arange(80)]
    time = np.ascontiguousarray(headers[:, 68:72]).view("<u4")[:, 0]
    new_txids = keys_of(parsed.txid)
    by_key = np.argsort(new_txids)
    spends = np.flatnonzero(resolved.output >= 0)
    columns = {
        ("block", "hash"): parsed.block_hash,
        ("block", "header"): headers,
        ("block", "time"): time,
        ("block", "median_time"): _median_times(rows, time),
        ("block", "size"): blocks.end - blocks.start,
        ("block", "weight"): parsed.block_weight,
        ("block", "first_transaction"): first_tx[:-1] + counts.transaction,
        ("block", "first_script"): bounds[:-1, _TABLE["script"]] + counts.script,
        ("block", "first_script_byte"): bounds[:-1, _TABLE["script_byte"]] + counts.script_byte,
        ("block", "fees_sat"): sums.fees,
        ("block", "unclaimed_sat"): sums.unclaimed,
        ("block", "unspent_outputs"): np.cumsum(sums.unspent_change) + _last(rows, "unspent_outputs"),
        ("block", "unspent_value_sat"): np.cumsum(sums.unspent_value_change) + _last(rows, "unspent_value_sat"),
        ("block", "file_number"): np.array([record.file_number for record in blocks.records], np.uint32),
        ("block", "file_offset"): np.array([record.offset for record in blocks.records], np.int64),
        ("transaction", "txid"): parsed.txid,
        ("transaction", "first_input"): parsed.tx_first_input[:-1] + counts.input,
        ("transaction", "first_output"): parsed.tx_first_output[:-1] + counts.output,
        ("transaction", "version"): parsed.tx_version,
        ("transaction", "lock_time"): parsed.tx_lock_time,
        ("transaction", "size"): parsed.tx_size,
        ("transaction", "weight"): parsed.tx_weight,
        ("transaction", "flags"): parsed.tx_flags,
        ("input", "output"): resolved.output,
        ("input", "sequence"): parsed.input_sequence,
        ("input", "flags"): parsed.input_flags,
        ("output", "value_sat"): parsed.output_value,
        ("output", "script"): interned.script_id,
        ("output", "previous_same_script"): interned.previous_same_script,
        ("script", "type"): interned.types,
        ("script", "payload"): interned.payloads,
        ("script_byte", "byte"): interned.heap,
    }
    return Batch(
        rows=columns,
        bounds=bounds,
        spent=resolved.output[spends],
        spender=spends + counts.input,
        overwritten=resolved.overwritten,
        overwriter=resolved.overwriter + counts.transaction,
        paid=interned.paid,
        last_output=interned.last_output,
        txid_keys=new_txids[by_key],
        txid_ids=(by_key + counts.transaction).astype(np.uint32),
        script_keys=interned.keys,
        script_ids=interned.ids,
        spelling_keys=same_keys.keys,
        spelling_ids=same_keys.ids,
        same_key=same_keys.rows,
    )


_TABLE = {table.name: position for position, table in enumerate(TABLES)}


def _bounds(parsed: ParsedBlocks, interned: Interned) -> I64:
    """Where each block's rows begin inside the batch, int64 (b + 1, tables)."""
    first_tx = parsed.block_first_tx
    first_output = parsed.tx_first_output[first_tx]
    # A script belongs to the block whose output first pays it.
    first_script = np.searchsorted(interned.first_seen, first_output)
    heap = np.concatenate(([0], interned.heap_end))[first_script]
    columns = {
        "block": np.arange(len(first_tx)),
        "transaction": first_tx,
        "input": parsed.tx_first_input[first_tx],
        "output": first_output,
        "script": first_script,
        "script_byte": heap,
    }
    return np.stack([columns[table.name] for table in TABLES], axis=1)


def _median_times(rows: Rows, time: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    before = rows.column("block", "time")[-(MEDIAN_TIME_SPAN - 1) :]
    all_times = [int(each) for each in (*before, *time)]
    known = len(before)
    return np.array(
        [
            median_time_past(all_times[max(0, at - MEDIAN_TIME_SPAN + 1) : at + 1])
            for at in range(known, known + len(time))
        ],
        np.uint32,
    )


def _last(rows: Rows, name: str) -> int:
    return int(rows.column("block", name)[-1]) if rows.counts.block else 0
