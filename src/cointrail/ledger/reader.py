"""Reading a ledger at a snapshot.

A reader keeps the counts it was opened with. Readers during ingest see exactly their snapshot; `check_current` tells
whether the chain was reorganised below it, and is called after an answer was computed and before it is given: rows of
a withdrawn branch are overwritten only after the smaller counts were published.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cointrail.bitcoin.hashes import display
from cointrail.errors import NotFound, SnapshotGone, Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import Array, ColumnSet
from cointrail.ledger.indexes import Run, open_run
from cointrail.ledger.manifest import Manifest
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import DERIVED, NONE
from cointrail.ledger.snapshot import Snapshot, counts_at

_OPEN_ATTEMPTS = 10
_OF_CLUSTERS = {table.name for table in DERIVED} - {"same_key"}


class Reader(Rows):
    """One ledger at one snapshot.

    Args:
        folder: the ledger.
        height: height to read at; the tip if not given.

    Raises:
        Unavailable: there is no ledger, or it is damaged or of another format.
        NotFound: the ledger does not reach that height.
    """

    def __init__(self, folder: Path, height: int | None = None) -> None:
        self.folder = folder
        self._version = manifests.version(folder)
        self._read_clusters = False
        self.manifest, self._columns, self._runs = _open(folder)
        self.counts = self.manifest.counts
        try:
            self.height = self._height(height)
            self.counts = counts_at(self, self.height)
            self.snapshot = Snapshot(
                network=self.manifest.network,
                height=self.height,
                block_hash=display(self.block_hash(self.height)),
                digest=bytes(self.column("block", "digest")[self.height]).hex(),
                counts=self.counts,
            )
        except BaseException:
            self.close()
            raise
        self._read_clusters = False  # where the counts end does not depend on what the rows say

    def _height(self, wanted: int | None) -> int:
        tip = self.manifest.height
        if tip < 0:
            raise Unavailable(
                f"{self.folder} holds no block yet", hint="run `cointrail ingest` to the end of a first batch"
            )
        if wanted is not None and not 0 <= wanted <= tip:
            raise NotFound(f"height {wanted} is not in this ledger", hint=f"it holds heights 0 to {tip}")
        return tip if wanted is None else wanted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self._columns.close()

    def check_current(self) -> None:
        """Raise `SnapshotGone` if the chain was reorganised below this snapshot, or clusters it gave are gone."""
        version = manifests.version(self.folder)
        if version == self._version:
            return
        now = manifests.read(self.folder)
        row = self._columns["block", "digest"]
        same = row.cell(self.height) == bytes.fromhex(self.snapshot.digest)
        # Blocks that went and came back are the same again, but what was read in between may be another branch's.
        if same and now.height >= self.height and now.kept(self.height, self.manifest.rewinds):
            if self._read_clusters and now.clustering.builds != self.manifest.clustering.builds:
                raise SnapshotGone(
                    "the clusters were built anew while this question was being answered", hint="ask again"
                )
            self._version = version
            return
        raise SnapshotGone(
            f"the chain was reorganised below height {self.height} while this question was being answered",
            hint="ask again: the ledger now ends at " + f"height {now.height}",
        )

    def column(self, table: str, name: str) -> Array:
        """The cells of a column that exist in this snapshot: shape (rows,) or (rows, width), read-only."""
        self._read_clusters |= table in _OF_CLUSTERS
        return self._columns[table, name].map(self.counts.of(table))

    def cell(self, table: str, name: str, row: int) -> int | None:
        """One number as it is on disk now, which may lie beyond the snapshot; None beyond the end of the file."""
        return self._columns[table, name].peek(row)

    def raw_cell(self, table: str, name: str, row: int) -> bytes:
        """The bytes of a cell as they are on disk now, which may lie beyond the snapshot; empty beyond the file."""
        return self._columns[table, name].cell(row)

    def column_on_disk(self, table: str, name: str) -> Array:
        """All cells of a column that are on disk now: those beyond the snapshot may be rewritten at any time."""
        self._read_clusters |= table in _OF_CLUSTERS
        file = self._columns[table, name]
        return file.map(file.rows_on_disk())

    def runs(self, index: str) -> Sequence[Run]:
        """The sorted runs of an index."""
        return self._runs[index]

    def outputs_of_script(self, script_id: int) -> Iterator[int]:
        """All outputs that pay a script, newest first."""
        script, before = self.column("output", "script"), self.column("output", "previous_same_script")
        output = self.newest_output_or_none(script_id)
        if output == NONE:
            self.check_current()
            raise Unavailable(
                f"the newest output of script {script_id} cannot be found",
                hint="the ledger is damaged: run `cointrail verify`",
            )
        newer = self.counts.output
        while output != NONE:
            if not 0 <= output < newer or int(script[output]) != script_id:
                raise Unavailable(
                    f"the history of script {script_id} leads to output {output}, which does not pay it",
                    hint="the ledger is damaged: run `cointrail verify`",
                )
            yield output
            newer, output = output, int(before[output])

    def newest_output_or_none(self, script_id: int) -> int:
        """Follow the link to the newest output inside this snapshot, through rows that are newer; -1 if it breaks."""
        for _ in range(_OPEN_ATTEMPTS):
            newer, output = None, self.cell("script", "last_output", script_id)
            while output is not None and output >= self.counts.output:
                # A writer may be rewriting rows beyond the snapshot: take a row only if it pays the script, and only
                # if it is older than the one that led to it.
                pays = self.cell("output", "script", output) == script_id and (newer is None or output < newer)
                newer, output = output, self.cell("output", "previous_same_script", output) if pays else None
            if output is not None and output >= 0 and self.cell("output", "script", output) == script_id:
                return output
        return NONE


def _open(folder: Path) -> tuple[Manifest, ColumnSet, dict[str, list[Run]]]:
    """Open manifest, columns and runs of one generation.

    A publication between reading the manifest and opening the runs may delete a run that was merged: then begin again.
    """
    for attempt in range(_OPEN_ATTEMPTS):
        manifest = manifests.read(folder)
        columns = ColumnSet(folder, writable=False)
        try:
            runs = {name: [open_run(folder, entry) for entry in entries] for name, entries in manifest.indexes.items()}
        except Unavailable:
            columns.close()
            if attempt + 1 == _OPEN_ATTEMPTS or manifests.read(folder).generation == manifest.generation:
                raise
            continue
        return manifest, columns, runs
    raise AssertionError("unreachable")
