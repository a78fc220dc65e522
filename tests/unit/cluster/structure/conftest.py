"""Ledgers of random chains in which few keys are spelled in many ways, and their clusters."""

from collections.abc import Callable, Iterator
from functools import cached_property
from random import Random

import numpy as np
import pytest
from cluster_search import Search
from kin_chain import kin_chain
from regtest import write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.structure.activity import activity
from cointrail.cluster.structure.bridges import bridges
from cointrail.cluster.structure.evidence import evidence
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader


class Found:
    """The structure of one cluster as the product sees it."""

    def __init__(self, forest: Forest, script: int) -> None:
        self.forest = forest
        members, self.hung_by = forest.members(script)
        self.scripts = np.sort(members)

    @cached_property
    def activity(self):
        return activity(self.forest.reader, self.scripts)

    @cached_property
    def evidence(self):
        return evidence(self.forest, self.activity)

    @cached_property
    def bridges(self):
        return bridges(self.evidence)


class Kin:
    """A ledger at a height: its clusters, and a plain search over it."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.forest, self.search = reader, Forest(reader), Search(reader)

    def clusters(self, most: int = 40) -> list[Found]:
        """The largest clusters."""
        roots, sizes = np.unique(self.forest.all_roots(), return_counts=True)
        return [Found(self.forest, int(root)) for root in roots[np.argsort(-sizes, kind="stable")][:most]]


KINDS = {"few keys": (10, 14, 5), "some keys": (60, 14, 8), "many keys": (220, 16, 10)}


@pytest.fixture(scope="package")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Kin]]:
    """Give a function that opens the ledger of a kind, as of the tip or some blocks below it."""
    folder = tmp_path_factory.mktemp("kin")
    readers: list[Reader] = []

    def make(kind: str, below: int = 0) -> Kin:
        ledger = folder / kind
        if not ledger.exists():
            keys, blocks, transactions = KINDS[kind]
            chain = kin_chain(Random(kind), blocks=blocks, keys=keys, transactions=transactions).chain
            write_block_files(folder / f"{kind} blocks", chain.serialized(), REGTEST.magic)
            ingest(folder / f"{kind} blocks", ledger, cluster=bring_up)
        readers.append(Reader(ledger))
        if below:
            readers.append(Reader(ledger, readers[-1].height - below))
        return Kin(readers[-1])

    yield make
    for reader in readers:
        reader.close()
