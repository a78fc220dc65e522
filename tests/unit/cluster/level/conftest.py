"""One ledger with clusters for all tests of levels: a random chain with many co-spends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import follow, small_chain, write_source

from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.ledger.writer import Writer


def ledger_to(folder: Path, until: int | None = None) -> Path:
    """A ledger of the chain up to a height, with clusters."""
    chain = small_chain("levels", blocks=24, transactions=8)
    follow(write_source(folder / "blocks", chain.serialized()), folder / "ledger", until, batch=1 << 20)
    with Writer(folder / "ledger", "regtest") as writer:
        bring_up(writer)
        writer.publish()
    return folder / "ledger"


@pytest.fixture(scope="session")
def level_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger_to(tmp_path_factory.mktemp("levels"))


@pytest.fixture(scope="session")
def cut_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same chain, of which this ledger has seen less."""
    return ledger_to(tmp_path_factory.mktemp("cut"), 115)


@pytest.fixture(scope="session")
def forest(level_ledger: Path) -> Iterator[Forest]:
    with Reader(level_ledger) as reader:
        yield Forest(reader)
