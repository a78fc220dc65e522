"""Opening a change model that may come from anybody: bounded before anything is believed, and refused in words.

The file is a .npz of plain arrays and loads without running code (`cluster.learned.model`). What keeps a hostile one
from filling the memory or from never ending is here: sizes, shapes and ranges.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.learned.model import Model, load
from cointrail.errors import InputRefused, Unavailable

MOST_BYTES = 64_000_000
"""Of the file; those that `make accuracy` writes have less than one million."""
MOST_UNPACKED = 256_000_000
"""Of its arrays."""
MOST_TREES = 2_000
MOST_STEPS = 64
"""From a root to a leaf."""

_TAKE_ANOTHER = "give a file that `make accuracy` or cointrail.cluster.learned.train wrote"


def open_model(path: Path) -> Model:
    """Read a model from a file.

    Raises:
        Unavailable: it cannot be read.
        InputRefused: it is no model, or none that can be asked in bounded time and memory.
    """
    _check_size(path)
    try:
        model = load(path)
    except (zlib.error, MemoryError, RecursionError, RuntimeError, OverflowError) as error:
        # What a zip file or an array's head can claim; NotImplementedError is a RuntimeError.
        raise _refused(path, str(error) or "it claims more than fits the memory") from error
    if reason := _unfit(model):
        raise _refused(path, reason)
    return model


def _refused(path: Path, reason: str) -> InputRefused:
    return InputRefused(f"{path} is no change model: {reason}", hint=_TAKE_ANOTHER)


def _check_size(path: Path) -> None:
    try:
        if not path.exists():
            raise Unavailable(f"model {path} cannot be read: there is no such file", hint="correct the path")
        if not path.is_file():
            raise _refused(path, "it is no file")
        if path.stat().st_size > MOST_BYTES:
            raise _refused(path, f"it has more than {MOST_BYTES:,} bytes")
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(each.file_size for each in packed.infolist())
    except OSError as error:
        raise Unavailable(f"model {path} cannot be read: {(error.strerror or 'input/output error').lower()}") from error
    except (zipfile.BadZipFile, ValueError, RuntimeError, OverflowError) as error:
        raise _refused(path, str(error)) from error
    if unpacked > MOST_UNPACKED:
        raise _refused(path, f"its arrays have more than {MOST_UNPACKED:,} bytes")


def _unfit(model: Model) -> str:
    """Why a model cannot be asked; empty if it can."""
    columns: tuple[npt.NDArray[Any], ...] = (
        model.roots, model.split, model.threshold, model.left, model.right, model.leaf, model.score, model.probability,
    )  # fmt: skip
    if any(each.ndim != 1 for each in columns):
        return "its arrays are no plain columns"
    if len(model.roots) > MOST_TREES:
        return f"it has more than {MOST_TREES:,} trees"
    shares = (model.leaf, model.score, model.probability)
    if not all(np.isfinite(each).all() and (each >= 0).all() and (each <= 1).all() for each in shares):
        return "its shares and probabilities do not lie between 0 and 1"
    if np.isnan(model.threshold).any() or not (np.isfinite(model.tau) and model.tau > 0):
        return "its thresholds are no numbers above 0"
    if not _ends(model):
        return f"its trees are more than {MOST_STEPS} steps deep"
    return ""


def _ends(model: Model) -> bool:
    """True if every way through its trees ends in a leaf soon; steps lead onward, as `load` has checked."""
    here = np.unique(model.roots)
    for _ in range(MOST_STEPS + 1):
        here = here[model.left[here] != here]
        if not len(here):
            return True
        here = np.unique(np.append(model.left[here], model.right[here]))
    return False
