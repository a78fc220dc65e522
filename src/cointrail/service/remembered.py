"""What takes seconds to work out and follows from a snapshot, remembered between commands.

A file is named by all that its content follows from, so it is never out of date; what is missing or damaged is worked
out again. It lies in the home folder, which nobody else may read; of each kind the newest few are kept.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cointrail import config
from cointrail.ledger.reader import Reader
from cointrail.version import VERSION

I64 = npt.NDArray[np.int64]

KEPT: Final = 8

_WORDS: Final = "words"


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """Columns of int64, and what else must be known to read them, as JSON has it."""

    columns: Mapping[str, I64]
    words: Any


@dataclass(frozen=True, slots=True)
class Memory:
    """Where one thing is remembered.

    Args:
        kind: of thing, a word.
        key: all that it follows from.
    """

    kind: str
    key: str

    @property
    def _file(self) -> Path:
        home = config.home().value
        assert isinstance(home, Path)
        name = hashlib.sha256(f"{VERSION} {self.key}".encode()).hexdigest()
        return home / "cache" / f"{self.kind}-{name}.npz"

    def recall(self) -> Remembered | None:
        """What was remembered; None if nothing was, or it is damaged."""
        try:
            with self._file.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                words = json.loads(str(file[_WORDS]))
                names = [name for name in file.files if name != _WORDS]
                columns = {name: np.asarray(file[name], np.int64).reshape(-1) for name in names}
        except (OSError, ValueError, KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile):
            return None
        return Remembered(columns, words)

    def remember(self, found: Remembered) -> None:
        """Keep it; where nothing can be written it is worked out again each time."""
        path = self._file
        arrays: dict[str, Any] = {_WORDS: np.str_(json.dumps(found.words, separators=(",", ":"))), **found.columns}
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez(file, **arrays)
            unfinished.replace(path)
            files = sorted(path.parent.glob(f"{self.kind}-*.npz"), key=lambda each: each.stat().st_mtime)
            for old in files[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


def of_snapshot(reader: Reader) -> str:
    """The part of a key that names a snapshot, with the clusters that it has."""
    snapshot, clustering = reader.snapshot, reader.manifest.clustering
    counts = snapshot.counts
    return f"{snapshot.network} {snapshot.digest} {counts.script} {counts.merge} {clustering.rules} {clustering.lists}"
