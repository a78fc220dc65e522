"""Why are these two in one cluster? The steps, what speaks against them, and a document that a stranger can check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.disputes import TEXT, Reason
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import RULE_OF, VETO, Sign, kind_of
from cointrail.cluster.proof import document as documents
from cointrail.cluster.proof.build import build
from cointrail.cluster.proof.check import check as faults_of
from cointrail.cluster.proof.check import not_checked
from cointrail.cluster.proof.document import InferenceStep, ProofDocument
from cointrail.cluster.proof.explain import Step
from cointrail.cluster.proof.level import Inference, explain_level, held_between
from cointrail.cluster.proof.shorten import Explanation, explain_shortly
from cointrail.errors import InputRefused, Unavailable, UsageError
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.answers import FACT, INFERENCE, Basis, ListUsed, ModelName, Rule, SnapshotName, TaggedTable
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.clustering.files import read_file
from cointrail.service.clustering.levels import (
    GUARD,
    Level,
    edges_of_level,
    guards_with,
    level_named,
    lists_used,
    model_of,
    name_of_model,
    note_of,
    rules_of_level,
)
from cointrail.service.clustering.steps import HeldStep, ProofStep, held_answers, step_answer
from cointrail.service.clustering.tagged import Tags
from cointrail.service.names import find_script, moment, name_of, snapshot_name, txid_of

if TYPE_CHECKING:
    from cointrail.cluster.learned.model import Model
    from cointrail.cluster.level.view import LevelView
    from cointrail.cluster.proof.level import LevelExplanation

_MOST_SPENDS = 100_000
"""Outputs of either script that are looked at for co-spends that were not believed."""
SAME_SCRIPT = "both name one script, so there is no step to show"
"""What is said of a script and itself."""
_NO_PROOF = "that is no proof that others control them"


@dataclass(frozen=True, slots=True)
class SuppressedAnswer:
    """A transaction that spends both, and is not believed to show one owner.

    `kind` is the gate's class, or `anyonecanpay` if an input is signed so that anybody could add the others.
    """

    txid: str
    height: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeAnswer:
    """A step is disputed by what a later transaction showed."""

    txid: str
    decided_by: str
    height: int
    reason: str


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What the check of a proof found.

    `steps` counts those of L1, which were checked; `inferences` those above, of which only the transaction was.
    `not_checked` is what raw transactions cannot show, each inference by name.
    """

    valid: bool
    faults: tuple[str, ...]
    steps: int
    inferences: int
    a: str
    b: str
    level: str
    not_checked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProofAnswer:
    """Why two scripts are in one cluster, or that they are not linked.

    `steps` lead from `a` to `b`. `forest_steps` is how many the forest's own way has; `shortest` is False if a search
    for a shorter one was cut off. Above L1 the way of fewest inferences is taken, whatever its other steps.
    `suppressed` are co-spends of both that are not believed; `suppressed_complete` is False if not all were looked at.
    `held` are inferences that would link the two if no guard held them. `document` and `check` are there if they were
    asked for and the two are linked; a script needs no step to itself. `tagged` is the table of tagged addresses that
    the guard of a level above L1 read, if one was given.
    """

    a: str
    b: str
    level: str
    linked: bool
    steps: tuple[ProofStep, ...]
    forest_steps: int
    shortest: bool
    suppressed: tuple[SuppressedAnswer, ...]
    suppressed_complete: bool
    disputes: tuple[DisputeAnswer, ...]
    held: tuple[HeldStep, ...]
    note: str
    model: ModelName | None
    guards: dict[str, int | bool | str | None]
    rules: tuple[Rule, ...]
    document: ProofDocument | None
    check: CheckAnswer | None
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    lists: tuple[ListUsed, ...] = ()
    tagged: TaggedTable | None = None


