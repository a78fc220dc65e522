"""How well does the product do on a world whose truth is known?"""

import tempfile
from pathlib import Path

from cointrail.ledger.reader import Reader
from cointrail.service.results import write_results
from cointrail.simulation.score.scorer import Score
from cointrail.simulation.score.scorer import score as compare


def score(world: Path, ledger: Path, *, results: Path | None = None) -> Score:
    """Drive the product over a world's ledger, write its result files, and compare them with the truth.

    Args:
        world: a folder made by `cointrail simulate`.
        ledger: the ledger of its chain.
        results: where to keep the result files; a temporary folder if not given.

    Raises:
        InputRefused: the world is incomplete.
        Unavailable: there is no ledger.
    """
    with tempfile.TemporaryDirectory(prefix="cointrail-score-") as temporary:
        folder = results or Path(temporary)
        with Reader(ledger) as reader:
            write_results(reader, folder)
            reader.check_current()
        return compare(folder, world)
