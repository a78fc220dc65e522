"""The steps of an explanation as answers: who is named, when, by which rule, and what an inference was decided on."""

from collections.abc import Sequence
from dataclasses import dataclass

from cointrail.cluster.change.rules import VOTING
from cointrail.cluster.change.tally import FAMILIES
from cointrail.cluster.learned.edges import BASIS_POINTS
from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.level.guard import Held
from cointrail.cluster.proof.explain import Step
from cointrail.cluster.proof.level import Inference
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Basis, Moment
from cointrail.service.names import moment, name_of, txid_of


@dataclass(frozen=True, slots=True)
class FamilyVotes:
    """Rules of one family that chose the change output: ids, and names for people."""

    family: str
    rules: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedChange:
    """What a step above L1 was decided on, and by the last transaction that was read.

    `votes` are of a vote; `probability` (rounded down) and `model`, the SHA-256 of its file, are of a model.
    """

    decided_by: str
    decided_at: Moment
    votes: tuple[FamilyVotes, ...]
    probability: float | None
    model: str | None


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One transaction puts two addresses under common control; an address may be `script:HEX`.

    `change` is there for a step above L1: the transaction spends one of both and is said to pay change to the other.
    """

    txid: str
    height: int
    time_utc: str
    rule: str
    version: int
    x: str
    y: str
    change: NamedChange | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class HeldStep:
    """An inference that a guard holds for review, so that it joins nothing; sizes in scripts when it was held."""

    txid: str | None
    height: int | None
    rule: str
    reason: str
    x: str
    y: str
    size_x: int
    size_y: int


def step_answer(reader: Reader, step: Step | Inference, model: str | None) -> ProofStep:
    """A step by its names.

    Args:
        reader: the ledger at the snapshot.
        step: of the way.
        model: SHA-256 of the model that gave leads, if one did.
    """
    when = moment(reader, step.tx_index)
    return ProofStep(
        txid=txid_of(reader, step.tx_index),
        height=when.height,
        time_utc=when.time_utc,
        rule=step.rule,
        version=step.version,
        x=name_of(reader, step.script_x),
        y=name_of(reader, step.script_y),
        change=_named(reader, step, model) if isinstance(step, Inference) else None,
        basis=step.basis,
    )


def _named(reader: Reader, step: Inference, model: str | None) -> NamedChange:
    learned = step.rule == EdgeRule.CHANGE_MODEL.rule
    return NamedChange(
        decided_by=txid_of(reader, step.decided_at),
        decided_at=moment(reader, step.decided_at),
        votes=() if learned else _votes(step.detail),
        probability=step.detail / BASIS_POINTS if learned else None,
        model=model if learned else None,
    )


def _votes(detail: int) -> tuple[FamilyVotes, ...]:
    voted = [rule for rule in VOTING if detail & rule.bit]
    chosen = [(family, [rule for rule in voted if rule.family is family]) for family in FAMILIES]
    return tuple(
        FamilyVotes(str(family), tuple(rule.id for rule in rules), tuple(rule.name for rule in rules))
        for family, rules in chosen
        if rules
    )


def held_answers(reader: Reader, held: Sequence[Held]) -> tuple[HeldStep, ...]:
    """Held inferences by their names."""
    return tuple(
        HeldStep(
            txid=txid_of(reader, each.tx_index) if each.tx_index >= 0 else None,
            height=moment(reader, each.tx_index).height if each.tx_index >= 0 else None,
            rule=each.rule,
            reason=str(each.reason),
            x=name_of(reader, each.script_a),
            y=name_of(reader, each.script_b),
            size_x=each.size_a,
            size_y=each.size_b,
        )
        for each in held
    )
