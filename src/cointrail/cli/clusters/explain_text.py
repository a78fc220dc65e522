"""Explanations as people read them: the way, what inferences on it rest on, and what speaks against it."""

from typing import TYPE_CHECKING

from cointrail.cli.clusters.cluster_text import LEADS, model_text, tags_text
from cointrail.cli.output import note, note_page, number, print_fields, print_table

if TYPE_CHECKING:
    from cointrail.service.clustering.steps import NamedChange, ProofStep
    from cointrail.service.proofs import CheckAnswer, ProofAnswer

_CO_SPEND = (
    "note: controlled by the same entity under the assumption of co-spend; only steps of rule same_key are facts; "
    "see docs/methods/co-spend.md"
)
_CHANGE = (
    "note: steps of rule change_vote or change_model assume besides that the named output is change; "
    "see docs/methods/change-vote.md and docs/methods/change-model.md"
)


def print_explanation(answer: "ProofAnswer", shown: int) -> None:
    """Print an explanation, at most `shown` rows of each list."""
    _print_figures(answer)
    if answer.steps:
        _print_steps(answer.steps, shown)
    if answer.held:
        print("\nheld for review; these would link them")
        rows = [
            ("-" if each.height is None else number(each.height), each.rule, each.reason, number(each.size_x),
             number(each.size_y), each.txid or "-", each.x, each.y)
            for each in answer.held[:shown]
        ]  # fmt: skip
        print_table(("height", "rule", "guard", "one side", "other side", "txid", "from", "to"), rows)
        note_page(0, len(rows), len(answer.held), "held inferences")
    if answer.suppressed:
        print("\nspent together, and not believed")
        print_table(
            ("height", "class", "txid", "reason"),
            ((number(each.height), each.kind, each.txid, each.reason) for each in answer.suppressed[:shown]),
        )
        note_page(0, min(shown, len(answer.suppressed)), len(answer.suppressed), "co-spends")
    for dispute in answer.disputes:
        print(f"disputed: {dispute.txid} by {dispute.decided_by} at height {number(dispute.height)}: {dispute.reason}")
    if answer.note:
        note(f"note: {answer.note}")
    if answer.steps:
        note(_CO_SPEND)
        if any(step.change for step in answer.steps):
            note(_CHANGE)


def _print_figures(answer: "ProofAnswer") -> None:
    kind = LEADS if any(_is_lead(step) for step in answer.steps) else answer.basis
    rules = ", ".join(f"{rule} {version}" for rule, version in sorted({(s.rule, s.version) for s in answer.steps}))
    print_fields(
        [
            ("a", answer.a),
            ("b", answer.b),
            ("linked", _how(answer)),
            ("level", f"{answer.level} ({kind}; rules of the steps: {rules or '-'})"),
            *([("model", model_text(answer.model))] if answer.model else []),
            *([("tagged", tags_text(answer.tagged))] if answer.tagged else []),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )


def _how(answer: "ProofAnswer") -> str:
    if not answer.linked:
        return "no"
    if not answer.steps:
        return "yes: both name one script"
    inferred = sum(step.change is not None for step in answer.steps)
    how = f"yes, in {number(len(answer.steps))} step(s)"
    how += f", {number(inferred)} of them named change" if inferred else ""
    return how + ("" if answer.shortest else " (a shorter way was searched, not to the end)")


def _is_lead(step: "ProofStep") -> bool:
    return step.change is not None and step.change.probability is not None


def _print_steps(steps: "tuple[ProofStep, ...]", shown: int) -> None:
    print()
    rows = [
        (each.time_utc, number(each.height), each.rule, f"{each.basis} (lead)" if _is_lead(each) else each.basis,
         each.txid, each.x, each.y)
        for each in steps[:shown]
    ]  # fmt: skip
    print_table(("time", "height", "rule", "basis", "txid", "from", "to"), rows)
    note_page(0, len(rows), len(steps), "steps")
    named = [(row, step, step.change) for row, step in enumerate(steps[:shown], 1) if step.change]
    if named:
        print("\nnamed change: the transaction spends one of both, and the other is said to be its change")
        print_table(
            ("step", "rule", "said by", "decided at", "decided by"),
            [
                (number(row), f"{step.rule} {step.version}", said_by(change), number(change.decided_at.height),
                 change.decided_by)
                for row, step, change in named
            ],
        )  # fmt: skip


def said_by(change: "NamedChange") -> str:
    """What named a change output: the rules that voted, by family, or a model's probability."""
    if change.probability is not None:
        return f"probability {1000 * change.probability:.1f} per mille"
    return "; ".join(f"{each.family}: {', '.join(each.names)}" for each in change.votes)


def verdict_of(answer: "CheckAnswer", what: str) -> str:
    """One sentence for a check without a fault."""
    if not answer.steps and not answer.inferences:
        return f"{what} stands: both ends are one script, so there is no step to check"
    if not answer.inferences:
        return f"{what} stands: {number(answer.steps)} step(s) checked from raw transactions"
    return (
        f"{what} has no fault: {number(answer.steps)} step(s) of L1 checked from raw transactions; "
        f"{number(answer.inferences)} named change(s) not checked, only that their transactions are as stated"
    )