def explain(
    reader: Reader,
    a_text: str,
    b_text: str,
    *,
    level: Level = "L1",
    model: Path | None = None,
    tagged: TagSource | Resolved = None,
    raw: bool = False,
    check: bool = False,
) -> ProofAnswer:
    """Why two addresses are in one cluster.

    Args:
        reader: the ledger at a snapshot.
        a_text: an address, a public key in hex, or `script:HEX`.
        b_text: another.
        level: of the cluster.
        model: file of the change model that gives leads at L3; without one L3 shows what L2 shows.
        tagged: files of tags, the database, or actor by address: above L1 nothing joins scripts of different actors.
        raw: True to add the document with raw transactions, which needs the block files.
        check: True to check that document, given or not.

    Raises:
        UsageError: an unknown level, a model below L3, or tags below L2.
        AddressError, NotFound: as for an address.
        InputRefused: the model or a tagged address is refused.
        Unavailable: the clusters do not reach the snapshot, or the block files are gone.

    Method: METHODS.md 1.3.
    """
    leads = model_of(level_named(level), model)
    if level == "L1" and tagged is not None:
        raise UsageError("level L1 takes no tags: it is never guarded", hint="ask for level L2 or L3, or give none")
    tags = Tags.of(reader, tagged)
    a, b = find_script(reader, a_text), find_script(reader, b_text)
    forest = Forest(reader)
    view = _view(forest, level, leads, tags)
    found: Explanation | LevelExplanation | None
    found = explain_level(view, a, b) if view else explain_shortly(forest, a, b)
    steps: tuple[Step | Inference, ...] = found.steps if found else ()
    held = held_answers(reader, held_between(view, a, b)) if view else ()
    suppressed, complete = _suppressed(forest, a, b)
    digest = leads.digest if leads else None
    document = None
    if (raw or check) and found:
        from cointrail.service.stored_blocks import StoredBlocks  # reads files as the ingest does; others never need it

        with StoredBlocks(reader) as blocks:
            document = build(reader, a, b, steps, blocks.transaction, level=level, model=digest or "")
    return ProofAnswer(
        a=name_of(reader, a),
        b=name_of(reader, b),
        level=level,
        linked=found is not None,
        steps=tuple(step_answer(reader, step, digest) for step in steps),
        forest_steps=found.forest_steps if found else 0,
        shortest=found.shortest if found else True,
        suppressed=suppressed,
        suppressed_complete=complete,
        disputes=_disputes(reader, steps),
        held=held,
        note="; ".join(_notes(reader, level, linked=found is not None, same=a == b, held=len(held), model=leads)),
        model=name_of_model(leads),
        guards=view.guards.parameters() if view else {},
        rules=tuple(Rule(*rule) for rule in rules_of_level(forest.rules, level, leads)),
        document=document if raw else None,
        check=check_proof(document) if check and document else None,
        snapshot=snapshot_name(reader),
        lists=lists_used(forest),
        basis=FACT if found and all(step.basis == FACT for step in steps) else INFERENCE,
        tagged=tags.used((GUARD,), np.array([a, b], np.int64)) if tags else None,
    )


def _view(forest: Forest, level: Level, model: "Model | None", tags: Tags | None) -> "LevelView | None":
    """The view of a level; None for L1, which is the forest itself."""
    if level == "L1":
        return None
    from cointrail.cluster.level.view import build as build_view

    return build_view(forest, level, edges_of_level(forest, level, model), guards_with(tags))


def _notes(
    reader: Reader, level: Level, *, linked: bool, same: bool, held: int, model: "Model | None"
) -> Iterator[str]:
    if same:
        yield SAME_SCRIPT
    if not linked:
        yield f"not linked at {level} up to height {reader.height}"
        yield _NO_PROOF
    if held:
        yield f"they would be linked if guards did not hold {held} inference(s) for review"
    if lead := note_of(level, model):
        yield lead


def check_proof(document: ProofDocument) -> CheckAnswer:
    """Check a proof from its raw transactions alone, without a ledger."""
    faults = faults_of(document)
    inferences = sum(isinstance(step, InferenceStep) for step in document.steps)
    return CheckAnswer(
        valid=not faults,
        faults=faults,
        steps=len(document.steps) - inferences,
        inferences=inferences,
        a=document.a,
        b=document.b,
        level=document.level,
        not_checked=not_checked(document),
    )


def read_proof(path: Path) -> ProofDocument:
    """Read a proof from a file, which may come from anybody.

    Raises:
        Unavailable: it cannot be read.
        InputRefused: it is not a proof, or no regular file.
    """
    hint = "a proof is a file that `cointrail explain A B --proof FILE` writes"
    return documents.read(read_file(path, documents.MOST_BYTES, hint))


