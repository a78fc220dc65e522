"""One transaction made ready for the kernels: its sets, the runs that fit, the effort it takes.

The outputs' sets are put in order of their sums, so that those which fit a set of inputs are one run. Importing this
module imports numba.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cointrail.kernels import linkability as kernel
from cointrail.trace.linkability.amounts import Amounts
from cointrail.trace.linkability.residues import (
    U64,
    bits_at_most,
    factorials_modulo,
    inverses,
    number_of_primes,
    primes_for,
    whole,
)
from cointrail.trace.linkability.sets import I64, Sets, fitting, sets_of

MOST_CELLS = 1 << 25
"""Most residues that are kept: 128 MiB."""

MOST_BITS = 14_000
"""Most binary digits that N may have, by a bound: so many can be printed."""

_MOST_INSIDE = 1 << 22  # most pairs of an output set and one inside it that are listed
_STEPS_A_CALL = 200_000_000  # between two chances to be interrupted

Ways = tuple[tuple[int, ...], ...]


class Plan:
    """A count that can be refused before it is made.

    Args:
        spent: the inputs.
        paid: the outputs, together at most the inputs; neither side is empty.
        between_sat: what a group may pay beyond what it has.
    """

    def __init__(self, spent: Amounts, paid: Amounts, between_sat: int) -> None:
        self.spent, self.paid = spent, paid
        self.ins, self.outs = sets_of(spent), sets_of(paid)
        self.place = np.argsort(self.outs.sums, kind="stable").astype(np.int64)
        self.order = np.empty_like(self.place)
        self.order[self.place] = np.arange(len(self.place))
        group, state = fitting(self.ins, self.outs.sums[self.place], spent, paid, between_sat)
        self.states = int(state.lengths.sum())
        self.runs = kernel.Runs(*group, *state, np.cumsum(state.lengths) - state.lengths)
        # A group is of use only if what it leaves can be divided: the code of what is left counts down.
        self.is_live = (group.lengths > 0) & (state.lengths > 0)[::-1]
        self.is_live[0] = False
        self.live = np.flatnonzero(self.is_live)
        self.guards = np.array(
            [_guards(paid), _guards(paid) + int(_packed(self.outs, paid)[-1]), _guards(spent)], np.uint64
        )
        self.bits = bits_at_most(spent.number, paid.number)
        self.steps = np.zeros(len(self.ins.sums), np.int64)

    def refusal(self, most_steps: int) -> str:
        """Why it would take too much, or nothing."""
        if self.bits > MOST_BITS:
            return f"N may have more than {MOST_BITS:,} binary digits"
        kinds = number_of_primes(self.bits)
        if self.states * kinds > MOST_CELLS:
            return f"{self.states:,} states of {kinds} residues are more than the {MOST_CELLS:,} residues kept"
        self.below = _below(self.outs, self.place, self.order)
        no_weights = np.empty((0, 0), np.uint64)
        inputs = self._codes(self.ins, self.spent, np.arange(len(self.ins.sums)), no_weights)
        allowed = max(most_steps, 0) // kinds
        kernel.effort(inputs, self.guards[2], self.runs, self.below, self.live, self.is_live, allowed, self.steps)
        if self.steps.sum() > allowed:
            return f"more than {most_steps:,} steps"
        return ""

    def count(self) -> tuple[int, Ways]:
        """N, and by input value and output value the interpretations that link one of each."""
        primes = np.array(primes_for(self.bits), np.uint64)
        inverse = inverses(max(*self.spent.counts, *self.paid.counts), primes.tolist())
        inputs = self._codes(
            self.ins, self.spent, np.arange(len(self.ins.sums)), _weights(self.ins, self.spent, primes, inverse)
        )
        outputs = self._codes(
            self.outs, self.paid, self.place, _weights(self.outs, self.paid, primes, inverse)[self.place]
        )
        ways = np.zeros((self.states, len(primes)), np.uint32)
        for begin, end in self._calls():
            kernel.count_ways(
                inputs, outputs, self.order, self.guards, self.runs, self.below, self.live, self.is_live, primes,
                inverse, begin, end, ways,
            )  # fmt: skip
        links = np.zeros((len(self.spent.values), len(self.paid.values), len(primes)), np.uint64)
        kernel.link_ways(inputs, outputs, self.order, self.runs, self.live, primes, ways, links)
        last = int(self.runs.first[-1] + self.order[-1] - self.runs.state_from[-1])
        return self._counts(primes.tolist(), ways[last].tolist(), links.tolist())

    def _codes(self, sets: Sets, side: Amounts, place: I64, weight: U64) -> kernel.Codes:
        digits = np.ascontiguousarray(sets.digits[place])
        return kernel.Codes(
            place, digits, _packed(sets, side)[place], weight, sets.stride, np.array(side.counts, np.int64)
        )

    def _calls(self) -> Sequence[tuple[int, int]]:
        """Stretches of input codes of bounded effort."""
        total = np.cumsum(self.steps)
        marks = np.arange(_STEPS_A_CALL, int(total[-1]) + _STEPS_A_CALL, _STEPS_A_CALL)
        ends = np.minimum(np.searchsorted(total, marks, "left") + 1, len(total))
        edges = sorted({1, len(total), *(int(end) for end in ends if end > 1)})
        return list(pairwise(edges))

    def _counts(self, primes: list[int], total: list[int], links: list[list[list[int]]]) -> tuple[int, Ways]:
        scale = factorials_modulo((*self.spent.counts, *self.paid.counts), primes)

        def unscaled(residues: Sequence[int], divisor: int = 1) -> int:
            terms = zip(residues, scale, primes, strict=True)
            return whole([r * s * pow(divisor, -1, p) % p for r, s, p in terms], primes)

        # A cell counts all pairs of its two amounts: by symmetry each pair has the same part of it.
        ways = tuple(
            tuple(unscaled(cell, a * b) for cell, b in zip(row, self.paid.counts, strict=True))
            for row, a in zip(links, self.spent.counts, strict=True)
        )
        return unscaled(total), ways


def _weights(sets: Sets, side: Amounts, primes: U64, inverse: U64) -> U64:
    """1 / product of the digits' factorials, modulo each prime, uint64 (c, k)."""
    factorial = np.ones((max(side.counts) + 1, len(primes)), np.uint64)
    for n in range(1, len(factorial)):
        factorial[n] = factorial[n - 1] * inverse[n] % primes
    weight = np.ones((len(sets.sums), len(primes)), np.uint64)
    for j in range(len(side.counts)):
        weight = weight * factorial[sets.digits[:, j]] % primes
    return weight


