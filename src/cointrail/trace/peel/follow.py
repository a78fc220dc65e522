"""A peel chain ahead: from an output along the change of the transaction that spends it, as long as that is known.

Rule `peel_chain`, version 1 (METHODS.md 6.1; docs/methods/peel-chain.md). Assumes that whoever held the output holds
the change. An inference at best: every step names what decided it.
"""

import heapq
from typing import NamedTuple

from cointrail.cluster.change.vote import name_change
from cointrail.ledger.reader import Reader
from cointrail.trace.peel.chain import Coin, Decision, Direction, End, PeelChain, Reason, Step
from cointrail.trace.peel.look import Lookout, Seen
from cointrail.trace.peel.question import COURT, NOBODY, PeelLimits, ServiceScripts, Undecided
from cointrail.trace.peel.stops import check_output, stops_at, stops_before


def follow(
    reader: Reader,
    output_index: int,
    limits: PeelLimits = COURT,
    services: ServiceScripts = NOBODY,
    *,
    undecided: Undecided = Undecided.STOP,
) -> PeelChain:
    """Follow an output.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        output_index: where to begin.
        limits: when to stop.
        services: whose wallets are not crossed.
        undecided: what to do where the vote names no change.

    Raises:
        NotFound: the output is not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot.

    Method: METHODS.md 6.1 and 6.3; O(hops).
    """
    check_output(reader, output_index)
    return _Ahead(reader, limits, services, undecided).chain(output_index)


class _Arrived(NamedTuple):
    """An output that waits to be followed; ordered by the transaction that spends it."""

    spender: int
    coin: Coin
    previous: int
    hop: int


class _Ahead:
    """The branches of one question, taken in chain order."""

    def __init__(self, reader: Reader, limits: PeelLimits, services: ServiceScripts, undecided: Undecided) -> None:
        self._reader, self._limits, self._services, self._undecided = reader, limits, services, undecided
        larger = undecided is Undecided.LARGER
        self._lookout = Lookout(reader, services, most_outputs=limits.outputs, to_larger=larger, ahead=True)
        self._most_hops = limits.most_hops
        self._waiting: list[_Arrived] = []
        self._steps: list[Step] = []
        self._passed: dict[int, int] = {}
        self._ends: list[End] = []

    def chain(self, output_index: int) -> PeelChain:
        """The answer."""
        (seed,) = self._lookout.coins([output_index])
        height = self._reader.height_of_transactions(seed.maker)
        self._began = int(self._reader.column("block", "time")[height])
        self._arrive(seed, -1, 0)
        while self._waiting:
            if len(self._steps) == self._limits.transactions:
                for each in sorted(self._waiting):
                    self._end(each, Reason.BUDGET)
                break
            self._cross(heapq.heappop(self._waiting))
        return PeelChain(Direction.FORWARD, self._undecided, self._limits, seed, tuple(self._steps), tuple(self._ends))

    def _arrive(self, coin: Coin, previous: int, hop: int) -> None:
        """An output carries the chain: it waits for its turn, or ends it."""
        for reason, detail in stops_at(coin, hop, self._limits, self._services):
            self._ends.append(End(previous, (coin,), reason, detail))
            return
        heapq.heappush(self._waiting, _Arrived(coin.spender, coin, previous, hop))

    def _cross(self, arrived: _Arrived) -> None:
        """Pass the transaction that spends an output, or end before it."""
        coin, previous, tx_index = arrived.coin, arrived.previous, arrived.spender
        if tx_index in self._passed:
            self._end(arrived, Reason.JOINED, f"step {self._passed[tx_index]}")
            return
        if tx_index not in self._lookout:
            self._look_ahead(arrived)
        seen = self._lookout[tx_index]
        for reason, detail in stops_before(seen, self._limits):
            self._end(arrived, reason, detail)
            return
        decision, followed = self._choose(seen)
        if decision is None:
            self._end(arrived, Reason.UNDECIDED, name_change(self._reader, tx_index).reason)
            return
        before = self._steps[previous].seconds if previous >= 0 else self._began
        step = Step(
            tx_index=tx_index,
            height=seen.verdict.height,
            seconds=seen.verdict.seconds,
            previous=previous,
            hop=arrived.hop + 1,
            decision=decision,
            votes=seen.verdict.votes,
            families=seen.verdict.families,
            came=(coin,),
            others=tuple(each for each in seen.inputs if each.output != coin.output),
            followed=followed,
            peels=tuple(each for each in seen.outputs if each not in followed),
            fee_sat=seen.fee_sat,
            joined_here=seen.joined_here,
            waited_seconds=seen.verdict.seconds - before,
        )
        number = self._passed[tx_index] = len(self._steps)
        self._steps.append(step)
        for each in followed:
            self._arrive(each, number, step.hop)

    def _look_ahead(self, first: _Arrived) -> None:
        """Look at what this branch, and the others that wait, may pass."""
        unseen = [each for each in self._waiting if each.spender not in self._lookout]
        branches = [first, *sorted(unseen)]
        self._lookout.look_from(
            [each.coin.output for each in branches], [self._most_hops - each.hop for each in branches]
        )

    def _choose(self, seen: Seen) -> tuple[Decision | None, tuple[Coin, ...]]:
        """What carries the chain on, and why."""
        verdict = seen.verdict
        if verdict.decision is not None:
            return verdict.decision, tuple(coin for coin in seen.outputs if coin.output == verdict.change)
        if self._undecided is Undecided.LARGER and verdict.larger >= 0:
            return Decision.LARGER, tuple(coin for coin in seen.outputs if coin.output == verdict.larger)
        spendable = tuple(coin for coin in seen.outputs if coin.spendable)
        if self._undecided is Undecided.BRANCH and spendable:
            return Decision.BRANCH, spendable
        return None, ()

    def _end(self, arrived: _Arrived, reason: Reason, detail: str = "") -> None:
        self._ends.append(End(arrived.previous, (arrived.coin,), reason, detail, arrived.spender))