def write_proof(document: ProofDocument, path: Path) -> None:
    """Write a proof into a new file.

    Raises:
        InputRefused: the file is there already, or the proof would be too large.
        Unavailable: it cannot be written.
    """
    raw = documents.write(document)
    try:
        with path.open("xb") as file:
            file.write(raw)
    except FileExistsError:
        raise InputRefused(f"{path} is there already", hint="name a new file; evidence is not overwritten") from None
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {(error.strerror or 'input/output error').lower()}") from error


def _disputes(reader: Reader, steps: Sequence[Step | Inference]) -> tuple[DisputeAnswer, ...]:
    times = np.array([step.tx_index for step in steps if step.basis == INFERENCE], np.uint32)
    disputed = reader.column("dispute", "tx_index")
    decided, reason = (reader.column("dispute", name) for name in ("decided_at", "reason"))
    return tuple(
        DisputeAnswer(
            txid=txid_of(reader, int(disputed[row])),
            decided_by=txid_of(reader, int(decided[row])),
            height=moment(reader, int(decided[row])).height,
            reason=TEXT[Reason(int(reason[row]))],
        )
        for row in np.flatnonzero(np.isin(disputed, times)).tolist()
    )


# Co-spends of both that are not believed.


def _suppressed(forest: Forest, a: int, b: int) -> tuple[tuple[SuppressedAnswer, ...], bool]:
    """(transactions that spend both scripts and link nothing, False if the histories were too long to find all)."""
    if a == b:
        return (), True
    spends, complete = _spends_of_the_rarer(forest.reader, a, b)
    found = (_why_not(forest, tx_index, a, b) for tx_index in sorted(spends))
    return tuple(each for each in found if each is not None), complete


def _spends_of_the_rarer(reader: Reader, a: int, b: int) -> tuple[set[int], bool]:
    """(transactions that spend the script of fewer outputs, whether they are all)."""
    ways = [islice(reader.outputs_of_script(script), _MOST_SPENDS) for script in (a, b)]
    outputs: tuple[list[int], list[int]] = ([], [])
    while True:
        for way, taken in zip(ways, outputs, strict=True):
            following = next(way, None)
            if following is None:
                inputs = reader.spenders(np.array(taken, np.int64))
                spends = reader.transaction_of_inputs(inputs[inputs != NONE])
                return set(spends.tolist()), len(taken) < _MOST_SPENDS
            taken.append(following)


def _why_not(forest: Forest, tx_index: int, a: int, b: int) -> SuppressedAnswer | None:
    """Why a transaction does not link two scripts; None if it does, or does not spend both."""
    reader = forest.reader
    inputs = reader.inputs_of(tx_index)
    spent = reader.column("input", "output")[inputs.start : inputs.stop]
    scripts = reader.column("output", "script")[spent]
    if not (scripts == a).any() or not (scripts == b).any():
        return None
    signs = forest.sign(tx_index)
    if signs & VETO:
        kind, reason = str(kind_of(signs)), "; ".join(_reasons(reader, tx_index, signs, forest))
    else:
        flags = reader.column("input", "flags")[inputs.start : inputs.stop]
        owned = (flags & np.uint16(InputFlag.ANYONECANPAY)) == 0
        if (owned & (scripts == a)).any() and (owned & (scripts == b)).any():
            return None
        kind, reason = "anyonecanpay", "an input is signed ANYONECANPAY: anybody could add the others"
    return SuppressedAnswer(txid_of(reader, tx_index), moment(reader, tx_index).height, kind, reason)


def _reasons(reader: Reader, tx_index: int, signs: Sign, forest: Forest) -> Iterator[str]:
    """The figures of each veto sign of a transaction."""
    if Sign.LISTED in signs:
        yield f"on a list of transactions: {', '.join(each.name for each in forest.lists)}"
    verdict = collaborative(reader, tx_index)
    for (rule, _), reason in zip(verdict.rules, verdict.reasons, strict=True):
        if rule in {RULE_OF[sign] for sign in signs & VETO}:
            yield f"{rule}: {reason}"
