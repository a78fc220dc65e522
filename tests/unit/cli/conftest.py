"""Ledgers to ask, and a way to run a command line inside this process."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from regtest import RegtestChain, random_chain, write_block_files
from vectors import shared_data

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.cli.main import run
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest


class Answer(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run a command line; no setting of the person at the keyboard gets in."""
    for name in ("COINTRAIL_LEDGER", "COINTRAIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))

    def ask(*arguments: str) -> Answer:
        capsys.readouterr()
        code = run(list(arguments))
        return Answer(code, *capsys.readouterr())

    return ask


class Regtest(NamedTuple):
    """A random chain, its block files and its ledger."""

    chain: RegtestChain
    source: Path
    ledger: Path

    @property
    def addresses(self) -> list[str]:
        """Every address that is paid, most often paid first."""
        seen: dict[str, int] = {}
        for node in self.chain.branch():
            for tx in node.block.transactions:
                for output in tx.outputs:
                    if address := address_of(output.script_pubkey, REGTEST):
                        seen[address] = seen.get(address, 0) + 1
        return sorted(seen, key=seen.__getitem__, reverse=True)


@pytest.fixture(scope="session")
def regtest(tmp_path_factory: pytest.TempPathFactory) -> Regtest:
    chain = random_chain(Random(11), 14, 5)
    folder = tmp_path_factory.mktemp("regtest")
    write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic, xor_key=b"\x01\x02\x03\x04\x05\x06\x07\x08")
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return Regtest(chain, folder / "blocks", folder / "ledger")


@pytest.fixture(scope="session")
def mainnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of mainnet's first 600 blocks."""
    archive = shared_data() / "blocks" / "mainnet-0-599" / "mainnet600_xor.datadir.tar.gz"
    folder = tmp_path_factory.mktemp("mainnet")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "node", filter="data")
    ingest(folder / "node", folder / "ledger", cluster=bring_up)
    return folder / "ledger"
