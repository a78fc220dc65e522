"""Ledgers with clusters, of chains that the tests can read back by themselves."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from kin_chain import Group, KinChain, co_spend_groups, kin_chain
from regtest import write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options
from cointrail.ledger.reader import Reader


class Kin(NamedTuple):
    """A chain and its ledger."""

    chain: KinChain
    folder: Path

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def groups(self, reader: Reader) -> list[Group]:
        """What the chain's transactions link up to the reader's height: co-spends as the blocks show them, and the
        same-key facts of the ledger, which are proved elsewhere."""
        txids = reader.column("transaction", "txid")
        facts = zip(
            *(reader.column("same_key", name).tolist() for name in ("tx_index", "script_a", "script_b")), strict=True
        )
        found = [
            Group(int(reader.height_of_transactions(t)), bytes(txids[t]), frozenset(map(reader.script_pubkey, (a, b))))
            for t, a, b in facts
        ]
        return found + co_spend_groups(self.chain, reader.height)


def ledger_of(
    chain: KinChain, folder: Path, until: int | None = None, key: bytes | None = b"\x01\x02\x03\x04\x05\x06\x07\x08"
) -> Kin:
    write_block_files(folder / "blocks", chain.chain.serialized(), REGTEST.magic, xor_key=key, per_file=50)
    ingest(folder / "blocks", folder / "ledger", options=Options(until=until), cluster=bring_up)
    return Kin(chain, folder)


@pytest.fixture(scope="session")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    return ledger_of(kin_chain(Random(5), 30), tmp_path_factory.mktemp("kin"))


@pytest.fixture(scope="session")
def forest(kin: Kin) -> Iterator[Forest]:
    with Reader(kin.ledger) as reader:
        yield Forest(reader)


@pytest.fixture
def make_kin() -> Iterator[Callable[..., Kin]]:
    """Give a function that makes a chain of a seed and its ledger, up to a height."""
    with tempfile.TemporaryDirectory() as folder:
        made = []

        def make(chain: KinChain, until: int | None = None) -> Kin:
            made.append(chain)
            return ledger_of(chain, Path(folder) / str(len(made)), until)

        yield make
