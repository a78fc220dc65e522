"""Bridges of a cluster: evidence without which it would fall apart, and the parts that would be left.

The graph has two kinds of nodes, scripts and pieces of evidence; a bridge is a piece whose removal alone splits it (a
cut node, Hopcroft and Tarjan 1973). One wrong bridge joins two whole clusters: that is where to look first
(METHODS.md 2.6). All parts but one of each bridge are intervals of one order of the scripts, so that whatever is
counted of scripts can be summed over all parts of all bridges at once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.structure.evidence import Evidence

I64 = npt.NDArray[np.int64]

REST = -1


@dataclass(frozen=True, slots=True, eq=False)
class Bridges:
    """What a cluster hangs on.

    Attributes:
        order: int64 (n,), places of the scripts, so that a part is an interval of it.
        piece: int64 (b,), the pieces of evidence that are bridges, numbers in `Evidence.joins`, ascending.
        first: int64 (b + 1,), where the parts of each bridge begin in the arrays that follow, largest first.
        begin: int64 (p,), where the part begins in `order`; `REST` for the one that is everything else.
        size: int64 (p,), its scripts.
    """

    order: I64
    piece: I64
    first: I64
    begin: I64
    size: I64

    @property
    def owner(self) -> I64:
        """Which bridge each part belongs to, int64 (p,)."""
        return np.repeat(np.arange(len(self.piece)), np.diff(self.first))

    @property
    def smaller(self) -> I64:
        """Scripts of each bridge's second largest part, int64 (b,): what one wrong bridge would have added."""
        return self.size[self.first[:-1] + 1]

    def ranked(self) -> I64:
        """The bridges, numbers in `piece`: those with the largest smaller part first, then by what else they hold."""
        largest = self.size[self.first[:-1]]
        return np.lexsort((self.piece, largest, -self.smaller))

    def sizes(self, bridge: int) -> list[int]:
        """Scripts of each part, largest first."""
        found: list[int] = self.size[self.first[bridge] : self.first[bridge + 1]].tolist()
        return found

    def side(self, bridge: int, number: int) -> I64:
        """Places of the scripts of one part of a bridge, in the order of `sizes`; int64, ascending."""
        parts = range(int(self.first[bridge]), int(self.first[bridge + 1]))
        part = parts[number]
        if self.begin[part] != REST:
            return np.sort(self.order[self.begin[part] : self.begin[part] + self.size[part]])
        left = np.ones(len(self.order), np.bool_)
        for each in (each for each in parts if each != part):
            left[self.order[self.begin[each] : self.begin[each] + self.size[each]]] = False
        return np.flatnonzero(left)

    def sums(self, counted: I64) -> I64:
        """What is counted of scripts, (n,), summed over each part, int64 (p,)."""
        running = np.concatenate((np.zeros(1, np.int64), np.cumsum(counted[self.order], dtype=np.int64)))
        listed = self.begin != REST
        begin = np.where(listed, self.begin, 0)
        found = np.where(listed, running[begin + np.where(listed, self.size, 0)] - running[begin], 0)
        if len(found):
            found[~listed] = running[-1] - np.add.reduceat(found, self.first[:-1])
        return found

    def parts_of(self, bridge: I64, place: I64) -> I64:
        """The part of a bridge that a script lies in, int64, for many pairs of both."""
        position = np.empty(len(self.order), np.int64)
        position[self.order] = np.arange(len(self.order))
        listed = np.flatnonzero(self.begin != REST)
        owner = self.owner
        key = owner[listed] * len(self.order) + self.begin[listed]
        by_key = np.argsort(key)
        at = np.searchsorted(key[by_key], bridge * len(self.order) + position[place], "right") - 1
        part = listed[by_key[np.maximum(at, 0)]]
        inside = (at >= 0) & (owner[part] == bridge) & (position[place] < self.begin[part] + self.size[part])
        rest = np.flatnonzero(self.begin == REST)
        return np.where(inside, part, rest[bridge])


def bridges(held: Evidence) -> Bridges:
    """Find the bridges of a cluster.

    Args:
        held: its evidence; every member is reached by it.

    Method: METHODS.md 2.6, guard 4, over evidence instead of edges.
    """
    from cointrail.kernels.cluster.parts import parts_below

    scripts = len(held.scripts)
    order, cut, begin, size = parts_below(
        scripts + len(held.joins), held.edges.row, held.edges.owner + scripts, scripts
    )
    piece, owner = np.unique(cut - scripts, return_inverse=True)
    rest = scripts - np.bincount(owner, weights=size, minlength=len(piece)).astype(np.int64)
    owner = np.concatenate((owner, np.arange(len(piece))))
    begin = np.concatenate((begin, np.full(len(piece), REST)))
    size = np.concatenate((size, rest))
    ranked = np.lexsort((begin, -size, owner))
    first = np.searchsorted(owner[ranked], np.arange(len(piece) + 1))
    return Bridges(order, piece, first, begin[ranked], size[ranked])
