"""The one writer of a ledger: append rows, write links, publish, rewind.

Order on disk, which makes every interruption harmless:
1. rows of a batch are written; the columns a rewind needs are forced to disk;
2. the links of the batch are written;
3. `publish` forces everything to disk and then replaces the manifest.

Rows beyond the manifest's counts do not exist. When a writer opens a ledger it first undoes the links that such rows
may have written (`ledger.recovery`); that is the whole of crash recovery. A rewind after a reorganisation publishes the
smaller counts first and then does the same, so it may be interrupted anywhere too.

After an error nothing more is written: a disk that failed once may say yes the next time and have lost data.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from cointrail.errors import Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import Array, ColumnSet, disk_error
from cointrail.ledger.digest import START, block_digests
from cointrail.ledger.indexes import NAMES, SCRIPT, SPELLING, TABLE_OF, TXID, U32, U64, IndexWriter, Run
from cointrail.ledger.manifest import PROGRAM, Clustering, Manifest, Refused, sync_folder
from cointrail.ledger.merges import append_merges, blank_merges, undo_merges
from cointrail.ledger.recovery import REWOUND_FROM, restore_links
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import ALL_TABLES, CLUSTER, DERIVED, SAME_KEY, TABLES, Column, Table
from cointrail.ledger.snapshot import counts_at

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of consecutive blocks, ready to append.

    Attributes:
        rows: cells by (table, column) for every fixed column but block.digest and block.location_check.
        bounds: int64 (b + 1, tables), where each block's rows begin inside the batch, tables in schema order.
        spent, spender: int64, outputs that inputs of this batch spend, and those inputs.
        overwritten, overwriter: int64, outputs made unspendable by a transaction of the same txid, and that tx_index.
        paid, last_output: int64, script_ids this batch pays, and the newest output of each.
        txid_keys, txid_ids, script_keys, script_ids: index entries of the new rows, sorted by key.
        spelling_keys, spelling_ids: the same for the spelling index, one entry a new script.
        same_key: rows of the same_key table that the batch proves, by column, without their checksums.
    """

    rows: Mapping[tuple[str, str], Array]
    bounds: I64
    spent: I64
    spender: I64
    overwritten: I64
    overwriter: I64
    paid: I64
    last_output: I64
    txid_keys: U64
    txid_ids: U32
    script_keys: U64
    script_ids: U32
    spelling_keys: U64
    spelling_ids: U32
    same_key: Mapping[str, Array]


