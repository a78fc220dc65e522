"""How much of each input each output may hold, if nothing but the amounts is known.

An output can hold at most the smaller of both values of an input's satoshis. These capacities are the first weights;
they are then scaled so that every output is filled and every input is spent (iterative proportional fitting: the
flattest spread with the right sums, seen from the first weights). Integers throughout, so the same on any machine.
"""

from collections.abc import Sequence
from functools import cached_property

from cointrail.trace.linkability.amounts import amounts_of

MOST_CELLS = 250_000
"""Pairs of different values that are fitted at most; beyond, the capacities stand as they are."""

_BITS = 20  # of a satoshi
_ROUNDS = 2  # more change little


class Capacities:
    """Weights of all outputs for each input of a transaction; fitted when they are first asked for.

    Args:
        inputs, outputs: values in sat, in order; those without value hold nothing.
    """

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self._spent, self._paid = amounts_of(inputs), amounts_of(outputs)
        self._outputs = outputs

    def of(self, value_sat: int) -> dict[int, int]:
        """The weights above 0 for an input of this value, by vout; relative to each other only."""
        weights = self._fitted.get(value_sat)
        if weights is None:
            return {vout: min(value_sat, value) for vout, value in enumerate(self._outputs) if value}
        return {vout: weights[value] for vout, value in enumerate(self._outputs) if weights.get(value)}

    @cached_property
    def _fitted(self) -> dict[int, dict[int, int]]:
        """By input value and output value; nothing if there are too many."""
        spent, paid = self._spent, self._paid
        if not 0 < len(spent.values) * len(paid.values) <= MOST_CELLS:
            return {}
        weights = [[min(one, other) for other in paid.values] for one in spent.values]
        for _ in range(_ROUNDS):
            weights = _scaled(weights, paid.values, spent.counts)
            weights = _turned(_scaled(_turned(weights), spent.values, paid.counts))
        return {
            value: dict(zip(paid.values, row, strict=True)) for value, row in zip(spent.values, weights, strict=True)
        }


def _turned(weights: list[list[int]]) -> list[list[int]]:
    return [list(each) for each in zip(*weights, strict=True)]


def _scaled(weights: list[list[int]], wanted: Sequence[int], counts: Sequence[int]) -> list[list[int]]:
    """Scale each column so that its sum, rows taken `counts` times, is what is wanted of it, in parts of a satoshi."""
    sums = [
        sum(count * weight for count, weight in zip(counts, column, strict=True))
        for column in zip(*weights, strict=True)
    ]
    return [
        [(weight * value << _BITS) // total for weight, value, total in zip(row, wanted, sums, strict=True)]
        for row in weights
    ]
