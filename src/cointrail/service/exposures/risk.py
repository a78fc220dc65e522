"""Which rules does this wallet's exposure meet, and what do they add up to? And what changed since the last time?"""

from pathlib import Path
from typing import Final

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import LIMITS
from cointrail.profile.risk import evaluate as method
from cointrail.profile.risk.evaluate import Component, Evaluation, Seen, evaluate
from cointrail.profile.risk.file import default_rules
from cointrail.profile.risk.rules import ANY, Listed, Reach, Rule, RuleSet
from cointrail.service.answers import Rule as RuleName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.exposures.exposure import FIGURES_ONLY, answer_of
from cointrail.service.exposures.found import Found, Watched, find
from cointrail.service.exposures.rescreen import Earlier, Inputs, rescreen
from cointrail.service.exposures.risk_answers import (
    KIND,
    KIND_VERSION,
    NOBODY,
    PRIVACY_ALONE,
    STATEMENT,
    ComponentAnswer,
    ConditionAnswer,
    InputAnswer,
    RescreenAnswer,
    RiskAnswer,
    RuleSetAnswer,
)
from cointrail.service.names import snapshot_name
from cointrail.trace.limits import Limits

_WHEN: Final = {
    Listed.BEFORE: "before the listing",
    Listed.AFTER: "after the listing",
    Listed.ENDED: "when the listing was over",
    Listed.UNKNOWN: "date of listing unknown",
}


def risk(
    reader: Reader,
    wallet: str,
    *,
    services: TagSource = None,
    overlay: Path | None = None,
    limits: Limits = LIMITS,
    rules: RuleSet | None = None,
    earlier: Earlier | None = None,
    watch: Watched = lambda _passed, _waiting: False,
) -> RiskAnswer:
    """Apply rules to the exposure of an address, or `cluster:ADDRESS`.

    Args:
        reader: the ledger at a snapshot.
        wallet: who is asked about.
        services: tags.
        overlay: a file of corrections, applied to the wallet's cluster.
        limits: of the exposure.
        rules: the program's own if not given.
        earlier: an answer to compare with.
        watch: sees progress, and may cancel.

    Raises:
        As `exposure.exposure`.
        UsageError: the earlier answer is about another wallet.
    """
    chosen = default_rules() if rules is None else rules

    def found_at(at: Reader, within: Limits) -> Found:
        return find(at, wallet, services=services, overlay=overlay, limits=within, ways=False, watch=watch)

    now = found_at(reader, limits)
    found = evaluated(now, chosen.rules)
    compared = None
    if earlier is not None:
        compared = rescreen(earlier, Inputs(reader, wallet, now, chosen, found_at, evaluated))
    return _answer(now, chosen, found, compared)


def evaluated(found: Found, rules: tuple[Rule, ...]) -> Evaluation:
    """Rules on what was found."""
    now = int(found.reader.column("block", "time")[found.reader.height])
    return evaluate(rules, {side: Seen.of(half.exposure, half.times, now) for side, half in found.sides.items()})


def rule_set_answer(rules: RuleSet) -> RuleSetAnswer:
    """The rules as answers carry them: anybody can add the score up again."""
    return RuleSetAnswer(rules.name, rules.revision, rules.file, rules.sha256, rules.text)


def _answer(now: Found, chosen: RuleSet, found: Evaluation, compared: RescreenAnswer | None) -> RiskAnswer:
    exposure = answer_of(now, FIGURES_ONLY)
    nobody = now.tags is None or not now.tags.used
    warnings = []
    if nobody:
        warnings.append(NOBODY)
    if found.privacy_alone:
        warnings.append(PRIVACY_ALONE)
    if not now.complete:
        warnings.append("a budget cut the exposure off: what was not followed is not counted")
    return RiskAnswer(
        kind=KIND,
        kind_version=KIND_VERSION,
        wallet=now.text,
        score=None if nobody else found.score,
        ceiling=found.ceiling,
        arithmetic=found.arithmetic,
        components=tuple(_component(each) for each in found.components),
        warnings=tuple(warnings),
        statement=STATEMENT,
        rule_set=rule_set_answer(chosen),
        exposure=exposure,
        rescreen=compared,
        rules=(RuleName(method.RULE, method.VERSION), *exposure.rules),
        overlay=exposure.overlay,
        tags=now.tags,
        complete=now.complete,
        snapshot=snapshot_name(now.reader),
    )


def _component(each: Component) -> ComponentAnswer:
    rule = each.rule
    return ComponentAnswer(
        rule=rule.id,
        line=rule.line,
        reason=rule.reason,
        selects=selects(rule),
        informative=rule.informative,
        inputs=tuple(InputAnswer(one.row, one.sat) for one in each.inputs),
        sat=each.sat,
        gross_sat=each.gross_sat,
        conditions=tuple(ConditionAnswer(one.name, one.least, one.found, one.met) for one in each.conditions),
        arithmetic=each.arithmetic,
        points=each.points,
    )


def selects(rule: Rule) -> str:
    """What a rule looks at, in words."""
    words = [str(rule.side)]
    if rule.stops:
        return f"{words[0]}, ended at: {', '.join(rule.stops)}"
    if rule.reach is not Reach.ANY:
        words.append(str(rule.reach))
    if rule.categories:
        words.append("any category" if ANY in rule.categories else f"category {' or '.join(rule.categories)}")
    if rule.entities:
        words.append(f"entity {' or '.join(rule.entities)}")
    if rule.listed is not Listed.ANY:
        words.append(_WHEN[rule.listed])
    if rule.max_hops is not None:
        words.append(f"within {rule.max_hops} transaction(s)")
    if rule.within_days is not None:
        words.append(f"in the last {rule.within_days} day(s)")
    return ", ".join(words)