def _shifts(side: Amounts) -> list[int]:
    """The lowest bit of each digit's field; a free bit lies above each field."""
    shifts, at = [], 0
    for number in side.counts:
        shifts.append(at)
        at += number.bit_length() + 1
    return shifts


def _guards(side: Amounts) -> int:
    return sum(1 << (shift + number.bit_length()) for shift, number in zip(_shifts(side), side.counts, strict=True))


def _packed(sets: Sets, side: Amounts) -> U64:
    packed = np.zeros(len(sets.sums), np.uint64)
    for j, shift in enumerate(_shifts(side)):
        packed |= sets.digits[:, j].astype(np.uint64) << np.uint64(shift)
    return packed


def _below(outs: Sets, place: I64, order: I64) -> kernel.Below:
    """List, for each output set in order of the sums, the places of all sets inside it."""
    sizes = (outs.digits[place].astype(np.int64) + 1).prod(axis=1)
    first: npt.NDArray[np.int64] = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    if first[-1] > _MOST_INSIDE:
        return kernel.Below(np.zeros(0, np.int64), np.zeros(0, np.int32))
    inside = []
    for digits in outs.digits[place].tolist():
        codes = np.zeros(1, np.int64)
        for number, stride in zip(digits, outs.stride.tolist(), strict=True):
            codes = (codes[None, :] + np.arange(number + 1)[:, None] * stride).reshape(-1)
        inside.append(np.sort(order[codes]))
    return kernel.Below(first, np.concatenate(inside).astype(np.int32))
