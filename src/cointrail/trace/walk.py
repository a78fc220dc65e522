"""The walk that forward and backward tracing share: sparse, in chain order, every stop booked with its reason.

Chain order is a topological order, so when a transaction is processed, all that will ever reach it has arrived. Only
touched transactions are visited. A traced part that arrives at another seed ends there, and the seed starts anew with
its full value, so seeds may descend from one another and the sum stays exact.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from cointrail.cluster.gate import kinds
from cointrail.cluster.gate.gate import collaborative_mask
from cointrail.errors import NotFound
from cointrail.ledger.rows import Rows
from cointrail.trace.flow import Direction, Endpoint, Flow, Reason, Step
from cointrail.trace.limits import Limits
from cointrail.trace.policies import I64, Part, Policy


class Held(NamedTuple):
    """A traced part that waits at an output."""

    part: Part
    hops: int


class Way(Protocol):
    """What differs between the two directions."""

    @property
    def direction(self) -> Direction:
        """Which one."""
        ...

    def onward(self, outputs: I64) -> tuple[Sequence[int], Mapping[int, Reason]]:
        """The transactions that come next, one for each output, and by position why there is none for some."""
        ...

    def cross(self, tx_index: int, arrived: Mapping[int, Part]) -> tuple[Step, dict[int, Part]]:
        """Carry traced parts, by output_index, over a transaction; gives the parts on the other side."""
        ...


def walk(rows: Rows, seeds: Sequence[int], policy: Policy, limits: Limits, way: Way) -> Flow:
    """Follow the seeds until every part has ended.

    Args:
        rows: a reader of the ledger.
        seeds: output_index of each; repeated ones count once.
        policy: how to split a transaction.
        limits: when to stop.
        way: the direction.

    Raises:
        NotFound: a seed is not in this snapshot.
    """
    distinct = sorted(set(seeds))
    for seed in distinct:
        if not 0 <= seed < rows.counts.output:
            raise NotFound(f"output {seed} is not in this snapshot", hint=f"it holds {rows.counts.output} outputs")
    values = rows.column("output", "value_sat")[np.array(distinct, np.int64)].tolist()
    state = _Walk(rows, limits, way, frozenset(distinct))
    state.arrive({seed: policy.whole(value) for seed, value in zip(distinct, values, strict=True)}, hops=0)
    complete = state.run()
    return Flow(
        direction=way.direction,
        policy=policy.name,
        version=policy.version,
        limits=limits,
        gate=() if limits.through_coinjoins else kinds.RULES,
        seeds=tuple(zip(distinct, values, strict=True)),
        traced_sat=sum(values),
        steps=tuple(state.steps),
        endpoints=tuple(sorted(state.endpoints, key=lambda endpoint: (endpoint.output_index, endpoint.reason))),
        fees_sat=sum(step.fee_sat for step in state.steps),
        complete=complete,
    )


@dataclass(slots=True)
class _Walk:
    """Parts on their way: `waiting` by transaction and output, `agenda` those transactions as a heap."""

    rows: Rows
    limits: Limits
    way: Way
    seeds: frozenset[int]
    waiting: dict[int, dict[int, Held]] = field(default_factory=dict)
    agenda: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)

    def run(self) -> bool:
        """Process the agenda; False if the search limit ended it."""
        while self.agenda:
            if len(self.steps) == self.limits.transactions:
                for held in self.waiting.values():
                    self._end((output, each, Reason.SEARCH) for output, each in held.items())
                return False
            tx_index = abs(heapq.heappop(self.agenda))
            held = self.waiting.pop(tx_index)
            if self._is_stop(tx_index):
                self._end((output, each, Reason.COINJOIN) for output, each in held.items())
                continue
            step, parts = self.way.cross(tx_index, {output: each.part for output, each in held.items()})
            self.steps.append(step)
            hops = min(each.hops for each in held.values()) + 1
            self._end((seed, Held(parts.pop(seed), hops), Reason.SEED) for seed in self.seeds & parts.keys())
            self.arrive(parts, hops)
        return True

    def arrive(self, parts: Mapping[int, Part], hops: int) -> None:
        """Let parts end where they are or wait for the transaction that comes next."""
        if not parts:
            return
        transactions, reasons = self.way.onward(np.fromiter(parts, np.int64, len(parts)))
        ended = []
        for position, (output, part) in enumerate(parts.items()):
            reason = reasons.get(position) or self._limit(part, hops)
            if reason is not None:
                ended.append((output, Held(part, hops), reason))
                continue
            tx_index = transactions[position]
            if tx_index not in self.waiting:
                self.waiting[tx_index] = {}
                heapq.heappush(self.agenda, tx_index if self.way.direction is Direction.FORWARD else -tx_index)
            self.waiting[tx_index][output] = Held(part, hops)
        self._end(ended)

    def _limit(self, part: Part, hops: int) -> Reason | None:
        if self.limits.hops is not None and hops >= self.limits.hops:
            return Reason.HOPS
        # Nothing of a seed without value can be followed, whatever the minimum.
        return Reason.MINIMUM if part.sat < max(self.limits.min_sat, 1) else None

    def _is_stop(self, tx_index: int) -> bool:
        if self.limits.through_coinjoins:
            return False
        return bool(collaborative_mask(self.rows, [tx_index])[0])

    def _end(self, ended: Iterable[tuple[int, Held, Reason]]) -> None:
        for output, (part, hops), reason in ended:
            value = int(self.rows.column("output", "value_sat")[output])
            self.endpoints.append(Endpoint(output, value, part.sat, reason, hops, part.segments))
