"""Exact indexes over growing tables, as sorted runs.

An index is a list of immutable files. Each run holds the 64-bit keys of one range of row ids, sorted, beside the ids.
Ranges follow one another, so every id lives in exactly one run, and rewinding to a smaller count only lowers the `end`
of a run: entries beyond it were withdrawn. A key narrows the search; the full key in the table decides.

A new run is merged with its older neighbour while that one is less than twice its size, so there are about
log2(rows / batch) runs. Nothing is rebuilt on open, and nothing that was published is written to again.
"""

import hashlib
import itertools
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.errors import Unavailable
from cointrail.ledger.columns import disk_error
from cointrail.ledger.manifest import RunEntry, sync_folder

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]

TXID = "txid"
SCRIPT = "script"
SPELLING = "spelling"
NAMES = (TXID, SCRIPT, SPELLING)

TABLE_OF = {TXID: "transaction", SCRIPT: "script", SPELLING: "script"}
"""The table whose row ids an index leads to."""

_ENTRY_BYTES = 12


def keys_of(hashes: npt.NDArray[np.uint8]) -> U64:
    """The index keys of 32-byte hashes, shape (n, 32): their first eight bytes as a little-endian number."""
    return np.ascontiguousarray(hashes[:, :8]).view("<u8").reshape(-1)


def key_of(digest: bytes) -> int:
    """The index key of one 32-byte hash."""
    return int.from_bytes(digest[:8], "little")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A sorted run in memory or mapped: `keys` ascending, `ids` beside them, answering for `first <= id < end`."""

    file: str
    first: int
    end: int
    keys: U64
    ids: U32

    def find(self, key: int) -> list[int]:
        """All valid ids under a key."""
        left = int(np.searchsorted(self.keys, np.uint64(key), "left"))
        found = []
        for position in range(left, len(self.keys)):
            if int(self.keys[position]) != key:
                break
            if self.first <= int(self.ids[position]) < self.end:
                found.append(int(self.ids[position]))
        return found


def open_run(folder: Path, entry: RunEntry) -> Run:
    """Map a published run.

    Raises:
        Unavailable: the file is missing or has another size.
    """
    path = folder / "index" / entry.file
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.rows * _ENTRY_BYTES or not entry.rows:
                raise Unavailable(
                    f"{path} has {size} bytes instead of {entry.rows * _ENTRY_BYTES}", hint="the ledger is damaged"
                )
            buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}", hint="the ledger is damaged") from error
    keys = np.frombuffer(buffer, "<u8", entry.rows)
    return Run(entry.file, entry.first, entry.end, keys, np.frombuffer(buffer, "<u4", entry.rows, entry.rows * 8))


class IndexWriter:
    """The runs of one index while the ledger grows."""

    def __init__(self, folder: Path, name: str, entries: tuple[RunEntry, ...]) -> None:
        self.name = name
        self._folder = folder
        self._digests = {entry.file: entry.sha256 for entry in entries}
        self.runs = [open_run(folder, entry) for entry in entries]
        taken = [int(path.name.split(".")[1]) for path in (folder / "index").glob(f"{name}.*.run")]
        self._numbers = itertools.count(max(taken, default=-1) + 1)

    def _path(self, file: str) -> Path:
        return self._folder / "index" / file

    def _new(self, first: int, end: int, rows: int) -> tuple[str, U64, U32]:
        """A fresh file of that many entries, mapped for writing."""
        file = f"{self.name}.{next(self._numbers):08d}.run"
        try:
            with self._path(file).open("w+b") as handle:
                # Write zeros instead of leaving a hole: a full disk must fail here and not inside a mapped store.
                left = rows * _ENTRY_BYTES
                zeros = bytes(min(left, 1 << 20))
                while left > 0:
                    left -= handle.write(zeros[: min(left, len(zeros))])
                handle.flush()
                buffer = mmap.mmap(handle.fileno(), rows * _ENTRY_BYTES)
        except OSError as error:
            raise disk_error(error, self._path(file)) from error
        return file, np.frombuffer(buffer, "<u8", rows), np.frombuffer(buffer, "<u4", rows, rows * 8)

    def add(self, keys: U64, ids: U32, first: int, end: int) -> None:
        """Add the entries of rows first .. end - 1, sorted by key."""
        if end == first:
            return
        run = Run("", first, end, keys, ids)
        while self.runs and len(self.runs[-1].keys) < 2 * len(run.keys):
            run = self._merge(self.runs.pop(), run)
        if not run.file:
            file, new_keys, new_ids = self._new(first, end, len(keys))
            new_keys[:], new_ids[:] = keys, ids
            run = Run(file, first, end, new_keys, new_ids)
        self.runs.append(run)

    def _merge(self, older: Run, newer: Run) -> Run:
        from cointrail.kernels.runs import merge_runs

        valid = int(np.count_nonzero(older.ids < older.end)) + int(np.count_nonzero(newer.ids < newer.end))
        file, keys, ids = self._new(older.first, newer.end, valid)
        merge_runs(older.keys, older.ids, older.end, newer.keys, newer.ids, newer.end, keys, ids)
        return Run(file, older.first, newer.end, keys, ids)

    def rewind(self, count: int) -> None:
        """Withdraw all rows at or beyond `count`."""
        kept = [run for run in self.runs if run.first < count]
        if kept and kept[-1].end > count:
            last = kept[-1]
            kept[-1] = Run(last.file, last.first, count, last.keys, last.ids)
        self.runs = kept

    def publishable(self) -> tuple[RunEntry, ...]:
        """Make the runs durable and describe them for the manifest."""
        entries = []
        fresh = False
        for run in self.runs:
            if run.file not in self._digests:
                path = self._path(run.file)
                try:
                    with path.open("rb") as handle:
                        os.fsync(handle.fileno())
                        self._digests[run.file] = hashlib.file_digest(handle, "sha256").hexdigest()
                except OSError as error:
                    raise disk_error(error, path) from error
                fresh = True
            entries.append(RunEntry(run.file, run.first, run.end, len(run.keys), self._digests[run.file]))
        if fresh:
            sync_folder(self._folder / "index")
        return tuple(entries)

    def discard_unpublished(self, published: tuple[RunEntry, ...]) -> None:
        """Delete run files that no manifest names any more; a reader that maps one keeps its pages."""
        named = {entry.file for entry in published}
        for path in (self._folder / "index").glob(f"{self.name}.*.run"):
            if path.name not in named:
                path.unlink(missing_ok=True)
        self._digests = {entry.file: entry.sha256 for entry in published}
