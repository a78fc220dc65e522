"""One ledger with clusters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import follow, small_chain, write_source

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader


@pytest.fixture(scope="session")
def learned_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    chain = small_chain("learned", blocks=45, transactions=8)
    follow(write_source(folder / "blocks", chain.serialized()), folder / "ledger", batch=1 << 20)
    return folder / "ledger"


@pytest.fixture(scope="session")
def learned_forest(learned_ledger: Path) -> Iterator[Forest]:
    with Reader(learned_ledger) as reader:
        yield Forest(reader)
