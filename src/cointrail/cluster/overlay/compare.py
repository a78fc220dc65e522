"""Where two partitions of the same scripts differ: the smallest groups that both cut in their own way."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cointrail.cluster.overlay.components import components
from cointrail.cluster.spans import I64


class Clusters(Protocol):
    """Anything that names the cluster of scripts: a forest or a view on it."""

    def roots(self, scripts: npt.ArrayLike) -> I64:
        """What names the cluster of each script, int64 (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Scripts that go together in both partitions.

    Attributes:
        before, after: cluster_id in each, the smallest script of the cluster.
        size: how many scripts.
        smallest: the smallest of them.
    """

    before: int
    after: int
    size: int
    smallest: int


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Groups of clusters that two partitions cut differently; no smaller groups would do.

    Attributes:
        scripts: how many scripts are in a cluster that differs.
        clusters: how many clusters they make before and after.
        starts: int64 (groups + 1,), where the parts of each group begin; large groups first.
        before, after, size, smallest: int64, the parts, as `Part` has them; in a group large ones first.
    """

    scripts: int
    clusters: tuple[int, int]
    starts: I64
    before: I64
    after: I64
    size: I64
    smallest: I64

    @property
    def groups(self) -> int:
        """How many."""
        return len(self.starts) - 1

    def parts(self, group: int) -> tuple[Part, ...]:
        """The parts of one group."""
        rows = slice(int(self.starts[group]), int(self.starts[group + 1]))
        columns = (self.before[rows], self.after[rows], self.size[rows], self.smallest[rows])
        return tuple(Part(*cells) for cells in zip(*(column.tolist() for column in columns), strict=True))


def differences(scripts: I64, one: Clusters, other: Clusters) -> Differences:
    """Compare two partitions.

    Args:
        scripts: int64 (n,), ascending and distinct; with each script its whole cluster, in either partition.
        one: the partition before.
        other: the partition after.
    """
    before, after = (_smallest_with(scripts, each.roots(scripts)) for each in (one, other))
    order = np.lexsort((scripts, after, before))
    before, after, sorted_scripts = before[order], after[order], scripts[order]
    new = np.ones(len(scripts), np.bool_)
    new[1:] = (before[1:] != before[:-1]) | (after[1:] != after[:-1])
    first = np.flatnonzero(new)
    before, after, smallest = before[first], after[first], sorted_scripts[first]
    size = np.diff(np.append(first, len(scripts)))
    names, nodes = np.unique(before, return_inverse=True)
    others, other_nodes = np.unique(after, return_inverse=True)
    group = components(len(names) + len(others), nodes, len(names) + other_nodes)[nodes]
    _, group, parts = np.unique(group, return_inverse=True, return_counts=True)
    kept = parts[group] > 1
    _, numbers = np.unique(group[kept], return_inverse=True)
    return _ordered(numbers, before[kept], after[kept], size[kept], smallest[kept])


def _smallest_with(scripts: I64, roots: I64) -> I64:
    """For every script the smallest one of its cluster; int64, same shape."""
    _, first, place = np.unique(roots, return_index=True, return_inverse=True)
    smallest: I64 = scripts[first][place]
    return smallest


def _ordered(group: I64, before: I64, after: I64, size: I64, smallest: I64) -> Differences:
    """Large groups first, then those with small scripts; in a group the same of its parts."""
    scripts = np.bincount(group, size).astype(np.int64)
    least = np.full(len(group), np.iinfo(np.int64).max)
    np.minimum.at(least, group, smallest)
    order = np.lexsort((smallest, -size, least[group], -scripts[group]))
    group = group[order]
    ends = np.flatnonzero(np.append(group[1:] != group[:-1], np.True_)[: len(group)]) + 1
    return Differences(
        scripts=int(size.sum()),
        clusters=(len(np.unique(before)), len(np.unique(after))),
        starts=np.concatenate((np.zeros(1, np.int64), ends)),
        before=before[order],
        after=after[order],
        size=size[order],
        smallest=smallest[order],
    )
