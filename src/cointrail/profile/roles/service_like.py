"""Does a cluster or script behave like a service? A sum of points, every one of them shown; never a verdict.

`service_like` 1: each feature of `behaviour` adds its weight times its distance from an ordinary unit, in millionths of
a logit; a table turns the sum into a probability. Weights and table are the package's `model.json`, written by
`make accuracy` from simulated economies and from nothing else. Says nothing of units that did too little, and abstains
between the thresholds. Method: METHODS.md 7.2; docs/methods/service-like.md.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cointrail.profile.roles import behaviour
from cointrail.profile.roles.behaviour import Behaviour

I64 = npt.NDArray[np.int64]

RULE: Final = "service_like"
VERSION: Final = 1
FORMAT: Final = 1
MODEL_FILE: Final = "model.json"

LIKE_PPM: Final = 950_000
"""From this probability on a unit behaves like a service (METHODS.md 6.3), and"""
UNLIKE_PPM: Final = 50_000
"""up to this one it does not; between them the score abstains."""

LEAST_TRANSACTIONS: Final = 20
LEAST_PAYEES: Final = 10
"""Units with less are not asked about: whoever holds other people's money pays many."""

UNKNOWN: Final = -1


class Likeness(StrEnum):
    """What a score says."""

    LIKE = "behaves like a service"
    UNLIKE = "does not behave like a service"
    ABSTAIN = "abstain"


_ORDER: Final = tuple(Likeness)


@dataclass(frozen=True, slots=True, eq=False)
class ServiceModel:
    """Weights and calibration, whole numbers all.

    Attributes:
        weights: int64 (features,), millionths of a logit a step.
        centres: int64 (features,), the median ordinary unit.
        bias: of such a unit.
        scores, probabilities: int64 (k,), straight lines between these points, flat outside; probabilities in
            millionths.
        about: how it was trained.
    """

    weights: I64
    centres: I64
    bias: int
    scores: I64
    probabilities: I64
    about: Mapping[str, Any]

    def contributions(self, values: I64) -> I64:
        """What each feature adds, int64 (n, features), millionths of a logit."""
        return np.asarray((values - self.centres) * self.weights, np.int64)

    def probability(self, scores: I64) -> I64:
        """The probability of each score, int64 (n,), millionths, rounded down."""
        asked = np.clip(scores, self.scores[0], self.scores[-1])
        at = np.clip(np.searchsorted(self.scores, asked, "right") - 1, 0, len(self.scores) - 2)
        low, high = self.scores[at], self.scores[at + 1]
        rise = self.probabilities[at + 1] - self.probabilities[at]
        return np.asarray(self.probabilities[at] + (asked - low) * rise // (high - low), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ServiceLike:
    """What the score says of units.

    Attributes:
        behaviour: the units and their features.
        contributions: int64 (n, features), what each adds to the score, millionths of a logit.
        score: int64 (n,).
        probability_ppm: int64 (n,), millionths; `UNKNOWN` for units that did too little.
        likeness: int64 (n,), place in `Likeness`.
    """

    behaviour: Behaviour
    contributions: I64
    score: I64
    probability_ppm: I64
    likeness: I64

    def likeness_of(self, place: int) -> Likeness:
        """In words."""
        return _ORDER[int(self.likeness[place])]


def judge(found: Behaviour, model: ServiceModel | None = None) -> ServiceLike:
    """Score units.

    Args:
        found: their features.
        model: weights; those of the package if not given.
    """
    chosen = shipped() if model is None else model
    contributions = chosen.contributions(found.values)
    score = chosen.bias + contributions.sum(axis=1)
    enough = is_enough(found)
    probability = np.where(enough, chosen.probability(score), UNKNOWN)
    likeness = np.full(len(found), _ORDER.index(Likeness.ABSTAIN), np.int64)
    likeness[enough & (probability >= LIKE_PPM)] = _ORDER.index(Likeness.LIKE)
    likeness[enough & (probability <= UNLIKE_PPM)] = _ORDER.index(Likeness.UNLIKE)
    return ServiceLike(found, contributions, score, probability, likeness)


def is_enough(found: Behaviour) -> npt.NDArray[np.bool_]:
    """Which units did enough to be asked about, bool (n,)."""
    payees = found.values[:, behaviour.NAMES.index("payees")]
    enough: npt.NDArray[np.bool_] = (found.transactions >= LEAST_TRANSACTIONS) & (
        payees >= behaviour.step_of(LEAST_PAYEES)
    )
    return enough


def probability_text(probability_ppm: int) -> str:
    """A probability below one, rounded down to hundredths."""
    return f"p = 0.{probability_ppm // 10_000:02d}"


@cache
def shipped() -> ServiceModel:
    """The model of the package."""
    return from_document(json.loads(_file()))


@cache
def digest_of_shipped() -> str:
    """SHA-256 of its file, in hex."""
    return hashlib.sha256(_file()).hexdigest()


def _file() -> bytes:
    return resources.files("cointrail.profile.roles").joinpath(MODEL_FILE).read_bytes()


def from_document(document: Mapping[str, Any]) -> ServiceModel:
    """A model from what `model.json` holds.

    Raises:
        ValueError: it was trained with other features, or is of another format.
    """
    if (document["format"], document["features"], tuple(document["names"])) != (
        FORMAT, behaviour.VERSION, behaviour.NAMES,
    ):  # fmt: skip
        raise ValueError(f"{MODEL_FILE} was trained with other features: run `make accuracy`")
    weights, centres = (np.array(document[name], np.int64) for name in ("weights", "centres"))
    knots = np.array(document["calibration"], np.int64)
    return ServiceModel(weights, centres, int(document["bias"]), knots[:, 0], knots[:, 1], document["about"])
