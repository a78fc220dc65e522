"""Ledgers to ask, and their raw blocks for the plain walk."""

import tarfile
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from ledgers import write_source
from plain_profile import PlainProfile
from regtest import random_chain
from simulated_economy import simulated
from vectors import block_records, shared_data

from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest


class Case(NamedTuple):
    """A ledger and the blocks it was made of."""

    name: str
    ledger: Path
    raw: list[bytes]

    @cache  # noqa: B019 - cases live as long as the tests
    def plain(self, height: int) -> PlainProfile:
        return PlainProfile(self.raw, height)

    def __hash__(self) -> int:
        return hash(self.name)


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """Make a case by its name, once."""

    @cache
    def make(name: str) -> Case:
        folder = tmp_path_factory.mktemp(name)
        if name == "mainnet":
            raw = _unpack(folder)
        else:
            raw = simulated().raw if name == "simulated" else random_chain(Random(name), 25, 9).serialized()
            write_source(folder / "blocks", raw)
        ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
        return Case(name, folder / "ledger", raw)

    return make


def _unpack(folder: Path) -> list[bytes]:
    """The node's data directory of mainnet's first 600 blocks; the blocks in chain order."""
    with tarfile.open(shared_data() / "blocks/mainnet-0-599/mainnet600.datadir.tar.gz") as archive:
        archive.extractall(folder / "node", filter="data")
    (folder / "node").rename(folder / "blocks")
    files = sorted((folder / "blocks").rglob("blk*.dat"))
    by_parent = {raw[4:36]: raw for file in files for _, raw in block_records(str(file))}
    return _in_order(by_parent)


def _in_order(by_parent: dict[bytes, bytes]) -> list[bytes]:
    from cointrail.bitcoin.block import Block

    found, parent = [], bytes(32)
    while parent in by_parent:
        found.append(by_parent[parent])
        parent = Block.parse(found[-1]).block_hash
    return found
