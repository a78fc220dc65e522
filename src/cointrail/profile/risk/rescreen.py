"""What moved a score: two evaluations that differ in one cause, compared rule by rule and row by row.

A chain of evaluations, each changing one input of the one before, divides the whole movement among causes without
rest: the differences of neighbours sum to the difference of the ends. In which order inputs are changed is part of the
answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """An evaluation in figures: the score, points by rule, satoshis by row of the exposure."""

    score: int
    points: Mapping[str, int]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RuleMoved:
    """A rule's points before and after; None where the rule is not in the set."""

    rule: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class RowMoved:
    """A row's satoshis before and after; None where there is no such row."""

    row: str
    before_sat: int | None
    after_sat: int | None


@dataclass(frozen=True, slots=True)
class Movement:
    """What one cause did; `rules` and `rows` hold only those that moved, ascending by name."""

    cause: str
    score_before: int
    score_after: int
    rules: tuple[RuleMoved, ...]
    rows: tuple[RowMoved, ...]


def moved(cause: str, before: Scored, after: Scored) -> Movement:
    """The difference of two evaluations."""
    rules = tuple(RuleMoved(name, *pair) for name, pair in _differences(before.points, after.points))
    rows = tuple(RowMoved(name, *pair) for name, pair in _differences(before.rows, after.rows))
    return Movement(cause, before.score, after.score, rules, rows)


def _differences(
    before: Mapping[str, int], after: Mapping[str, int]
) -> list[tuple[str, tuple[int | None, int | None]]]:
    names = sorted({*before, *after})
    pairs = ((name, (before.get(name), after.get(name))) for name in names)
    return [(name, pair) for name, pair in pairs if pair[0] != pair[1]]
