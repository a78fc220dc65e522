"""Ledgers in memory, and the simulated small world as a ledger with its truth, made once a session."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pytest
from memory_disk import scratch
from regtest import RegtestChain, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL

SEED = int(os.environ.get("COINTRAIL_SEED", "1"))


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Give a function that makes a ledger of a chain, without clusters, and opens it."""
    readers: list[Reader] = []
    with scratch(tmp_path) as folder:

        def make(chain: RegtestChain, height: int | None = None) -> Reader:
            if not readers:
                write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic)
                ingest(folder / "blocks", folder / "ledger")
            readers.append(Reader(folder / "ledger", height))
            return readers[-1]

        yield make
        for reader in readers:
            reader.close()


class World(NamedTuple):
    """A ledger, and for each of its outputs whether it returns to the payer (1), does not (0), or is not told (-1)."""

    folder: Path
    reader: Reader
    is_change: np.ndarray


@pytest.fixture(scope="session", params=["small", "holdout"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small world, with the wallet models the rules were looked at with, and with four they were not."""
    with scratch(tmp_path_factory.mktemp("change")) as folder:
        simulate(folder / "world", SMALL, SEED, holdout=request.param == "holdout")
        assert ingest(folder / "world" / "chain" / "xor", folder / "ledger").complete
        with Reader(folder / "ledger") as reader:
            yield World(folder, reader, _is_change(folder / "world" / "truth" / "outputs.parquet", reader))


def _is_change(outputs: Path, reader: Reader) -> np.ndarray:
    with duckdb.connect() as connection:
        rows = connection.execute(f"select txid, vout, is_change from '{outputs}'").fetchall()
    numbers = {bytes(txid): at for at, txid in enumerate(np.array(reader.column("transaction", "txid")))}
    first = reader.column("transaction", "first_output")
    is_change = np.full(reader.counts.output, -1, np.int8)
    for txid, vout, returns in rows:
        is_change[int(first[numbers[bytes(txid)]]) + vout] = returns
    return is_change
