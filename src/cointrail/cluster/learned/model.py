"""A change model as plain arrays: a forest of decision trees and a table that turns its score into a probability.

The file is a .npz without any pickled object, so that loading it runs no code; its name is its SHA-256, and a file
whose name is another's digest is refused. A file may come from anybody, so `load` bounds what it reads and what asking
the model costs. Predicting needs numpy alone (METHODS.md 2.4; docs/methods/change-model.md).
"""

import hashlib
import io
import json
import zipfile
import zlib
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

MOST_BYTES = 64_000_000
"""Of a file; those that `make accuracy` writes have less than one million."""
MOST_UNPACKED = 256_000_000
"""Of its arrays."""
MOST_TREES = 2_000
MOST_STEPS = 64
"""From a root to a leaf."""

_ROWS = 1 << 12  # at once
_DIGEST = 64  # hex digits
_ARRAYS = {
    "roots": np.int32, "split": np.int16, "threshold": np.float64, "left": np.int32, "right": np.int32,
    "leaf": np.float64, "score": np.float64, "probability": np.float64,
}  # fmt: skip
# What reading an archive of arrays from anybody can end with; NotImplementedError is a RuntimeError.
_NO_MODEL = (
    ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error, MemoryError, RuntimeError,
    OverflowError,
)  # fmt: skip


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
    """Read a model, which may come from anybody: nothing in it is run, and size, shape and depth are bounded.

    Args:
        path: a file written by `Model.save`. If its name is a SHA-256, it must be its own.

    Raises:
        Unavailable: it cannot be read.
        InputRefused: it is no model, a model of other features, another model than its name says, or none that can be
            asked in bounded time and memory.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if len(path.stem) == _DIGEST and path.stem != digest:
        raise InputRefused(f"model {path} has SHA-256 {digest}, not that of its name", hint="take a sound copy")
    try:
        _check_unpacked(path, content)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            head = json.loads(bytes(file["head"]))
            arrays = {name: np.ascontiguousarray(file[name], kind) for name, kind in _ARRAYS.items()}
            model = Model(**arrays, tau=float(head["tau"]), about=head["about"], digest=digest)
            known = (head["format"], head["features"], tuple(head["columns"]))
    except _NO_MODEL as error:
        raise _refused(path, str(error) or "it claims more than fits the memory") from error
    if known != (FORMAT, features.VERSION, features.NAMES):
        raise InputRefused(
            f"model {path} was trained on other features (format {known[0]}, version {known[1]})",
            hint="train it anew with this version: `make accuracy`",
        )
    if reason := _unfit(model):
        raise _refused(path, reason)
    if not _is_sound(model):
        raise InputRefused(f"model {path} is damaged: its trees do not hang together", hint="take a sound copy")
    if not _ends(model):
        raise _refused(path, f"its trees are more than {MOST_STEPS} steps deep")
    return model


def _refused(path: Path, reason: str) -> InputRefused:
    return InputRefused(
        f"{path} is no change model: {reason}",
        hint="give a file that `make accuracy` or cointrail.cluster.learned.train wrote",
    )


def _content(path: Path) -> bytes:
    """The bytes of a regular file that is small enough; a pipe or a device is not read."""
    try:
        if path.exists() and not path.is_file():
            raise _refused(path, "it is no regular file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise Unavailable(f"model {path} cannot be read: {reason}", hint="correct the path") from error
    if len(content) > MOST_BYTES:
        raise _refused(path, f"it has more than {MOST_BYTES:,} bytes")
    return content


def _check_unpacked(path: Path, content: bytes) -> None:
    """What the archive says that its parts are once they are unpacked; it cannot give more than that."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        unpacked = sum(each.file_size for each in packed.infolist())
    if unpacked > MOST_UNPACKED:
        raise _refused(path, f"its arrays have more than {MOST_UNPACKED:,} bytes")


def _unfit(model: Model) -> str:
    """Why a model cannot be asked, whatever its trees are; empty if it can."""
    columns = [getattr(model, name) for name in _ARRAYS]
    if any(each.ndim != 1 for each in columns):
        return "its arrays are no plain columns"
    if len(model.roots) > MOST_TREES:
        return f"it has more than {MOST_TREES:,} trees"
    shares = (model.leaf, model.score, model.probability)
    if not all(np.isfinite(each).all() and (each >= 0).all() and (each <= 1).all() for each in shares):
        return "its shares and probabilities do not lie between 0 and 1"
    if np.isnan(model.threshold).any() or not (np.isfinite(model.tau) and model.tau > 0):
        return "its thresholds are no numbers above 0"
    return ""


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


def _ends(model: Model) -> bool:
    """True if every way through sound trees ends in a leaf soon."""
    here = np.unique(model.roots)
    for _ in range(MOST_STEPS + 1):
        here = here[model.left[here] != here]
        if not len(here):
            return True
        here = np.unique(np.append(model.left[here], model.right[here]))
    return False
