"""The lists of a cluster's answer: what was asked for becomes names, one page of each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cointrail.cluster.accuracy import measured
from cointrail.cluster.change.rules import VOTING
from cointrail.cluster.change.tally import FAMILIES
from cointrail.cluster.disputes import LIGHTNING, TEXT, Reason
from cointrail.cluster.forest.extend import CO_SPEND as CO_SPEND_RULE
from cointrail.cluster.forest.extend import SAME_KEY as SAME_KEY_RULE
from cointrail.cluster.gate.gate import collaborative, signs_of
from cointrail.cluster.gate.kinds import INFORMATIVE, RULE_OF, Sign, kind_of
from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.structure.evidence import CO_SPEND, I64, SAME_KEY
from cointrail.service.answers import (
    Accuracy,
    AliasAnswer,
    BridgeAnswer,
    ClusterDispute,
    CoSpendAnswer,
    GrowthStep,
    Rule,
    RuleShare,
    SuppressedCoSpend,
    SuspicionAnswer,
)
from cointrail.service.clustering.cluster import Cluster
from cointrail.service.clustering.suspects import suspicious
from cointrail.service.names import moment, txid_of

SHOWN_PARTS = 10
"""Parts of a bridge that are named by size, the largest first."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list that are shown."""

    first: int
    limit: int | None

    def of(self, rows: I64) -> I64:
        """That part of an array."""
        return rows[self.first : None if self.limit is None else self.first + self.limit]

    def range(self, total: int) -> range:
        """The same as numbers."""
        return range(total)[self.first : None if self.limit is None else self.first + self.limit]


@dataclass(slots=True)
class Lists:
    """What was asked for; None for the rest."""

    transactions: tuple[CoSpendAnswer, ...] | None = None
    suppressed: tuple[SuppressedCoSpend, ...] | None = None
    evolution: tuple[GrowthStep, ...] | None = None
    aliases: tuple[AliasAnswer, ...] | None = None
    bridges: tuple[BridgeAnswer, ...] | None = None
    suspicious: tuple[SuspicionAnswer, ...] | None = None
    totals: dict[str, int] = field(default_factory=dict)


def lists_of(found: Cluster, show: Collection[str], page: Page, *, order: Literal["time", "size"]) -> Lists:
    """Make the lists that were asked for."""
    lists = Lists()
    if "transactions" in show:
        lists.transactions, lists.totals["transactions"] = _transactions(found, page), len(found.evidence.co_spends)
    if "suppressed" in show:
        lists.suppressed, lists.totals["suppressed"] = _suppressed(found, page), len(found.evidence.suppressed)
    if "evolution" in show:
        lists.evolution, lists.totals["evolution"] = _growth(found, page, order)
        lists.aliases, lists.totals["aliases"] = _aliases(found, page)
    if "bridges" in show:
        lists.bridges, lists.totals["bridges"] = _bridges(found, page), len(found.bridges.piece)
    if "suspicious" in show:
        lists.suspicious, lists.totals["suspicious"] = suspicious(found, page.range)
    return lists


def _transactions(found: Cluster, page: Page) -> tuple[CoSpendAnswer, ...]:
    held = found.evidence
    shown = page.of(np.flatnonzero(held.rule == CO_SPEND))
    members = np.bincount(held.edges.owner, minlength=len(held.joins))
    signs = signs_of(found.reader, held.joins[shown], off=~INFORMATIVE)
    marks = (
        ("outputs of collaborative transactions are spent together", held.postmix),
        ("forced co-spend possible: it spends dust that somebody else sent", held.forced),
    )
    answers = []
    for piece, sign in zip(shown.tolist(), signs.tolist(), strict=True):
        tx_index = int(held.joins[piece])
        at = moment(found.reader, tx_index)
        notes = [RULE_OF[each] for each in Sign if each & INFORMATIVE & sign]
        notes += [text for text, marked in marks if _holds(marked, tx_index)]
        name = txid_of(found.reader, tx_index)
        answers.append(
            CoSpendAnswer(
                name, at.height, at.time_utc, Rule(*CO_SPEND_RULE), "believed", int(members[piece]), tuple(notes)
            )
        )
    return tuple(answers)


def _holds(rows: I64, row: int) -> bool:
    at = int(np.searchsorted(rows, row))
    return at < len(rows) and int(rows[at]) == row


def _suppressed(found: Cluster, page: Page) -> tuple[SuppressedCoSpend, ...]:
    held = found.evidence
    answers = []
    for row in page.range(len(held.suppressed)):
        tx_index, signs = int(held.suppressed[row]), Sign(int(held.signs[row]))
        at, verdict = moment(found.reader, tx_index), collaborative(found.reader, tx_index)
        told = dict(zip((rule for rule, _ in verdict.rules), verdict.reasons, strict=True))
        rules = tuple(RULE_OF[each] for each in Sign if each & signs)
        listed = "on a list of transactions that are not believed"
        if found.corrected and _holds(np.sort(found.corrected.effect.excluded), tx_index):
            listed = "excluded by the overlay"
        reasons = tuple(told.get(rule, listed) for rule in rules)
        name = txid_of(found.reader, tx_index)
        answers.append(SuppressedCoSpend(name, at.height, at.time_utc, str(kind_of(int(signs))), rules, reasons))
    return tuple(answers)


