"""Taint, computed a second time: five rules over the whole chain, in plain Python, sharing no code with `trace`.

METHODS.md 4 with `fee: account`, no cut-off and no pruning: every transaction is passed, services and CoinJoins too.
What reaches a target output is counted there and is clean from there on, so no satoshi is counted twice. A source
output always starts with its whole value; taint that arrives at one (proceeds that came back through an exchange) ends
there and stays among the untraced. Then traced + untraced + fee = total for every rule but poison, which multiplies
value and tells reach instead: `traced` is the value of the poisoned target outputs, `untraced` that of the poisoned
outputs left unspent elsewhere, `fee` all fees of the poisoned transactions.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

RULES = ("poison", "haircut", "fifo", "lifo", "tiho")

Segments = list[tuple[int, int]]
"""Tainted parts of an output as (begin, end), ascending, neither empty nor touching."""

_State = TypeVar("_State", int, Segments)
Split = Callable[[list[int], list[_State | None], list[int]], tuple[list[_State | None], int]]
"""(input values, their taint, output values) to (taint of the outputs, of the fee)."""


class Columns(Protocol):
    """What taint needs of `flows.Flows`."""

    @property
    def first_input(self) -> Sequence[int]:
        """Number of each transaction's first input, and one past the last."""
        ...

    @property
    def first_output(self) -> Sequence[int]:
        """Number of each transaction's first output, and one past the last."""
        ...

    @property
    def spent(self) -> Sequence[int]:
        """Number of the output that each input spends."""
        ...

    @property
    def values(self) -> Sequence[int]:
        """Value of each output in sat."""
        ...

    @property
    def output_transactions(self) -> Sequence[int]:
        """Number of the transaction that makes each output."""
        ...


