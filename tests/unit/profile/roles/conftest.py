"""One small world with its ledger and what is true of it, made once a session."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "accuracy"))

from plain_roles import Plain

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.service.maintenance import ingest
from cointrail.service.simulations import simulate
from cointrail.trace.services import Services
from roles_truth import Roles, read_roles, tagged_services
from truth import Truth, read_truth


class Economy(NamedTuple):
    """What is known of it."""

    folder: Path
    reader: Reader
    forest: Forest
    services: Services
    truth: Truth
    roles: Roles
    plain: Plain

    def controller(self, script: int) -> str:
        return str(self.truth.names.get(int(self.truth.entity[script]), ""))


@pytest.fixture(scope="session", params=[False, True], ids=["everyday", "holdout"])
def economy(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Economy]:
    folder = tmp_path_factory.mktemp("economy")
    simulate(folder / "world", scale="small", seed=5, holdout=request.param)
    assert ingest(folder / "world" / "chain" / "plain", folder / "ledger").complete
    with Reader(folder / "ledger") as reader:
        truth = read_truth(folder / "world", reader)
        forest = Forest(reader)
        yield Economy(
            folder / "world",
            reader,
            forest,
            tagged_services(folder / "world", reader, forest),
            truth,
            read_roles(folder / "world", reader, truth),
            Plain(reader),
        )
