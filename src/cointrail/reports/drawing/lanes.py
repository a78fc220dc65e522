"""Edges as stretches between neighbouring columns: an edge over several columns runs in a lane of its own height.

Edges of one kind that lead to one place run in one lane, or those that come from one place, and the lane is as wide as
what runs in it, as rivers are. So lanes do not lie over each other, and width means amount everywhere.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from cointrail.reports.graph import Basis, Graph

NO_NODE = -1


@dataclass(frozen=True, slots=True)
class Item:
    """What stands in a column: a node by its number, or a piece of a lane."""

    column: int
    node: int = NO_NODE

    @property
    def is_lane(self) -> bool:
        """True for a piece of a lane."""
        return self.node == NO_NODE


@dataclass(slots=True)
class Stretch:
    """What runs from an item to one of the next column.

    Attributes:
        left, right: numbers of items.
        basis: of all its edges.
        sat: traced satoshis.
        shares: satoshis by label.
        titles: of its edges.
    """

    left: int
    right: int
    basis: Basis
    sat: int = 0
    shares: Counter[int] = field(default_factory=Counter)
    titles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Items, the nodes first, and the stretches between them; numbers of stretches by the item at either end."""

    items: list[Item]
    stretches: list[Stretch]
    leaving: dict[int, list[int]]
    arriving: dict[int, list[int]]


def lanes_of(graph: Graph, columns: list[int]) -> Lanes:
    """Cut the edges of a graph at its columns."""
    numbers = {node.id: number for number, node in enumerate(graph.nodes)}
    items = [Item(column, number) for number, column in enumerate(columns)]
    inward = Counter(edge.target for edge in graph.edges)
    outward = Counter(edge.source for edge in graph.edges)
    lanes: dict[tuple[str, bool, Basis, int], int] = {}
    found: dict[tuple[int, int, Basis], Stretch] = {}
    for edge in graph.edges:
        source, target = numbers[edge.source], numbers[edge.target]
        joins = inward[edge.target] >= outward[edge.source]
        way = [source]
        for column in range(columns[source] + 1, columns[target]):
            key = (edge.target if joins else edge.source, joins, edge.basis, column)
            if key not in lanes:
                lanes[key] = len(items)
                items.append(Item(column))
            way.append(lanes[key])
        way.append(target)
        for left, right in pairwise(way):
            stretch = found.setdefault((left, right, edge.basis), Stretch(left, right, edge.basis))
            stretch.sat += edge.traced_sat
            stretch.shares.update(dict(edge.shares))
            stretch.titles.append(edge.title)
    stretches = list(found.values())
    leaving, arriving = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for number, stretch in enumerate(stretches):
        leaving[stretch.left].append(number)
        arriving[stretch.right].append(number)
    return Lanes(items, stretches, dict(leaving), dict(arriving))
