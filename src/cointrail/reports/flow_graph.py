"""The graph of a trace: transactions, the traced outputs between them, seeds on one side and ends on the other.

That a transaction spends an output is a fact, and so is each edge between them. How much of it is traced is the
policy's convention: an amount on the edge, never its basis. That an output is at a service is an edge of its own, an
assertion or an inference. Edges lead the way the money went, whichever way the trace was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.reports.flows.boxes import Boxes
from cointrail.reports.flows.caption import caption_of, legend_of, title_of, totals_of
from cointrail.reports.flows.cut import EVERYTHING, SEEDS, Bounds, cut
from cointrail.reports.flows.endings import Endings
from cointrail.reports.graph import Basis, Edge, Graph, Node
from cointrail.reports.names import Names
from cointrail.reports.provenance import provenance_of
from cointrail.reports.wording import counted, foreign, plain
from cointrail.trace.flow import Direction, Flow, payer_of

__all__ = ["EVERYTHING", "Bounds", "graph_of"]

I64 = npt.NDArray[np.int64]

DRAWN = Bounds()
_NOBODY: Mapping[str, str] = MappingProxyType({})


def graph_of(flow: Flow, reader: Reader, *, bounds: Bounds = DRAWN, sources: Mapping[str, str] = _NOBODY) -> Graph:
    """The graph of a trace.

    Args:
        flow: a trace.
        reader: the ledger at the snapshot at which it was made.
        bounds: how much is shown one by one; the rest is counted in nodes that say so.
        sources: who says so, by the name of a service.
    """
    names = Names(reader)
    endings = Endings(flow, names)
    drawing = _Drawing(flow, names, endings, Boxes(flow, names, endings, sources), bounds)
    nodes, edges = drawing.nodes_and_edges()
    return Graph(
        title=title_of(flow),
        nodes=nodes,
        edges=edges,
        totals=totals_of(flow, endings),
        caption=caption_of(flow, reader, nodes),
        legend=legend_of(flow, nodes, edges),
        labels=tuple(foreign(name) for name in flow.seeds.names),
        provenance=provenance_of(flow, reader),
    )


@dataclass(slots=True)
class _Arrived:
    """What is attributed to one service so far."""

    count: int = 0
    sat: int = 0
    value_sat: int = 0


class _Drawing:
    """A graph that is being put together."""

    def __init__(self, flow: Flow, names: Names, endings: Endings, boxes: Boxes, bounds: Bounds) -> None:
        self.flow, self.names, self.endings, self.boxes = flow, names, endings, boxes
        self.cut, self.maker = cut(flow, endings, bounds), flow.maker
        self.forward = flow.asked.direction is Direction.FORWARD
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.services: dict[int, _Arrived] = {}
        self.ids: dict[int, str] = {}

    def nodes_and_edges(self) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
        """The whole, in the order of the walk."""
        self._add_transactions()
        self._add_seeds()
        self._add_ways()
        for step, bundles in self.cut.ends.items():
            self._add_ends(step, bundles)
        self._add_ends(len(self.flow.tx), self.cut.rest, more=False)
        for number, arrived in sorted(self.services.items()):
            self._add(self.boxes.service(number, arrived.count, arrived.sat, arrived.value_sat))
        return tuple(self.nodes.values()), tuple(self.edges)

    def _add(self, node: Node) -> str:
        self.nodes[node.id] = node
        return node.id

    def _join(self, before: str, after: str, parts: Sequence[int], name: str = "", address: str = "") -> None:
        """An edge between nodes of which the walk met `before` first."""
        sums = self.boxes.sums(parts)
        if int(self.flow.output[parts[0]]) < 0:
            what = name or counted(len(parts), "fee")
        else:
            what = f"output {name}{f' to {address}' if address else ''}" if name else counted(len(parts), "output")
        source, target = (before, after) if self.forward else (after, before)
        title = f"{what}: {sums.amount}"
        self.edges.append(
            Edge(source, target, sums.sat, sums.value_sat, Basis.FACT, title, name, sums.count, sums.shares)
        )

    def _add_transactions(self) -> None:
        flow, shown, steps = self.flow, self.cut.shown, len(self.flow.tx)
        taken = _at_steps(flow.sat, flow.next_step, steps)
        booked = (flow.reason > 0) & ~self.endings.drawn
        fees = _at_steps(flow.sat, np.where(booked, self.maker, -1), steps)
        rows = np.flatnonzero(shown)
        orders = rows if self.forward else steps - 1 - rows
        for step, node in zip(
            rows.tolist(), self.boxes.transactions(rows, taken[rows], fees[rows], orders), strict=True
        ):
            self.ids[step] = self._add(node)
        if len(rows) < steps:
            # What goes from one of them to another is inside: only what comes from outside came in.
            came = (flow.next_step >= 0) & ~_marked(shown, flow.next_step) & _marked(shown, self.maker)
            rest = self.boxes.rest(
                steps - len(rows), int(flow.sat[came].sum()), int(fees[~shown].sum()), forward=self.forward
            )
            self.ids[steps] = self._add(rest)

    def _add_seeds(self) -> None:
        for step, bundles in [*self.cut.seeds.items(), (len(self.flow.tx), self.cut.rest_seeds)]:
            for parts in bundles:
                node = self.boxes.seed(parts, self.ids[step], more=len(bundles) > 1)
                self._join(self._add(node), self.ids[step], parts, node.name, node.address)

    def _add_ways(self) -> None:
        """Parts that one transaction made and another took; those into the rest are counted together."""
        flow, steps = self.flow, len(self.flow.tx)
        going = (flow.next_step >= 0) & (self.maker >= 0) & _marked(self.cut.shown, self.maker)
        shown = np.flatnonzero(going & _marked(self.cut.shown, flow.next_step))
        for part, name, address in zip(shown.tolist(), *self._called(shown), strict=True):
            self._join(self.ids[int(self.maker[part])], self.ids[int(flow.next_step[part])], [part], name, address)
        hidden = np.flatnonzero(going & ~_marked(self.cut.shown, flow.next_step))
        for step in np.unique(self.maker[hidden]).tolist():
            parts = hidden[self.maker[hidden] == step].tolist()
            self._join(self.ids[step], self.ids[steps], parts)

    def _called(self, parts: I64) -> tuple[list[str], list[str]]:
        """Outpoints and addresses of parts; of a virtual output the transaction that pays it."""
        outputs = self.flow.output[parts]
        names, addresses = [""] * len(parts), [""] * len(parts)
        real, virtual = np.flatnonzero(outputs >= 0), np.flatnonzero(outputs < 0)
        found = zip(
            real.tolist(), self.names.outpoints(outputs[real]), self.names.addresses(outputs[real]), strict=True
        )
        for row, name, address in found:
            names[row], addresses[row] = name, address
        for row, key in zip(virtual.tolist(), self.names.keys(payer_of(outputs[virtual])), strict=True):
            names[row] = f"{key}:fee"
        return names, addresses

    def _add_ends(self, step: int, bundles: Sequence[Sequence[int]], *, more: bool = True) -> None:
        """Where following ended, joined to what made it, and to the service it is attributed to.

        A seed that went nowhere is an end itself.
        """
        for number, parts in enumerate(bundles):
            if step == SEEDS:
                node = self.boxes.seed(parts, f"ended:{number}", more=more)
                self._add(node)
            else:
                before = self.ids[step]
                node = self.boxes.end(parts, f"{before}:{number}", more=more)
                self._join(before, self._add(node), parts, node.name, node.address)
            service = self.endings.service(parts[0])
            if service >= 0:
                self._attribute(node, service, parts)

    def _attribute(self, node: Node, service: int, parts: Sequence[int]) -> None:
        sums, bases = self.boxes.sums(parts), set(self.endings.bases(np.asarray(parts, np.int64)))
        basis = Basis.ASSERTION if bases == {Basis.ASSERTION} else Basis.INFERENCE
        name = plain(self.flow.asked.services.names[service])
        how = "itself" if basis is Basis.ASSERTION else "through its L1 cluster"
        title = f"attributed to {name} by {self.boxes.said_by(service)}, {how}"
        if service >= self.flow.asked.services.named:
            basis, title = Basis.INFERENCE, plain(self.flow.asked.services.said[service])
        source, target = (node.id, f"service:{service}") if self.forward else (f"service:{service}", node.id)
        self.edges.append(
            Edge(source, target, sums.sat, sums.value_sat, basis, title, node.name, sums.count, sums.shares)
        )
        arrived = self.services.setdefault(service, _Arrived())
        arrived.count += sums.count
        arrived.sat += sums.sat
        arrived.value_sat += sums.value_sat


def _at_steps(sat: I64, step: I64, steps: int) -> I64:
    """Satoshis of the parts at each step, int64 (steps,); parts at -1 do not count."""
    sums, rows = np.zeros(steps, np.int64), step >= 0
    np.add.at(sums, step[rows], sat[rows])
    return sums


def _marked(shown: npt.NDArray[np.bool_], step: I64) -> npt.NDArray[np.bool_]:
    """Whether the step of each part is shown; the seeds' -1 is."""
    padded = np.concatenate([shown, np.ones(1, np.bool_)])
    marked: npt.NDArray[np.bool_] = padded[step]
    return marked
