"""Training a change model with scikit-learn, which only this module needs: extra `learn`.

A random forest of shallow trees, calibrated on other entities than it was grown on; the threshold is the smallest
probability from which on these prove that at most one named output in a thousand is wrong (METHODS.md 2.4, 10.5). Equal
rows and an equal seed give an equal model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.learned.features import F32
from cointrail.cluster.learned.model import F64, Model, named_from
from cointrail.errors import Unavailable, UsageError

Mask = npt.NDArray[np.bool_]

FALSE_DISCOVERIES = 0.001
"""Registered before the run (METHODS.md 2.4)."""

SIGNIFICANCE = 0.05
"""Of the one-sided bound on that rate."""

NEVER = 1.5
"""A threshold that nothing reaches: the calibration rows prove the rate for no probability."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a forest is grown: number and depth of trees, least rows in a leaf, seed."""

    trees: int = 60
    depth: int = 9
    leaf: int = 20
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Rows with labels: float32 (n, features) and bool (n,)."""

    rows: F32
    change: Mask


def train(
    grow: Examples, calibrate: Examples, shape: Shape | None = None, about: Mapping[str, Any] | None = None
) -> Model:
    """Train a model.

    Args:
        grow: what the trees learn from.
        calibrate: of other entities, for probabilities and the threshold; two rows a transaction in turn.
        shape: of the forest.
        about: goes into the file.

    Raises:
        Unavailable: scikit-learn is not installed.
        UsageError: there is nothing to tell apart.

    Method: METHODS.md 2.4, after Moeser and Narayanan 2022.
    """
    grown, _, isotonic = fit(grow, calibrate, shape or Shape())
    model = replace(_exported(grown, isotonic), about=dict(about or {}))
    return replace(model, tau=threshold(model.predict(calibrate.rows), calibrate.change))


def fit(grow: Examples, calibrate: Examples, shape: Shape) -> tuple[Any, F64, Any]:
    """The forest, its scores on the calibration rows, and the isotonic calibration, as scikit-learn has them."""
    try:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise Unavailable("scikit-learn is not installed", hint="install `cointrail[learn]`") from error
    for name, each in (("training", grow), ("calibration", calibrate)):
        if not each.change.any() or each.change.all():
            raise UsageError(f"the {name} rows hold one class only", hint="give more transactions, or other entities")
    grown = RandomForestClassifier(
        n_estimators=shape.trees,
        max_depth=shape.depth,
        min_samples_leaf=shape.leaf,
        max_features="sqrt",
        random_state=shape.seed,
        n_jobs=1,
    )
    grown.fit(grow.rows, grow.change)
    scores = grown.predict_proba(calibrate.rows)[:, 1]
    doubt = 1 / (len(scores) + 2)  # so many rows do not prove that none is otherwise
    isotonic = IsotonicRegression(y_min=doubt, y_max=1 - doubt, out_of_bounds="clip")
    isotonic.fit(scores, calibrate.change.astype(np.float64))
    return grown, scores, isotonic


def _exported(grown: Any, isotonic: Any) -> Model:
    """Trees and calibration as arrays."""
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    roots, start = [], 0
    for each in grown.estimators_:
        tree = each.tree_
        at = np.arange(tree.node_count)
        is_leaf = tree.children_left < 0
        left, right = (np.where(is_leaf, at, next_) for next_ in (tree.children_left, tree.children_right))
        shares = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
        parts.append((np.where(is_leaf, 0, tree.feature), tree.threshold, left + start, right + start, shares))
        roots.append(start)
        start += tree.node_count
    split, limit, left, right, leaf = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Model(
        roots=np.array(roots, np.int32),
        split=split.astype(np.int16),
        threshold=limit.astype(np.float64),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        leaf=leaf.astype(np.float64),
        score=np.asarray(isotonic.X_thresholds_, np.float64),
        probability=np.asarray(isotonic.y_thresholds_, np.float64),
        tau=NEVER,
    )


def threshold(probability: F64, change: Mask, most: float = FALSE_DISCOVERIES) -> float:
    """The smallest probability from which on the share of wrong outputs is proven to be at most `most`.

    Args:
        probability: float64 (2 n,), of both outputs of each transaction in turn.
        change: bool (2 n,), whether they are change.
        most: the rate of false discoveries.

    Returns:
        The threshold, or `NEVER`.

    Method: one-sided 95 % bound of Clopper and Pearson (METHODS.md 10.5); 2,995 right answers prove one in a thousand.
    """
    from scipy.stats import beta

    named = named_from(probability)
    order = np.argsort(-named, kind="stable")
    wrong = np.cumsum(~change[order])
    ends = np.flatnonzero(np.append(named[order][1:] != named[order][:-1], True))
    ends = ends[(named[order][ends] > 0) & (wrong[ends] <= ends)]
    bound = beta.ppf(1 - SIGNIFICANCE, wrong[ends] + 1, ends + 1 - wrong[ends])
    kept = ends[bound <= most]
    return float(named[order][kept[-1]]) if len(kept) else NEVER
