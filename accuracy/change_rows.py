"""How often change rules are right: each of them, the vote by the families that agree, and whether they err together.

Truth is the simulator's `is_change`: an output that returns to a payer. A rule is asked about every transaction it may
look at, with the whole snapshot to read; the vote's rows are those that the ledger stores (METHODS.md 2.2, 2.3, 10.5).
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from book import ALL, Book
from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rule import unique
from cointrail.cluster.change.rules import RULES, VOTING
from cointrail.cluster.change.tally import FAMILIES, tally
from cointrail.cluster.change.vote import RULE, VERSION
from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from truth import I64, Mask, Truth
from worlds import World

_MIXED = "mixed"


def change_rows(book: Book, world: World, reader: Reader, truth: Truth) -> None:
    """Add the rows of one world."""
    everything = np.arange(reader.counts.transaction, dtype=np.int64)
    context = Context(reader, everything, clusters=Forest(reader).roots)
    strata = strata_of(context)
    change = truth.change[context.outputs.row] == 1
    wanted = np.bincount(context.outputs.owner[change], minlength=len(context)) > 0
    for rule in RULES:
        fired = unique(context, rule.keep(context))
        if fired.any():
            _add(
                book, (rule.id, rule.version, world.models), strata, context.outputs.owner[fired], change[fired], wanted
            )
    _vote(book, world, reader, truth, (strata, wanted))
    _together(book, world, context, change)


def strata_of(context: Context) -> dict[str, Mask]:
    """Transactions by the type of what they spend and by shape, each bool (n,)."""
    least, most = context.least_of_inputs(context.input_type), -context.least_of_inputs(-context.input_type)
    eligible, inputs, outputs = context.eligible, context.input_counts, context.output_counts
    found = {ALL: eligible}
    for kind in ScriptType:
        found[f"type {kind.name.lower()}"] = eligible & (least == most) & (least == kind)
    found[f"type {_MIXED}"] = eligible & (least != most)
    found["shape 1-in-2-out"] = eligible & (inputs == 1) & (outputs == 2)
    found["shape n-in-2-out"] = eligible & (inputs > 1) & (outputs == 2)
    found["shape 3 to 10 outputs"] = eligible & (outputs > 2)
    return found


def _add(book: Book, key: tuple[str, int, str], strata: dict[str, Mask], items: I64, right: Mask, wanted: Mask) -> None:
    rule, version, models = key
    for stratum, inside in strata.items():
        at = inside[items]
        if stratum != ALL and not at.any():
            continue
        n, good = int(at.sum()), int((at & right).sum())
        book.add(rule, models, stratum, n, n - good, version=version, found=good, wanted=int((inside & wanted).sum()))


def _vote(book: Book, world: World, reader: Reader, truth: Truth, of: tuple[dict[str, Mask], Mask]) -> None:
    """The stored decisions, each output once, as last decided."""
    strata, wanted = of
    output, votes = (np.asarray(reader.column("change", name)) for name in ("output", "votes"))
    _, last = np.unique(output[::-1], return_index=True)
    last = len(output) - 1 - last
    output, votes = output[last].astype(np.int64), votes[last]
    items, right = reader.transaction_of_outputs(output), truth.change[output] == 1
    _add(book, (RULE, VERSION, world.models), strata, items, right, wanted)
    families = families_of(votes)
    for code in np.unique(families).tolist():
        of_code = families == code
        name = "families " + "+".join(str(each) for bit, each in enumerate(FAMILIES) if code >> bit & 1)
        n, good = int(of_code.sum()), int((of_code & right).sum())
        book.add(RULE, world.models, name, n, n - good, version=VERSION, found=good, wanted=int(wanted.sum()))


def families_of(votes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The families whose rules stand in bits of votes, uint8, same shape."""
    found = np.zeros(len(votes), np.uint8)
    for rule in VOTING:
        found[votes & np.uint32(rule.bit) != 0] |= np.uint8(1 << FAMILIES.index(rule.family))
    return found


def _together(book: Book, world: World, context: Context, change: Mask) -> None:
    """For each two families: where both vote in transactions of one change among two outputs, are they wrong together?

    METHODS.md 2.3 asks for F1 and F4. A figure is a share of transactions in which both vote for one output each.
    """
    pairs = context.narrowed(np.flatnonzero(context.output_counts == 2))
    change = change[np.isin(context.outputs.owner, np.flatnonzero(context.output_counts == 2))].reshape(-1, 2)
    chosen = tally(pairs, VOTING).families.reshape(-1, 2)
    one = change.sum(axis=1) == 1
    said, wrong = [], []
    for bit in range(len(FAMILIES)):
        votes = chosen >> bit & 1 == 1
        said.append(one & (votes.sum(axis=1) == 1))
        wrong.append((votes & ~change).any(axis=1))
    for one_family, two_family in combinations(range(len(FAMILIES)), 2):
        both = said[one_family] & said[two_family]
        name = f"{FAMILIES[one_family]}&{FAMILIES[two_family]}"
        cells = {
            "first wrong": wrong[one_family],
            "second wrong": wrong[two_family],
            "both wrong": wrong[one_family] & wrong[two_family],
        }
        for cell, where in cells.items():
            book.weigh(
                f"families.{name}.{cell}", world.models, float(where[both].mean()) if both.any() else 0.0, both.sum()
            )


def correlation(book: Book, name: str, models: str) -> float | None:
    """Phi coefficient of the errors of two families, named `F1&F4`; None if one of them never errs."""
    cells = [book.figure(f"families.{name}.{cell}", models) for cell in ("first wrong", "second wrong", "both wrong")]
    if None in cells:
        return None
    first, second, both = (float(cell or 0.0) for cell in cells)
    spread = (first * (1 - first) * second * (1 - second)) ** 0.5
    return (both - first * second) / spread if spread else None
