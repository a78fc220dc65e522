"""Rounds of Wasabi 1 (ZeroLink) and of Wasabi 2 (WabiSabi), with the shapes of METHODS.md 3.1.

Wasabi 1: everybody gets one output of about 0.1 BTC, who has more also two, four or eight times that if somebody else
does, and change; one output pays the coordinator. WabiSabi: everybody's money is cut into standard denominations;
inputs and outputs are sorted by value, the largest first; what cannot be cut comes back as an odd output.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cointrail.simulation.actors.coinjoins import OUTPUT, Coordinator, Fresh, inputs_vsize, value_of
from cointrail.simulation.actors.crowd import Joining
from cointrail.simulation.keys import Script
from cointrail.simulation.transactions import OVERHEAD_WEIGHT, Coin
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Payment, Sent

_BASE_SAT = 10_000_000
_FEE_PER_MILLION = 30  # Wasabi 1: 0.003 % of the denomination for every participant
_LEVELS = 3
_LEAST_OUTPUT_SAT = 5_000
_LARGEST_OUTPUT_SAT = 134_375_000_000
_MOST_OUTPUTS = 10
_ATTEMPTS = 60
_LEAST_REPEATED = 3


def _denominations() -> list[int]:
    """Standard denominations of WabiSabi, the largest first."""
    found: set[int] = set()
    for base, factors in ((2, (1,)), (3, (1, 2)), (10, (1, 2, 5))):
        power = 1
        while power <= _LARGEST_OUTPUT_SAT:
            found.update(factor * power for factor in factors)
            power *= base
    return sorted((each for each in found if _LEAST_OUTPUT_SAT <= each <= _LARGEST_OUTPUT_SAT), reverse=True)


DENOMINATIONS = _denominations()


@dataclass(slots=True, eq=False)
class _Seat:
    """A participant in a round: what is left to be given out, and who makes its scripts."""

    wallet: Wallet
    coins: Sequence[Coin]
    left: int
    fresh: Fresh

    def script(self) -> Script:
        return self.fresh(self.wallet)


class Wasabi1(Coordinator):
    """Rounds of the first Wasabi."""

    protocol = "wasabi1"

    def join(self, participants: Sequence[Joining], *, label: str = "", fresh: Fresh | None = None) -> Sent:
        """At least ten participants, as many equal outputs."""
        stream = self._stream
        # A little above 0.1 BTC, as the base denomination of the real rounds drifted.
        amount = _BASE_SAT + stream.between(0, 90_000)
        count = stream.between(11, 14) if len(self.crowd.members["wasabi"]) < 40 else stream.between(14, 40)
        inputs = [stream.weighted(((1, 5), (2, 3), (3, 1))) for _ in range(max(10, count - len(participants)))]
        wallets = [wallet for wallet, _ in participants]
        drawn = self.crowd.draw("wasabi", inputs, amount * 103 // 100, without=wallets)
        everybody = [*participants, *drawn]
        rate, equal = self.world.fee_level, len(everybody)
        fee = amount * _FEE_PER_MILLION * equal // 1_000_000
        share = OVERHEAD_WEIGHT // 4 // equal + OUTPUT // equal + 1
        seats = []
        for place, (wallet, coins) in enumerate(everybody):
            left = value_of(coins) - amount - fee - rate * (share + inputs_vsize(coins) + OUTPUT)
            assert left >= 0, "a participant brings too little"
            make = fresh if fresh and place < len(participants) else self._fresh
            seats.append(_Seat(wallet, coins, left, make))
        outputs = [Payment(seat.script(), amount) for seat in seats]
        outputs += self._levels(seats, amount, rate * OUTPUT)
        for seat in seats:
            seat.left -= rate * OUTPUT
            if seat.left >= _LEAST_OUTPUT_SAT:
                outputs.append(Payment(seat.script(), seat.left, change=True))
        outputs.append(Payment(self._fee_script(), fee * equal))
        coins = [coin for seat in seats for coin in seat.coins]
        stream.shuffle(coins)
        stream.shuffle(outputs)
        return self._send(coins, outputs, label)

    def _levels(self, seats: Sequence[_Seat], amount: int, cost: int) -> list[Payment]:
        """Outputs of two, four, eight times the amount, each for at least two who can pay."""
        outputs = []
        for level in range(1, _LEVELS + 1):
            value = amount << level
            able = [seat for seat in seats if seat.left >= value + 2 * cost and self._stream.chance(3, 4)]
            if len(able) < 2:
                break
            for seat in able:
                seat.left -= value + cost
                outputs.append(Payment(seat.script(), value))
        return outputs

    def _fee_script(self) -> Script:
        """The coordinator's script, used for some rounds."""
        if self.wallet.recent and self._stream.chance(3, 4):
            return self.wallet.recent[-1]
        return self.world.new_script(self.wallet)


