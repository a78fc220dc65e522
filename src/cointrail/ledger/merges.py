"""The merge log and the links of the cluster forest: data first, links second, and how they are taken back.

A merge row holds the former values of every cell its links overwrite, so taking back the newest rows in reverse order
restores the forest whether their links had reached the disk or not. The checksum in a row tells whether it is whole:
after a power loss only a prefix is, and the links of the others were never written. Rows that were taken back are
blanked, so that they are never mistaken for rows of another branch.
"""

import numpy as np
import numpy.typing as npt

from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.schema import CLUSTER, MERGE, Counts

U32 = npt.NDArray[np.uint32]

FIELDS = tuple(column.name for column in MERGE.columns[:-1])
(_LINK,) = (column.name for column in CLUSTER.columns)


def append_merges(columns: ColumnSet, counts: Counts, merges: U32) -> None:
    """Write merges, uint32 (6, m) in the order of `FIELDS`, behind the rows of `counts`, then their links.

    Raises:
        Unavailable: the disk refuses.
    """
    from cointrail.kernels.cluster.union_find import apply_merges, row_checks

    if not merges.shape[1]:
        return
    files = [columns[MERGE.name, name] for name in (*FIELDS, "check")]
    for file, cells in zip(files, (*merges, row_checks(merges, counts.merge)), strict=True):
        file.append(counts.merge, cells)
        file.sync()
    apply_merges(*_links(columns, counts), merges, counts.merge)


def undo_merges(columns: ColumnSet, wanted: Counts) -> None:
    """Take back the merges beyond `wanted`, published or not.

    Raises:
        Unavailable: the disk refuses; it has to be done again.
    """
    from cointrail.kernels.cluster.union_find import row_checks
    from cointrail.kernels.cluster.union_find import undo_merges as undo

    left = leftover_merges(columns, wanted)
    if not left.shape[1]:
        return
    whole = np.flatnonzero(left[-1] != row_checks(np.ascontiguousarray(left[:-1]), wanted.merge))
    left = np.ascontiguousarray(left[:-1, : whole[0] if len(whole) else None])
    left = left[:, : _first_beyond(left, columns[CLUSTER.name, _LINK].rows_on_disk())]
    scripts = max(wanted.script, int(left[1:3].max(initial=0)) + 1)
    undo(*_links(columns, wanted, scripts), np.ascontiguousarray(left))
    columns[CLUSTER.name, _LINK].sync()
    blank_merges(columns, wanted)


def _first_beyond(merges: U32, scripts: int) -> int:
    """Scripts are written before the merges that name them; a row that names others was never applied."""
    beyond = np.flatnonzero((merges[1:3] >= scripts).any(axis=0))
    return int(beyond[0]) if len(beyond) else merges.shape[1]


def leftover_merges(columns: ColumnSet, wanted: Counts) -> U32:
    """Rows of the merge log beyond `wanted` that were not blanked, uint32 (7, m), checksums last."""
    files = [columns[MERGE.name, name] for name in (*FIELDS, "check")]
    rows = min(file.rows_on_disk() for file in files)
    if rows <= wanted.merge:
        return np.empty((len(files), 0), np.uint32)
    cells = np.stack([file.map(rows)[wanted.merge : rows] for file in files]).astype(np.uint32)
    return cells if cells[-1].any() else cells[:, :0]


def blank_merges(columns: ColumnSet, wanted: Counts) -> None:
    """Make the rows of the merge log beyond `wanted` unreadable.

    Raises:
        Unavailable: the disk refuses.
    """
    check = columns[MERGE.name, "check"]
    rows = check.rows_on_disk()
    if rows > wanted.merge:
        check.append(wanted.merge, np.zeros(rows - wanted.merge, np.uint32))
        check.sync()


def _links(columns: ColumnSet, counts: Counts, scripts: int | None = None) -> tuple[U32, U32, U32]:
    file = columns[CLUSTER.name, _LINK]
    file.dirty = True
    return forest_of(file.map(counts.script if scripts is None else scripts))


def forest_of(link: U32) -> tuple[U32, U32, U32]:
    """The links of a forest, uint32 (scripts, 3), as the kernels take them: parent, linked_at, last_child."""
    return link[:, 0], link[:, 1], link[:, 2]


def new_forest(scripts: int) -> U32:
    """Links of single scripts, uint32 (scripts, 3)."""
    (column,) = CLUSTER.columns
    return np.tile(np.array(column.initial).astype(np.uint32), (scripts, 1))
