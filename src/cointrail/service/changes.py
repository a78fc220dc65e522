"""What one transaction shows of its wallet: the gate's verdict, its form, which output is change, where it goes on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cointrail.cluster import fingerprint as forms
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rules import RULE_SETS
from cointrail.cluster.change.verdict import ChangeVerdict, Opinion, Result, name_change
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import Sign, kind_of
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.names import (
    address_or_none,
    find_transaction,
    moment,
    outpoint_of,
    script_of_output,
    snapshot_name,
    txid_of,
)

_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class SignAnswer:
    """One detector that found something in a transaction, and the figures it decided on."""

    rule: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """What the form of a transaction shows about the program that made it; facts, read off the chain."""

    version: int
    lock_time: str
    replaceable: bool
    segwit: bool
    low_r: str
    bip69: str
    input_types: tuple[str, ...]
    key_form: str
    input_order: tuple[str, ...] | None
    feerate_msat_vb: int


@dataclass(frozen=True, slots=True)
class ChangeOutput:
    """A spendable output that change rules look at."""

    vout: int
    value_sat: int
    address: str | None
    spender: str | None


@dataclass(frozen=True, slots=True)
class RuleOpinion:
    """What one rule says: `marks` has one word for each output (`kept`: it has nothing against it).

    `fired_vout` is the one output that it leaves, or None.
    """

    rule: str
    version: int
    name: str
    family: str
    static: bool
    text: str
    marks: tuple[str, ...]
    fired_vout: int | None


@dataclass(frozen=True, slots=True)
class RuleSetOpinion:
    """What a named set of rules, a peer's method, leaves."""

    name: str
    vouts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PathStep:
    """One hop to the transaction with which the same program seems to go on; a lead, level L3."""

    outpoint: str
    txid: str
    form: FormAnswer


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """What one transaction shows of its wallet.

    `result` is certain (it pays a script that it spends), accepted (two families of signs agree, level L2) or
    undecided; `path` follows the form from here, as far as asked, and `path_end` says why it ends.
    """

    txid: str
    height: int
    collaborative: str
    signs: tuple[SignAnswer, ...]
    form: FormAnswer
    result: str
    change_outpoint: str | None
    reason: str
    outputs: tuple[ChangeOutput, ...]
    opinions: tuple[RuleOpinion, ...]
    sets: tuple[RuleSetOpinion, ...]
    path: tuple[PathStep, ...]
    path_end: str
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE


def change(reader: Reader, txid: str, *, follow: int = 0) -> ChangeAnswer:
    """Look at one transaction as change rules do.

    Args:
        reader: the ledger at a snapshot.
        txid: the transaction.
        follow: most hops along transactions of the same form.

    Raises:
        InputRefused: not a txid.
        NotFound: not in this snapshot.
        UsageError: `follow` is negative or beyond 10,000.
        Unavailable: the ledger has no clusters up to the snapshot.
    """
    if not 0 <= follow <= _MOST_STEPS:
        raise UsageError(f"cannot follow {follow} hops", hint=f"give 0 to {_MOST_STEPS}")
    tx_index = find_transaction(reader, txid)[-1]
    forest = Forest(reader)
    verdict = name_change(reader, tx_index, clusters=forest.roots)
    gate = collaborative(reader, tx_index)
    listed = forest.sign(tx_index) & Sign.LISTED
    path, path_end = _path(reader, tx_index, follow)
    return ChangeAnswer(
        txid=txid_of(reader, tx_index),
        height=moment(reader, tx_index).height,
        collaborative=str(kind_of(int(gate.signs | listed))),
        signs=tuple(
            SignAnswer(rule, version, reason) for (rule, version), reason in zip(gate.rules, gate.reasons, strict=True)
        )
        + ((SignAnswer("coinjoin.listed", 1, "its txid is on a list in force"),) if listed else ()),
        form=_form(reader, tx_index),
        result=str(Result.UNDECIDED if listed else verdict.result),
        change_outpoint=None if listed or verdict.output == NONE else outpoint_of(reader, verdict.output),
        reason="the transaction is on a list of collaborative ones" if listed else verdict.reason,
        outputs=tuple(_output(reader, output) for output in verdict.outputs),
        opinions=tuple(_opinion(reader, verdict, each) for each in verdict.opinions),
        sets=tuple(_sets(reader, verdict)),
        path=path,
        path_end=path_end,
        rules=(Rule(verdict.rule, verdict.version), Rule(forms.RULE, forms.VERSION)),
        snapshot=snapshot_name(reader),
    )


def _form(reader: Reader, tx_index: int) -> FormAnswer:
    form = forms.fingerprint_of(reader, tx_index)
    return FormAnswer(
        version=form.version,
        lock_time=str(form.lock_time),
        replaceable=form.replaceable,
        segwit=form.segwit,
        low_r=str(form.low_r),
        bip69=str(form.bip69),
        input_types=tuple(kind.name.lower() for kind in form.input_types),
        key_form=str(form.key_form),
        input_order=None if form.input_order is None else tuple(str(each) for each in form.input_order),
        feerate_msat_vb=form.feerate_msat_vb,
    )


def _vout(reader: Reader, tx_index: int, output: int) -> int:
    return output - reader.outputs_of(tx_index).start


def _output(reader: Reader, output: int) -> ChangeOutput:
    spender = int(reader.spenders([output])[0])
    return ChangeOutput(
        vout=_vout(reader, int(reader.transaction_of_outputs(output)), output),
        value_sat=int(reader.column("output", "value_sat")[output]),
        address=address_or_none(reader, script_of_output(reader, output)),
        spender=None if spender == NONE else txid_of(reader, int(reader.transaction_of_inputs(spender))),
    )


def _opinion(reader: Reader, verdict: ChangeVerdict, opinion: Opinion) -> RuleOpinion:
    rule = opinion.rule
    return RuleOpinion(
        rule=rule.id,
        version=rule.version,
        name=rule.name,
        family=str(rule.family),
        static=rule.static,
        text=rule.text,
        marks=tuple(str(mark) for mark in opinion.marks),
        fired_vout=None if opinion.fired == NONE else _vout(reader, verdict.tx_index, opinion.fired),
    )


def _sets(reader: Reader, verdict: ChangeVerdict) -> Iterator[RuleSetOpinion]:
    context = Context(reader, np.array([verdict.tx_index], np.int64))
    for name, keep in RULE_SETS.items():
        kept = context.outputs.row[keep(context)].tolist()
        yield RuleSetOpinion(name, tuple(_vout(reader, verdict.tx_index, output) for output in kept))


def _path(reader: Reader, tx_index: int, follow: int) -> tuple[tuple[PathStep, ...], str]:
    """The hops along the same form, and why they end."""
    path: list[PathStep] = []
    while len(path) < follow:
        step = forms.continuation(reader, tx_index)
        if step.output == NONE:
            return tuple(path), step.reason
        tx_index = int(reader.transaction_of_inputs(reader.spenders([step.output]))[0])
        path.append(PathStep(outpoint_of(reader, step.output), txid_of(reader, tx_index), _form(reader, tx_index)))
    return tuple(path), f"{follow} hops were asked for" if follow else "not followed"
