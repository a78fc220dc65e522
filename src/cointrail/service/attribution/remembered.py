"""Where imported tags lie in a ledger, remembered between commands: looking a million addresses up takes seconds."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.service.remembered import Memory, Remembered, of_snapshot

I64 = npt.NDArray[np.int64]

FEWEST: Final = 10_000
"""Tags from which on it is worth a file."""

_VERSION: Final = 2
"""Of what is remembered: since 2 without tags that name another chain."""
_COLUMNS: Final = ("script_id", "statement_id", "import_id")


@dataclass(frozen=True, slots=True, eq=False)
class Lying:
    """Imported tags on scripts of a snapshot, and what the numbers of their statements meant when they were looked up.

    Attributes:
        script_id, statement_id, import_id: int64 (n,), of each tag.
        absent: tags of this network whose address nothing pays.
    """

    script_id: I64
    statement_id: I64
    import_id: I64
    absent: int


def _memory(reader: Reader, digest: str) -> Memory:
    return Memory("tags", f"{_VERSION} {digest} {of_snapshot(reader)}")


def recall(reader: Reader, digest: str) -> tuple[Lying, str] | None:
    """What was remembered of a tag set at this snapshot, and its meaning, which whoever asks must compare."""
    found = _memory(reader, digest).recall()
    if found is None or set(found.columns) != set(_COLUMNS) or len(found.words) != 2:
        return None
    columns = [found.columns[name] for name in _COLUMNS]
    scripts, sound = columns[0], len({len(each) for each in columns}) == 1
    if not sound or (len(scripts) and not 0 <= int(scripts.min()) <= int(scripts.max()) < reader.counts.script):
        return None
    absent, meaning = found.words
    return Lying(columns[0], columns[1], columns[2], absent), meaning


def remember(reader: Reader, digest: str, tags: Lying, meaning: str) -> None:
    """Keep what `recall` gives."""
    columns = {name: getattr(tags, name) for name in _COLUMNS}
    _memory(reader, digest).remember(Remembered(columns, [tags.absent, meaning]))
