"""Script numbers: `script_id` is the rank of the first output that pays a script."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ledger.indexes import SCRIPT, keys_of
from cointrail.ledger.rows import PAYLOAD_TYPES, Rows
from cointrail.ledger.schema import NONE

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Interned:
    """Scripts of a batch.

    Attributes:
        script_id: int64 (o,), script of each output.
        previous_same_script: int64 (o,), output_index of the output before it that pays the same script, or -1.
        paid, last_output: int64 (d,), the scripts the batch pays and the newest output_index of each.
        first_seen: int64 (n,), the batch's output that first pays each new script.
        types: uint8 (n,), payloads: uint8 (n, 32), heap: uint8, and heap_end: int64 (n,), bytes of the heap used up to
            and including each: rows of the new scripts.
        keys, ids: index entries of the new scripts, sorted by key.
    """

    script_id: I64
    previous_same_script: I64
    paid: I64
    last_output: I64
    first_seen: I64
    types: npt.NDArray[np.uint8]
    payloads: npt.NDArray[np.uint8]
    heap: npt.NDArray[np.uint8]
    heap_end: I64
    keys: npt.NDArray[np.uint64]
    ids: npt.NDArray[np.uint32]


def intern(rows: Rows, parsed: ParsedBlocks) -> Interned:
    """Number the scripts of a batch.

    A batch's scripts are first matched among themselves, then, sorted by key so that memory is touched in order, with
    each sorted run of the script index; whole scripts are compared, so the numbers are exact.
    """
    from cointrail.kernels.intern import distinct_scripts, new_script_rows

    count = len(parsed.output_value)
    keys = keys_of(parsed.script_digest)
    distinct, previous, first, last = (np.empty(count, np.int64) for _ in range(4))
    found = distinct_scripts(
        parsed.blocks.raw, parsed.output_script, parsed.output_length, keys, distinct, previous, first, last
    )
    first, last = first[:found], last[:found]
    start, length, kinds = parsed.output_script[first], parsed.output_length[first], parsed.output_type[first]
    distinct_keys = keys[first]
    by_key = np.argsort(distinct_keys)
    script_ids = _known(rows, parsed, start, length, kinds, distinct_keys[by_key], by_key)

    new = np.flatnonzero(script_ids < 0)
    known = np.flatnonzero(script_ids >= 0)
    script_ids[new] = np.arange(rows.counts.script, rows.counts.script + len(new))
    payloads = np.empty((len(new), 32), np.uint8)
    heap_bytes = np.where(np.isin(kinds[new], PAYLOAD_TYPES), 0, length[new].astype(np.int64))
    heap = np.empty(int(heap_bytes.sum()), np.uint8)
    digests = np.ascontiguousarray(parsed.script_digest[first])
    new_script_rows(parsed.blocks.raw, start, length, kinds, digests, new, rows.counts.script_byte, payloads, heap)

    base = rows.counts.output
    before = np.full(found, NONE, np.int64)
    before[known] = rows.column("script", "last_output")[script_ids[known]]
    previous_same_script = np.where(previous >= 0, previous + base, before[distinct])
    new_by_key = by_key[script_ids[by_key] >= rows.counts.script]
    return Interned(
        script_id=script_ids[distinct],
        previous_same_script=previous_same_script,
        paid=script_ids,
        last_output=last + base,
        first_seen=first[new],
        types=kinds[new],
        payloads=payloads,
        heap=heap,
        heap_end=np.cumsum(heap_bytes),
        keys=distinct_keys[new_by_key],
        ids=script_ids[new_by_key].astype(np.uint32),
    )


def _known(
    rows: Rows,
    parsed: ParsedBlocks,
    start: I64,
    length: npt.NDArray[np.uint32],
    kinds: npt.NDArray[np.uint8],
    sorted_keys: npt.NDArray[np.uint64],
    by_key: I64,
) -> I64:
    """script_id of each distinct script that the ledger has, -1 for the others."""
    from cointrail.kernels.intern import match_scripts

    script_ids = np.full(len(start), NONE, np.int64)
    for run in rows.runs(SCRIPT):
        at = np.searchsorted(run.keys, sorted_keys)
        match_scripts(
            parsed.blocks.raw,
            start,
            length,
            kinds,
            sorted_keys,
            by_key,
            at,
            run.keys,
            run.ids,
            run.end,
            rows.column("script", "type"),
            rows.column("script", "payload"),
            rows.column("script_byte", "byte"),
            script_ids,
        )
    return script_ids
