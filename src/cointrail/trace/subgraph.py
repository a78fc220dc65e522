"""What lies between seeds and targets: all that descends from the seeds, and of that what leads to a target.

The descendants are a poison flow, which need not look beyond the last target's block. What a limit keeps it from
seeing is not lost silently: an output from outside that could descend from there is counted, and may be either.
Method: METHODS.md 5.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cointrail.errors import NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import FeeMode, Fees
from cointrail.trace.flow import Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import POISON
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import Watch, chain_of, trace

if TYPE_CHECKING:
    from cointrail.kernels.trace.state import Chain

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def targets_of(reader: Reader, outputs: npt.ArrayLike) -> I64:
    """Target outputs, ascending, each once, int64.

    Raises:
        UsageError: there is none.
        NotFound: one is not in the snapshot.
    """
    found: I64 = np.unique(np.asarray(outputs, np.int64))
    if not len(found):
        raise UsageError("there is no target", hint="give at least one output, transaction or address")
    outside = found[(found < 0) | (found >= reader.counts.output)]
    if len(outside):
        raise NotFound(f"output {outside[0]} is not in this snapshot", hint=f"it holds {reader.counts.output} outputs")
    return found


def as_far_as(reader: Reader, targets: I64, limits: Limits) -> Limits:
    """Limits that do not look beyond the last target's block: what is made later cannot lead to it."""
    last = int(reader.height_of_transactions(reader.transaction_of_outputs(targets[-1])))
    return replace(limits, to_height=last if limits.to_height is None else min(limits.to_height, last))


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What descends from seeds.

    Attributes:
        flow: under poison, past every target.
        chain: the columns of the ledger.
        keys: int64 (steps,), place of each step in the order of work, ascending.
        step: int64 (p,), the step that spends each part, whether or not a limit ended it; -1 if none.
        unseen: int64 (p,), place in the order of work of what spends a part and was not passed; else the greatest.
    """

    flow: Flow
    chain: "Chain"
    keys: I64
    step: I64
    unseen: I64

    @property
    def propagate(self) -> bool:
        """True if fees go on into the coinbase."""
        return self.flow.asked.fees.mode is FeeMode.PROPAGATE


def reach(
    reader: Reader, seeds: Seeds, targets: I64, *, limits: Limits, fees: Fees, services: Services, watch: Watch
) -> Reach:
    """All that descends from seeds up to the last target's block; targets ascending."""
    from cointrail.kernels.trace.subgraph import keys_of, spends

    flow = trace(
        reader,
        Seeds.of(seeds.outputs),  # labels would only cost time
        POISON,
        limits=as_far_as(reader, targets, limits),
        fees=fees,
        services=services,
        watch=watch,
    )
    chain = chain_of(reader, None)
    keys = keys_of(chain, flow.tx)
    return Reach(flow, chain, keys, *spends(chain, keys, flow.output, flow.reason, flow.next_step))


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A flow network between seeds, other money and targets; every arc leads to a node of a greater number.

    Attributes:
        tail, head: int32 (arcs,), nodes.
        capacity: int64 (arcs,), satoshi.
        source, spring: nodes at which all traced and all other money begins.
        sink: node of the targets, the last.
        first_node: of the transactions, which lie between.
        transactions: nodes that are transactions.
        outputs: arcs that are outputs or fees.
        unsure, unsure_sat: outputs from outside that may or may not descend from the seeds, and what they hold.
        stops: what a limit ended before the last target, by reason.
    """

    tail: I32
    head: I32
    capacity: I64
    source: int
    spring: int
    sink: int
    first_node: int
    transactions: int
    outputs: int
    unsure: int
    unsure_sat: int
    stops: dict[Reason, int]


def network(reach: Reach, targets: I64, values: I64) -> Network:
    """The network between the seeds and some targets, which are taken together; what leaves one again is clean.

    Args:
        reach: what descends from the seeds.
        targets: int64 (t,), output_index, ascending; none later than those that `reach` was asked for.
        values: int64 (t,), satoshi.
    """
    from cointrail.kernels.trace.subgraph import ancestors, arcs, keys_of, outside

    flow, chain, first = reach.flow, reach.chain, int(reach.flow.first_part[0])
    of_target = _among(flow.output, targets)
    is_target = of_target & (flow.reason != Reason.SEED.code)
    is_target[:first] = False
    known_until = int(reach.unseen[~of_target].min(initial=np.iinfo(np.int64).max))
    wanted = ancestors(flow.first_part, reach.step, is_target)
    clean, either, unsure = outside(
        chain, reach.keys, flow.tx, wanted, targets, flow.seeds.outputs, known_until, reach.propagate
    )
    number = (np.cumsum(wanted) - 1 + _FIRST_NODE).astype(np.int32)
    sink = _FIRST_NODE + int(wanted.sum())
    tail, head, capacity = arcs(
        flow.output, flow.sat, flow.first_part, reach.step, is_target, of_target[:first], wanted, number, clean,
        either, _SEEDS, _CLEAN, sink,
    )  # fmt: skip
    kinds = _origins(reach, targets, known_until)
    ends = _ends(flow, values, kinds, sink)
    last = int(keys_of(chain, _makers_of(chain, targets)).max())
    return Network(
        tail=np.concatenate([tail, ends[:, 0].astype(np.int32)]),
        head=np.concatenate([head, ends[:, 1].astype(np.int32)]),
        capacity=np.concatenate([capacity, ends[:, 2]]),
        source=_SOURCE,
        spring=_SPRING,
        sink=sink,
        first_node=_FIRST_NODE,
        transactions=int(wanted.sum()),
        outputs=len(tail) - int((either > 0).sum()) - int((clean + either > 0).sum()),
        unsure=int(unsure) + int((kinds == _EITHER).sum()),
        unsure_sat=int(either.sum()) + int(values[kinds == _EITHER].sum()),
        stops=_stops(flow, np.flatnonzero((reach.unseen <= last) & ~of_target)),
    )


_SOURCE, _SPRING, _SEEDS, _CLEAN, _FIRST_NODE = range(5)
"""Nodes: where the money of the seeds and all other money begins, and the two that share it out."""

_MADE, _OUTSIDE, _EITHER, _SEED = range(4)
"""Where a target comes from: a transaction of the flow, other money, one or the other, or it is a seed itself."""


def _origins(reach: Reach, targets: I64, known_until: int) -> I64:
    from cointrail.kernels.trace.subgraph import origins

    kinds: I64 = origins(reach.chain, reach.keys, targets, known_until, reach.propagate)
    kinds[_among(targets, reach.flow.seeds.outputs)] = _SEED
    return kinds


def _ends(flow: Flow, values: I64, kinds: I64, sink: int) -> I64:
    """(tail, head, capacity) of the arcs that begin and end the network."""
    seeds = np.isin(kinds, (_SEED, _EITHER))
    clean = np.isin(kinds, (_OUTSIDE, _EITHER))
    return np.array(
        [
            (_SOURCE, _SEEDS, flow.seed_sat.sum()),  # nobody holds more of the seeds than they do
            (_SPRING, _CLEAN, values.sum()),
            (_SEEDS, sink, values[seeds].sum()),
            (_CLEAN, sink, values[clean].sum()),
        ],
        np.int64,
    )


def _makers_of(chain: "Chain", outputs: I64) -> I64:
    """Transactions that made outputs, int64, same shape."""
    return np.searchsorted(chain.first_output, outputs, "right") - 1


def _among(outputs: I64, ascending: I64) -> Flags:
    """True where an output is one of some."""
    at = np.minimum(np.searchsorted(ascending, outputs), len(ascending) - 1)
    found: Flags = ascending[at] == outputs
    return found


def _stops(flow: Flow, rows: I64) -> dict[Reason, int]:
    counted: Counter[int] = Counter(flow.reason[rows].tolist())
    return {reason: counted[code] for code, reason in enumerate(REASONS) if reason is not None and counted[code]}
