"""Do the links of the cluster forest follow from its merge log, and are the log and the same-key facts whole?

The log is replayed over one range of scripts after another, so memory does not grow with the ledger. That the log
itself follows from the rules is for `cluster.forest.verify`.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from cointrail.ledger.merges import forest_of, new_forest
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import MERGE, SAME_KEY, Table

U32 = npt.NDArray[np.uint32]

_SCRIPTS = 1 << 26
_MERGES = 1 << 22

Finding = tuple[str, str]


def forest_damage(reader: Reader, watch: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Yield (where, what) for everything that does not agree.

    Args:
        reader: at the tip.
        watch: called with (what, done, in all).
    """
    counts = reader.counts
    yield from _rows_whole(reader, SAME_KEY, watch)
    yield from _rows_whole(reader, MERGE, watch)
    touched = _left_over(reader)
    for first in range(0, counts.script, _SCRIPTS):
        watch("clusters", first, counts.script)
        end = min(first + _SCRIPTS, counts.script)
        expected, bad = _replayed(reader, first, end)
        if bad >= 0:
            yield "merge", f"merge {bad} does not join two clusters of the sizes it states"
        wrong = first + np.flatnonzero((reader.column("cluster", "link")[first:end] != expected).any(axis=1))
        wrong = wrong[~np.isin(wrong, touched)]
        if len(wrong):
            yield "cluster/link.col", f"script {wrong[0]} and {len(wrong) - 1} others do not fit the merges"


def _rows_whole(reader: Reader, table: Table, watch: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Rows against their checksums, and their order."""
    from cointrail.kernels.cluster.union_find import row_checks

    before, count = 0, reader.counts.of(table.name)
    for first in range(0, count, _MERGES):
        watch(table.name, first, count)
        rows = _rows(reader, table, first, min(first + _MERGES, count))
        checks = reader.column(table.name, "check")[first : first + rows.shape[1]]
        wrong = np.flatnonzero(row_checks(rows, first) != checks)
        if len(wrong):
            yield table.name, f"row {first + wrong[0]} and {len(wrong) - 1} others do not fit their checksums"
        times = rows[0].astype(np.int64)
        if (np.diff(times, prepend=before) < 0).any() or times[-1] >= reader.counts.transaction:
            yield f"{table.name}/tx_index.col", f"the rows from {first} on are not in the order of the chain"
        before = int(times[-1])


def _replayed(reader: Reader, first: int, end: int) -> tuple[U32, int]:
    from cointrail.kernels.cluster.union_find import replay

    link = new_forest(end - first)
    bad = -1
    for begin in range(0, reader.counts.merge, _MERGES):
        rows = _rows(reader, MERGE, begin, min(begin + _MERGES, reader.counts.merge))
        found = int(replay(first, end, rows, begin, *forest_of(link)))
        bad = found if bad < 0 else bad
    return link, bad


def _rows(reader: Reader, table: Table, first: int, end: int) -> U32:
    """Every field but the checksum, uint32 (fields, rows)."""
    cells = [reader.column(table.name, column.name)[first:end] for column in table.columns[:-1]]
    return np.stack(cells).astype(np.uint32)


def _left_over(reader: Reader) -> U32:
    """Scripts whose links an interrupted writer may have written; the next one takes that back."""
    names = ("child", "parent")
    columns = [reader.column_on_disk(MERGE.name, name)[reader.counts.merge :] for name in (*names, "check")]
    rows = min(len(column) for column in columns)
    standing = columns[-1][:rows] != 0
    return np.unique(np.concatenate([column[:rows][standing] for column in columns[:-1]]))
