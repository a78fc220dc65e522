"""How pure are clusters: same-key facts, co-spends one by one, and whole partitions at L1, L2 and L3.

The court's question is the probability that a random other address of a cluster has another controller, for a random
address and for a random address of a random controller (METHODS.md 10.5). Clusters of one script do not count there.
"""

import numpy as np
import numpy.typing as npt

from book import ALL, Book
from cointrail.cluster.co_spend import RULE as CO_SPEND
from cointrail.cluster.co_spend import owned_scripts
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative_mask
from cointrail.cluster.level.edges import Edges, stored_changes
from cointrail.cluster.level.guard import OFF
from cointrail.cluster.level.view import Level, build
from cointrail.cluster.overlay.components import components
from cointrail.ledger.reader import Reader
from gate_rows import joined_pairs
from truth import I64, UNTOLD, Mask, Truth
from worlds import World

DECOY, MARKET = "LuckyDice", "Bazaar"
WITHOUT_PAYJOINS = "without PayJoins"
WITHOUT_BOTH = "without PayJoins and channels"


def link_rows(book: Book, world: World, reader: Reader, truth: Truth) -> None:
    """Add the rows of the links themselves: same-key facts and co-spends."""
    a, b = (reader.column("same_key", name).astype(np.int64) for name in ("script_a", "script_b"))
    told = (truth.controller[a] != UNTOLD) & (truth.controller[b] != UNTOLD)
    book.add("same_key", world.models, ALL, told.sum(), (truth.controller[a] != truth.controller[b])[told].sum())
    asked = np.arange(reader.counts.transaction, dtype=np.int64)
    believed = asked[~collaborative_mask(reader, asked)]
    pairs, strangers = joined_pairs(reader, truth, believed)
    names = np.char.add(np.char.add(truth.kind, np.where(truth.protocol == "", "", ": ")), truth.protocol)[believed]
    payjoin = names == "payjoin: payjoin"
    for stratum, inside in ((ALL, pairs > 0), (WITHOUT_PAYJOINS, (pairs > 0) & ~payjoin)):
        book.add(CO_SPEND, world.models, stratum, pairs[inside].sum(), strangers[inside].sum())
        book.add(CO_SPEND, world.models, f"transactions, {stratum}", inside.sum(), (strangers[inside] > 0).sum())
    for name in np.unique(names[strangers > 0]).tolist():
        of_kind = (names == name) & (pairs > 0)
        book.add(CO_SPEND, world.models, f"kind {name}", pairs[of_kind].sum(), strangers[of_kind].sum())


def level_rows(book: Book, world: World, forest: Forest, truth: Truth, leads: Edges | None) -> None:
    """Add the rows of partitions.

    Args:
        book: to add to.
        world: whose it is.
        forest: L1.
        truth: of the world.
        leads: what a learned model adds at L3; None to leave L3 out.
    """
    reader, changes = forest.reader, stored_changes(forest.reader)
    everything = np.ones(reader.counts.transaction, np.bool_)
    level_one = forest.partition().astype(np.int64)
    if not np.array_equal(level_one_without(reader, everything), level_one):
        raise AssertionError(f"L1 of {world.name}, joined anew, is not the forest's")
    clean = level_one_without(reader, ~truth.is_kind("payjoin"))
    views = {
        "cluster.L1": level_one,
        f"cluster.L1 {WITHOUT_PAYJOINS}": clean,
        f"cluster.L1 {WITHOUT_BOTH}": level_one_without(
            reader, ~truth.is_kind("payjoin") & (truth.protocol != "channel")
        ),
        "cluster.L2": build(forest, "L2", changes).partition().astype(np.int64),
        f"cluster.L2 {WITHOUT_PAYJOINS}": _level(forest, "L2", changes, clean),
        "cluster.L2 without guards": build(forest, "L2", changes, OFF).partition().astype(np.int64),
    }
    if leads is not None:
        both = Edges.together([changes, leads])
        views["cluster.L3"] = build(forest, "L3", both).partition().astype(np.int64)
        views[f"cluster.L3 {WITHOUT_PAYJOINS}"] = _level(forest, "L3", both, clean)
    for name, partition in views.items():
        _purity(book, world.models, name, partition, truth)
        together = _clusters_of(partition, truth, DECOY) & _clusters_of(partition, truth, MARKET)
        book.add(name, world.models, "the decoy is apart from the market", 1, bool(together))


def _level(forest: Forest, level: Level, edges: Edges, base: I64) -> I64:
    """Partition of a level above another L1 partition."""
    return build(forest, level, edges, base=base.astype(np.uint32)).partition().astype(np.int64)


def _clusters_of(partition: I64, truth: Truth, name: str) -> set[int]:
    numbers = [number for number, each in truth.names.items() if each == name]
    return set(np.unique(partition[np.isin(truth.entity, numbers)]).tolist())


def level_one_without(reader: Reader, believed: Mask) -> I64:
    """L1 partition of the co-spends of some transactions, bool (transactions,), and all facts; int64 (scripts,)."""
    asked = np.flatnonzero(believed)
    asked = asked[~collaborative_mask(reader, asked)]
    owner, script = owned_scripts(reader, asked)
    next_to = np.flatnonzero(owner[1:] == owner[:-1])
    facts = [reader.column("same_key", name).astype(np.int64) for name in ("script_a", "script_b")]
    a, b = np.append(script[next_to], facts[0]), np.append(script[next_to + 1], facts[1])
    return components(reader.counts.script, a, b)


def _purity(book: Book, models: str, name: str, partition: I64, truth: Truth) -> None:
    """Pairs, B-cubed (Amigo et al. 2009) and the court's question."""
    told = truth.controller != UNTOLD
    cells, n = np.unique(np.stack([partition[told], truth.controller[told]]), axis=1, return_counts=True)
    cluster, owner = (np.unique(each, return_inverse=True)[1] for each in cells)
    in_cluster, of_owner = (np.bincount(each, n).astype(np.int64) for each in (cluster, owner))
    both, joined, true = _pairs(n), _pairs(in_cluster), _pairs(of_owner)
    book.add(name, models, ALL, joined, joined - both, found=both, wanted=true)
    scripts = int(n.sum())
    book.weigh(f"{name}.bcubed_precision", models, float((n * n / in_cluster[cluster]).sum() / scripts), scripts)
    book.weigh(f"{name}.bcubed_recall", models, float((n * n / of_owner[owner]).sum() / scripts), scripts)
    several = in_cluster[cluster] > 1
    n, size, owner = n[several], in_cluster[cluster[several]], owner[several]
    strange = 1 - (n - 1) / (size - 1)
    book.weigh(f"{name}.court_by_address", models, float((n * strange).sum() / n.sum()), n.sum())
    weight = np.bincount(owner, n)
    mean = np.bincount(owner, n * strange)[weight > 0] / weight[weight > 0]
    book.weigh(f"{name}.court_by_entity", models, float(mean.mean()), len(mean))


def _pairs(sizes: npt.NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
