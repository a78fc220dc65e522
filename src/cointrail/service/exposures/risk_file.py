"""A risk answer as CSV: a row a rule, an input, a condition, a movement; and what the score rests on.

Points of the rows of kind `rule` sum to the score. Every other row is beneath its rule, or says what moved since an
earlier answer, or is a line of provenance.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cointrail.profile.risk.rescreen import Movement
from cointrail.reports.list_file import write_list
from cointrail.reports.tables import FOREIGN, INTEGER, TEXT, Column
from cointrail.service.exposures.risk_answers import NOBODY, ComponentAnswer, RescreenAnswer, RiskAnswer

RULE, INPUT, CONDITION = "rule", "input", "condition"
MOVED_SCORE, MOVED_RULE, MOVED_ROW = "moved score", "moved rule", "moved row"
PROVENANCE: Final = "provenance"

COLUMNS: Final = (
    Column("kind", TEXT, "what the row is; points of the kind `rule` sum to the score"),
    Column("rule", FOREIGN, "the rule that the row belongs to; of a movement, its cause"),
    Column("name", FOREIGN, "row of the exposure, condition, what moved, or what is said of the whole"),
    Column("points", INTEGER, "points that a rule adds; 0 if it is informative"),
    Column("sat", INTEGER, "satoshis that a rule or an input counts"),
    Column("gross_sat", INTEGER, "what the wallet received, or sent, on the rule's side"),
    Column("least", INTEGER, "what a condition asks"),
    Column("found", INTEGER, "what a condition found"),
    Column("before", INTEGER, "points or satoshis before; empty if there was no such rule or row"),
    Column("after", INTEGER, "points or satoshis after"),
    Column(
        "text", FOREIGN, "a rule's reason, what it selects and its arithmetic; whether a condition is met; the value"
    ),
)


def write_risk(answer: RiskAnswer, path: Path, *, overwrite: bool = False) -> None:
    """Write all of an answer but its exposure, which has a list of its own.

    Raises:
        UsageError: the file exists and is not to be replaced, or there is no such folder.
        Unavailable: the disk refuses.
    """
    moved = () if answer.rescreen is None else _moved(answer.rescreen)
    rows = chain(chain.from_iterable(map(_component, answer.components)), moved, _provenance(answer))
    write_list(COLUMNS, list(rows), path, overwrite=overwrite)


def _row(kind: str, rule: str, name: str, text: str, **numbers: int | None) -> tuple[Any, ...]:
    counted = (numbers.get(column.name) for column in COLUMNS if column.type == INTEGER)
    return (kind, rule, name, *counted, text)


def _component(each: ComponentAnswer) -> Iterator[tuple[Any, ...]]:
    text = f"{each.reason} Selects {each.selects} (line {each.line}). {each.arithmetic}"
    yield _row(RULE, each.rule, "", text, points=each.points, sat=each.sat, gross_sat=each.gross_sat)
    for one in each.inputs:
        yield _row(INPUT, each.rule, one.row, "", sat=one.sat)
    for condition in each.conditions:
        met = "met" if condition.met else "not met"
        yield _row(CONDITION, each.rule, condition.name, met, least=condition.least, found=condition.found)


def _moved(found: RescreenAnswer) -> Iterator[tuple[Any, ...]]:
    for each in found.movements:
        yield _row(MOVED_SCORE, each.cause, "score", "points", before=each.score_before, after=each.score_after)
        yield from _moved_by(each)


def _moved_by(each: Movement) -> Iterator[tuple[Any, ...]]:
    for rule in each.rules:
        yield _row(MOVED_RULE, each.cause, rule.rule, "points", before=rule.before, after=rule.after)
    for row in each.rows:
        yield _row(MOVED_ROW, each.cause, row.row, "satoshis", before=row.before_sat, after=row.after_sat)


def _provenance(answer: RiskAnswer) -> Iterator[tuple[Any, ...]]:
    return (_row(PROVENANCE, "", name, text) for name, text in _said(answer))


def _said(answer: RiskAnswer) -> Iterator[tuple[str, str]]:
    snapshot, rules, tags = answer.snapshot, answer.rule_set, answer.tags
    yield "wallet", answer.wallet
    yield "score", f"none: {NOBODY}" if answer.score is None else f"{answer.score}: {answer.arithmetic}"
    yield "basis", str(answer.basis)
    yield "statement", answer.statement
    yield from (("warning", warning) for warning in answer.warnings)
    yield "complete", "yes" if answer.complete else "no"
    yield "program", snapshot.program
    yield "snapshot", f"{snapshot.network}, height {snapshot.height}, block {snapshot.block_hash}"
    yield "digest", snapshot.digest
    yield "rule set", f"{rules.name}, revision {rules.revision}, {rules.file}, SHA-256 {rules.sha256}"
    yield "methods", ", ".join(f"{each.id} {each.version}" for each in answer.rules)
    yield "limits", ", ".join(f"{name} {limit}" for name, limit in answer.exposure.limits.items() if limit is not None)
    yield "overlay", answer.overlay or "none"
    yield "tags", "none" if tags is None else f"{tags.lists}, tag set {tags.digest}"
    if tags is not None and tags.known_at is not None:
        yield "known at", tags.known_at
    if answer.rescreen is not None:
        yield from _said_before(answer.rescreen)


def _said_before(found: RescreenAnswer) -> Iterator[tuple[str, str]]:
    before = found.earlier_snapshot
    yield "earlier score", str(found.score_before)
    yield "earlier program", before.program
    yield "earlier snapshot", f"{before.network}, height {before.height}, block {before.block_hash}"
    yield "earlier digest", before.digest
    yield "earlier rule set", f"SHA-256 {found.earlier_rules}"
    yield "earlier tags", "none" if found.earlier_tags is None else f"tag set {found.earlier_tags}"
    yield from (("note", text) for text in found.notes)
