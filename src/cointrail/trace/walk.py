"""The engine of all traces: seeds, a policy, stops; forward to where money went, backward to where it came from.

One walk in chain order over touched rows only (`kernels.trace.walk`), in portions, so that a long one shows progress,
keeps to its budgets, can be cancelled with what was found so far, and can be saved and taken up again.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.network import NETWORKS
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate import kinds
from cointrail.ledger.columns import Array, read_only
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import ACCOUNT, CoinbaseOrder, FeeMode, Fees
from cointrail.trace.flow import Asked, Direction, Flow
from cointrail.trace.limits import MILLION, OPEN, Limits
from cointrail.trace.policy import Policy
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import NONE, Services

if TYPE_CHECKING:
    from cointrail.kernels.trace.state import Chain, State
    from cointrail.kernels.trace.stops import Stops

I64 = npt.NDArray[np.int64]
Watch = Callable[[int, int], bool]
"""Called between portions with (transactions passed, parts that wait); True cancels."""

_NO_END = (1 << 63) - 1
_ROOM = 1 << 12  # rows of each kind that there is room for at first
_SIDE = 1 << 10  # inputs or outputs of a transaction that there is room for at first
_PORTION = 1 << 14  # transactions between two looks at the clock


def trace(
    reader: Reader,
    seeds: Seeds,
    policy: Policy,
    *,
    direction: Direction = Direction.FORWARD,
    limits: Limits = OPEN,
    fees: Fees = ACCOUNT,
    services: Services = NONE,
    targets: npt.ArrayLike = (),
    watch: Watch = lambda _passed, _waiting: False,
) -> Flow:
    """Trace the whole value of outputs.

    Backward it ends at coinbases at the latest. A traced part that arrives at another seed ends there, and that seed
    starts with its full value, so seeds may descend from one another and the sum stays exact.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        seeds: where to begin.
        policy: how to split a transaction.
        direction: where to.
        limits: when to stop.
        fees: what becomes of traced fees.
        services: whose wallets are not traced through.
        targets: output_index of each output at which to end and count.
        watch: sees progress, and may cancel.

    Raises:
        NotFound: a seed is not in this snapshot.
        UsageError: there is no seed, or the policy cannot be read backward.
        Unavailable: clusters are asked for and the ledger's do not reach the snapshot.

    Method: METHODS.md 4 and 6.3; O(touched inputs and outputs).
    """
    walk = Walk(reader, seeds, asked(policy, direction, limits, fees, services, targets))
    walk.run(watch)
    return walk.finish()


def asked(
    policy: Policy,
    direction: Direction,
    limits: Limits = OPEN,
    fees: Fees = ACCOUNT,
    services: Services = NONE,
    targets: npt.ArrayLike = (),
) -> Asked:
    """The question that these parameters put; targets in any order."""
    gate = () if limits.through_coinjoins else kinds.RULES
    # With indices numpy sorts, which is faster than to hash where many are in order already.
    distinct, _ = np.unique(np.asarray(targets, np.int64), return_index=True)
    return Asked(direction, policy, limits, fees, services, distinct, gate)


class Walk:
    """A trace on its way.

    Args:
        reader: the ledger at a snapshot.
        seeds: where to begin.
        question: what is asked.
    """

    def __init__(self, reader: Reader, seeds: Seeds, question: Asked) -> None:
        self.reader, self.seeds, self.asked = reader, seeds, question
        self.seed_sat = seeds.values(reader)
        self._forest = Forest(reader) if _asks_for_clusters(question) else None
        self._chain = chain_of(reader, self._forest)
        self._stops = _stops_of(reader, seeds, question, int(self.seed_sat.sum()))
        self.state = self._begun()
        self.ended: Reason | None = None
        self.seconds = 0.0
        self._before = 0

    @classmethod
    def resumed(
        cls, reader: Reader, seeds: Seeds, question: Asked, columns: Mapping[str, Array], coalesced: int
    ) -> Self:
        """A trace that was saved, taken up again; the ledger must be at the snapshot at which it was begun.

        `columns` and `coalesced` are what the attributes of these names gave; all rows must lie inside the ledger.
        """
        from cointrail.kernels.trace import state as states
        from cointrail.kernels.trace.walk import arrive_again

        walk = cls(reader, seeds, question)
        walk.state = states.filled(columns)
        walk.state.counters[states.COALESCED] = coalesced
        walk._before = walk.passed
        arrive_again(walk._chain, walk.state, walk._stops, walk._forward)
        return walk

    @property
    def columns(self) -> dict[str, Array]:
        """Every row so far; what waits follows from them."""
        from cointrail.kernels.trace.state import used

        return used(self.state)

    @property
    def coalesced(self) -> int:
        """Parts of which only the amounts by label were kept."""
        from cointrail.kernels.trace.state import COALESCED

        return int(self.state.counters[COALESCED])

    def _begun(self) -> "State":
        from cointrail.kernels.trace import state as states
        from cointrail.kernels.trace.walk import begin

        count = len(self.seeds.outputs)
        room = max(2 * count, _ROOM)
        state = states.empty(parts=room, pieces=room, steps=room)
        begin(self._chain, state, self._stops, self.seeds.outputs, self.seeds.labels, self.seed_sat, self._forward)
        return state

    @property
    def _forward(self) -> bool:
        return self.asked.direction is Direction.FORWARD

    def run(self, watch: Watch = lambda _passed, _waiting: False) -> bool:
        """Go on until it is done or a budget or `watch` ends it; True if nothing waits any more."""
        from cointrail.kernels.trace import state as states
        from cointrail.kernels.trace.walk import DONE, ROOM, walk

        limits, began = self.asked.limits, time.monotonic() - self.seconds
        most = _NO_END if limits.transactions is None else min(self._before + limits.transactions, _NO_END)
        scratch = states.crossing(_SIDE, len(self.state.part))
        self.ended = self._over_budget()
        while self.ended is None:
            portion = min(self.passed + _PORTION, most)
            found = walk(self._chain, self.state, scratch, self._stops, self.asked.policy.rule, self._forward, portion)
            self.seconds = time.monotonic() - began
            if found == DONE:
                return True
            if found == ROOM:
                self.state = states.grown(self.state)
                side = max(len(scratch.values), int(self.state.counters[states.WANTED_SIDE]))
                scratch = states.crossing(side, len(self.state.part))
            elif self.passed >= most:
                self.ended = Reason.TRANSACTIONS
            elif watch(self.passed, int(self.state.counters[states.WAITING])):
                self.ended = Reason.CANCELLED
            self.ended = self.ended or self._over_budget()
        return False

    def _over_budget(self) -> Reason | None:
        limits = self.asked.limits
        if limits.seconds is not None and self.seconds > limits.seconds:
            return Reason.DURATION
        if limits.megabytes is not None and sum(each.nbytes for each in self.state) > limits.megabytes << 20:
            return Reason.MEMORY
        return None

    @property
    def passed(self) -> int:
        """Transactions passed so far."""
        from cointrail.kernels.trace.state import STEPS

        return int(self.state.counters[STEPS])

    def finish(self) -> Flow:
        """The result; what still waits ends with the reason why the walk did."""
        from cointrail.kernels.trace.walk import end_all

        if self.ended is not None:
            end_all(self.state, self.ended.code)
        flow = Flow(self.asked, self.seeds, self.seed_sat, coalesced=self.coalesced, **self.columns)
        _name_unspent(self.reader, flow)
        return flow


def _asks_for_clusters(question: Asked) -> bool:
    limits = question.limits
    return not limits.through_coinjoins or limits.cluster is not None or len(question.services.roots) > 0


def chain_of(reader: Reader, forest: Forest | None) -> "Chain":
    """The columns that the kernels read, cut at the snapshot; without a forest those of clusters are empty."""
    from cointrail.kernels.trace.state import Chain

    def column(table: str, name: str) -> Array:
        return read_only(reader.column(table, name))

    none = np.empty(0, np.uint32)
    parent, linked_at, last_child = (
        (none, none, none) if forest is None else (forest.parent, forest.linked_at, forest.last_child)
    )
    return Chain(
        first_transaction=column("block", "first_transaction"),
        first_input=column("transaction", "first_input"),
        first_output=column("transaction", "first_output"),
        spent=column("input", "output"),
        value=column("output", "value_sat"),
        script=column("output", "script"),
        spender=column("output", "spender"),
        transactions=reader.counts.transaction,
        inputs=reader.counts.input,
        outputs=reader.counts.output,
        halving_interval=NETWORKS[reader.snapshot.network].halving_interval,
        parent=read_only(parent),
        linked_at=read_only(linked_at),
        last_child=read_only(last_child),
        child_size=read_only(reader.column_on_disk("merge", "child_size")),
        parent_size=read_only(reader.column_on_disk("merge", "parent_size")),
        previous_sibling=read_only(reader.column_on_disk("merge", "previous_sibling")),
        merges=reader.counts.merge,
        sign_tx=column("collaborative", "tx_index"),
        signs=column("collaborative", "signs"),
    )


def _stops_of(reader: Reader, seeds: Seeds, question: Asked, seed_sat: int) -> "Stops":
    from cointrail.kernels.trace.stops import NO_LIMIT, Stops

    limits, services, counts = question.limits, question.services, reader.counts

    def number(limit: int | None) -> int:
        return NO_LIMIT if limit is None else min(limit, NO_LIMIT)

    starts = reader.column("block", "first_transaction")
    after = counts.block if limits.to_height is None else min(limits.to_height + 1, counts.block)
    before = 0 if limits.from_height is None else min(limits.from_height, counts.block - 1)
    return Stops(
        seeds=seeds.outputs,
        targets=question.targets,
        scripts=services.scripts,
        script_service=services.script_service,
        roots=services.roots,
        root_service=services.root_service,
        hops=number(limits.hops),
        # Nothing of an output without value can be followed, but poison is no amount.
        least_sat=max(number(limits.min_sat), 1 if question.policy.conserves else 0),
        least_share_sat=-(-seed_sat * limits.min_share_ppm // (MILLION * len(seeds.outputs))),
        most_outputs=number(limits.outputs),
        most_inputs=number(limits.inputs),
        most_scripts=number(limits.cluster),
        first_tx=int(starts[before]),
        last_tx=counts.transaction - 1 if after == counts.block else int(starts[after]) - 1,
        through_coinjoins=limits.through_coinjoins,
        propagate=question.fees.mode is FeeMode.PROPAGATE,
        subsidy_first=question.fees.coinbase_order is CoinbaseOrder.SUBSIDY_FIRST,
    )


def _name_unspent(reader: Reader, flow: Flow) -> None:
    """Say of outputs that nothing spends whether anybody could."""
    rows = np.flatnonzero(flow.reason == Reason.UNSPENT.code)
    outputs = flow.output[rows]
    flow.reason[rows[reader.unspendable_scripts(reader.column("output", "script")[outputs])]] = Reason.UNSPENDABLE.code
    flow.reason[rows[reader.overwritten(outputs)]] = Reason.OVERWRITTEN.code
    genesis = reader.outputs_of(0)
    flow.reason[rows[(outputs >= genesis.start) & (outputs < genesis.stop)]] = Reason.GENESIS.code
