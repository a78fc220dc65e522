"""The whole score of one set of result files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cointrail.errors import InputRefused
from cointrail.simulation.score.backward_rows import backward_rows
from cointrail.simulation.score.cashout_rows import cashout_rows
from cointrail.simulation.score.change_rows import change_rows
from cointrail.simulation.score.cluster_rows import cluster_rows
from cointrail.simulation.score.coinjoin_rows import coinjoin_rows
from cointrail.simulation.score.criteria import criteria_rows
from cointrail.simulation.score.ledger_rows import ledger_rows
from cointrail.simulation.score.market_rows import market_rows
from cointrail.simulation.score.name_rows import name_rows
from cointrail.simulation.score.rows import Row
from cointrail.simulation.score.source_rows import source_rows
from cointrail.simulation.score.tables import Tables
from cointrail.simulation.score.taint_rows import taint_rows


@dataclass(frozen=True, slots=True)
class Score:
    """What was scored, and the rows.

    Attributes:
        snapshot: of the ledger the results come from.
        manifest_digest: SHA-256 of the world's manifest.
        rows: in a fixed order.
    """

    snapshot: Mapping[str, Any]
    manifest_digest: str
    rows: tuple[Row, ...]


def score(results: Path, world: Path) -> Score:
    """Compare result files with a world's truth.

    Raises:
        InputRefused: a file is missing or malformed.
    """
    manifest = world / "manifest.json"
    if not manifest.is_file():
        raise InputRefused(
            f"{world} is not a world: it has no manifest.json", hint="make one with `cointrail simulate`"
        )
    try:
        snapshot = json.loads((results / "snapshot.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(f"{results}/snapshot.json cannot be read: {error}") from error
    with Tables(results, world) as tables:
        rows = (
            *ledger_rows(tables),
            *cluster_rows(tables),
            *change_rows(tables),
            *coinjoin_rows(tables),
            *name_rows(tables),
            *sorted(_criteria(tables), key=_number),
        )
    return Score(snapshot, hashlib.sha256(manifest.read_bytes()).hexdigest(), rows)


def _criteria(tables: Tables) -> Iterator[Row]:
    """Rows of all criteria, answered or not."""
    yield from market_rows(tables)
    yield from source_rows(tables)
    yield from backward_rows(tables)
    yield from cashout_rows(tables)
    yield from taint_rows(tables)
    yield from criteria_rows()


def _number(row: Row) -> int:
    """Of the criterion that a row belongs to."""
    return int(row.id.split(".")[1])


def write(result: Score, path: Path) -> None:
    """Write score.json."""
    path.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
