"""A peel chain back: from a payment over the remainders that funded it to the transaction that began the chain.

The same rule as ahead, read the other way: a chain goes on back where what a transaction spends was change of its maker
(METHODS.md 6.1). What funded the first transaction is what a funding finder asks about.
"""

import heapq
from collections import Counter
from typing import NamedTuple

from cointrail.cluster.change.vote import name_change
from cointrail.ledger.reader import Reader
from cointrail.trace.peel.chain import Coin, Decision, Direction, End, PeelChain, Reason, Step
from cointrail.trace.peel.look import Lookout, Seen, Verdict
from cointrail.trace.peel.question import COURT, NO_SERVICE, NOBODY, PeelLimits, ServiceScripts, Undecided
from cointrail.trace.peel.stops import check_output, limits_at, stops_before, stops_of_verdict


def follow_back(
    reader: Reader,
    output_index: int,
    limits: PeelLimits = COURT,
    services: ServiceScripts = NOBODY,
    *,
    undecided: Undecided = Undecided.STOP,
) -> PeelChain:
    """Follow a payment back to where its peel chain began.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        output_index: the payment.
        limits: when to stop.
        services: whose wallets are not crossed.
        undecided: what to do where the vote names no change: stop, take an input for change if it is the larger output
            of its maker, or go back to every input that may be.

    Returns:
        The payment's transaction is the first step, whatever it is; the last is the one that began the chain, and the
        coins of its end are what funded it.

    Raises:
        NotFound: the output is not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot.

    Method: METHODS.md 6.1 and 6.3; O(hops and their inputs).
    """
    check_output(reader, output_index)
    return _Back(reader, limits, services, undecided).chain(output_index)


class _Funded(NamedTuple):
    """An output whose maker waits to be crossed; ordered by that transaction, the last first."""

    order: int
    coin: Coin
    previous: int
    hop: int
    decision: Decision

    @property
    def maker(self) -> int:
        """The transaction."""
        return -self.order


