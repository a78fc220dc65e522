"""The change output of one transaction in full: what every rule says of every output, and the result in words.

For display and for peel chains. The batch form is `vote.decide`; both give the same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cointrail.cluster.change.context import Clusters, Context
from cointrail.cluster.change.eligible import LEAST_OUTPUTS, MOST_OUTPUTS
from cointrail.cluster.change.rule import Family, Rule, unique
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.change.tally import FAMILIES, LEAST_FAMILIES, Tally, tally
from cointrail.cluster.gate.gate import collaborative_mask
from cointrail.ledger.rows import Rows
from cointrail.ledger.schema import NONE

RULE = "change_vote"
VERSION = 1


class Result(StrEnum):
    """How sure it is."""

    CERTAIN = "certain"
    ACCEPTED = "accepted"
    UNDECIDED = "undecided"


class Mark(StrEnum):
    """What a rule says of an output; `KEPT` is no praise: the rule has nothing against it."""

    KEPT = "kept"
    RULED_OUT = "ruled_out"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one rule says.

    Attributes:
        rule: the rule.
        marks: one for each output of the verdict.
        fired: the one output it leaves, or -1.
    """

    rule: Rule
    marks: tuple[Mark, ...]
    fired: int


@dataclass(frozen=True, slots=True)
class ChangeVerdict:
    """Which output of a transaction is change, as of a horizon.

    Attributes:
        tx_index: the transaction.
        horizon: the last transaction that was read.
        result: certain, accepted or undecided.
        output: the change output, or -1.
        reason: why, in words.
        outputs: its spendable outputs; empty if no rule runs on it.
        opinions: what each rule says; empty if no rule runs on it.
        families: the outputs that the rules of each family chose: none if it abstains, several in a conflict.
        rule, version: which rule.
    """

    tx_index: int
    horizon: int
    result: Result
    output: int
    reason: str
    outputs: tuple[int, ...]
    opinions: tuple[Opinion, ...]
    families: Mapping[Family, tuple[int, ...]]
    rule: str = RULE
    version: int = VERSION


def name_change(
    rows: Rows,
    tx_index: int,
    horizon: int | None = None,
    clusters: Clusters | None = None,
    change_position: int | None = None,
) -> ChangeVerdict:
    """Judge one transaction.

    Args:
        rows: a reader of the ledger.
        tx_index: the transaction, inside the snapshot.
        horizon: the last transaction to read, or None for the snapshot's last.
        clusters: as in `Context`, for C2.
        change_position: the vout where its program puts change, if that is known, for C21.

    Method: METHODS.md 2.3.
    """
    last = rows.counts.transaction - 1 if horizon is None else horizon
    position = None if change_position is None else np.array([change_position], np.int64)
    context = Context(rows, np.array([tx_index], np.int64), np.array([last], np.int64), clusters, position)
    outputs = tuple(context.outputs.row.tolist())
    if not outputs:
        reason = _why_not_eligible(rows, tx_index)
        return ChangeVerdict(tx_index, last, Result.UNDECIDED, NONE, reason, (), (), {})
    opinions = tuple(_opinion(context, rule) for rule in RULES)
    votes = tally(context, RULES)
    families = {
        family: tuple(context.outputs.row[votes.families & (1 << bit) != 0].tolist())
        for bit, family in enumerate(FAMILIES)
    }
    result, output, reason = _result(context, opinions[0], votes, families)
    return ChangeVerdict(tx_index, last, result, output, reason, outputs, opinions, families)


def _opinion(context: Context, rule: Rule) -> Opinion:
    kept = rule.keep(context)
    fired = context.outputs.row[unique(context, kept)]
    marks = (
        [Mark.KEPT if each else Mark.RULED_OUT for each in kept] if kept.any() else [Mark.NOT_APPLICABLE] * len(kept)
    )
    return Opinion(rule, tuple(marks), int(fired[0]) if len(fired) else NONE)


def _result(
    context: Context, reuse: Opinion, votes: Tally, families: Mapping[Family, tuple[int, ...]]
) -> tuple[Result, int, str]:
    if reuse.fired != NONE:
        return Result.CERTAIN, reuse.fired, "it pays a script that the transaction spends"
    if Mark.KEPT in reuse.marks:
        return Result.UNDECIDED, NONE, "several outputs pay scripts that the transaction spends"
    text = _words(context, families)
    if len(context.outputs.row) != 2:
        return Result.UNDECIDED, NONE, f"{len(context.outputs.row)} spendable outputs; the vote needs two ({text})"
    agreed = votes.agreed(context)
    if agreed.any():
        at = int(np.flatnonzero(agreed)[0])
        if context.spent[at]:
            return Result.ACCEPTED, int(context.outputs.row[at]), text
        return Result.UNDECIDED, NONE, f"the output is not spent ({text})"
    chosen = {output for outputs in families.values() for output in outputs}
    if not chosen:
        return Result.UNDECIDED, NONE, "no rule fires"
    if len(chosen) > 1:
        return Result.UNDECIDED, NONE, f"families or rules contradict one another: {text}"
    if sum(1 for outputs in families.values() if outputs) < LEAST_FAMILIES:
        return Result.UNDECIDED, NONE, f"one family of signs is not enough: {text}"
    return Result.UNDECIDED, NONE, f"every vote rests on later transactions: {text}"


def _words(context: Context, families: Mapping[Family, tuple[int, ...]]) -> str:
    """`F1 votes for vout 0, F2 abstains, ...`."""
    first = int(context.rows.output_bounds(context.tx_index)[0][0])
    words = []
    for family, outputs in families.items():
        vouts = " and ".join(str(output - first) for output in outputs)
        words.append(
            f"{family} abstains"
            if not outputs
            else f"{family} votes for vout {vouts}"
            if len(outputs) == 1
            else f"{family} is in conflict over vouts {vouts}"
        )
    return ", ".join(words)


def _why_not_eligible(rows: Rows, tx_index: int) -> str:
    if rows.is_coinbase(tx_index):
        return "a coinbase has no change"
    if collaborative_mask(rows, np.array([tx_index], np.int64))[0]:
        return "the transaction is collaborative"
    outputs = np.array(rows.outputs_of(tx_index), np.int64)
    spendable = int(np.count_nonzero(~rows.unspendable_scripts(rows.column("output", "script")[outputs])))
    if not LEAST_OUTPUTS <= spendable <= MOST_OUTPUTS:
        return f"{spendable} spendable outputs; change rules look at {LEAST_OUTPUTS} to {MOST_OUTPUTS}"
    return "it carries a protocol (OP_RETURN, 294, 330 or 546 sat), or anybody could add inputs to it"
