"""The exact count of interpretations, and of those that link each input value with each output value."""

from dataclasses import dataclass
from typing import Final

from cointrail.trace.linkability.amounts import Amounts
from cointrail.trace.linkability.sets import too_many

MOST_STEPS: Final = 4_000_000_000
"""Effort at most unless asked otherwise: some seconds."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted.

    Attributes:
        interpretations: N.
        ways: by input value and output value, in how many of them one input and one output of these values are linked.
    """

    interpretations: int
    ways: tuple[tuple[int, ...], ...]


def count(spent: Amounts, paid: Amounts, between_sat: int, most_steps: int = MOST_STEPS) -> Counts | str:
    """Count all interpretations, or say why not.

    Args:
        spent: the inputs.
        paid: the outputs, together at most the inputs; neither side is empty.
        between_sat: what a group may pay beyond what it has.
        most_steps: effort at most, in pairs looked at; a transaction takes the same on every machine.

    Returns:
        The counts, or a sentence with the limit that was passed.

    Method: METHODS.md 6.4.
    """
    refusal = too_many(spent, paid)
    if refusal:
        return refusal
    # Here and not above: what needs no count shall not wait for the compiler.
    from cointrail.trace.linkability.plan import Plan

    plan = Plan(spent, paid, between_sat)
    return plan.refusal(most_steps) or Counts(*plan.count())