def _growth(found: Cluster, page: Page, order: str) -> tuple[tuple[GrowthStep, ...], int]:
    grown = found.evolution
    line = grown.line(int(found.scripts[0]))
    if order == "size":
        line = line[np.lexsort((line, -(grown.after - grown.before)[line]))]
    answers = []
    for step in page.of(line).tolist():
        tx_index = int(grown.tx_index[step])
        at = moment(found.reader, tx_index)
        before, after, parts, largest = (
            int(column[step]) for column in (grown.before, grown.after, grown.parts, grown.largest)
        )
        answers.append(
            GrowthStep(txid_of(found.reader, tx_index), at.height, at.time_utc, before, after, parts, largest)
        )
    return tuple(answers), len(line)


def _aliases(found: Cluster, page: Page) -> tuple[tuple[AliasAnswer, ...], int]:
    grown = found.evolution
    aliases = grown.aliases()
    answers = []
    for row in page.of(aliases).tolist():
        step = int(grown.ended_step[row])
        tx_index = int(grown.tx_index[step])
        answers.append(
            AliasAnswer(
                cluster_id=found.name(int(grown.ended[row])),
                size=int(grown.ended_size[row]),
                into=found.name(int(grown.kept[step])),
                txid=txid_of(found.reader, tx_index),
                height=moment(found.reader, tx_index).height,
            )
        )
    return tuple(answers), len(aliases)


def _bridges(found: Cluster, page: Page) -> tuple[BridgeAnswer, ...]:
    split = found.bridges
    answers = []
    for bridge in page.of(split.ranked()).tolist():
        piece = int(split.piece[bridge])
        txid, height = place_of(found, int(found.evidence.joins[piece]))
        sizes = split.sizes(bridge)
        rule = rule_named(int(found.evidence.rule[piece]))
        answers.append(BridgeAnswer(txid, height, rule, len(sizes), tuple(sizes[:SHOWN_PARTS])))
    return tuple(answers)


def place_of(found: Cluster, tx_index: int) -> tuple[str | None, int | None]:
    """(txid, height) of what a piece of evidence is about; neither for an assertion by hand."""
    if tx_index < 0:
        return None, None
    return txid_of(found.reader, tx_index), moment(found.reader, tx_index).height


def rule_named(code: int) -> str:
    """The rule behind a code of `Evidence.rule`."""
    return {CO_SPEND: CO_SPEND_RULE[0], SAME_KEY: SAME_KEY_RULE[0]}.get(code) or EdgeRule(code).rule


def disputes(found: Cluster) -> tuple[ClusterDispute, ...]:
    """Later signs against the co-spends inside; none if an overlay switches their rule off."""
    if found.corrected and LIGHTNING[0] in found.corrected.effect.rules_off:
        return ()
    reader = found.reader
    about = reader.column("dispute", "tx_index").astype(np.int64)
    rows = np.flatnonzero(np.isin(about, found.evidence.co_spends))
    answers = []
    for row in rows.tolist():
        shown_by = int(reader.column("dispute", "decided_at")[row])
        reason = TEXT[Reason(int(reader.column("dispute", "reason")[row]))]
        answers.append(
            ClusterDispute(
                txid_of(reader, int(about[row])), txid_of(reader, shown_by), moment(reader, shown_by), reason
            )
        )
    return tuple(answers)


def shares(found: Cluster) -> tuple[RuleShare, ...]:
    """How much of the evidence each rule gives; votes apart by the families that agreed."""
    held = found.evidence
    versions = dict(found.clusters.rules)
    counted = np.unique(np.stack((held.rule.astype(np.int64), _details(found))), axis=1, return_counts=True)
    answers = []
    for code, detail, count in zip(*counted[0].tolist(), counted[1].tolist(), strict=True):
        rule = rule_named(code)
        version = versions.get(rule, 1)
        basis: Literal["fact", "inference", "assertion"] = (
            "fact" if code == SAME_KEY else "assertion" if code == EdgeRule.BY_HAND else "inference"
        )
        families = "+".join(str(family) for bit, family in enumerate(FAMILIES) if detail & 1 << bit)
        share = round(count / len(held.joins), 6)
        answers.append(RuleShare(rule, version, families, basis, count, share, _measured(rule, version, families)))
    return tuple(sorted(answers, key=lambda each: (-each.evidence, each.id, each.detail)))


def _measured(rule: str, version: int, families: str) -> Accuracy | None:
    row = measured(rule, version, f"families {families}" if families else None)
    if row is None:
        return None
    return Accuracy(row.models, row.stratum, row.n, row.errors, row.precision, row.upper_fdr, row.recall)


def _details(found: Cluster) -> I64:
    """Bits of the families that agreed, for votes; 0 for all other evidence."""
    held = found.evidence
    families = np.zeros(len(held.joins), np.int64)
    for rule in VOTING:
        families |= np.where(held.detail & np.uint32(rule.bit), 1 << FAMILIES.index(rule.family), 0)
    return np.where(held.rule == EdgeRule.CHANGE_VOTE, families, 0)
