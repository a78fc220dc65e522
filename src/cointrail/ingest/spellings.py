"""Every script known when a batch ends, by its spelling hash: those of the ledger and the new ones.

Eight bytes of the hash find candidates in the sorted runs of the spelling index; the whole twenty, computed again from
each candidate's payload, decide. See `bitcoin.spelling` for what a spelling hash is.
"""

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.ingest.intern import Interned
from cointrail.ingest.parsed import ParsedBlocks
from cointrail.ledger.indexes import SPELLING, Run
from cointrail.ledger.rows import Rows

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

SPELLED_TYPES = (ScriptType.P2PK, ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH, ScriptType.P2WSH)
"""Types that have a spelling hash."""

_LONG_KEY = 65
_NONE_FOUND = (np.empty(0, np.int64), np.empty(0, np.int64))


def hash160s(buffer: U8, start: I64, length: I64) -> U8:
    """HASH160 of messages that lie in one buffer, uint8 (n, 20)."""
    from cointrail.kernels.spelling import hash160_messages

    hashes = np.empty((len(start), 20), np.uint8)
    if len(start):
        hash160_messages(buffer, np.ascontiguousarray(start), np.ascontiguousarray(length), hashes)
    return hashes


def _nested(kind: ScriptType, programs: U8) -> U8:
    """Spelling hashes of programs of one type, uint8 (n, 20) or (n, 32)."""
    from cointrail.kernels.spelling import spelling_hashes

    payloads = np.zeros((len(programs), 32), np.uint8)
    payloads[:, : programs.shape[1]] = programs
    hashes = np.empty((len(programs), 20), np.uint8)
    spelling_hashes(np.full(len(programs), kind, np.uint8), payloads, hashes)
    return hashes


def nested_keys(keys: U8) -> U8:
    """Spelling hashes of the compressed forms of uncompressed keys, uint8 (n, 65); the curve is not asked."""
    compressed = np.ascontiguousarray(keys[:, :33])
    compressed[:, 0] = 2 + (keys[:, 64] & 1)
    hashes = hash160s(compressed.reshape(-1), np.arange(len(keys)) * 33, np.full(len(keys), 33, np.int64))
    return _nested(ScriptType.P2PKH, hashes)


def nested_scripts(buffer: U8, start: I64, length: I64) -> U8:
    """Spelling hashes of the P2WSH of scripts that lie in one buffer."""
    from cointrail.kernels.sha256 import hash_messages

    programs, twice = np.empty((len(start), 32), np.uint8), False
    hash_messages(buffer, np.ascontiguousarray(start), np.ascontiguousarray(length), twice, programs)
    return _nested(ScriptType.P2WSH, programs)


