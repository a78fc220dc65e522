"""What a participant of an equal-output round can have done with an input: the sums that its amounts explain.

The reading: a participant brings a few inputs and takes one output of the round's denomination, in Wasabi 1 perhaps
outputs of larger levels too, and at most one output of change. A *payout* is such a set of outputs; it explains an
input if the input, alone or with up to three others, is worth as much, give or take fees. Few payouts fit by chance, so
the fitting ones tell where the change is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate.kinds import Kind

I64 = npt.NDArray[np.int64]

MOST_INPUTS = 4
"""Inputs a participant brings at most; so many or fewer are taken as equally likely, for want of knowledge."""

MOST_SETS = 400_000
"""Sets of inputs that are tried at most: in large rounds fewer inputs a participant."""

MOST_PAYOUTS = 1 << 17
"""Payouts that are tried at most; a transaction with more is not read as a round."""

_LEAST_EQUAL = 2
_LEAST_OF_WASABI1 = 10  # Dumplings' rule: what is called Wasabi 1 and has fewer equal outputs is read as JoinMarket
_MOST_LEVELS = 4
_DUST_SAT = 2_730
_MAKER_PART, _MAKER_SAT = (
    1_000,
    1_000,
)  # a JoinMarket maker earns at most a thousandth of the denomination and 1,000 sat
_COORDINATOR_PER_MILLION = 30  # Wasabi 1: 0.003 % of the denomination for every participant
_MINER_SHARES = 4  # a participant of Wasabi 1 pays at most four times an equal share of the miner's fee


class Payout(NamedTuple):
    """Values that one participant may have taken: denomination and levels, and its change, 0 if there is none."""

    repeated: tuple[int, ...]
    change: int

    @property
    def total_sat(self) -> int:
        """What they are worth together."""
        return sum(self.repeated) + self.change


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """An equal-output round.

    Attributes:
        inputs, outputs: values in sat; an output that nobody can spend counts as 0.
        denomination_sat: the commonest output value, the smallest of several.
        least_sat, most_sat: what a participant can bring beyond what it takes; below 0 if it can earn.
        payouts: all that one participant may have taken; need: int64, what each is worth.
    """

    inputs: I64
    outputs: tuple[int, ...]
    denomination_sat: int
    least_sat: int
    most_sat: int
    payouts: tuple[Payout, ...]
    need: I64


def round_of(kind: Kind, inputs: Sequence[int], outputs: Sequence[int]) -> Round | None:
    """Read a transaction as a round; None if no output value of it repeats, or too many payouts are possible."""
    counts = Counter(value for value in outputs if value > _DUST_SAT)
    value, number = min(counts.items(), key=lambda pair: (-pair[1], pair[0]), default=(0, 0))
    if number < _LEAST_EQUAL or len(counts) > MOST_PAYOUTS >> _MOST_LEVELS:
        return None
    fee = sum(inputs) - sum(outputs)
    levels: list[int] = []
    if kind is Kind.WASABI1 and number >= _LEAST_OF_WASABI1:
        least, most = 0, _MINER_SHARES * fee // number + number * value * _COORDINATOR_PER_MILLION // 1_000_000
        levels = sorted(each for each, count in counts.items() if count > 1 and each > value)[:_MOST_LEVELS]
    else:
        earned = value // _MAKER_PART + _MAKER_SAT
        least, most = -earned, fee + earned * (number - 1)
    payouts = _payouts(value, levels, sorted(set(outputs) - {0, value, *levels}))
    need = np.array([payout.total_sat for payout in payouts], np.int64)
    return Round(np.array(inputs, np.int64), tuple(outputs), value, least, most, payouts, need)


def explain(found: Round, position: int) -> dict[Payout, Fraction]:
    """Find the payouts that an input may have gone to, with their probabilities; none if nothing fits.

    Before the amounts are looked at, a participant brings 1 to `MOST_INPUTS` inputs with equal probability, and any
    others with this one. Seen from one input, a set of k is k times as likely as its participant, and one of
    C(n - 1, k - 1): hence the weight k / C(n - 1, k - 1) of each set, which a payout that fits collects.

    Args:
        found: the round.
        position: of the input.
    """
    weights = [Fraction(0)] * len(found.payouts)
    others = np.delete(found.inputs, position)
    for size, sums in _sums(others):
        brought = np.sort(sums + found.inputs[position])
        begin = np.searchsorted(brought, found.need + found.least_sat, "left")
        end = np.searchsorted(brought, found.need + found.most_sat, "right")
        weight = Fraction(size, comb(len(others), size - 1))
        for place in np.flatnonzero(end > begin).tolist():
            weights[place] += weight * int(end[place] - begin[place])
    whole = sum(weights)
    return {payout: weight / whole for payout, weight in zip(found.payouts, weights, strict=True) if weight}


def _payouts(denomination_sat: int, levels: Sequence[int], others: Sequence[int]) -> tuple[Payout, ...]:
    chosen = [each for size in range(len(levels) + 1) for each in combinations(levels, size)]
    return tuple(Payout((denomination_sat, *taken), change) for taken in chosen for change in (0, *others))


def _sums(others: I64) -> list[tuple[int, I64]]:
    """What 0 to 3 other inputs are worth, as (inputs with this one, int64 sums); sizes that are too many left out."""
    sums, last = [(1, np.zeros(1, np.int64))], np.arange(-1, 0)
    total = np.zeros(1, np.int64)
    for size in range(2, MOST_INPUTS + 1):
        if comb(len(others), size - 1) > MOST_SETS or size - 1 > len(others):
            break
        # Each set grows by every input behind its last one.
        behind = len(others) - 1 - last
        new = np.arange(behind.sum()) - np.repeat(np.cumsum(behind) - behind - last - 1, behind)
        total, last = np.repeat(total, behind) + others[new], new
        sums.append((size, total))
    return sums