class Writer(Rows):
    """Append to a ledger; holds its lock until closed. A context manager.

    Args:
        folder: the ledger; created if it does not exist.
        network: network name; must match an existing ledger's.

    Raises:
        Unavailable: another writer holds the lock, or the ledger is of another network or format.
    """

    def __init__(self, folder: Path, network: str) -> None:
        try:
            (folder / "index").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, folder) from error
        self.folder = folder
        self._lock = FileLock(folder / "LOCK", timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise Unavailable(
                f"another program is writing to {folder}", hint="wait until it has finished; readers may go on"
            ) from None
        except OSError as error:
            raise disk_error(error, folder / "LOCK") from error
        self._opened = ExitStack()
        self._opened.callback(self._lock.release)
        try:
            self.manifest = _manifest_of(folder, network)
            self.columns = ColumnSet(folder, writable=True)
            self._opened.callback(self.columns.close)
            self.counts = self.manifest.counts
            self._open_indexes()
            self._restore()
        except BaseException:
            self.close()
            raise
        self.clustering = self.manifest.clustering
        self._pending_height = self.manifest.height
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the ledger; what was not published is withdrawn by the next writer."""
        self._opened.close()

    @property
    def height(self) -> int:
        """Height of the last appended block, published or not; -1 if there is none."""
        return self._pending_height

    def column(self, table: str, name: str) -> Array:
        """All cells of a column, unpublished ones included."""
        return self.columns[table, name].map(self.counts.of(table))

    def runs(self, index: str) -> Sequence[Run]:
        """The runs of an index, unpublished ones included."""
        return self._indexes[index].runs

    def digest(self) -> bytes:
        """Digest of the last appended block."""
        return bytes(self.column("block", "digest")[-1]) if self.counts.block else START

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """What is begun is finished, or this writer writes no more."""
        if self._failed:
            raise Unavailable(
                f"writing to {self.folder} has failed before", hint="run the command again: what was published is safe"
            )
        self._failed = True
        yield
        self._failed = False

    def append(self, batch: Batch) -> None:
        """Write the rows and links of consecutive blocks; not visible to readers before `publish`.

        Raises:
            Unavailable: the disk refuses, or did before.
        """
        with self._whole():
            self._append(batch)

    def _append(self, batch: Batch) -> None:
        rows = dict(batch.rows)
        blocks = len(batch.bounds) - 1

        def cells(table: Table, column: Column) -> Array:
            return rows[table.name, column.name]

        digests = b"".join(block_digests(self.digest(), cells, batch.bounds))
        rows["block", "digest"] = np.frombuffer(digests, np.uint8).reshape(blocks, 32)
        first_height = self.counts.block
        rows["block", "location_check"] = location_checks(
            first_height, rows["block", "file_number"], rows["block", "file_offset"]
        )
        added = {table.name: int(rows) for table, rows in zip(TABLES, batch.bounds[-1], strict=True)}
        for table in (*TABLES, CLUSTER):
            first = self.counts.of(table.name)
            for column in table.columns:
                file = self.columns[table.name, column.name]
                if column.link:
                    of = "script" if table is CLUSTER else table.name
                    file.append(first, _initial(column, added[of]))
                else:
                    file.append(first, rows[table.name, column.name])
        for table_name, name in REWOUND_FROM:
            self.columns[table_name, name].sync()
        self.counts = replace(self.counts, **{name: self.counts.of(name) + count for name, count in added.items()})
        self._extend("same_key", _with_checks(batch.same_key, self.counts.same_key))
        self._link("output", "spender", batch.spent, batch.spender)
        self._link("output", "spender", batch.overwritten, -2 - batch.overwriter)
        self._link("script", "last_output", batch.paid, batch.last_output)
        transactions, scripts = self.counts.transaction, self.counts.script
        self._indexes[TXID].add(batch.txid_keys, batch.txid_ids, transactions - len(batch.txid_ids), transactions)
        self._indexes[SCRIPT].add(batch.script_keys, batch.script_ids, scripts - len(batch.script_ids), scripts)
        self._indexes[SPELLING].add(batch.spelling_keys, batch.spelling_ids, scripts - len(batch.spelling_ids), scripts)
        self._pending_height += blocks

    def extend(self, table: str, cells: Mapping[str, Array]) -> None:
        """Append rows to a derived table, published with the blocks they follow from.

        Args:
            table: its name.
            cells: every column of it, in the order of the transactions that wrote the rows.

        Raises:
            Unavailable: the disk refuses, or did before.
        """
        with self._whole():
            self._extend(table, cells)

    def _extend(self, table: str, cells: Mapping[str, Array]) -> None:
        first = self.counts.of(table)
        for name, values in cells.items():
            self.columns[table, name].append(first, values)
        self.counts = replace(self.counts, **{table: first + min(len(values) for values in cells.values())})

    def merge(self, merges: U32) -> None:
        """Join clusters: append to the merge log, then write the links of the forest.

        Args:
            merges: uint32 (6, m), as `kernels.cluster.union_find.find_merges` decides them on this forest.

        Raises:
            Unavailable: the disk refuses, or did before.
        """
        with self._whole():
            append_merges(self.columns, self.counts, merges)
            self.counts = replace(self.counts, merge=self.counts.merge + merges.shape[1])

    def forget_clusters(self) -> None:
        """Withdraw all clusters and publish that: they are to be built anew, by other rules."""
        with self._whole():
            empty = {table.name: 0 for table in DERIVED if table.ordered_by and table.name != "same_key"}
            self.counts = replace(self.counts, **empty)
            self.clustering = Clustering(builds=self.clustering.builds + 1)
            self._publish(self.manifest)
            for column in CLUSTER.columns:
                file = self.columns[CLUSTER.name, column.name]
                file.append(0, _initial(column, self.counts.script))
                file.sync()
            blank_merges(self.columns, self.counts)

    def _restore(self) -> None:
        """Undo what rows beyond the counts have written into links."""
        restore_links(self.columns, self._indexes[TXID].runs, self.counts)
        undo_merges(self.columns, self.counts)

    def _link(self, table: str, name: str, rows: I64, values: I64) -> None:
        if len(rows):
            file = self.columns[table, name]
            file.map(self.counts.of(table))[rows] = values
            file.dirty = True

    def publish(self, *, source: str | None = None, refused: tuple[Refused, ...] | None = None) -> Manifest:
        """Make everything appended so far durable and visible.

        Raises:
            Unavailable: the disk refuses, or did before.
        """
        with self._whole():
            before = self.manifest
            return self._publish(
                replace(
                    before,
                    source=before.source if source is None else source,
                    refused=before.refused if refused is None else refused,
                )
            )

    def _publish(self, before: Manifest) -> Manifest:
        if not before.generation:
            for table in ALL_TABLES:
                sync_folder(self.folder / table.name)
        for file in self.columns:
            file.sync()
        indexes = {name: self._indexes[name].publishable() for name in NAMES}
        tip = self._pending_height
        block_hash = bytes(self.column("block", "hash")[-1])[::-1].hex() if tip >= 0 else ""
        withdrawn = tip < before.height
        now = replace(
            before,
            height=tip,
            block_hash=block_hash,
            counts=self.counts,
            digest=self.digest().hex() if tip >= 0 else "",
            generation=before.generation + 1,
            rewinds=before.rewinds + withdrawn,
            rewound_to=manifests.with_rewind(before.rewound_to, tip) if withdrawn else before.rewound_to,
            indexes=indexes,
            clustering=self.clustering,
            program=PROGRAM,
        )
        manifests.write(self.folder, now)
        self.manifest = now
        for name in NAMES:
            self._indexes[name].discard_unpublished(indexes[name])
        return self.manifest

    def rewind(self, height: int) -> None:
        """Cut the chain back to `height` (-1 for nothing) and publish that.

        Readers of a snapshot above it get `SnapshotGone`; snapshots at or below it stay valid.
        """
        if height >= self._pending_height:
            return
        with self._whole():
            self.counts = counts_at(self, height)
            self._pending_height = height
            for name, table in TABLE_OF.items():
                self._indexes[name].rewind(self.counts.of(table))
            self.clustering = replace(self.clustering, blocks=min(self.clustering.blocks, self.counts.block))
            self._publish(self.manifest)
            self._restore()

    def discard(self) -> None:
        """Forget what was appended since the last publication."""
        with self._whole():
            self.counts = self.manifest.counts
            self._pending_height = self.manifest.height
            self.clustering = self.manifest.clustering
            self._open_indexes()
            self._restore()

    def _open_indexes(self) -> None:
        self._indexes = {name: IndexWriter(self.folder, name, self.manifest.indexes.get(name, ())) for name in NAMES}


def _with_checks(cells: Mapping[str, Array], first: int) -> Mapping[str, Array]:
    from cointrail.kernels.cluster.union_find import row_checks

    fields = [cells[column.name] for column in SAME_KEY.columns[:-1]]
    return {**cells, "check": row_checks(np.stack(fields).astype(np.uint32), first)}


def _initial(column: Column, rows: int) -> Array:
    return np.tile(np.array(column.initial).astype(column.dtype), (rows, 1) if column.width > 1 else rows)


def _manifest_of(folder: Path, network: str) -> Manifest:
    if not manifests.exists(folder):
        return Manifest(network=network)
    manifest = manifests.read(folder)
    if manifest.network != network:
        raise Unavailable(
            f"{folder} is a ledger of {manifest.network}, not of {network}",
            hint="use another --ledger folder for another network",
        )
    return manifest


def location_checks(first_height: int, file_number: Array, file_offset: Array) -> npt.NDArray[np.uint32]:
    """CRC-32 of (height, file number, file offset), little-endian u32, u32, i64: finds damage in local columns."""
    cells = np.zeros(len(file_number), np.dtype([("height", "<u4"), ("file", "<u4"), ("offset", "<i8")]))
    cells["height"] = np.arange(first_height, first_height + len(file_number))
    cells["file"], cells["offset"] = file_number, file_offset
    raw = cells.tobytes()
    return np.array([zlib.crc32(raw[i : i + 16]) for i in range(0, len(raw), 16)], np.uint32)
