"""Do the stored clusters follow from the chain? They are built again, and every row is compared.

The links of the forest follow from the merge log, which `ledger.verify` checks; here the log itself and the rows beside
it are recomputed by the rules. Memory: twelve bytes a script.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.extend import RULES, chunks, joining, later_signs
from cointrail.cluster.gate.lists import TransactionList
from cointrail.ledger.columns import Array
from cointrail.ledger.merges import FIELDS, forest_of, new_forest
from cointrail.ledger.reader import Reader
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import CLUSTER, Counts

I64 = npt.NDArray[np.int64]

Finding = tuple[str, str]


class _Rebuilt(Rows):
    """A reader's rows with a forest of its own, which begins with single scripts."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.counts: Counts = reader.counts
        self.merged = 0
        self.link = new_forest(reader.counts.script)

    def column(self, table: str, name: str) -> Array:
        return self.link if table == CLUSTER.name else self.reader.column(table, name)

    def runs(self, index: str) -> list[object]:  # type: ignore[override]
        return list(self.reader.runs(index))


def cluster_damage(
    reader: Reader, lists: tuple[TransactionList, ...], watch: Callable[[str, int, int], None]
) -> Iterator[Finding]:
    """Yield (where, what) for every stored row that the rules do not give.

    Args:
        reader: at the tip.
        lists: the lists in force.
        watch: called with (what, done, in all).
    """
    from cointrail.kernels.cluster.union_find import apply_merges

    clustering = reader.manifest.clustering
    if not clustering.blocks:
        return
    if clustering.rules != RULES:
        yield "MANIFEST.json", "the clusters were built by other rules; `cointrail ingest` builds them again"
        return
    rebuilt = _Rebuilt(reader)
    places = dict.fromkeys(("collaborative", "change", "dispute"), 0)
    for blocks, first, end in chunks(rebuilt, 0):
        watch("cluster rows", first, reader.counts.transaction)
        if blocks > clustering.blocks:
            return
        merges, collaborative = joining(rebuilt, first, end, lists, rebuilt.merged)
        derived = {"collaborative": collaborative, **later_signs(rebuilt, first, end, lists)}
        stored = [reader.column("merge", name)[rebuilt.merged : rebuilt.merged + merges.shape[1]] for name in FIELDS]
        for name, ours, theirs in zip(FIELDS, merges, stored, strict=True):
            if not np.array_equal(ours, theirs):
                yield (
                    f"merge/{name}.col",
                    f"the merges of transactions {first} to {end - 1} are not what the rules give",
                )
                return
        apply_merges(*forest_of(rebuilt.link), merges, rebuilt.merged)
        rebuilt.merged += merges.shape[1]
        for table, cells in derived.items():
            rows = len(next(iter(cells.values())))
            for name, ours in cells.items():
                theirs = reader.column(table, name)[places[table] : places[table] + rows]
                if not np.array_equal(ours.astype(theirs.dtype), theirs):
                    yield (
                        f"{table}/{name}.col",
                        f"rows of transactions {first} to {end - 1} are not what the rules give",
                    )
            places[table] += rows
    for table, rows in {**places, "merge": rebuilt.merged}.items():
        if rows != reader.counts.of(table):
            yield f"{table}", f"{reader.counts.of(table)} rows are stored, the rules give {rows}"
