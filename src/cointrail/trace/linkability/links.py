"""How many readings the amounts of one transaction allow, and how many of them link an input with an output.

An *interpretation* divides the inputs into groups and gives every output to one of them, so that each group has at
least what it pays; what it does not pay out is its part of the fee. Every interpretation counts alike. That is the
definition of LaurentMT's Boltzmann; `max_cj_fee_sat` is what a group may earn from the others, and so pay beyond what
it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log2
from typing import Final

from cointrail.errors import UsageError
from cointrail.trace.linkability.amounts import Amounts, amounts_of
from cointrail.trace.linkability.certain import Pairs, certain_links
from cointrail.trace.linkability.exact import MOST_STEPS, count

RULE: Final = "linkability"
VERSION: Final = 1

MOST_SAT: Final = 21_000_000 * 100_000_000
"""No fee can be larger than this."""


@dataclass(frozen=True, slots=True)
class Links:
    """What the amounts of a transaction allow. Equal amounts are taken together: their links are alike.

    Attributes:
        spent, paid: inputs and outputs that take part, by value.
        max_cj_fee_sat: as asked.
        interpretations: N, or None if it was not counted.
        ways: by input value and output value, in how many of them one input and one output of these values are linked.
        certain: (number of an input value, number of an output value) of links that every interpretation has.
        certain_are_all: True if there can be no other deterministic link.
        reason: why N was not counted; empty if it was.
    """

    spent: Amounts
    paid: Amounts
    max_cj_fee_sat: int
    interpretations: int | None
    ways: tuple[tuple[int, ...], ...]
    certain: Pairs
    certain_are_all: bool
    reason: str

    @property
    def complete(self) -> bool:
        """True if everything was counted."""
        return self.interpretations is not None

    @property
    def entropy_bits(self) -> float | None:
        """E = log2 N."""
        return None if self.interpretations is None else log2(self.interpretations)

    def probability(self, spent: int, paid: int) -> Fraction | None:
        """Share of the interpretations that link one input and one output of these value numbers."""
        return None if self.interpretations is None else Fraction(self.ways[spent][paid], self.interpretations)


def links_of(
    inputs: Sequence[int],
    outputs: Sequence[int],
    *,
    max_cj_fee_sat: int = 0,
    most_steps: int = MOST_STEPS,
) -> Links:
    """Count the interpretations of a transaction.

    With one input or one output there is nothing to tell apart: one interpretation, as in the reference program.

    Args:
        inputs: values in sat, in order; empty for a coinbase. What has no value takes no part, on either side.
        outputs: values in sat, in order, together at most the inputs.
        max_cj_fee_sat: most that one participant may earn from the others.
        most_steps: effort at most; beyond it only deterministic links are looked for.

    Raises:
        UsageError: a fee or an effort is negative, or the outputs are worth more than the inputs.

    Method: METHODS.md 6.4; docs/methods/linkability.md.
    """
    if not 0 <= max_cj_fee_sat <= MOST_SAT:
        raise UsageError(f"a fee of {max_cj_fee_sat} sat between participants", hint=f"give 0 to {MOST_SAT}")
    if most_steps < 0:
        raise UsageError(f"an effort of {most_steps} steps", hint="give 0 or more")
    spent, paid = amounts_of(inputs), amounts_of(outputs)
    if spent.number and paid.total_sat > spent.total_sat:
        raise UsageError(f"outputs of {paid.total_sat} sat cannot be paid from inputs of {spent.total_sat} sat")
    if min(spent.number, paid.number) <= 1:
        ways = tuple((1,) * len(paid.values) for _ in spent.values)
        pairs = tuple((i, o) for i in range(len(spent.values)) for o in range(len(paid.values)))
        return Links(spent, paid, max_cj_fee_sat, 1, ways, pairs, certain_are_all=True, reason="")
    counted = count(spent, paid, max_cj_fee_sat, most_steps)
    if isinstance(counted, str):
        certain = certain_links(spent, paid, max_cj_fee_sat)
        return Links(spent, paid, max_cj_fee_sat, None, (), certain.pairs, certain.are_all, counted)
    pairs = tuple(
        (i, o) for i, row in enumerate(counted.ways) for o, each in enumerate(row) if each == counted.interpretations
    )
    return Links(
        spent, paid, max_cj_fee_sat, counted.interpretations, counted.ways, pairs, certain_are_all=True, reason=""
    )