class WabiSabi(Coordinator):
    """Rounds of the second Wasabi."""

    protocol = "wabisabi"

    def join(self, participants: Sequence[Joining], *, label: str = "", fresh: Fresh | None = None) -> Sent:
        """At least 20 inputs, in three of ten rounds 13 to 19."""
        stream = self._stream
        large = len(self.crowd.members["wasabi"]) >= 40
        total = stream.between(13, 19) if stream.chance(3, 10) else stream.between(20, 80 if large else 36)
        missing = max(total - sum(len(coins) for _, coins in participants), 8)
        inputs = self._spread(missing)
        drawn = self.crowd.draw("wasabi", inputs, 400_000, without=[wallet for wallet, _ in participants])
        rate = self.world.fee_level
        seats = []
        for place, (wallet, coins) in enumerate((*participants, *drawn)):
            make = fresh if fresh and place < len(participants) else self._fresh
            left = value_of(coins) - rate * (OVERHEAD_WEIGHT // 4 + inputs_vsize(coins))
            seats.append(_Seat(wallet, coins, left, make))
        amounts = self._cut_all([seat.left for seat in seats], rate * OUTPUT)
        outputs = []
        for seat, (cut, odd) in zip(seats, amounts, strict=True):
            outputs += [Payment(seat.script(), value) for value in cut]
            if odd:
                outputs.append(Payment(seat.script(), odd, change=True))
        coins = [coin for seat in seats for coin in seat.coins]
        coins.sort(key=lambda coin: (-coin.value_sat, coin.outpoint))
        outputs.sort(key=lambda each: (-each.value_sat, each.script.script_pubkey))
        return self._send(coins, outputs, label)

    def _spread(self, total: int) -> list[int]:
        """Numbers of inputs of the members: five or more members, who bring one to five each if there are enough."""
        count = min(max(5, total * 2 // 5), len(self.crowd.members["wasabi"]) - 2, total)
        inputs = [1] * count
        for _ in range(total - count):
            inputs[self._stream.below(count)] += 1
        return inputs

    def _cut_all(self, amounts: Sequence[int], cost: int) -> list[tuple[list[int], int]]:
        """Everybody's denominations and odd rest: tried with several lists until enough outputs repeat."""
        for attempt in range(_ATTEMPTS):
            chosen = self._list(attempt)
            cuts = [self._cut(amount, chosen, cost) for amount in amounts]
            counts = Counter(value for cut, odd in cuts for value in (*cut, odd) if value)
            outputs = sum(counts.values())
            repeated = [count for count in counts.values() if count > 1]
            standard = sum(len(cut) for cut, _ in cuts)
            if (
                len(repeated) >= _LEAST_REPEATED
                and 2 * sum(repeated) >= outputs - 1
                and sum(repeated) < outputs
                and standard * 5 > outputs * 4
            ):
                return cuts
        raise AssertionError("no list of denominations makes a round of the shape")

    def _list(self, attempt: int) -> list[int]:
        """The round's denominations: neighbours at least 1.6 times apart (more with each attempt), at random."""
        chosen: list[int] = []
        for value in DENOMINATIONS:
            if (not chosen or chosen[-1] * 100 >= value * (160 + 2 * attempt)) and self._stream.chance(4, 5):
                chosen.append(value)
        return chosen

    def _cut(self, amount: int, denominations: Sequence[int], cost: int) -> tuple[list[int], int]:
        """Cut greedily, each denomination at most once; a rest too small to be an output is left for the miner."""
        cut: list[int] = []
        for value in denominations:
            if amount >= value + cost and len(cut) < _MOST_OUTPUTS:
                cut.append(value)
                amount -= value + cost
        odd = amount - cost
        return cut, odd if odd >= max(_LEAST_OUTPUT_SAT, 4 * cost) else 0
