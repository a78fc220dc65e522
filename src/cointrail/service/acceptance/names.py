"""Who is said to be behind every script that tags reach, and what may be done with the name.

`names.csv` has a row for each script of a cluster with a tag and each hypothesis about it. It answers whether a name
that may be used is ever wrong, and whether the double of the market is anywhere called a market (SCENARIO.md 3).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.attribution.identity import HypothesisAnswer, identity
from cointrail.service.results import write_csv
from cointrail.service.roles.observations import observed

I64 = npt.NDArray[np.int64]

_HEADER: Final = ("script_hash", "name", "categories", "standing")


def write_names(reader: Reader, tags: Resolved, folder: Path) -> None:
    """Write `names.csv`.

    Args:
        reader: the ledger at a snapshot.
        tags: in force.
        folder: for the result file.
    """
    write_csv(folder / "names.csv", _HEADER, _rows(reader, tags))


def _rows(reader: Reader, tags: Resolved) -> Iterator[tuple[object, ...]]:
    forest = Forest(reader)
    for root in np.unique(forest.roots(np.unique(tags.script_id))).tolist():
        members = np.sort(forest.members(root)[0])
        seen = observed(reader, root)
        rest = np.setdiff1d(members, tags.script_id)  # what is true of one of these is true of all
        groups = [(rest[:1], rest), *((members[at : at + 1], members[at : at + 1]) for at in _tagged(members, tags))]
        for asked, scripts in groups:
            if not len(asked):
                continue
            told = identity(reader, tags, asked, members, observations=seen)
            for script in scripts.tolist():
                for each in told.hypotheses:
                    yield _row(reader, script, each)


def _tagged(members: I64, tags: Resolved) -> list[int]:
    found: list[int] = np.flatnonzero(np.isin(members, tags.script_id)).tolist()
    return found


def _row(reader: Reader, script_id: int, each: HypothesisAnswer) -> tuple[object, ...]:
    return reader.script_hash(script_id).hex(), each.name, "|".join(each.categories), each.standing
