"""A million imported tags in a large ledger: looked up for the first time, and remembered.

Random scripts of the ledger that have an address are tagged as addresses of some services, and every tag speaks for its
L1 cluster. *First* finds every tag's script in the ledger and remembers that; *remembered* reads it again, with whom
the tags name. Then the questions that people ask: exposure of random addresses with all these tags, and who is behind
them.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import tag_files
import tags

MANY = 1_000_000
SERVICES = 100
ASKED = 10
HOPS = 5


def measure(ledger: Path, work: Path, rounds: int, seed: int, many: int = MANY) -> dict[str, Any]:
    """Median seconds of a look-up of all tags, first and remembered, and of questions asked with them.

    Args:
        ledger: a large one.
        work: where the table and its database are for a while.
        rounds: repetitions.
        seed: of the choice of scripts.
        many: tags; fewer if the ledger has fewer scripts.
    """
    import numpy as np

    from cointrail.ledger.reader import Reader

    with tempfile.TemporaryDirectory(prefix="resolved-", dir=work) as name, Reader(ledger) as reader:
        folder = Path(name)
        random = np.random.default_rng(seed)
        scripts = np.sort(random.choice(reader.counts.script, min(many, reader.counts.script), replace=False))
        table, database = folder / "list.csv", str(folder / "tags.sqlite")
        written = tag_files.write_table(table, _addresses(reader, scripts), SERVICES)
        imported = tags.import_file(database, table)
        asked = random.integers(reader.counts.script // 4, reader.counts.script // 2, ASKED).tolist()
        with _home(folder):
            found = _of_all(reader, database, folder, rounds)
            questions = _questions(reader, database, asked, rounds)
        return {
            "transactions": reader.counts.transaction,
            "scripts": reader.counts.script,
            "tags": written,
            "import_seconds": imported["seconds"],
        } | (found | {"questions": questions})


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """What the program remembers lies in a folder of this measurement."""
    from cointrail.config import HOME

    before = os.environ.get(HOME.variable)
    os.environ[HOME.variable] = str(folder)
    try:
        yield
    finally:
        del os.environ[HOME.variable]
        if before is not None:
            os.environ[HOME.variable] = before


def _addresses(reader: Any, scripts: Any) -> Iterator[str]:
    from cointrail.service.names import address_or_none

    for script in scripts.tolist():
        if address := address_or_none(reader, reader.script_pubkey(script)):
            yield address


def _of_all(reader: Any, database: str, folder: Path, rounds: int) -> dict[str, Any]:
    """The look-up, with what was remembered taken away before each first time; the first round is not counted."""
    from cointrail.service.attribution.choice import TagChoice
    from cointrail.service.attribution.resolved import resolve
    from cointrail.service.tracing.services import find_services

    choice = TagChoice(database=database)
    found: dict[str, list[float]] = {"first": [], "remembered": [], "services": []}
    for _ in range(rounds + 1):
        for remembered in folder.glob("cache/tags-*.npz"):
            remembered.unlink()
        looked_up = _timed(lambda: resolve(reader, choice), found["first"])
        remembered_bytes = sum(each.stat().st_size for each in folder.glob("cache/tags-*.npz"))
        again = _timed(lambda: resolve(reader, choice), found["remembered"])
        if not remembered_bytes or (looked_up.script_id != again.script_id).any():
            raise ValueError("what was looked up was not remembered, or otherwise")
        services, _ = _timed(lambda: find_services(reader, choice, categories=None), found["services"])
    return {
        "found": len(looked_up.script_id),
        "remembered_bytes": remembered_bytes,
        "clusters": len(services.roots),
        "mixed": services.mixed,
        **{f"{name}_seconds": statistics.median(seconds[1:]) for name, seconds in found.items()},
    }


def _questions(reader: Any, database: str, scripts: list[int], rounds: int) -> dict[str, dict[str, float]]:
    from cointrail.profile.exposure.exposure import LIMITS
    from cointrail.service.attribution.choice import TagChoice
    from cointrail.service.exposures.exposure import exposure
    from cointrail.service.names import name_of
    from cointrail.service.profiles.who import who

    choice, limits = TagChoice(database=database), replace(LIMITS, hops=HOPS)
    texts = [name_of(reader, script) for script in scripts]
    asked: dict[str, Callable[[str], Any]] = {
        "exposure": lambda text: exposure(reader, text, services=choice, limits=limits),
        "who": lambda text: who(reader, text, choice),
    }
    found = {}
    for name, ask in asked.items():
        medians = []
        for text in texts:
            seconds: list[float] = []
            for _ in range(rounds + 1):
                _timed(lambda ask=ask, text=text: ask(text), seconds)
            medians.append(statistics.median(seconds[1:]))
        found[name] = {"asked": len(texts), "median_seconds": statistics.median(medians), "worst_seconds": max(medians)}
    return found


def _timed(ask: Callable[[], Any], seconds: list[float]) -> Any:
    began = time.perf_counter()
    found = ask()
    seconds.append(time.perf_counter() - began)
    return found
