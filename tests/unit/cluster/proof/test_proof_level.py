"""Explanations above L1: complete, in order, blind to the future; and what a document of one shows and does not."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from level_cases import economy_ledger, joined, voted_pairs

from cointrail.cluster.change.verdict import name_change
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.edges import EdgeRule, Edges, stored_changes
from cointrail.cluster.level.guard import OFF, Guards
from cointrail.cluster.level.view import build as build_view
from cointrail.cluster.proof import document as documents
from cointrail.cluster.proof.build import build, votes_of
from cointrail.cluster.proof.check import NOT_CHECKED, check, not_checked
from cointrail.cluster.proof.document import InferenceStep
from cointrail.cluster.proof.level import Inference, explain_level, held_between
from cointrail.cluster.proof.shorten import explain_shortly
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.stored_blocks import StoredBlocks


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Path:
    return economy_ledger(tmp_path_factory.mktemp("level"))


@pytest.fixture(scope="module")
def view(ledger):
    with Reader(ledger) as reader:
        yield build_view(Forest(reader), "L2", stored_changes(reader))


def spent_and_paid(reader, tx_index):
    scripts = reader.column("output", "script")
    inputs, outputs = reader.inputs_of(tx_index), reader.outputs_of(tx_index)
    spent = reader.column("input", "output")[inputs.start : inputs.stop]
    return set(scripts[spent].tolist()), set(scripts[outputs.start : outputs.stop].tolist())


def test_members_are_explained_and_others_are_not(view):
    """Against plain sets over L1 and the stored rows; nothing is held here."""
    reader, random = view.forest.reader, Random(1)
    assert not len(view.held)
    cluster = joined(view.forest, voted_pairs(reader))
    seen = set()
    for _ in range(1_500):
        one = random.randrange(len(cluster))
        members = [script for script in range(len(cluster)) if cluster[script] == cluster[one]]
        two = random.choice(members) if random.random() < 0.7 else random.randrange(len(cluster))
        found = explain_level(view, one, two)
        assert (found is not None) == (cluster[one] == cluster[two])
        if found is None:
            continue
        here = one
        for step in found.steps:
            assert step.script_x == here
            here = step.script_y
            spent, paid = spent_and_paid(reader, step.tx_index)
            both = {step.script_x, step.script_y}
            if isinstance(step, Inference):
                assert both & spent
                assert both & paid
                assert step.tx_index < step.decided_at < view.forest.transactions
            elif step.rule == "cospend":
                assert both <= spent
        assert here == two
        seen.add(sum(isinstance(step, Inference) for step in found.steps))
    assert seen >= {0, 1, 2, 3}


def test_what_is_together_at_level_one_is_explained_as_there(view):
    roots = view.forest.all_roots()
    for root in np.unique(roots).tolist():
        one, *others = np.flatnonzero(roots == root).tolist()
        for two in others[:3]:
            found, plain = explain_level(view, one, two), explain_shortly(view.forest, one, two)
            assert (found.steps, found.forest_steps, found.shortest) == (
                plain.steps, plain.forest_steps, plain.shortest,
            )  # fmt: skip
            assert held_between(view, one, two) == ()


def test_a_step_says_what_the_verdict_of_its_time_says(view):
    """Asked of the transaction itself, as of the one that decided."""
    reader, edges, several = view.forest.reader, view.edges, set()
    for row in range(len(edges)):
        (step,) = [
            each
            for each in explain_level(view, int(edges.script_a[row]), int(edges.script_b[row])).steps
            if isinstance(each, Inference)
        ][:1]
        verdict = name_change(reader, step.tx_index, step.decided_at)
        assert verdict.result == "accepted"
        assert votes_of(step.detail) == tuple(
            each.rule.id
            for each in verdict.opinions
            if each.fired == verdict.output and each.rule.family.startswith("F")
        )
        several.add(votes_of(step.detail))
    assert len(several) > 3


@pytest.mark.parametrize("height", [410, 425])
def test_the_past_is_explained_as_it_was_known(ledger, tmp_path, height):
    cut = economy_ledger(tmp_path, height)
    with Reader(ledger, height) as later, Reader(cut) as then:
        now, past = (build_view(Forest(each), "L2", stored_changes(each)) for each in (later, then))
        assert len(now.edges) > 0
        random, scripts = Random(height), then.counts.script
        for one, two in [(random.randrange(scripts), random.randrange(scripts)) for _ in range(300)]:
            assert explain_level(now, one, two) == explain_level(past, one, two)
        for one, two in voted_pairs(then):
            found = explain_level(now, one, two)
            assert found == explain_level(past, one, two)
            assert all(step.tx_index < then.counts.transaction for step in found.steps)


def test_a_long_way_of_inferences_is_given_in_order(view):
    """A chain of edges over one script of each L1 cluster, longer than searches go."""
    forest = view.forest
    roots = np.unique(forest.all_roots()).astype(np.int64)[:400]
    last = forest.transactions - 1
    edges = Edges.of(last, np.arange(len(roots) - 1), roots[:-1], roots[1:], EdgeRule.CHANGE_VOTE)
    found = explain_level(build_view(forest, "L2", edges, OFF), int(roots[0]), int(roots[-1]))
    assert [(step.script_x, step.script_y) for step in found.steps] == list(
        zip(roots[:-1].tolist(), roots[1:].tolist(), strict=True)
    )
    back = explain_level(build_view(forest, "L2", edges, OFF), int(roots[-1]), int(roots[0]))
    assert [(step.script_y, step.script_x) for step in back.steps] == [
        (step.script_x, step.script_y) for step in found.steps[::-1]
    ]


# Guards.


@examples(40, 3)
@given(seed=st.integers(0, 2**32 - 1))
def test_held_inferences_are_named_if_they_would_link(view, seed):
    """Whatever is held: without guards the two are in one cluster, and with the named ones alone they would be."""
    forest, random = view.forest, np.random.default_rng(seed)
    scripts = forest.reader.counts.script
    ends = random.integers(0, scripts, (2, 150))
    edges = Edges.of(forest.transactions - 1, np.arange(150), *ends, EdgeRule.CHANGE_VOTE)
    guarded = build_view(forest, "L2", edges, Guards(size=2, payee=False))
    free = build_view(forest, "L2", edges, OFF)
    accepted = [(int(edges.script_a[k]), int(edges.script_b[k])) for k in np.flatnonzero(guarded.accepted)]
    for one, two in random.integers(0, scripts, (40, 2)).tolist():
        named = held_between(guarded, one, two)
        linked = guarded.root_of(one) == guarded.root_of(two)
        assert bool(named) == (not linked and free.root_of(one) == free.root_of(two))
        if named:
            ways = accepted + [(each.script_a, each.script_b) for each in named]
            after = joined(forest, ways)
            assert after[one] == after[two]
            for left in range(len(named)):
                fewer = joined(forest, ways[: len(accepted) + left] + ways[len(accepted) + left + 1 :])
                assert fewer[one] != fewer[two]


# Documents.


@pytest.fixture(scope="module")
def proof(view):
    """A way with two named change outputs and a step of L1."""
    roots = view.all_roots()
    for root in np.unique(roots).tolist():
        members = np.flatnonzero(roots == root).tolist()
        for two in members[1:]:
            found = explain_level(view, members[0], two)
            inferred = sum(isinstance(step, Inference) for step in found.steps)
            if inferred == 2 and len(found.steps) > 3:
                return made(view, members[0], two, found.steps)
    raise AssertionError("the economy has no such way")


def made(view, one, two, steps):
    with StoredBlocks(view.forest.reader) as blocks:
        return build(view.forest.reader, one, two, steps, blocks.transaction, level="L2")


def test_documents_come_back_check_and_name_what_they_do_not_show(view):
    random = Random(2)
    for one, two in random.sample(voted_pairs(view.forest.reader), 30):
        steps = explain_level(view, one, two).steps
        document = documents.read(documents.write(made(view, one, two, steps)))
        assert check(document) == ()
        assert (document.level, document.version) == ("L2", 2)
        inferred = [step for step in steps if isinstance(step, Inference)]
        told = not_checked(document)
        assert told[: len(NOT_CHECKED)] == NOT_CHECKED
        assert len(told) == len(NOT_CHECKED) + len(inferred)
        claims = [step for step in document.steps if isinstance(step, InferenceStep)]
        for step, claim, text in zip(inferred, claims, told[len(NOT_CHECKED) :], strict=True):
            assert claim.claim.votes == votes_of(step.detail)
            assert all(each in text for each in (claim.txid, claim.claim.decided_by, *claim.claim.votes))


def test_what_can_be_checked_of_an_inference_is(proof):
    at = next(n for n, step in enumerate(proof.steps) if isinstance(step, InferenceStep))
    step = proof.steps[at]

    def faults(**cells):
        steps = list(proof.steps)
        steps[at] = replace(step, **cells)
        return check(replace(proof, steps=tuple(steps)))

    assert any("is missing" in each for each in faults(claim=replace(step.claim, decided_by="00" * 32)))
    assert any("decided nothing" in each for each in faults(claim=replace(step.claim, decided_by=step.txid)))
    assert any("names no change at level 'L2'" in each for each in faults(rule="change_model"))
    assert any("names no change" in each for each in faults(version=9))
    assert any("does not spend one of both" in each for each in faults(y="51"))
    assert any("witness" in each for each in faults(wtxid="00" * 32))
    assert any("not the hash" in each or "missing" in each for each in faults(txid="00" * 32))
    assert any("on a model" in each for each in faults(claim=replace(step.claim, model="00" * 32)))
    assert any("names no change at level 'L1'" in each for each in check(replace(proof, level="L1")))
    for which in range(len(proof.transactions)):
        assert check(replace(proof, transactions=proof.transactions[:which] + proof.transactions[which + 1 :])) != ()


def test_an_inference_without_its_claim_is_no_rule(proof):
    plain = json.loads(documents.write(proof))
    step = next(each for each in plain["steps"] if "claim" in each)
    del step["claim"]
    assert any("is not known" in each for each in check(documents.read(json.dumps(plain).encode())))


@pytest.mark.parametrize(
    "claim",
    [None, {}, [], {"decided_by": "00" * 32}, {"votes": "change.C4"}, {"votes": [1]}, {"votes": ["x" * 101]},
     {"votes": ["change.C4"] * 33}, {"model": "00"}, {"model": None}, {"basis_points": -1}, {"decided_by": "00"},
     {"more": 1}],
)  # fmt: skip
def test_claims_of_a_wrong_form_are_refused(proof, claim):
    plain = asdict(proof)
    step = next(each for each in plain["steps"] if "claim" in each)
    whole = claim if not isinstance(claim, dict) or len(claim) != 1 else {**step["claim"], **claim}
    if claim == {"decided_by": "00" * 32}:
        whole = claim
    step["claim"] = whole
    with pytest.raises(InputRefused, match="claim"):
        documents.read(json.dumps(plain).encode())


def test_a_level_has_its_own_version(proof):
    for cells in ({"version": 1}, {"level": "L1"}):
        with pytest.raises(InputRefused, match="not of format"):
            documents.read(json.dumps({**asdict(proof), **cells}).encode())


def test_two_hundred_thousand_inferences_of_one_transaction_do_not_hang(proof):
    step = next(step for step in proof.steps if isinstance(step, InferenceStep))
    back = replace(step, x=step.y, y=step.x)
    long = replace(proof, a=step.x, b=step.x, steps=(step, back) * 100_000)
    assert [fault for fault in check(long) if fault.startswith("step")] == []
