"""A change model as plain arrays: a forest of decision trees and a table that turns its score into a probability.

The file is a .npz without any pickled object, so that loading it runs no code; its name is its SHA-256, and a file
whose name is another's digest is refused. Predicting needs numpy alone (METHODS.md 2.4; docs/methods/change-model.md).
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.learned import features
from cointrail.errors import InputRefused, Unavailable

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

RULE = "change_model"
VERSION = 1
FORMAT = 1

_ROWS = 1 << 12  # at once
_DIGEST = 64  # hex digits
_ARRAYS = {
    "roots": np.int32, "split": np.int16, "threshold": np.float64, "left": np.int32, "right": np.int32,
    "leaf": np.float64, "score": np.float64, "probability": np.float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model.

    Attributes:
        roots: int32 (trees,), the node each tree begins at.
        split: int16 (nodes,), the feature a node asks about.
        threshold: float64 (nodes,); not above it: to the left.
        left, right: int32 (nodes,), the next node; a leaf leads to itself.
        leaf: float64 (nodes,), share of change among the training rows there.
        score, probability: float64 (k,), the calibration: straight lines between these points, flat outside.
        tau: the probability from which an output is named as change.
        about: how it was trained, plain values; part of the file and so of the digest.
        digest: SHA-256 of the file, hex; empty before it is written.
    """

    roots: I32
    split: npt.NDArray[np.int16]
    threshold: F64
    left: I32
    right: I32
    leaf: F64
    score: F64
    probability: F64
    tau: float
    about: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    def scores(self, rows: npt.NDArray[np.float32]) -> F64:
        """The share of trees, weighed by their leaves, that take each row for change; before calibration.

        Args:
            rows: float32 (n, features), columns as `features.NAMES`.

        Returns:
            float64 (n,).
        """
        found = np.empty(len(rows), np.float64)
        steps = self._depth()
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            each = np.arange(len(part))[:, None]
            node = np.broadcast_to(self.roots, (len(part), len(self.roots)))
            for _ in range(steps):
                below = part[each, self.split[node]] <= self.threshold[node]
                node = np.where(below, self.left[node], self.right[node])
            found[start : start + _ROWS] = self.leaf[node].mean(axis=1)
        return found

    def predict(self, rows: npt.NDArray[np.float32]) -> F64:
        """The calibrated probability of each row, float64 (n,)."""
        return np.asarray(np.interp(self.scores(rows), self.score, self.probability), np.float64)

    def _depth(self) -> int:
        """Steps after which every way has ended in a leaf."""
        here, steps = np.unique(self.roots), 0
        while True:
            here = here[self.left[here] != here]
            if not len(here):
                return steps
            here = np.unique(np.append(self.left[here], self.right[here]))
            steps += 1

    def save(self, folder: Path) -> Path:
        """Write it as `DIGEST.npz` into a folder; the same model gives the same file."""
        names = {"format": FORMAT, "features": features.VERSION, "tau": self.tau, "about": dict(self.about)}
        text = json.dumps(names | {"columns": features.NAMES}, sort_keys=True).encode()
        memory = io.BytesIO()
        arrays: dict[str, npt.NDArray[Any]] = {name: getattr(self, name) for name in _ARRAYS}
        np.savez(memory, head=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(memory.getvalue()).hexdigest()}.npz"
        path.write_bytes(memory.getvalue())
        return path


def named_from(probability: F64) -> F64:
    """The threshold up to which each output is named: its probability if it is the likelier one, else 0.

    A model names the likelier output of a transaction, none in a tie.

    Args:
        probability: float64 (2 n,), of both outputs of each transaction in turn.
    """
    pairs = probability.reshape(-1, 2)
    return np.asarray(np.where(pairs > pairs[:, ::-1], pairs, 0.0).reshape(-1), np.float64)


def load(path: Path) -> Model:
    """Read a model.

    Args:
        path: a file written by `Model.save`. If its name is a SHA-256, it must be its own.

    Raises:
        Unavailable: it cannot be read.
        InputRefused: it is no model, a model of other features, or another model than its name says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"model {path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if len(path.stem) == _DIGEST and path.stem != digest:
        raise InputRefused(f"model {path} has SHA-256 {digest}, not that of its name", hint="take a sound copy")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            head = json.loads(bytes(file["head"]))
            arrays = {name: np.ascontiguousarray(file[name], kind) for name, kind in _ARRAYS.items()}
            model = Model(**arrays, tau=float(head["tau"]), about=head["about"], digest=digest)
            known = (head["format"], head["features"], tuple(head["columns"]))
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputRefused(f"{path} is no change model: {error}", hint="train one with `make accuracy`") from error
    if known != (FORMAT, features.VERSION, features.NAMES):
        raise InputRefused(
            f"model {path} was trained on other features (format {known[0]}, version {known[1]})",
            hint="train it anew with this version: `make accuracy`",
        )
    if not _is_sound(model):
        raise InputRefused(f"model {path} is damaged: its trees do not hang together", hint="take a sound copy")
    return model


def _is_sound(model: Model) -> bool:
    """Shapes agree, every step leads further on in the arrays or stays in a leaf, so every way ends."""
    nodes = len(model.split)
    each = np.arange(nodes)
    sizes = {len(getattr(model, name)) for name in ("threshold", "left", "right", "leaf")}
    if sizes != {nodes} or not nodes or not len(model.roots) or len(model.score) != len(model.probability):
        return False
    if not len(model.score) or (np.diff(model.score) < 0).any():
        return False
    stays = (model.left == each) & (model.right == each)
    onward = (model.left > each) & (model.right > each) & (model.left < nodes) & (model.right < nodes)
    features_known = (model.split >= 0) & (model.split < len(features.NAMES))
    begun = (model.roots >= 0) & (model.roots < nodes)
    return bool((stays | onward).all() and features_known.all() and begun.all())
