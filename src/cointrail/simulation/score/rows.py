"""Rows of the score: one question each, with how often it was asked and how often the answer was wrong."""

from dataclasses import dataclass
from typing import Literal

from cointrail.simulation.score.intervals import clopper_pearson

Status = Literal["pass", "fail", "not_built"]

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the score.

    Attributes:
        id: stable name; what: the question in words.
        status: pass, fail, or not_built while the product cannot answer.
        value: the figure the row is about; None if it was not asked.
        n: checks made; errors: how many failed.
        low95, high95: Clopper-Pearson bounds of the error rate errors / n.
    """

    id: str
    what: str
    status: Status
    value: float | None
    n: int
    errors: int
    low95: float
    high95: float


def exact(row_id: str, what: str, n: int, errors: int) -> Row:
    """A row that passes only without any error; its value is the share of right answers."""
    return rate(row_id, what, n, errors, at_least=1.0)


def rate(row_id: str, what: str, n: int, errors: int, *, at_least: float) -> Row:
    """A row whose value is the share of right answers."""
    low, high = clopper_pearson(errors, n)
    value = (n - errors) / n if n else None
    status: Status = "pass" if value is not None and value >= at_least else "fail"  # nothing checked proves nothing
    return Row(row_id, what, status, _rounded(value), n, errors, _round(low), _round(high))


def figure(row_id: str, what: str, value: float, n: int, *, at_most: float | None = None) -> Row:
    """A row whose value is a figure and no share."""
    status: Status = "pass" if at_most is None or value <= at_most else "fail"
    return Row(row_id, what, status, _rounded(value), n, 0, 0.0, 1.0)


def not_built(row_id: str, what: str) -> Row:
    """A row the product cannot answer yet."""
    return Row(row_id, what, "not_built", None, 0, 0, 0.0, 1.0)


def _rounded(value: float | None) -> float | None:
    return None if value is None else _round(value)


def _round(value: float) -> float:
    return round(value, _DIGITS)
