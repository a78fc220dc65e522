"""Which column a node stands in: whatever has a place in the chain stands right of what came before it.

Columns are stretches of the chain. A new one begins where a transaction takes from one of the same column, so there are
as few as can be, and every transaction of a column is later than all of the column before. What has no place in the
chain stands beside its neighbour; services stand at the edge.
"""

from collections import defaultdict

from cointrail.errors import UsageError
from cointrail.reports.graph import Graph, NodeKind


def columns_of(graph: Graph) -> list[int]:
    """The column of each node, from 0.

    Raises:
        UsageError: an edge leads back in time.
    """
    places = _Places(graph)
    places.put_in_time()
    places.put_beside()
    places.put_at_the_edges()
    first = min(places.column.values(), default=0)
    found = [places.column[number] - first for number in range(len(graph.nodes))]
    for source, target in places.edges:
        if found[source] >= found[target]:
            raise UsageError(
                f"the edge from {graph.nodes[source].id} to {graph.nodes[target].id} leads back in time",
                hint="edges of a drawing lead from earlier to later",
            )
    return found


class _Places:
    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        numbers = {node.id: number for number, node in enumerate(graph.nodes)}
        self.edges = [(numbers[edge.source], numbers[edge.target]) for edge in graph.edges]
        self.before, self.after = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for source, target in self.edges:
            self.before[target].append(source)
            self.after[source].append(target)
        self.column: dict[int, int] = {}

    def put_in_time(self) -> None:
        """Nodes with a place in the chain, in its order."""
        timed = [(node.order, number) for number, node in enumerate(self.nodes) if node.order is not None]
        current = 0
        for _, number in sorted(timed):
            if any(self.column.get(each) == current for each in self.before[number]):
                current += 1
            self.column[number] = current

    def put_beside(self) -> None:
        """Sources before what they go into, everything else behind what it comes from."""
        inner = {number for number in range(len(self.nodes)) if not self._at_edge(number)}
        waiting = sorted(inner - set(self.column))
        for number in waiting:
            following = [self.column[each] for each in self.after[number] if self.nodes[each].order is not None]
            if following and inner.isdisjoint(self.before[number]):
                self.column[number] = min(following) - 1
        while waiting := [number for number in waiting if number not in self.column]:
            ready = [number for number in waiting if self._feeders(number, inner) <= set(self.column)]
            for number in ready or waiting[:1]:
                before = [self.column[each] for each in self._feeders(number, inner) if each in self.column]
                self.column[number] = max(before, default=-2) + 1

    def _feeders(self, number: int, inner: set[int]) -> set[int]:
        return inner & set(self.before[number])

    def _at_edge(self, number: int) -> bool:
        """A service that money only comes from, or only goes to."""
        return self.nodes[number].kind is NodeKind.SERVICE and not (self.before[number] and self.after[number])

    def put_at_the_edges(self) -> None:
        """Services, in columns of their own."""
        first, last = min(self.column.values(), default=0), max(self.column.values(), default=0)
        for number in range(len(self.nodes)):
            if number not in self.column:
                self.column[number] = first - 1 if self.after[number] else last + 1
