"""Real ledgers for tests of methods: a chain is built, written to block files and ingested."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from regtest import RegtestChain, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Give a function that makes a ledger of a chain and opens it."""
    readers = []

    def make(chain: RegtestChain, height: int | None = None) -> Reader:
        ledger = tmp_path / "ledger"
        write_block_files(tmp_path / "blocks", chain.serialized(), REGTEST.magic)
        ingest(tmp_path / "blocks", ledger, cluster=bring_up)
        readers.append(Reader(ledger, height))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()
