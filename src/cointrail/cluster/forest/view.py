"""The forest of level L1 as a reader of a snapshot sees it.

A link made by a transaction beyond the snapshot does not exist, so the same files answer for every height. Members are
found through the merge log: each merge names the one before it with the same parent.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate.kinds import Sign
from cointrail.errors import NotFound, Unavailable
from cointrail.ledger.merges import forest_of
from cointrail.ledger.reader import Reader

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]

LEVEL = "L1"


@dataclass(frozen=True, slots=True)
class Merge:
    """Two clusters became one.

    Attributes:
        merge_index: its number in the log.
        tx_index: the transaction that joined them.
        child, parent: the two roots, script_ids.
        child_size, parent_size: scripts below each before.
    """

    merge_index: int
    tx_index: int
    child: int
    parent: int
    child_size: int
    parent_size: int

    @property
    def size(self) -> int:
        """Scripts in the cluster after it."""
        return self.child_size + self.parent_size


class Forest:
    """Clusters at a snapshot.

    Args:
        reader: the ledger at a snapshot.

    Raises:
        Unavailable: the ledger's clusters do not reach the snapshot.
    """

    def __init__(self, reader: Reader) -> None:
        clustering = reader.manifest.clustering
        if clustering.blocks < reader.counts.block:
            raise Unavailable(
                f"the clusters of this ledger reach {clustering.blocks} blocks, not height {reader.height}",
                hint="run `cointrail ingest` again; it brings them up to date",
            )
        self.reader = reader
        self.rules = clustering.rules
        self.lists = clustering.lists
        self.parent, self.linked_at, self.last_child = forest_of(reader.column("cluster", "link"))
        self.transactions = reader.counts.transaction

    # Who is with whom.

    def check_script(self, script_id: int) -> None:
        """Raise `NotFound` for a script that is not in the snapshot."""
        if not 0 <= script_id < self.reader.counts.script:
            raise NotFound(
                f"script {script_id} is not in this snapshot", hint=f"it holds {self.reader.counts.script} scripts"
            )

    def root(self, script_id: int, before: int | None = None) -> int:
        """Root of a script over links made by transactions below `before`, or of the snapshot."""
        time = self.transactions if before is None else min(before, self.transactions)
        parent, linked_at = self.parent, self.linked_at
        while int(linked_at[script_id]) < time:
            script_id = int(parent[script_id])
        return script_id

    def path(self, script_id: int) -> list[tuple[int, int]]:
        """The links from a script to its root: (script, tx_index that hung it), from the script upwards."""
        links = []
        while (linked_at := int(self.linked_at[script_id])) < self.transactions:
            links.append((script_id, linked_at))
            script_id = int(self.parent[script_id])
        return links

    def roots(self, scripts: npt.ArrayLike, before: npt.ArrayLike | None = None) -> I64:
        """Roots of many scripts, int64 (n,); `before` as in `root`, one for all or one each."""
        from cointrail.kernels.cluster.union_find import roots_before

        asked = np.asarray(scripts, np.int64).reshape(-1)
        times = np.minimum(self.transactions if before is None else np.asarray(before, np.int64), self.transactions)
        found: I64 = roots_before(self.parent, self.linked_at, asked, np.broadcast_to(times, asked.shape))
        return found

    def all_roots(self, before: int | None = None) -> U32:
        """Root of every script of the snapshot, uint32 (scripts,)."""
        from cointrail.kernels.cluster.union_find import all_roots

        time = self.transactions if before is None else min(before, self.transactions)
        found: U32 = all_roots(self.parent, self.linked_at, time)
        return found

    def partition(self, before: int | None = None) -> U32:
        """The cluster_id of every script, uint32 (scripts,): the smallest script_id of its cluster."""
        from cointrail.kernels.cluster.union_find import smallest_in_trees

        time = self.transactions if before is None else min(before, self.transactions)
        found: U32 = smallest_in_trees(self.parent, self.linked_at, time)
        return found

    # One cluster.

    def members(self, script_id: int, most: int | None = None) -> tuple[I64, I64]:
        """The cluster of a script.

        Args:
            script_id: any of its scripts.
            most: most scripts to collect, None for all.

        Returns:
            (script_ids, the merge that hung each, -1 for the root), int64, the root first, then newest branches first.

        Raises:
            Unavailable: the merge log is damaged.
        """
        from cointrail.kernels.cluster.union_find import members_of

        root = self.root(script_id)
        size = self.size(root)
        limit = size if most is None else min(size, most)
        members, order = np.empty(limit, np.int64), np.empty(limit, np.int64)
        child, previous = self._log()
        found = members_of(root, self.reader.counts.merge, child, previous, self.last_child, members, order)
        if found != limit:
            raise self._damaged(root)
        return members, order

    def size(self, root: int) -> int:
        """How many scripts hang below a root of the snapshot, itself included."""
        merge = self._newest_merge(root)
        return 1 if merge is None else merge.size

    def merge(self, merge_index: int) -> Merge:
        """One row of the merge log."""
        names = ("tx_index", "child", "parent", "child_size", "parent_size")
        return Merge(merge_index, *(int(self.reader.column("merge", name)[merge_index]) for name in names))

    def _newest_merge(self, root: int) -> Merge | None:
        from cointrail.kernels.cluster.union_find import NEVER, newest_merge

        _, previous = self._log()
        found = int(newest_merge(int(self.last_child[root]), self.reader.counts.merge, previous))
        if found < 0:
            raise self._damaged(root)
        return None if found == NEVER else self.merge(found)

    def _log(self) -> tuple[U32, U32]:
        """Children and siblings as they are on disk, since the way to older merges leads through newer ones."""
        child, previous = (self.reader.column_on_disk("merge", name) for name in ("child", "previous_sibling"))
        return child, previous

    def _damaged(self, root: int) -> Unavailable:
        self.reader.check_current()
        return Unavailable(
            f"the merges of the cluster of script {root} cannot be followed",
            hint="the ledger is damaged: run `cointrail verify`",
        )

    # What the gate said.

    def signs(self, tx_index: npt.ArrayLike) -> U32:
        """What the gate saw in transactions whose co-spend is not believed, 0 for all others; uint32, same shape."""
        asked = np.asarray(tx_index, np.int64)
        rows = self.reader.column("collaborative", "tx_index")
        at = np.searchsorted(rows, asked.astype(np.uint32))
        found = np.zeros(asked.shape, np.uint32)
        inside = at < len(rows)
        inside[inside] = rows[at[inside]] == asked[inside]
        found[inside] = self.reader.column("collaborative", "signs")[at[inside]]
        return found

    def sign(self, tx_index: int) -> Sign:
        """The same of one transaction."""
        return Sign(int(self.signs(np.array([tx_index]))[0]))

    def same_keys_of(self, tx_index: int) -> list[tuple[int, int, int]]:
        """The facts that a transaction completes: (script_a, script_b, kind)."""
        rows = self.reader.column("same_key", "tx_index")
        begin, end = np.searchsorted(rows, np.array([tx_index, tx_index + 1], np.uint32)).tolist()
        cells = [self.reader.column("same_key", name)[begin:end].tolist() for name in ("script_a", "script_b", "kind")]
        return list(zip(*cells, strict=True))


def smallest_of(roots: U32) -> U32:
    """The smallest script_id with the same root, for every script; uint32, same shape."""
    smallest = np.arange(len(roots), dtype=np.uint32)
    np.minimum.at(smallest, roots, smallest.copy())
    return smallest[roots]
