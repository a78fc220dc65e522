"""A small world with its ledger, made once a session."""

from collections.abc import Iterator
from typing import Any

import pytest

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.maintenance import ingest
from cointrail.service.simulations import simulate


@pytest.fixture(scope="session")
def busy_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """(reader, forest) of a simulated economy."""
    folder = tmp_path_factory.mktemp("busy")
    simulate(folder / "world", scale="small", seed=1)
    assert ingest(folder / "world" / "chain" / "plain", folder / "ledger").complete
    with Reader(folder / "ledger") as reader:
        yield reader, Forest(reader)
