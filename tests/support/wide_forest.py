"""Clusters of any size as bare columns, without blocks: a reader that `Forest` and the proofs accept.

Each transaction spends one output of each script of its group; outputs come first, all made by transaction 0. The
forest is built by the same kernels as a ledger's.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.manifest import Clustering
from cointrail.ledger.merges import forest_of, new_forest
from cointrail.ledger.schema import Counts


class WideReader:
    """The columns of a chain in which transaction t + 1 spends groups[t] together; one block."""

    def __init__(self, members: np.ndarray, first: np.ndarray, scripts: int) -> None:
        from cointrail.kernels.cluster import union_find

        groups, inputs = len(first) - 1, len(members)
        times = np.arange(1, groups + 1, dtype=np.uint32)
        link = new_forest(scripts)
        cluster = forest_of(link)
        merges = np.empty((6, inputs), np.uint32)
        count = union_find.find_merges(*cluster, members.astype(np.int64), first, times, 0, merges)
        union_find.apply_merges(*cluster, np.ascontiguousarray(merges[:, :count]), 0)
        order = np.argsort(members, kind="stable")
        previous = np.full(inputs, -1, np.int64)
        same = members[order[1:]] == members[order[:-1]]
        previous[order[1:][same]] = order[:-1][same]
        last = np.full(scripts, -1, np.int64)
        last[members] = np.arange(inputs)  # the last assignment of several stands
        empty = np.empty(0, np.uint32)
        self._columns = {
            ("cluster", "link"): link,
            ("transaction", "first_input"): np.concatenate([[0], first[:-1]]).astype(np.int64),
            ("input", "output"): np.arange(inputs),
            ("input", "flags"): np.zeros(inputs, np.uint16),
            ("output", "script"): members.astype(np.uint32),
            ("output", "previous_same_script"): previous,
            ("output", "spender"): np.arange(inputs),
            ("script", "last_output"): last,
        }
        for table, names in {
            "collaborative": ("tx_index", "signs"),
            "same_key": ("tx_index", "script_a", "script_b"),
        }.items():
            self._columns |= {(table, name): empty for name in names}
        self.counts = Counts(block=1, transaction=groups + 1, input=inputs, output=inputs, script=scripts, merge=count)
        self.manifest = SimpleNamespace(clustering=Clustering(blocks=1))
        self.height = 0

    def column(self, table: str, name: str) -> np.ndarray:
        return self._columns[table, name]

    column_on_disk = column

    def check_current(self) -> None:
        """Nobody writes."""


def wide_forest(groups: Sequence[Sequence[int]] | np.ndarray, scripts: int) -> Forest:
    """A forest over groups of scripts, one a transaction, in order; an array has one group a row."""
    if isinstance(groups, np.ndarray):
        members, first = groups.reshape(-1), np.arange(0, groups.size + 1, groups.shape[1])
    else:
        members = np.array([each for group in groups for each in group], np.int64)
        first = np.cumsum([0, *map(len, groups)])
    return Forest(WideReader(members.astype(np.int64), first.astype(np.int64), scripts))