class _Back:
    """The branches of one question, taken against chain order."""

    def __init__(self, reader: Reader, limits: PeelLimits, services: ServiceScripts, undecided: Undecided) -> None:
        self._reader, self._limits, self._services, self._undecided = reader, limits, services, undecided
        larger = undecided is Undecided.LARGER
        self._lookout = Lookout(reader, services, most_outputs=limits.outputs, to_larger=larger, ahead=False)
        self._waiting: list[_Funded] = []
        self._steps: list[Step] = []
        self._passed: dict[int, int] = {}
        self._ends: list[End] = []

    def chain(self, output_index: int) -> PeelChain:
        """The answer."""
        (seed,) = self._lookout.coins([output_index])
        self._waiting.append(_Funded(-seed.maker, seed, -1, 0, Decision.SEED))
        while self._waiting:
            if len(self._steps) == self._limits.transactions:
                for each in sorted(self._waiting):
                    self._ends.append(End(each.previous, (each.coin,), Reason.BUDGET, "", each.maker))
                break
            self._cross(heapq.heappop(self._waiting))
        return PeelChain(Direction.BACKWARD, self._undecided, self._limits, seed, tuple(self._steps), tuple(self._ends))

    def _made(self, coin: Coin) -> Verdict:
        """What is said of the maker of an input that was looked at."""
        return self._lookout.verdict(coin.maker)

    def _cross(self, funded: _Funded) -> None:
        """Note the transaction that made an output, and go on to those of its inputs that carry the chain."""
        coin, tx_index, number = funded.coin, funded.maker, len(self._steps)
        if tx_index in self._passed:
            detail = f"step {self._passed[tx_index]}"
            self._ends.append(End(funded.previous, (coin,), Reason.JOINED, detail, tx_index))
            return
        if tx_index not in self._lookout:
            self._look_back(funded)
        seen = self._lookout[tx_index]
        came = self._came(seen, number, funded.hop)
        decided = funded.decision in (Decision.CERTAIN, Decision.ACCEPTED)
        self._passed[tx_index] = number
        self._steps.append(
            Step(
                tx_index=tx_index,
                height=seen.verdict.height,
                seconds=seen.verdict.seconds,
                previous=funded.previous,
                hop=funded.hop,
                decision=funded.decision,
                votes=seen.verdict.votes if decided else 0,
                families=seen.verdict.families if decided else 0,
                came=came,
                others=tuple(each for each in seen.inputs if each not in came),
                followed=(coin,),
                peels=tuple(each for each in seen.outputs if each.output != coin.output),
                fee_sat=seen.fee_sat,
                joined_here=seen.joined_here,
                waited_seconds=seen.verdict.seconds - max(self._made(each).seconds for each in came) if came else None,
            )
        )
        for each in came:
            verdict = self._made(each)
            decision = verdict.decision or Decision(self._undecided)
            heapq.heappush(self._waiting, _Funded(-verdict.tx_index, each, number, funded.hop + 1, decision))

    def _look_back(self, first: _Funded) -> None:
        """Look at what led to this branch, and to the others that wait."""
        unseen = [each for each in self._waiting if each.maker not in self._lookout]
        branches = [first, *sorted(unseen)]
        hops = [self._limits.most_hops + 1 - each.hop for each in branches]
        self._lookout.look_from([each.coin.output for each in branches], hops)

    def _came(self, seen: Seen, number: int, hop: int) -> tuple[Coin, ...]:
        """The inputs that carry the chain; where there are none it ends."""

        def end(coins: tuple[Coin, ...], reason: Reason, detail: str) -> None:
            self._ends.append(End(number, coins, reason, detail, seen.verdict.tx_index))

        for reason, detail in stops_before(seen, self._limits):
            end(seen.inputs, reason, detail)
            return ()
        for coin in seen.inputs:
            if coin.service != NO_SERVICE:
                end(seen.inputs, Reason.SERVICE, self._services.names[coin.service])
                return ()
        chosen, refusal = self._chosen(seen.inputs)
        if refusal is not None:
            end(seen.inputs, *refusal)
        came = []
        for coin in chosen:
            limit = next(limits_at(coin, hop, self._limits), None)
            if limit is None:
                came.append(coin)
            else:
                end((coin,), *limit)
        return tuple(came)

    def _chosen(self, inputs: tuple[Coin, ...]) -> tuple[tuple[Coin, ...], tuple[Reason, str] | None]:
        """The inputs that may carry the chain, or why none does."""
        sure = tuple(coin for coin in inputs if self._made(coin).change == coin.output)
        if len(sure) > 1 and self._undecided is Undecided.STOP:
            return (), (Reason.SEVERAL, f"{len(sure)} of {len(inputs)} inputs")
        if sure:
            return self._by_policy(sure), None
        open_ = tuple(coin for coin in inputs if self._is_open(self._made(coin)))
        if self._undecided is Undecided.LARGER:
            open_ = tuple(coin for coin in open_ if self._made(coin).larger == coin.output)
        if open_ and self._undecided is not Undecided.STOP:
            return self._by_policy(open_), None
        return (), self._refusal(inputs)

    def _by_policy(self, coins: tuple[Coin, ...]) -> tuple[Coin, ...]:
        """All of them, or the most valuable, the first of equals."""
        return coins if self._undecided is Undecided.BRANCH else (max(coins, key=lambda coin: coin.value_sat),)

    def _is_open(self, verdict: Verdict) -> bool:
        """Whether a transaction has change that the vote cannot name."""
        return verdict.decision is None and not any(stops_of_verdict(verdict, self._limits))

    def _refusal(self, inputs: tuple[Coin, ...]) -> tuple[Reason, str]:
        """Why no input carries the chain."""
        why = [self._why_not(coin) for coin in inputs]
        reasons = Counter(reason for reason, _ in why)
        if len(reasons) > 1:
            return Reason.UNDECIDED, ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items()))
        if len(why) == 1 and why[0][0] is Reason.UNDECIDED:
            return Reason.UNDECIDED, name_change(self._reader, inputs[0].maker).reason
        return why[0]

    def _why_not(self, coin: Coin) -> tuple[Reason, str]:
        verdict = self._made(coin)
        for stop in stops_of_verdict(verdict, self._limits):
            return stop
        return (Reason.UNDECIDED if verdict.decision is None else Reason.NOT_CHANGE), ""
