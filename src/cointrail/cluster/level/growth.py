"""Growth alarm: blocks that make a cluster much larger at once, from the merge log.

A sudden merge of large clusters is what a missed CoinJoin or a PayJoin looks like, and also what a service's
consolidation looks like: at L1 the alarm warns and never changes the result (METHODS.md 2.6, rule 5).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest

I64 = npt.NDArray[np.int64]

MORE_THAN = 1_000
SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Alarm:
    """A block that made a cluster much larger.

    Attributes:
        height: of the block.
        tx_index: its transaction whose merge brought the most scripts at once.
        root: root of the cluster after the block.
        before: scripts of the largest of the clusters that the block joined, before it.
        after: scripts of the cluster after it.
    """

    height: int
    tx_index: int
    root: int
    before: int
    after: int

    @property
    def grown(self) -> int:
        """Scripts by which it grew."""
        return self.after - self.before


def growth_alarms(
    forest: Forest, more_than: int = MORE_THAN, share: float = SHARE, first_height: int = 0
) -> list[Alarm]:
    """Blocks in which a cluster grew by more than `more_than` scripts and by more than `share` of its size.

    Args:
        forest: L1 at a snapshot.
        more_than: scripts.
        share: of the size before.
        first_height: look at blocks from this height on.

    Returns:
        Alarms by height, then root.

    Method: METHODS.md 2.6, rule 5.
    """
    reader = forest.reader
    starts = reader.column("block", "first_transaction").astype(np.int64)
    if first_height >= len(starts):
        return []
    times = reader.column("merge", "tx_index")
    first = int(np.searchsorted(times, np.uint32(starts[max(first_height, 0)])))
    time, child, parent, low, high = (
        reader.column("merge", name)[first:].astype(np.int64)
        for name in ("tx_index", "child", "parent", "child_size", "parent_size")
    )
    height = np.searchsorted(starts, time, "right") - 1
    # A block grows nothing by more than it joins in all.
    joined = np.bincount(height, weights=low, minlength=len(starts))
    kept = np.flatnonzero(joined[height] > more_than)
    time, child, parent, low, high, height = (each[kept] for each in (time, child, parent, low, high, height))
    ends = np.append(starts[1:], reader.counts.transaction)[height]
    root = forest.roots(parent, ends)
    order = np.lexsort((root, height))  # stable: merges of a group stay in their order
    time, child, parent, low, high, height, root = (
        each[order] for each in (time, child, parent, low, high, height, root)
    )
    group, begins = _groups(height, root)
    if not len(begins):
        return []
    after = np.maximum.reduceat(low + high, begins)
    before = _largest_before(group, child, parent, low, high)
    alarming = np.flatnonzero((after - before > more_than) & (after - before > share * before))
    ends = np.append(begins[1:], len(group))
    greatest = [int(begins[k] + np.argmax(low[begins[k] : ends[k]])) for k in alarming.tolist()]
    return [
        Alarm(int(height[at]), int(time[at]), int(root[at]), int(before[k]), int(after[k]))
        for k, at in zip(alarming.tolist(), greatest, strict=True)
    ]


def _groups(height: I64, root: I64) -> tuple[I64, I64]:
    """Number of each merge's group, merges of one block and one cluster, and where each group begins."""
    new = np.ones(len(height), np.bool_)
    new[1:] = (height[1:] != height[:-1]) | (root[1:] != root[:-1])
    return np.cumsum(new) - 1, np.flatnonzero(new)


def _largest_before(group: I64, child: I64, parent: I64, low: I64, high: I64) -> I64:
    """Scripts of the largest cluster that stood before its block, for each group, int64.

    A root had the size before the block that its first merge in the block shows; later ones show what the block made.
    """
    groups, scripts = np.repeat(group, 2), np.stack([child, parent], axis=1).ravel()
    sizes = np.stack([low, high], axis=1).ravel()
    order = np.lexsort((scripts, groups))  # stable: the first of each script is its first merge
    groups, scripts, sizes = groups[order], scripts[order], sizes[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (groups[1:] != groups[:-1]) | (scripts[1:] != scripts[:-1])
    largest = np.zeros(int(group[-1]) + 1, np.int64)
    np.maximum.at(largest, groups[first], sizes[first])
    return largest