@dataclass(frozen=True, slots=True)
class Taint:
    """What became of a source set, in sat."""

    total_sat: int
    traced_sat: int
    untraced_sat: int
    fee_sat: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most, in sat, that a target can owe to a source set under any rule that conserves value."""

    lower_sat: int
    upper_sat: int


class TaintTruth:
    """Asks about a chain.

    Args:
        chain: all transactions, parents before children.
    """

    def __init__(self, chain: Columns) -> None:
        self._chain = chain
        self._count = len(chain.first_input) - 1
        self._spenders = [self._count] * len(chain.values)  # beyond the last transaction: unspent
        for transaction in range(self._count):
            for output in self._inputs(transaction):
                self._spenders[output] = transaction

    def taint(self, sources: Collection[int], targets: Collection[int], rule: str) -> Taint:
        """Follow the whole value of the source outputs to the target outputs.

        Args:
            sources: output numbers.
            targets: output numbers; one may be a source too and is then wholly traced.
            rule: one of RULES.
        """
        given, wanted = set(sources), set(targets)
        values = self._chain.values
        total = sum(values[output] for output in given)
        if rule == "poison":
            return self._poison(given, wanted, total)
        if rule == "haircut":
            traced, fee = self._run(given, wanted, _all_of_it, _haircut)
        elif rule == "tiho":
            traced, fee = self._run(given, wanted, _all_of_it, _tiho)
        else:
            traced, fee = self._run(given, wanted, _all_segments, {"fifo": _fifo, "lifo": _lifo}[rule])
        traced += sum(values[output] for output in given & wanted)
        return Taint(total, traced, total - traced - fee, fee)

    def _inputs(self, transaction: int) -> Sequence[int]:
        chain = self._chain
        return chain.spent[chain.first_input[transaction] : chain.first_input[transaction + 1]]

    def _outputs(self, transaction: int) -> range:
        return range(self._chain.first_output[transaction], self._chain.first_output[transaction + 1])

    def _waiting(self, outputs: Iterable[int]) -> bytearray:
        """1 for each transaction that spends one of these; the last entry stands for none."""
        waiting = bytearray(self._count + 1)
        for output in outputs:
            waiting[self._spenders[output]] = 1
        return waiting

    def _run(
        self, sources: set[int], targets: set[int], whole: Callable[[int], _State], split: Split[_State]
    ) -> tuple[int, int]:
        """(taint that arrives at targets, that goes to fees)."""
        values, spenders = self._chain.values, self._spenders
        held = {output: whole(values[output]) for output in sorted(sources - targets) if values[output]}
        waiting = self._waiting(held)
        traced, fees = 0, 0
        transaction = waiting.find(1)
        while 0 <= transaction < self._count:
            spent, made = self._inputs(transaction), self._outputs(transaction)
            arrived = [held.pop(output, None) for output in spent]
            parts, fee = split([values[output] for output in spent], arrived, list(values[made.start : made.stop]))
            fees += fee
            for output, part in zip(made, parts, strict=True):
                if part and output not in sources:
                    if output in targets:
                        traced += _size(part)
                    else:
                        held[output] = part
                        waiting[spenders[output]] = 1
            transaction = waiting.find(1, transaction + 1)
        return traced, fees

    def _poison(self, sources: set[int], targets: set[int], total: int) -> Taint:
        """Every output of a transaction with one poisoned input is poisoned."""
        values, spenders = self._chain.values, self._spenders
        waiting = self._waiting(sorted(sources - targets))
        reached = set(sources)
        fees = 0
        transaction = waiting.find(1)
        while 0 <= transaction < self._count:
            made = self._outputs(transaction)
            fees += sum(values[output] for output in self._inputs(transaction)) - sum(values[made.start : made.stop])
            reached.update(made)
            for output in made:
                if output not in targets:
                    waiting[spenders[output]] = 1
            transaction = waiting.find(1, transaction + 1)
        unspent = (output for output in sorted(reached - targets) if spenders[output] == self._count)
        traced = sum(values[output] for output in sorted(reached & targets))
        return Taint(total, traced, sum(values[output] for output in unspent), fees)

    # Bounds.

    def bounds(self, sources: Collection[int], targets: Collection[int]) -> Bounds:
        """Maximum flows of METHODS.md 5 over all transactions between sources and target, none pruned.

        What leaves a target again is clean, as it is for the rules, which count it once.

        Args:
            sources: output numbers.
            targets: output numbers, taken together as one target.
        """
        values, wanted, given = self._chain.values, set(targets), set(sources)
        makers = self._chain.output_transactions
        reached = self._descendants(given, wanted)
        graph = _Graph()
        clean = 0
        waiting: list[int] = []
        for output in sorted(wanted - given):
            if reached[makers[output]]:
                graph.arc(graph.node(makers[output], waiting), _TARGET, values[output])
            else:
                clean += values[output]
        while waiting:
            transaction = waiting.pop()
            node = graph.node(transaction, waiting)
            for output in self._inputs(transaction):
                if output in wanted:
                    graph.arc(_CLEAN, node, values[output])
                elif output in given:
                    graph.arc(_SOURCE, node, values[output])
                elif reached[makers[output]]:
                    graph.arc(graph.node(makers[output], waiting), node, values[output])
                else:
                    graph.arc(_CLEAN, node, values[output])
        total = sum(values[output] for output in wanted)
        shared = sum(values[output] for output in wanted & given)
        lower = max(0, total - clean - graph.maximum_flow(_CLEAN))
        return Bounds(lower, shared + graph.maximum_flow(_SOURCE))

    def _descendants(self, sources: set[int], targets: set[int]) -> bytearray:
        """1 for each transaction that something of the sources can reach without passing a target."""
        reached = self._waiting(sorted(sources - targets))
        transaction = reached.find(1)
        while 0 <= transaction < self._count:
            for output in self._outputs(transaction):
                if output not in targets and output not in sources:
                    reached[self._spenders[output]] = 1
            transaction = reached.find(1, transaction + 1)
        return reached


def _all_of_it(value_sat: int) -> int:
    return value_sat


def _all_segments(value_sat: int) -> Segments:
    return [(0, value_sat)]


def _size(part: int | Segments) -> int:
    return part if isinstance(part, int) else sum(end - begin for begin, end in part)


# The rules, one transaction each.


def _haircut(inputs: list[int], arrived: list[int | None], outputs: list[int]) -> tuple[list[int | None], int]:
    """Pro rata, fee included, by largest remainder, ties by lower index."""
    tainted, whole = sum(filter(None, arrived)), sum(inputs)
    parts = [*outputs, whole - sum(outputs)]
    if tainted == whole:
        return list(parts[:-1]), parts[-1]
    shares: list[int | None] = []
    remainders = []
    missing = tainted
    for place, part in enumerate(parts):
        share, remainder = divmod(tainted * part, whole)
        shares.append(share)
        missing -= share
        remainders.append((-remainder, place))
    if missing:
        for _, place in sorted(remainders)[:missing]:
            shares[place] = (shares[place] or 0) + 1
    fee = shares.pop()
    return shares, fee or 0


def _tiho(inputs: list[int], arrived: list[int | None], outputs: list[int]) -> tuple[list[int | None], int]:
    """Taint in, highest out: outputs by descending value, ties by lower index, the rest is fee."""
    left = sum(filter(None, arrived))
    parts: list[int | None] = [None] * len(outputs)
    for place in sorted(range(len(outputs)), key=lambda place: (-outputs[place], place)):
        part = min(left, outputs[place])
        parts[place] = part
        left -= part
    return parts, left


def _fifo(inputs: list[int], arrived: list[Segments | None], outputs: list[int]) -> tuple[list[Segments | None], int]:
    """First in, first out: the inputs end to end, cut at the ends of the outputs."""
    line: Segments = []
    start = 0
    for value, part in zip(inputs, arrived, strict=True):
        line += [(start + begin, start + end) for begin, end in part or ()]
        start += value
    return _cut(line, outputs)


def _lifo(inputs: list[int], arrived: list[Segments | None], outputs: list[int]) -> tuple[list[Segments | None], int]:
    """Last in, first out: as FIFO with the inputs, and each one's satoshis, in reverse order."""
    line: Segments = []
    start = 0
    for value, part in zip(reversed(inputs), reversed(arrived), strict=True):
        line += [(start + value - end, start + value - begin) for begin, end in reversed(part or ())]
        start += value
    parts, fee = _cut(line, outputs)
    turned: list[Segments | None] = [
        part and [(value - end, value - begin) for begin, end in reversed(part)]
        for value, part in zip(outputs, parts, strict=True)
    ]
    return turned, fee


