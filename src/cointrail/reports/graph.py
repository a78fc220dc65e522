"""A graph for people and programs: what is drawn or exported, of whatever result it was made.

Edges lead the way money went, from earlier to later. Frozen, plain values; nothing here knows how it is drawn.
"""

from dataclasses import dataclass
from enum import StrEnum

from cointrail.reports.provenance import Provenance


class Basis(StrEnum):
    """What kind of statement it is (docs/explanation/facts-and-inferences.md)."""

    FACT = "fact"
    INFERENCE = "inference"
    ASSERTION = "assertion"


class NodeKind(StrEnum):
    """What a node stands for."""

    SEED = "seed"
    """An output at which the question begins."""
    TRANSACTION = "transaction"
    OUTPUT = "output"
    """An output at which following ended, for a reason."""
    SERVICE = "service"
    """Somebody to whom outputs are attributed."""
    MORE = "more"
    """Several outputs, or several transactions, that are not shown one by one."""
    FEE = "fee"
    """A fee or new money that was not followed."""


@dataclass(frozen=True, slots=True)
class Node:
    """One box.

    Attributes:
        id: unique in the graph; made of txids and outpoints, so it means the same elsewhere.
        kind: what it stands for.
        lines: what stands in the box, the most important first.
        title: the same in full.
        order: place in the order of the chain; None for what has none of its own and stands beside its neighbour.
        traced_sat: traced satoshis that pass or lie here.
        value_sat: whole value of the outputs it stands for; None for a transaction or a service.
        fee_sat: traced satoshis that left here as fees, so that what comes in goes out.
        height, time_utc: when; None if it has no moment of its own.
        reason: why following ended here, empty if it went on.
        name: txid, outpoint or name of the service in full; empty for several.
        address: of an output, if its script has one.
        basis: what kind of statement the box makes.
        count: how many outputs, or transactions, it stands for.
    """

    id: str
    kind: NodeKind
    lines: tuple[str, ...]
    title: str
    order: int | None
    traced_sat: int
    value_sat: int | None = None
    fee_sat: int = 0
    height: int | None = None
    time_utc: str | None = None
    reason: str = ""
    name: str = ""
    address: str = ""
    basis: Basis = Basis.FACT
    count: int = 1


@dataclass(frozen=True, slots=True)
class Edge:
    """A way that money went, or what joins an output to a name.

    Attributes:
        source, target: ids of nodes, the earlier first.
        traced_sat: how much of it is traced; under a policy, a convention.
        value_sat: whole value of the outputs it stands for.
        basis: of the joint itself, never of the amount.
        title: what it is, in words.
        name: outpoint, empty for several.
        count: outputs it stands for.
        shares: (label, satoshis) by number of the label, if the graph has several.
    """

    source: str
    target: str
    traced_sat: int
    value_sat: int
    basis: Basis
    title: str
    name: str = ""
    count: int = 1
    shares: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """A line of the account below the drawing: where how much lies, on how many outputs."""

    words: str
    count: int
    sat: int


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a sign means: `key` names a basis, a kind of node, `band`, or `label N`."""

    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole.

    Attributes:
        title: what it answers.
        nodes: in an order that depends on the result only.
        edges: the same.
        totals: account of the traced money, its sum last; empty if there is no sum to draw.
        caption: lines below: seeds, convention, limits, snapshot, what is not shown one by one.
        legend: what signs in it mean.
        labels: names of the labels that `shares` count.
        provenance: what it is bound to.
    """

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    totals: tuple[Total, ...]
    caption: tuple[str, ...]
    legend: tuple[LegendEntry, ...]
    labels: tuple[str, ...]
    provenance: Provenance
