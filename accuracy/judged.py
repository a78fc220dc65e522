"""How a change model does on rows whose labels are known: ROC, calibration, what it names at its threshold, importance.

Probabilities are checked by tenths (RELIABILITY.md G22): a probability of 90 % or more must be right in 88 to 100 %.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.learned.features import NAMES
from cointrail.cluster.learned.model import Model, named_from
from cointrail.cluster.learned.train import Examples

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SURE, LEAST_RIGHT = 0.9, 0.88
_TENTHS = 10
_LEAST_ROWS = 200  # rows of a script type that has a curve of its own
_SHUFFLED = 10_000


@dataclass(frozen=True, slots=True)
class Tenth:
    """Rows with a probability in one tenth: how many, the mean probability, the share that is change."""

    low: float
    n: int
    mean: float
    change: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A ROC curve: its area, rows, and points (false positive rate, true positive rate)."""

    area: float
    n: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one test found.

    Attributes:
        transactions: judged.
        curves: by script type of the inputs, `all` first.
        tenths: of calibrated probability.
        sure: rows of at least 90 %; sure_right: those that are change.
        named: outputs named by type of the inputs, `all` first: (named, wrong, changes to be found).
        importance: loss of area when a feature is shuffled, largest first.
    """

    transactions: int
    curves: dict[str, Curve]
    tenths: tuple[Tenth, ...]
    sure: int
    sure_right: int
    named: dict[str, tuple[int, int, int]]
    importance: tuple[tuple[str, float], ...]

    @property
    def calibrated(self) -> bool:
        """G22 holds."""
        return self.sure > 0 and self.sure_right >= LEAST_RIGHT * self.sure


def judge(model: Model, examples: Examples, input_type: I64) -> Judged:
    """Judge a model on rows of transactions in turn; `input_type` is int64 (n,), of the transactions."""
    change, scores = examples.change, model.scores(examples.rows)
    probability = np.interp(scores, model.score, model.probability)
    types = np.repeat(input_type, 2)
    groups = {"all": np.ones(len(types), np.bool_)}
    groups |= {kind.name.lower(): types == kind for kind in ScriptType} | {"mixed": types < 0}
    groups = {name: inside for name, inside in groups.items() if name == "all" or inside.sum() >= _LEAST_ROWS}
    named = named_from(probability) >= model.tau
    sure = probability >= SURE
    return Judged(
        transactions=len(input_type),
        curves={name: curve(scores[inside], change[inside]) for name, inside in groups.items()},
        tenths=_tenths(probability, change),
        sure=int(sure.sum()),
        sure_right=int((sure & change).sum()),
        named={
            name: (int((named & inside).sum()), int((named & inside & ~change).sum()), int((change & inside).sum()))
            for name, inside in groups.items()
        },
        importance=_importance(model, examples),
    )


def curve(scores: F64, change: Mask) -> Curve:
    """The ROC curve of scores."""
    true, false = int(change.sum()), int((~change).sum())
    if not true or not false:
        return Curve(float("nan"), len(scores), ())
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    y = np.append(0, np.cumsum(change[order])[ends]) / true
    x = np.append(0, np.cumsum(~change[order])[ends]) / false
    area = float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())
    return Curve(area, len(scores), tuple(zip(x.tolist(), y.tolist(), strict=True)))


def _tenths(probability: F64, change: Mask) -> tuple[Tenth, ...]:
    at = np.minimum((probability * _TENTHS).astype(np.int64), _TENTHS - 1)
    found = []
    for tenth in range(_TENTHS):
        inside = at == tenth
        if inside.any():
            mean, right = float(probability[inside].mean()), float(change[inside].mean())
            found.append(Tenth(tenth / _TENTHS, int(inside.sum()), mean, right))
    return tuple(found)


def _importance(model: Model, examples: Examples) -> tuple[tuple[str, float], ...]:
    """Each feature is shuffled among rows; those that lean on one another share their importance."""
    step = max(len(examples.change) // _SHUFFLED, 1)
    rows, change = examples.rows[::step].copy(), examples.change[::step]
    whole = curve(model.scores(rows), change).area
    shuffled = np.random.default_rng(1).permutation(len(rows))
    found = []
    for place in np.unique(model.split[model.left != np.arange(len(model.left))]).tolist():
        kept = rows[:, place].copy()
        rows[:, place] = kept[shuffled]
        found.append((NAMES[place], whole - curve(model.scores(rows), change).area))
        rows[:, place] = kept
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))
