"""Train the change model on worlds whose truth is known, twice: with that truth, and with what the chain tells itself.

Trees grow on some entities, probabilities and the threshold come from others, the test from yet others, later in time;
held-out worlds have other wallets and other entities altogether (METHODS.md 2.4, 10.3). An entity is who pays: the
controller for true labels, the cluster of the inputs for self-labels.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned.features import NAMES, Pairs, pairs_of
from cointrail.cluster.learned.labels import self_labels
from cointrail.cluster.learned.model import Model, load
from cointrail.cluster.learned.train import Examples, Shape, train
from cointrail.ledger.reader import Reader
from judged import Judged, judge
from truth import I64, Mask, Truth
from worlds import HOLDOUT, TRAINING, World

INDEPENDENT, SELF = "independent truth", "self-labelled"
GROW, CALIBRATE, TEST = "grow", "calibrate", "test"
_SHARES = ((GROW, 5), (CALIBRATE, 3), (TEST, 2))
_TENTHS_BEFORE = 6
"""Training reads the first six tenths of a chain, tests judge what comes after."""


@dataclass(slots=True, eq=False)
class Part:
    """Rows of one use: float32 (2 n, features), bool (2 n,), and the script type of the inputs, int64 (n,)."""

    rows: list[npt.NDArray[np.float32]] = field(default_factory=list)
    change: list[Mask] = field(default_factory=list)
    input_type: list[I64] = field(default_factory=list)

    def add(self, pairs: Pairs, change: Mask, items: Mask) -> None:
        """Add some transactions; `change` is bool (n, 2)."""
        self.rows.append(pairs.values.reshape(len(pairs), 2, -1)[items].reshape(-1, len(NAMES)))
        self.change.append(change[items].reshape(-1))
        self.input_type.append(pairs.input_type[items])

    def examples(self) -> Examples:
        """All rows."""
        empty = np.empty((0, len(NAMES)), np.float32)
        return Examples(np.concatenate([empty, *self.rows]), np.concatenate([np.empty(0, np.bool_), *self.change]))

    def types(self) -> I64:
        """Of all transactions."""
        return np.concatenate([np.empty(0, np.int64), *self.input_type])


@dataclass(slots=True, eq=False)
class Learned:
    """A model and how it did.

    Attributes:
        labels: what it was trained with.
        model: as loaded from its file.
        path: of the file.
        sizes: transactions by use.
        tests: by name.
    """

    labels: str
    model: Model
    path: Path
    sizes: dict[str, int]
    tests: dict[str, Judged]


@dataclass(slots=True, eq=False)
class Material:
    """Rows of all worlds by labels and use; tests carry the models of their world in the name."""

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)

    def part(self, labels: str, use: str) -> Part:
        """Rows of one use."""
        return self.parts.setdefault((labels, use), Part())


def gather(material: Material, world: World, reader: Reader, truth: Truth) -> None:
    """Add the rows of one world."""
    height = reader.height * _TENTHS_BEFORE // 10
    if world.models == TRAINING:
        with Reader(world.ledger, height) as early:
            forest = Forest(early)
            for pairs in pairs_of(early):
                _learn(material, world, forest, pairs, truth)
            begin = early.counts.transaction
    else:
        begin = int(reader.column("block", "first_transaction")[height + 1])
    forest = Forest(reader)
    for pairs in pairs_of(reader, begin):
        _test(material, world, forest, pairs, truth)


def _learn(material: Material, world: World, forest: Forest, pairs: Pairs, truth: Truth) -> None:
    change, told = _true(pairs, truth)
    use = _uses(world, truth.controller[pairs.script_a])
    own = self_labels(forest, pairs)
    own_use = _uses(world, own.entity)
    for name in (GROW, CALIBRATE):
        material.part(INDEPENDENT, name).add(pairs, change, told & (use == name))
        material.part(SELF, name).add(pairs, own.change, own.labelled & (own_use == name))


def _test(material: Material, world: World, forest: Forest, pairs: Pairs, truth: Truth) -> None:
    change, told = _true(pairs, truth)
    own = self_labels(forest, pairs)
    if world.models == HOLDOUT:
        material.part(INDEPENDENT, HOLDOUT).add(pairs, change, told)
        material.part(SELF, HOLDOUT).add(pairs, own.change, own.labelled)
        return
    material.part(INDEPENDENT, TRAINING).add(
        pairs, change, told & (_uses(world, truth.controller[pairs.script_a]) == TEST)
    )
    material.part(SELF, TRAINING).add(pairs, own.change, own.labelled & (_uses(world, own.entity) == TEST))


def _true(pairs: Pairs, truth: Truth) -> tuple[Mask, Mask]:
    """Change by the simulator, bool (n, 2), and where it says so for both outputs, bool (n,)."""
    said = truth.change[pairs.output]
    return said == 1, (said >= 0).all(axis=1)


def _uses(world: World, entity: I64) -> npt.NDArray[np.str_]:
    """The use of each entity's transactions, by a digest, so that it stays the same in every run."""
    names, back = np.unique(entity, return_inverse=True)
    places = [name for name, tenths in _SHARES for _ in range(tenths)]
    uses = [
        places[hashlib.sha256(f"{world.name}:{each}".encode()).digest()[0] % len(places)] for each in names.tolist()
    ]
    return np.array(uses, np.str_)[back] if uses else np.empty(0, np.str_)


def learn(material: Material, folder: Path, worlds: list[World], shape: Shape | None = None) -> list[Learned]:
    """Train both models, write them into a folder, and judge what is read back."""
    found = []
    for labels in (INDEPENDENT, SELF):
        grow, calibrate = (material.part(labels, use).examples() for use in (GROW, CALIBRATE))
        about = {
            "labels": labels,
            "trained_on": [f"{world.name} ({world.digest})" for world in worlds if world.models == TRAINING],
            "transactions": {GROW: len(grow.change) // 2, CALIBRATE: len(calibrate.change) // 2},
        }
        path = train(grow, calibrate, shape, about).save(folder)
        model = load(path)
        tests = {}
        for use in (TRAINING, HOLDOUT):
            for kind in dict.fromkeys((labels, INDEPENDENT)):
                part = material.part(kind, use)
                tests[f"{use}, {kind}"] = judge(model, part.examples(), part.types())
        found.append(Learned(labels, model, path, about["transactions"], tests))  # type: ignore[arg-type]
    return found
