"""Paths from seeds to targets: the k best of all that the limits leave, in the order of time by construction.

A path is a chain of outputs, each made by the transaction that spends the one before, from a seed to the first target
it meets. Its hops are facts; how much it carries is a convention, haircut's. Method: METHODS.md 6.2;
docs/methods/paths.md.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.trace.flow import Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT, POISON
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import NONE, Services
from cointrail.trace.subgraph import I64, as_far_as, targets_of
from cointrail.trace.walk import Watch, chain_of, trace

if TYPE_CHECKING:
    from cointrail.kernels.trace.state import Chain

RULE: Final = ("paths", 1)

NEARBY: Final = Limits(transactions=50_000)
"""Stop before CoinJoins, and after as many transactions (METHODS.md 9, `node_limit`)."""

MOST_PATHS: Final = 10_000

_NO_STOPS: Final = frozenset({Reason.TARGET, Reason.SEED, Reason.FEE, Reason.UNSPENT, Reason.UNSPENDABLE})


class By(StrEnum):
    """Which paths are best. Ties go to the lower output, compared from the target back."""

    SHARE = "share"
    """Those that carry the most satoshis under haircut."""
    HOPS = "hops"
    """Those with the fewest transactions."""
    TIME = "time"
    """Those that arrive first; of these, the ones with the fewest transactions."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One output of a path.

    Attributes:
        output_index, tx_index: the output, and the transaction that made it.
        value_sat: what it holds.
        inputs_sat: what its transaction took in; for the first output what it holds itself.
        carried_sat: what haircut carries this far along this path, rounded down at every hop.
    """

    output_index: int
    tx_index: int
    value_sat: int
    inputs_sat: int
    carried_sat: int

    @property
    def share(self) -> Fraction:
        """Of what its transaction took in; 0 where that is nothing."""
        return Fraction(self.value_sat, self.inputs_sat) if self.inputs_sat else Fraction(0)


@dataclass(frozen=True, slots=True)
class Path:
    """Outputs from a seed, which comes first, to a target."""

    hops: tuple[Hop, ...]

    @property
    def transactions(self) -> int:
        """Transactions between the seed and the target."""
        return len(self.hops) - 1

    @property
    def carried_sat(self) -> int:
        """What haircut carries along it."""
        return self.hops[-1].carried_sat


@dataclass(frozen=True, slots=True)
class Paths:
    """The best paths, and how far they were searched for.

    Attributes:
        by: the order.
        limits: when the search stopped.
        paths: best first.
        total: paths that were found, not all of which are listed; `paths.MOST_WAYS` if there are more than that.
        passed: transactions that the search passed.
        stops: outputs at which a limit ended it before the last target, by reason.
        complete: False if a budget ended it.
    """

    by: By
    limits: Limits
    paths: tuple[Path, ...]
    total: int
    passed: int
    stops: dict[Reason, int]
    complete: bool


def paths(
    reader: Reader,
    sources: Seeds,
    targets: npt.ArrayLike,
    *,
    by: By = By.SHARE,
    k: int = 10,
    limits: Limits = NEARBY,
    services: Services = NONE,
    watch: Watch = lambda _passed, _waiting: False,
) -> Paths:
    """The k best paths from sources to targets.

    By share the limits are those of a haircut trace, so an output that less than a satoshi reaches is not followed;
    otherwise those of poison, where an output counts with its whole value. A path begins at the last source and ends at
    the first target that it passes. Limits of hops count the nearest way to an output.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        sources: where paths begin.
        targets: output_index of each output where they may end.
        by: which are best.
        k: most paths.
        limits: when to stop looking.
        services: whose wallets are not looked through.
        watch: sees progress, and may cancel.

    Raises:
        NotFound: a source or a target is not in this snapshot.
        UsageError: there is no source or no target, or k is out of range.
        Unavailable: clusters are asked for and the ledger's do not reach the snapshot.

    Method: METHODS.md 6.2; O(descendants + k x arcs between sources and targets).
    """
    if not 1 <= k <= MOST_PATHS:
        raise UsageError(f"{k} paths cannot be listed", hint=f"ask for 1 to {MOST_PATHS}")
    wanted = targets_of(reader, targets)
    flow = trace(
        reader,
        Seeds.of(sources.outputs),  # labels would only cost time
        HAIRCUT if by is By.SHARE else POISON,
        limits=as_far_as(reader, wanted, limits),
        services=services,
        targets=wanted,
        watch=watch,
    )
    chain = chain_of(reader, None)
    found, total = _best(flow, chain, by, k)
    last = int(reader.transaction_of_outputs(wanted[-1]))
    return Paths(
        by=by,
        limits=limits,
        paths=tuple(_path(reader, outputs) for outputs in found),
        total=total,
        passed=len(flow.tx),
        stops=_stops(reader, flow, last),
        complete=flow.complete,
    )


def _best(flow: Flow, chain: "Chain", by: By, k: int) -> tuple[list[list[int]], int]:
    """(outputs of the best paths, how many paths there are)."""
    from cointrail.kernels.trace import paths as kernel
    from cointrail.kernels.trace.subgraph import ancestors

    is_target, maker = flow.reason == Reason.TARGET.code, flow.maker
    wanted = ancestors(flow.first_part, flow.next_step, is_target)
    first, parts = kernel.arrivals(flow.next_step, wanted)
    counts = kernel.count_ways(first, parts, maker)
    # Virtual outputs lead nowhere while fees are booked; any value will do.
    value = np.asarray(chain.value[np.maximum(flow.output, 0)], np.int64)
    inputs = kernel.taken(chain, flow.tx, wanted)
    by_share = by is By.SHARE
    ways = kernel.best_ways(first, parts, flow.output, maker, value, inputs, counts, k, by_share)
    ends = np.flatnonzero(is_target)
    each = np.append(counts, 1)[maker[ends]]  # one way, itself, to a seed: its maker is -1
    total = min(sum(each.tolist()), int(kernel.MOST_WAYS))
    part = np.repeat(ends, np.minimum(each, k))
    rank = np.concatenate([np.arange(count) for count in np.minimum(each, k).tolist()] or [np.empty(0, np.int64)])
    scores = [
        kernel.score_of(ways[:3], one, way, maker, value, inputs, by_share)
        for one, way in zip(part.tolist(), rank.tolist(), strict=True)
    ]
    major, minor = (np.array([score[side] for score in scores]) for side in (0, 1))
    keys = [rank, flow.output[part], -minor, -major]
    if by is By.TIME:
        keys.append(np.searchsorted(chain.first_output, flow.output[part], "right"))
    chosen = np.lexsort(keys)[:k] if len(part) else ()
    return [_outputs(flow, maker, ways, int(part[row]), int(rank[row])) for row in chosen], total


def _outputs(flow: Flow, maker: I64, ways: tuple[npt.NDArray[np.generic], ...], part: int, rank: int) -> list[int]:
    """The outputs of one way through a part, the seed first."""
    begin, _, _, via, ranks = ways
    found = [int(flow.output[part])]
    while maker[part] >= 0:
        row = int(begin[maker[part]]) + rank
        part, rank = int(via[row]), int(ranks[row])
        found.append(int(flow.output[part]))
    return found[::-1]


def _path(reader: Reader, outputs: list[int]) -> Path:
    return Path(tuple(_hops(reader, outputs)))


def _hops(reader: Reader, outputs: list[int]) -> Iterator[Hop]:
    value, spent = reader.column("output", "value_sat"), reader.column("input", "output")
    makers = reader.transaction_of_outputs(outputs).tolist()
    carried = int(value[outputs[0]])
    yield Hop(outputs[0], makers[0], carried, carried, carried)
    for output, tx in zip(outputs[1:], makers[1:], strict=True):
        inputs, held = reader.inputs_of(tx), int(value[output])
        taken = int(value[spent[inputs.start : inputs.stop]].sum())
        carried = carried * held // taken if taken else 0
        yield Hop(output, tx, held, taken, carried)


def _stops(reader: Reader, flow: Flow, last: int) -> dict[Reason, int]:
    """Reasons of what was not followed and is spent no later than the last target was made, with their outputs."""
    rows = np.flatnonzero((flow.reason > 0) & (flow.output >= 0))
    rows = rows[~np.isin(flow.reason[rows], [each.code for each in _NO_STOPS])]
    spenders = reader.spenders(flow.output[rows])
    rows = rows[(spenders >= 0) & (reader.transaction_of_inputs(spenders) <= last)]
    counted: Counter[int] = Counter(flow.reason[rows].tolist())
    return {reason: counted[code] for code, reason in enumerate(REASONS) if reason is not None and counted[code]}
