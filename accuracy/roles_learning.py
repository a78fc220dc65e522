"""Train the score of service-like behaviour on worlds whose truth is known, and write it as whole numbers.

A ridge logistic regression: signs that a service can only have one way round are kept so, and a feature that tells
apart in the imitation only, `inputs_most`, has no weight. Probabilities come from scores of worlds that the weights did
not see, each left out in turn, smoothed as Platt did; only training worlds are read (METHODS.md 7.2, 10.2).
"""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.behaviour import NAMES, Behaviour, behaviour
from cointrail.profile.roles.behaviour import VERSION as FEATURES
from cointrail.profile.roles.service_like import FORMAT, ServiceModel, from_document, is_enough
from roles_truth import SERVICE_KINDS, Roles
from truth import I64, UNTOLD, Mask, Truth
from worlds import TRAINING, World

F64 = npt.NDArray[np.float64]

_MORE = ("payers", "payees", "payments_in", "payouts", "batch_share", "fan_out_most", "days", "pace")
_LESS = ("dwell", "coinbase_share", "balance_share", "one_payee_share")
_NO_WEIGHT = ("inputs_most",)
_RIDGE, _STEPS = 1.0, 20_000
_MICRO = 1_000_000
_KNOTS = range(-12, 13)


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """L1 clusters of a world that did enough, with what is true of them.

    Attributes:
        world: whose.
        found: features.
        kind: str (n,), of the entity that controls most scripts of each; empty where nobody does.
    """

    world: World
    found: Behaviour
    kind: npt.NDArray[np.str_]

    @property
    def service(self) -> Mask:
        """Which of them hold other people's money."""
        return np.isin(self.kind, sorted(SERVICE_KINDS))


@dataclass(slots=True)
class ServiceMaterial:
    """The units of all worlds."""

    units: list[Units] = field(default_factory=list)


def units_of(world: World, reader: Reader, forest: Forest, truth: Truth, roles: Roles) -> Units:
    """The clusters of a world that the score may be asked about."""
    everything = np.arange(reader.counts.script, dtype=np.int64)
    found = behaviour(reader, everything, forest.roots)
    enough = is_enough(found)
    entity = _majority(np.searchsorted(found.units, forest.roots(everything)), truth.entity, len(found))
    kinds = np.array([roles.by_entity.get(each, "") for each in entity.tolist()], np.str_)
    kept = Behaviour(found.units[enough], found.transactions[enough], found.values[enough])
    return Units(world, kept, kinds[enough])


def _majority(cluster: I64, entity: I64, count: int) -> I64:
    """The entity of most scripts of each cluster, `UNTOLD` where there is none."""
    told = entity != UNTOLD
    pairs, times = np.unique(np.stack([cluster[told], entity[told]]), axis=1, return_counts=True)
    order = np.lexsort((-times, pairs[0]))
    _, first = np.unique(pairs[0][order], return_index=True)
    found = np.full(count, UNTOLD, np.int64)
    best = order[first]
    found[pairs[0][best]] = pairs[1][best]
    return found


def train_services(units: list[Units]) -> dict[str, Any]:
    """Train on the units of training worlds; what `model.json` holds."""
    worlds = [each for each in units if each.world.models == TRAINING]
    rows, labels = _rows(worlds)
    weights, bias = _fit(rows, labels)
    scores, truths = [], []
    for left_out in worlds:
        others = [each for each in worlds if each is not left_out]
        if others:
            own_weights, own_bias = _fit(*_rows(others))
            scores.append(left_out.found.values @ own_weights + own_bias)
            truths.append(left_out.service)
        else:
            scores.append(rows @ weights + bias)
            truths.append(labels)
    slope, offset = _platt(np.concatenate(scores), np.concatenate(truths))
    centres = np.sort(rows[~labels], axis=0)[(~labels).sum() // 2].astype(np.int64)
    knots = [[k * _MICRO, round(_MICRO / (1 + np.exp(-(slope * k + offset))))] for k in _KNOTS]
    return {
        "format": FORMAT,
        "features": FEATURES,
        "names": list(NAMES),
        "weights": [round(each * _MICRO) for each in weights.tolist()],
        "centres": centres.tolist(),
        "bias": round(float(weights @ centres + bias) * _MICRO),
        "calibration": knots,
        "about": {
            "trained_on": [f"{each.world.name} ({each.world.digest})" for each in worlds],
            "units": len(labels),
            "services": int(labels.sum()),
        },
    }


def _rows(units: list[Units]) -> tuple[F64, Mask]:
    return (
        np.concatenate([each.found.values for each in units]).astype(np.float64),
        np.concatenate([each.service for each in units]),
    )


def _fit(rows: F64, labels: Mask) -> tuple[F64, float]:
    """Weights and bias, by projected gradient descent from zero."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    unit = (rows - mean) / spread
    low, high = np.full(len(NAMES), -np.inf), np.full(len(NAMES), np.inf)
    for name in (*_MORE, *_NO_WEIGHT):
        low[NAMES.index(name)] = 0
    for name in (*_LESS, *_NO_WEIGHT):
        high[NAMES.index(name)] = 0
    weights, bias = np.zeros(len(NAMES)), 0.0
    pace = float(np.linalg.eigvalsh(unit.T @ unit / 4)[-1]) + _RIDGE + len(unit) / 4
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(-(unit @ weights + bias))) - labels
        weights = np.clip(weights - (unit.T @ wrong + _RIDGE * weights) / pace, low, high)
        bias -= float(wrong.sum()) / pace
    weights = weights / spread
    return weights, bias - float(weights @ mean)


def _platt(scores: F64, labels: Mask) -> tuple[float, float]:
    """Slope and offset of a logistic curve through scores, with Platt's smoothed labels."""
    good, bad = int(labels.sum()), int((~labels).sum())
    aim = np.where(labels, (good + 1) / (good + 2), 1 / (bad + 2))
    slope, offset = 1.0, 0.0
    for _ in range(200):
        chance = 1 / (1 + np.exp(-(slope * scores + offset)))
        wrong, weight = chance - aim, np.maximum(chance * (1 - chance), 1e-9)
        curve = np.array([[weight @ scores**2 + 1e-6, weight @ scores], [weight @ scores, weight.sum() + 1e-6]])
        step = np.linalg.solve(curve, np.array([wrong @ scores, wrong.sum()]))
        size = min(1.0, 2.0 / (np.abs(step).max() + 1e-12))
        slope, offset = slope - size * float(step[0]), offset - size * float(step[1])
    return slope, offset


def model_text(document: dict[str, Any]) -> str:
    """The file, one part a line."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in document.items()) + "\n}\n"


def as_written(document: dict[str, Any]) -> ServiceModel:
    """The model as it is read back."""
    return from_document(json.loads(model_text(document)))