class Spellings:
    """Scripts by spelling; script_ids count on from the ledger's to the batch's new ones.

    Attributes:
        first_new: script_id of the batch's first new script.
        keys, ids: uint64 (n,) and uint32 (n,), index entries of the new scripts, sorted by key.
    """

    def __init__(self, rows: Rows, parsed: ParsedBlocks, interned: Interned) -> None:
        self._rows, self._parsed, self._interned = rows, parsed, interned
        self.first_new = rows.counts.script
        self._hashes = self._hashes_of(interned.types, interned.payloads, interned.heap, rows.counts.script_byte)
        self._spelled: Flags = np.isin(interned.types, SPELLED_TYPES)
        keys = _keys(self._hashes)
        # What has no spelling is entered under its script's SHA-256, which the script index has.
        rest = ~self._spelled[interned.ids.astype(np.int64) - self.first_new]
        keys[interned.ids[rest].astype(np.int64) - self.first_new] = interned.keys[rest]
        order = np.argsort(keys)
        self.keys, self.ids = keys[order], (order + self.first_new).astype(np.uint32)

    def _hashes_of(self, types: npt.NDArray[np.uint8], payloads: U8, heap: U8, heap_first: int) -> U8:
        """Spelling hashes from cells of the script table; `heap` begins with script_byte row `heap_first`."""
        from cointrail.kernels.spelling import spelling_hashes

        places = np.flatnonzero(types == ScriptType.P2PK)
        if len(places):
            types, payloads = types.copy(), payloads.copy()
            start, length = _heap_places(payloads[places])
            keys = _heap_rows(heap, start - heap_first + 1, _LONG_KEY)
            hashes = hash160s(keys.reshape(-1), np.arange(len(places)) * _LONG_KEY, length - 2)
            types[places], payloads[places, :20] = ScriptType.P2PKH, hashes
        hashes = np.empty((len(types), 20), np.uint8)
        spelling_hashes(types, np.ascontiguousarray(payloads), hashes)
        return hashes

    # Cells of scripts, old and new.

    def types(self, scripts: I64) -> npt.NDArray[np.uint8]:
        """`ScriptType` of each script, uint8."""
        return self._cells("type", scripts, self._interned.types)

    def _cells(self, name: str, scripts: I64, of_batch: U8) -> U8:
        cells = np.empty((len(scripts), *of_batch.shape[1:]), np.uint8)
        new = scripts >= self.first_new
        cells[new] = of_batch[scripts[new] - self.first_new]
        cells[~new] = self._rows.column("script", name)[scripts[~new]]
        return cells

    def script_pubkey(self, script: int) -> bytes:
        """The bytes of one script."""
        if script < self.first_new:
            return self._rows.script_pubkey(script)
        output = self._interned.first_seen[script - self.first_new]
        start, length = int(self._parsed.output_script[output]), int(self._parsed.output_length[output])
        return self._parsed.blocks.raw[start : start + length].tobytes()

    def new_scripts(self, kind: ScriptType) -> I64:
        """The batch's new scripts of a type, ascending."""
        return np.flatnonzero(self._interned.types == kind) + self.first_new

    def long_keys(self, scripts: I64) -> tuple[I64, U8]:
        """Those of some P2PK scripts whose key has 65 bytes, and the keys, uint8 (n, 65)."""
        start, length = _heap_places(self._cells("payload", scripts, self._interned.payloads))
        long = length == _LONG_KEY + 2
        scripts, start = scripts[long], start[long] + 1
        keys = np.empty((len(scripts), _LONG_KEY), np.uint8)
        new = scripts >= self.first_new
        keys[new] = _heap_rows(self._interned.heap, start[new] - self._rows.counts.script_byte, _LONG_KEY)
        keys[~new] = _heap_rows(self._rows.column("script_byte", "byte"), start[~new], _LONG_KEY)
        return scripts, keys

    # Look-ups.

    def earlier_twins(self) -> tuple[I64, I64]:
        """New scripts that have earlier spellings, and the smallest script_id of each one's."""
        spelled = self._spelled[self.ids.astype(np.int64) - self.first_new]
        keys, ids = self.keys[spelled], self.ids[spelled].astype(np.int64)
        which, found = self._in_ledger(keys, self._hashes, ids - self.first_new)
        # The new scripts among themselves: equal keys are neighbours.
        same = keys[1:] == keys[:-1]
        shared = np.flatnonzero(np.concatenate((same, [False])) | np.concatenate(([False], same)))
        ours, theirs = self._in_batch(keys[shared], self._hashes, ids[shared] - self.first_new)
        scripts = np.concatenate((ids[which], ids[shared[ours]]))
        partners = np.concatenate((found, theirs))
        earlier = np.flatnonzero(partners < scripts)
        earlier = earlier[np.lexsort((partners[earlier], scripts[earlier]))]
        scripts, first = np.unique(scripts[earlier], return_index=True)
        return scripts, partners[earlier[first]]

    def matches(self, hashes: U8) -> tuple[I64, I64]:
        """All scripts of some spelling hashes, uint8 (n, 20): positions in `hashes`, and script_ids beside them."""
        keys = _keys(hashes)
        order = np.argsort(keys)
        old, new = (find(keys[order], hashes, order) for find in (self._in_ledger, self._in_batch))
        return order[np.concatenate((old[0], new[0]))], np.concatenate((old[1], new[1]))

    def _in_batch(self, keys: U64, hashes: U8, places: I64) -> tuple[I64, I64]:
        """(position in `keys`, script_id) of the new scripts with the same whole hash; key k's is hashes[places[k]]."""
        run = Run("", self.first_new, self.first_new + len(self.ids), self.keys, self.ids)
        which, ids = _candidates(run, keys)
        new = ids - self.first_new
        exact = self._spelled[new] & (self._hashes[new] == hashes[places[which]]).all(axis=1)
        return which[exact], ids[exact]

    def _in_ledger(self, keys: U64, hashes: U8, places: I64) -> tuple[I64, I64]:
        """The same for the ledger's scripts."""
        rows = self._rows
        which, ids = _joined([_candidates(run, keys) for run in rows.runs(SPELLING)])
        if not len(ids):
            return which, ids
        types = rows.column("script", "type")[ids]
        theirs = self._hashes_of(types, rows.column("script", "payload")[ids], rows.column("script_byte", "byte"), 0)
        exact = np.isin(types, SPELLED_TYPES) & (theirs == hashes[places[which]]).all(axis=1)
        return which[exact], ids[exact]


def _joined(found: list[tuple[I64, I64]]) -> tuple[I64, I64]:
    parts = [*found, _NONE_FOUND]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _keys(hashes: U8) -> U64:
    """The first eight bytes of each hash as a little-endian number."""
    return np.ascontiguousarray(hashes[:, :8]).view("<u8").reshape(-1)


def _candidates(run: Run, keys: U64) -> tuple[I64, I64]:
    """(position in `keys`, id) of all valid entries of a run under some ascending keys."""
    if not len(run.keys) or not len(keys):
        return _NONE_FOUND
    at = np.searchsorted(run.keys, keys)
    asked = np.flatnonzero(run.keys[np.minimum(at, len(run.keys) - 1)] == keys)
    found = [_NONE_FOUND]
    while len(asked):
        ids = run.ids[at[asked]].astype(np.int64)
        valid = ids < run.end
        found.append((asked[valid], ids[valid]))
        at[asked] += 1
        asked = asked[at[asked] < len(run.keys)]
        asked = asked[run.keys[at[asked]] == keys[asked]]
    return _joined(found)


def _heap_places(payloads: U8) -> tuple[I64, I64]:
    """First script_byte row and length of scripts that lie in the heap, from their payload cells."""
    start = np.ascontiguousarray(payloads[:, :8]).view("<i8").reshape(-1)
    length = np.ascontiguousarray(payloads[:, 8:12]).view("<u4").reshape(-1).astype(np.int64)
    return start, length


def _heap_rows(heap: U8, start: I64, length: int) -> U8:
    """`length` bytes from each place of the heap, uint8 (n, length); beyond its end the last byte again."""
    cells: U8 = heap[np.minimum(start[:, None] + np.arange(length), max(len(heap) - 1, 0))]
    return cells
