"""Bounds that hold under every convention: the least and the most of some outputs that can derive from seeds.

Two maximum flows over the subgraph between them (`trace.subgraph`). Whoever divides transactions so that value is
conserved in each, and no output holds more than its value, arrives between the two: FIFO, LIFO, haircut, TIHO,
seniority and purity all do. If the lower bound is above zero, no convention is needed to say so much.

Method: METHODS.md 5; docs/methods/bounds.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.errors import CointrailError
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import ACCOUNT, Fees
from cointrail.trace.limits import Limits
from cointrail.trace.reason import BUDGETS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import NONE, Services
from cointrail.trace.subgraph import I32, I64, Network, network, reach, targets_of
from cointrail.trace.walk import Watch

RULE: Final = ("bounds", 1)

WHOLE: Final = Limits(through_coinjoins=True)
"""No stop but budgets: conservation holds in a CoinJoin as in any transaction."""

BY_INFERENCE: Final = frozenset({Reason.SERVICE, Reason.COINJOIN, Reason.LARGE_CLUSTER})
"""Stops that rest on tags, on the gate or on clusters."""

_ROUNDS: Final = 2


@dataclass(frozen=True, slots=True)
class Interval:
    """The least and the most of an amount that derives from the seeds.

    Attributes:
        outputs: of the target, how many.
        value_sat: what they hold.
        lower_sat, upper_sat: at least so much, at most so much.
        transactions, arcs: size of the subgraph; arcs are outputs, and fees if they are propagated.
        unsure, unsure_sat: outputs that enter it from outside and may descend from where a limit stopped the search:
            counted as the seeds' for the upper and as clean for the lower bound.
        stops: parts that a limit ended before the target, by reason.
    """

    outputs: int
    value_sat: int
    lower_sat: int
    upper_sat: int
    transactions: int
    arcs: int
    unsure: int
    unsure_sat: int
    stops: dict[Reason, int]

    @property
    def exact(self) -> bool:
        """True if no limit made it wider than the whole graph would."""
        return not self.unsure

    @property
    def rests_on_inference(self) -> bool:
        """True if its width depends on a stop that is itself an inference."""
        return not self.exact and bool(BY_INFERENCE & self.stops.keys())

    @property
    def complete(self) -> bool:
        """False if its width depends on a budget."""
        return self.exact or not set(BUDGETS) & self.stops.keys()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a target, and of its outputs one by one.

    Attributes:
        sources: where the money comes from.
        source_sat: what they hold.
        together: all target outputs as one; what leaves one of them again is clean.
        alone: (output_index, its interval as if it were the only target), ascending; at most as many as were asked.
        limits, fees, services: as they were given.
        passed: transactions that descend from the sources, up to the last target's block.
    """

    sources: Seeds
    source_sat: int
    together: Interval
    alone: tuple[tuple[int, Interval], ...]
    limits: Limits
    fees: Fees
    services: Services
    passed: int

    @property
    def lower_sat(self) -> int:
        """At least so much of all targets together."""
        return self.together.lower_sat

    @property
    def upper_sat(self) -> int:
        """At most so much of all targets together."""
        return self.together.upper_sat


def bounds(
    reader: Reader,
    sources: Seeds,
    targets: npt.ArrayLike,
    *,
    limits: Limits = WHOLE,
    fees: Fees = ACCOUNT,
    services: Services = NONE,
    alone: int = 25,
    watch: Watch = lambda _passed, _waiting: False,
) -> Bounds:
    """How much of some outputs derives from sources, at least and at most.

    A source begins anew: what it got from other sources does not count. A source that is a target counts wholly.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        sources: where the money comes from.
        targets: output_index of each output whose money is asked about.
        limits: when to stop looking; of values and shares, those of whole outputs count.
        fees: what becomes of fees; compare with policies of the same setting.
        services: whose wallets are not looked through.
        alone: most targets to answer one by one.
        watch: sees progress, and may cancel.

    Raises:
        NotFound: a source or a target is not in this snapshot.
        UsageError: there is no source or no target.
        Unavailable: clusters are asked for and the ledger's do not reach the snapshot.

    Method: METHODS.md 5; O(descendants), and two maximum flows over the subgraph for each answer.
    """
    wanted = targets_of(reader, targets)
    values = np.asarray(reader.column("output", "value_sat")[wanted], np.int64)
    reached = reach(reader, sources, wanted, limits=limits, fees=fees, services=services, watch=watch)
    together = _interval(network(reached, wanted, values), values)
    one_by_one = []
    for place, target in enumerate(wanted[:alone].tolist()):
        only = slice(place, place + 1)
        single = together if len(wanted) == 1 else _interval(network(reached, wanted[only], values[only]), values[only])
        one_by_one.append((target, single))
    return Bounds(
        sources=sources,
        source_sat=int(reached.flow.seed_sat.sum()),
        together=together,
        alone=tuple(one_by_one),
        limits=limits,
        fees=fees,
        services=services,
        passed=len(reached.flow.tx),
    )


def _interval(graph: Network, values: I64) -> Interval:
    upper, clean = _greatest_flows(graph)
    total = int(values.sum())
    return Interval(
        outputs=len(values),
        value_sat=total,
        lower_sat=max(0, total - clean),
        upper_sat=upper,
        transactions=graph.transactions,
        arcs=graph.outputs,
        unsure=graph.unsure,
        unsure_sat=graph.unsure_sat,
        stops=graph.stops,
    )


def _greatest_flows(graph: Network) -> tuple[int, int]:
    """The most that can flow to the targets from the seeds, and from other money."""
    from cointrail.kernels.trace.network import stand_ins

    instead = stand_ins(graph.tail, graph.head, graph.first_node, graph.sink + 1)
    tail, head, capacity = _merged(instead[graph.tail], instead[graph.head], graph.capacity)
    return (
        _greatest_flow(tail, head, capacity, graph.source, graph.sink),
        _greatest_flow(tail, head, capacity, graph.spring, graph.sink),
    )


def _merged(tail: I32, head: I32, capacity: I64) -> tuple[I32, I32, I64]:
    """One arc between two nodes, ascending by tail and head; none from a node to itself."""
    apart = tail != head
    keys = (tail[apart].astype(np.int64) << 32) | head[apart]
    distinct, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, place, capacity[apart])
    return (distinct >> 32).astype(np.int32), (distinct & 0xFFFFFFFF).astype(np.int32), sums


def _greatest_flow(tail: I32, head: I32, capacity: I64, start: int, sink: int) -> int:
    # It takes a moment to load, and no other command needs it.
    from ortools.graph.python.max_flow import SimpleMaxFlow  # type: ignore[import-untyped]

    from cointrail.kernels.trace.network import tighten

    room = capacity.copy()
    tighten(tail, head, room, np.argsort(-head, kind="stable"), sink + 1, start, sink, _ROUNDS)
    kept = room > 0
    solver = SimpleMaxFlow()
    # From the targets back it is several times faster: less is pushed where it cannot stay.
    solver.add_arcs_with_capacity(head[kept], tail[kept], room[kept])
    status = solver.solve(sink, start)
    if status != SimpleMaxFlow.OPTIMAL:
        raise CointrailError(f"the maximum flow over {len(tail)} arcs was not found: {status}")
    return int(solver.optimal_flow())
