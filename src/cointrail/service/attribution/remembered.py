"""Where imported tags lie in a ledger, remembered between commands: looking a million addresses up takes seconds.

A file is named by the tag set and the snapshot, so it is never out of date; what is missing or damaged is looked up
again. It lies in the home folder, holds row numbers only, and the newest few are kept.
"""

import hashlib
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail import config
from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]

FEWEST: Final = 10_000
"""Tags from which on it is worth a file."""

KEPT: Final = 8

_FORMAT: Final = 1
_COLUMNS: Final = ("script_id", "statement_id", "import_id")


@dataclass(frozen=True, slots=True, eq=False)
class Lying:
    """Imported tags on scripts of a snapshot.

    Attributes:
        script_id, statement_id, import_id: int64 (n,), of each tag.
        absent: tags of this network whose address nothing pays.
    """

    script_id: I64
    statement_id: I64
    import_id: I64
    absent: int


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What a file holds: tags, and what the numbers of their statements meant when it was written."""

    tags: Lying
    meaning: str


def _file(reader: Reader, digest: str) -> Path:
    snapshot = reader.snapshot
    key = f"{_FORMAT} {digest} {snapshot.network} {snapshot.digest} {snapshot.counts.script}"
    home = config.home().value
    assert isinstance(home, Path)
    return home / "cache" / f"tags-{hashlib.sha256(key.encode()).hexdigest()}.npz"


def recall(reader: Reader, digest: str) -> Remembered | None:
    """What was remembered of a tag set at this snapshot; whoever asks must compare `meaning`."""
    try:
        with _file(reader, digest).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            columns = [np.asarray(file[name], np.int64).reshape(-1) for name in _COLUMNS]
            absent, meaning = int(file["absent"]), str(file["meaning"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    scripts = columns[0]
    sound = len({len(each) for each in columns}) == 1
    sound &= not len(scripts) or 0 <= int(scripts.min()) <= int(scripts.max()) < reader.counts.script
    return Remembered(Lying(columns[0], columns[1], columns[2], absent), meaning) if sound else None


def remember(reader: Reader, digest: str, found: Remembered) -> None:
    """Keep what `recall` gives; where that cannot be written it is looked up again each time."""
    path, tags = _file(reader, digest), found.tags
    unfinished = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            columns = {name: getattr(tags, name) for name in _COLUMNS}
            np.savez(file, absent=np.int64(tags.absent), meaning=np.str_(found.meaning), **columns)
        unfinished.replace(path)
        files = sorted(path.parent.glob("tags-*.npz"), key=lambda each: each.stat().st_mtime)
        for old in files[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
