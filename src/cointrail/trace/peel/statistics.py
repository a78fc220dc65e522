"""A peel chain in numbers: how long, how much, how fast, and whether the same amount leaves again and again.

Integers only: a mean is rounded down, a quantile is a value that occurs (nearest rank), a tolerance is in millionths
(METHODS.md 6.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cointrail.trace.peel.chain import Decision, PeelChain

QUANTILES: Final = (0, 25, 50, 75, 100)
"""Percent."""

TOLERANCE_PPM: Final = 20_000
"""Two per cent; a choice, to be given with the result."""

LEAST_PEELS: Final = 3
"""Fewer peels show no habit."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Constancy:
    """Do the same amounts leave? Compared are the sums that left at each step with their median.

    Attributes:
        tolerance_ppm: how far from the median still counts as the same, in millionths of it.
        median_sat: the median, None without peels.
        within: steps whose sum is that near; steps: all that were compared.
        constant: True if all are, None if there are fewer than three.
    """

    tolerance_ppm: int
    median_sat: int | None
    within: int
    steps: int
    constant: bool | None


@dataclass(frozen=True, slots=True)
class PeelStatistics:
    """A chain in numbers. A payment that a way back begins at is no step of it.

    Attributes:
        length: steps; leads: those that rest on a policy alone.
        peels: outputs that were left behind; peeled_sat: their value; mean_peel_sat: of a step, rounded down, None
            without steps.
        smallest_sat, largest_sat: sums that left at one step; None without steps.
        fees_sat: of all steps.
        waited_seconds: time a hop took, quantiles as in `QUANTILES`, by the times that miners declare, so that it may
            be below zero; empty if no hop has both its ends in the chain.
        constancy: whether the same amount leaves each time.
    """

    length: int
    leads: int
    peels: int
    peeled_sat: int
    mean_peel_sat: int | None
    smallest_sat: int | None
    largest_sat: int | None
    fees_sat: int
    waited_seconds: tuple[int, ...]
    constancy: Constancy


def statistics(chain: PeelChain, tolerance_ppm: int = TOLERANCE_PPM) -> PeelStatistics:
    """Measure a chain.

    Args:
        chain: with or without branches.
        tolerance_ppm: see `Constancy`.
    """
    steps = [step for step in chain.steps if step.decision is not Decision.SEED]
    sums = [step.peeled_sat for step in steps if step.peels]
    waited = sorted(step.waited_seconds for step in steps if step.waited_seconds is not None)
    total = sum(sums)
    return PeelStatistics(
        length=len(steps),
        leads=sum(step.decision.is_lead for step in steps),
        peels=sum(len(step.peels) for step in steps),
        peeled_sat=total,
        mean_peel_sat=total // len(sums) if sums else None,
        smallest_sat=min(sums, default=None),
        largest_sat=max(sums, default=None),
        fees_sat=sum(step.fee_sat for step in steps),
        waited_seconds=tuple(quantile(waited, percent) for percent in QUANTILES) if waited else (),
        constancy=constancy(sums, tolerance_ppm),
    )


def constancy(sums: Sequence[int], tolerance_ppm: int = TOLERANCE_PPM) -> Constancy:
    """Test whether amounts are the same within a tolerance of their median."""
    if not sums:
        return Constancy(tolerance_ppm, None, 0, 0, None)
    median = quantile(sorted(sums), 50)
    within = sum(abs(each - median) * _MILLION <= tolerance_ppm * median for each in sums)
    constant = within == len(sums) if len(sums) >= LEAST_PEELS else None
    return Constancy(tolerance_ppm, median, within, len(sums), constant)


def quantile(ascending: Sequence[int], percent: int) -> int:
    """The value of nearest rank: the least that at least so many per cent do not exceed; the first for 0."""
    return ascending[max(-(-len(ascending) * percent // 100), 1) - 1]