def _cut(line: Segments, outputs: list[int]) -> tuple[list[Segments | None], int]:
    """Give ascending segments of a line to the outputs that lie along it; what lies beyond is the fee's."""
    parts: list[Segments | None] = []
    at, start = 0, 0
    for value in outputs:
        edge = start + value
        part: Segments = []
        while at < len(line) and line[at][0] < edge:
            begin, end = line[at]
            stop = min(end, edge)
            if part and part[-1][1] == begin - start:
                part[-1] = (part[-1][0], stop - start)
            elif stop > begin:
                part.append((begin - start, stop - start))
            if end > edge:
                line[at] = (edge, end)
                break
            at += 1
        parts.append(part)
        start = edge
    return parts, sum(end - begin for begin, end in line[at:])


# Maximum flow.

_SOURCE, _CLEAN, _TARGET = 0, 1, 2


class _Graph:
    """A flow network; Dinic's algorithm with distances to the target."""

    def __init__(self) -> None:
        self._nodes: dict[int, int] = {}
        self._arcs: list[list[int]] = [[], [], []]
        self._heads: list[int] = []
        self._capacities: list[int] = []

    def node(self, transaction: int, waiting: list[int]) -> int:
        """Node of a transaction; a new one is noted in `waiting`."""
        node = self._nodes.get(transaction)
        if node is None:
            node = self._nodes[transaction] = len(self._arcs)
            self._arcs.append([])
            waiting.append(transaction)
        return node

    def arc(self, tail: int, head: int, capacity: int) -> None:
        """Add an arc, and its reverse of no capacity beside it."""
        for start, end, room in ((tail, head, capacity), (head, tail, 0)):
            self._arcs[start].append(len(self._heads))
            self._heads.append(end)
            self._capacities.append(room)

    def maximum_flow(self, source: int) -> int:
        """The most that can flow from the source to the target; the graph keeps its capacities."""
        room = list(self._capacities)
        flow = 0
        while True:
            distance = self._distances(room, source)
            if distance[source] < 0:
                return flow
            flow += self._blocking_flow(room, distance, source)

    def _distances(self, room: list[int], source: int) -> list[int]:
        """Arcs from each node to the target, -1 where there is no way or the source is nearer."""
        distance = [-1] * len(self._arcs)
        distance[_TARGET] = 0
        row = [_TARGET]
        while row and distance[source] < 0:
            following = []
            for node in row:
                for arc in self._arcs[node]:
                    tail = self._heads[arc]
                    if distance[tail] < 0 and room[arc ^ 1]:
                        distance[tail] = distance[node] + 1
                        following.append(tail)
            row = following
        return distance

    def _blocking_flow(self, room: list[int], distance: list[int], source: int) -> int:
        """Push along shortest ways until each has a full arc."""
        arcs, heads = self._arcs, self._heads
        following = [0] * len(arcs)
        path: list[int] = []
        node, flow = source, 0
        while True:
            if node == _TARGET:
                least = min(room[arc] for arc in path)
                flow += least
                for arc in path:
                    room[arc] -= least
                    room[arc ^ 1] += least
                cut = next(place for place, arc in enumerate(path) if not room[arc])
                node = heads[path[cut] ^ 1]
                del path[cut:]
            out, at = arcs[node], following[node]
            while at < len(out) and not (room[out[at]] and distance[heads[out[at]]] == distance[node] - 1):
                at += 1
            following[node] = at
            if at < len(out):
                path.append(out[at])
                node = heads[out[at]]
            elif node == source:
                return flow
            else:
                node = heads[path.pop() ^ 1]
                following[node] += 1
