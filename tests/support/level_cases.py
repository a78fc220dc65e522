"""Levels above L1 for tests: a ledger with many named change outputs, plain sets over it, and a model of one split."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from regtest import write_block_files
from toy_economy import ToyEconomy

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned.features import NAMES
from cointrail.cluster.learned.model import Model
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options
from cointrail.ledger.reader import Reader


@cache
def economy(seed: int = 3) -> tuple[bytes, ...]:
    """The blocks of a toy economy of forty busy blocks."""
    return tuple(ToyEconomy(seed, 40, 8).run().raws)


def economy_ledger(folder: Path, until: int | None = None, seed: int = 3) -> Path:
    """Its ledger with clusters, up to a height; the block files stay beside it."""
    write_block_files(folder / "blocks", list(economy(seed)), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", options=Options(until=until), cluster=bring_up)
    return folder / "ledger"


def joined(forest: Forest, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each script a number that two share if L1 and the pairs connect them."""
    roots = forest.all_roots().tolist()
    name = {root: root for root in roots}

    def top(root: int) -> int:
        while name[root] != root:
            root = name[root]
        return root

    for one, two in pairs:
        name[top(roots[one])] = top(roots[two])
    return [top(root) for root in roots]


def voted_pairs(reader: Reader) -> list[tuple[int, int]]:
    """What the stored change outputs of the snapshot join."""
    a, b = (reader.column("change", name).tolist() for name in ("script_a", "script_b"))
    return list(zip(a, b, strict=True))


def by_amount(at: float = 0.5, tau: float = 0.8) -> Model:
    """A model of one split: an output of more than that share of the amount is change, at nine in ten."""
    split = np.array([NAMES.index("amount.share"), 0, 0], np.int16)
    ends = np.array([0.1, 0.9])
    left, right = np.array([1, 1, 2], np.int32), np.array([2, 1, 2], np.int32)
    threshold, leaf = np.array([at, 0, 0]), np.array([0.5, 0.1, 0.9])
    return Model(np.array([0], np.int32), split, threshold, left, right, leaf, ends, ends, tau=tau)
