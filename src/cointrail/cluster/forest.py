"""The clusters of a whole snapshot as one union-find forest that remembers when every link was made.

`parent` and `linked_at` are the self-versioning links of DESIGN.md 1: a forest read only up to an earlier transaction
is the forest of that time, so one build answers "as of height h" for every h. Two forests are compared as partitions,
never by their parents (METHODS.md 1.2). Only the build needs the compiled kernel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.co_spend import RULES, co_spends
from cointrail.cluster.spans import I64, input_counts
from cointrail.ledger.rows import Rows

U32 = npt.NDArray[np.uint32]

_CHUNK = 1 << 19  # transactions at once


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Clusters of all scripts at level L1.

    Attributes:
        parent: uint32 (scripts,), the script itself for a root.
        linked_at: uint32 (scripts,), tx_index of the co-spend that hung the script below its parent, ascending
            towards the root; the greatest uint32 for a root.
        transactions: co-spends used; links: those of them that joined two clusters, counted by pair.
        suppressed: transactions that spend several scripts and were not believed because they are collaborative.
        rules: (rule, version) of what was applied.
    """

    parent: U32
    linked_at: U32
    transactions: int = 0
    links: int = 0
    suppressed: int = 0
    rules: tuple[tuple[str, int], ...] = RULES

    def partition(self, before: int | None = None) -> U32:
        """The cluster_id of every script, uint32 (scripts,): the smallest script_id of its cluster.

        Args:
            before: believe only links made by transactions with a smaller tx_index, None for all. With the
                transaction count of a smaller snapshot this is the partition of that snapshot, and scripts beyond
                it stand alone.
        """
        root = self.parent.copy()
        if before is not None:
            late = np.flatnonzero(self.linked_at >= before)
            root[late] = late
        while True:
            above = root[root]  # doubles the distance climbed
            if np.array_equal(above, root):
                break
            root = above
        smallest = np.arange(len(root), dtype=np.uint32)
        np.minimum.at(smallest, root, smallest.copy())
        return smallest[root]


def build_forest(rows: Rows) -> Forest:
    """Build the forest of a whole snapshot.

    Args:
        rows: a reader of the ledger.

    Method: METHODS.md 2.1, with the union by size of DESIGN.md 1.
    """
    from cointrail.kernels.union_find import NEVER, link_groups

    scripts = rows.counts.script
    parent = np.arange(scripts, dtype=np.uint32)
    linked_at = np.full(scripts, NEVER, np.uint32)
    size = np.ones(scripts, np.uint32)
    used = links = suppressed = 0
    for first in range(0, rows.counts.transaction, _CHUNK):
        transactions = np.arange(first, min(first + _CHUNK, rows.counts.transaction), dtype=np.int64)
        spends = co_spends(rows, transactions[input_counts(rows, transactions) > 1])
        groups = _group_starts(spends.scripts.owner, len(spends.tx_index))
        members = np.ascontiguousarray(spends.scripts.row)
        links += link_groups(parent, linked_at, size, members, groups, spends.tx_index.astype(np.uint32))
        used += len(spends.tx_index)
        suppressed += spends.suppressed
    return Forest(parent, linked_at, used, int(links), suppressed)


def _group_starts(owner: I64, groups: int) -> I64:
    """Where each group begins in the flat members, and the end: int64 (groups + 1,)."""
    return np.searchsorted(owner, np.arange(groups + 1)).astype(np.int64)
