"""The L1 clusters that inferences touch: numbered densely, with their sizes and the actors known to hold them.

A chain has far more clusters than edges have ends, so only roots that occur get a number. Sizes are those of the
snapshot. An overlay may replace the forest: then `base` names the L1 root of every script.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.guard import CannotLink

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]


def level_one_roots(forest: Forest, base: U32 | None, scripts: I64) -> I64:
    """L1 roots of scripts, int64 (n,); by `base`, uint32 (scripts,), if an overlay replaces the forest's."""
    return forest.roots(scripts) if base is None else base[scripts].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """L1 clusters.

    Attributes:
        root: int64 (n,), their roots, ascending.
        weight: int64 (n,), how many scripts each has.
    """

    root: I64
    weight: I64
    _bits: npt.NDArray[np.uint64] = field(repr=False)
    _before: I64 = field(repr=False)

    @classmethod
    def of(cls, forest: Forest, base: U32 | None, *roots: I64) -> "Nodes":
        """Number the roots that occur in any of the arrays.

        Raises:
            Unavailable: the merge log is damaged.
        """
        from cointrail.kernels.cluster import level as kernel

        bits = np.zeros(forest.reader.counts.script // 64 + 1, np.uint64)
        for each in roots:
            kernel.mark(bits, each)
        before = kernel.count_marked(bits)
        root = kernel.marked(bits, before)
        return cls(root, _sizes(forest, base, root), bits, before)

    def __len__(self) -> int:
        return len(self.root)

    def places(self, roots: I64) -> I64:
        """Number of each root, int64 (n,), -1 for one that has none."""
        from cointrail.kernels.cluster import level as kernel

        found: I64 = kernel.places(self._bits, self._before, np.ascontiguousarray(roots, np.int64))
        return found


def _sizes(forest: Forest, base: U32 | None, root: I64) -> I64:
    """Scripts of each L1 cluster at the snapshot."""
    if base is not None:
        return np.bincount(base, minlength=forest.reader.counts.script)[root].astype(np.int64)
    from cointrail.kernels.cluster import level as kernel

    reader = forest.reader
    sizes: I64 = kernel.sizes_at(
        root,
        reader.counts.merge,
        forest.last_child,
        reader.column_on_disk("merge", "previous_sibling"),
        reader.column("merge", "child_size"),
        reader.column("merge", "parent_size"),
    )
    if len(bad := np.flatnonzero(sizes < 0)):
        forest.size(int(root[bad[0]]))  # says what is damaged
    return sizes


def actors_of(forest: Forest, base: U32 | None, cannot_link: CannotLink) -> tuple[I64, I64]:
    """L1 clusters whose scripts somebody is known to hold.

    Returns:
        (roots, ascending; the actor of each, `kernels.cluster.level.SEVERAL` if they are different ones), int64.
    """
    from cointrail.kernels.cluster.level import SEVERAL

    known = (cannot_link.script_id >= 0) & (cannot_link.script_id < forest.reader.counts.script)
    roots = level_one_roots(forest, base, cannot_link.script_id[known].astype(np.int64))
    order = np.lexsort((cannot_link.actor[known], roots))
    roots, actors = roots[order], cannot_link.actor[known][order].astype(np.int64)
    starts = np.flatnonzero(np.append(True, roots[1:] != roots[:-1])) if len(roots) else np.empty(0, np.int64)
    least, most = (each.reduceat(actors, starts) if len(roots) else actors for each in (np.minimum, np.maximum))
    return roots[starts], np.where(least == most, least, SEVERAL)
