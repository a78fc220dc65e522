"""Does the gate keep strangers apart, and does it leave ordinary transactions alone?

Recall is weighed by pairs of strangers that a transaction would have joined: one missed round of many inputs joins many
(METHODS.md 3.3, 10.5). Suppressing an honest payment of several scripts costs recall only; its rate is published too.
"""

import numpy as np

from book import ALL, Book
from cointrail.cluster.co_spend import owned_scripts
from cointrail.cluster.gate.gate import signs_of
from cointrail.cluster.gate.kinds import RULE_OF, VERSION_OF, VETO, Sign
from cointrail.ledger.reader import Reader
from truth import I64, Truth
from worlds import World

GATE = "gate"
LEFT_ALONE = "ordinary left alone"


def joined_pairs(reader: Reader, truth: Truth, tx_index: I64) -> tuple[I64, I64]:
    """Pairs of scripts that co-spend would join in each transaction, and those of different controllers; int64 (n,)."""
    owner, script = owned_scripts(reader, tx_index)
    controller = truth.controller[script]
    scripts = np.bincount(owner, minlength=len(tx_index))
    pairs = scripts * (scripts - 1) // 2
    cells, sizes = np.unique(np.stack([owner, controller]), axis=1, return_counts=True)
    same = np.bincount(cells[0], sizes * (sizes - 1) // 2, minlength=len(tx_index)).astype(np.int64)
    return pairs, pairs - same


def gate_rows(book: Book, world: World, reader: Reader, truth: Truth) -> None:
    """Add the rows of one world."""
    asked = np.arange(reader.counts.transaction, dtype=np.int64)
    signs = signs_of(reader, asked)
    pairs, strangers = joined_pairs(reader, truth, asked)
    several = pairs > 0
    mix = truth.is_kind("coinjoin")
    ordinary = several & ~mix & (strangers == 0)
    for sign in (VETO, *(each for each in Sign if each in VETO and each is not Sign.LISTED)):
        shown = signs & np.uint32(sign) != 0
        rule, version = (GATE, 1) if sign is VETO else (RULE_OF[sign], VERSION_OF[sign])
        hits = several & shown
        book.add(rule, world.models, ALL, hits.sum(), (hits & (strangers == 0)).sum(), version=version,
                 found=strangers[shown & mix].sum(), wanted=strangers[mix].sum())  # fmt: skip
        for protocol in np.unique(truth.protocol[mix]).tolist():
            rounds = mix & (truth.protocol == protocol)
            wanted, missed = strangers[rounds].sum(), strangers[rounds & ~shown].sum()
            book.add(rule, world.models, f"strangers apart: {protocol}", wanted, missed, version=version,
                     found=wanted - missed, wanted=wanted)  # fmt: skip
        book.add(rule, world.models, LEFT_ALONE, ordinary.sum(), (ordinary & shown).sum(), version=version)
        if sign is VETO:
            _by_kind(book, world, truth, ordinary, shown)


def _by_kind(book: Book, world: World, truth: Truth, ordinary: np.ndarray, shown: np.ndarray) -> None:
    """Which ordinary transactions are suppressed."""
    names = np.char.add(np.char.add(truth.kind, np.where(truth.protocol == "", "", ": ")), truth.protocol)
    for name in np.unique(names[ordinary & shown]).tolist():
        of_kind = ordinary & (names == name)
        book.add(GATE, world.models, f"{LEFT_ALONE}: {name}", of_kind.sum(), (of_kind & shown).sum())
