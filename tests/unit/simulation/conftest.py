"""One small world with its ledger and the product's result files, made once a session."""

from pathlib import Path
from typing import NamedTuple

import pytest
from plot_case import Case, case_of

from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.service.results import write_results
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL


class Bazaar(NamedTuple):
    """Folders; nobody writes into them."""

    world: Path
    ledger: Path
    results: Path


@pytest.fixture(scope="session")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Bazaar:
    """The small world of seed 1."""
    folder = tmp_path_factory.mktemp("bazaar")
    made = Bazaar(folder / "world", folder / "ledger", folder / "results")
    simulate(made.world, SMALL, 1)
    assert ingest(made.world / "chain" / "xor", made.ledger).complete
    with Reader(made.ledger) as reader:
        write_results(reader, made.results)
    return made


@pytest.fixture(params=(1, 2, 3))
def case(request: pytest.FixtureRequest) -> Case:
    """The plot of three seeds."""
    return case_of(request.param)
