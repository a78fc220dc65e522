"""Proofs check from raw transactions alone, and nothing that was changed in them does."""

import json
from dataclasses import asdict, replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kin_chain import kin_chain

from cointrail.bitcoin.transaction import Transaction
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.proof import document as documents
from cointrail.cluster.proof.build import build
from cointrail.cluster.proof.check import check
from cointrail.cluster.proof.explain import Step, explain
from cointrail.cluster.proof.shorten import explain_shortly
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.stored_blocks import StoredBlocks


def prove(forest, one, two, steps):
    with StoredBlocks(forest.reader) as blocks:
        return build(forest.reader, one, two, steps, blocks.transaction)


def linked_pairs(forest):
    scripts = range(forest.reader.counts.script)
    roots = forest.all_roots().tolist()
    return [(one, two) for one in scripts for two in scripts if roots[one] == roots[two] and one != two]


@pytest.fixture(scope="module")
def proof(forest):
    """A way of several steps with both rules in it."""
    for one, two in linked_pairs(forest):
        steps = explain(forest, one, two)
        if len(steps) > 3 and {step.rule for step in steps} == {"cospend", "same_key"}:
            return prove(forest, one, two, steps)
    raise AssertionError("the chain has no such way")


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_every_explanation_checks(make_kin, seed):
    made = make_kin(kin_chain(Random(seed), 10, 8, 3))
    with Reader(made.ledger) as reader, StoredBlocks(reader) as blocks:
        forest = Forest(reader)
        pairs = linked_pairs(forest)
        for one, two in Random(seed).sample(pairs, min(len(pairs), 100)):
            for steps in (explain(forest, one, two), explain_shortly(forest, one, two).steps):
                written = documents.write(build(reader, one, two, steps, blocks.transaction))
                assert check(documents.read(written)) == ()


def test_reveals_of_every_kind_check(kin, forest):
    reader = forest.reader
    rows = zip(
        *(reader.column("same_key", name).tolist() for name in ("tx_index", "script_a", "script_b", "kind")),
        strict=True,
    )
    kinds = set()
    for tx_index, one, two, kind in rows:
        for x, y in ((one, two), (two, one)):
            assert check(prove(forest, x, y, [Step(tx_index, "same_key", 1, x, y)])) == ()
        kinds.add(kind)
    assert kinds == {0, 1, 2, 3}


def test_no_co_spend_checks_that_the_ledger_does_not_believe(kin, forest):
    """Any two scripts that a transaction spends, whether the rule holds or not."""
    reader, seen = forest.reader, set()
    for tx_index in range(reader.counts.transaction):
        if reader.is_coinbase(tx_index):
            continue
        inputs = reader.inputs_of(tx_index)
        spent = reader.column("input", "output")[inputs.start : inputs.stop].tolist()
        scripts = [int(reader.column("output", "script")[output]) for output in spent]
        txid = bytes(reader.column("transaction", "txid")[tx_index])
        owned = {s for vin, s in enumerate(scripts) if (txid, vin) not in kin.chain.open_inputs}
        vetoed = bool(forest.sign(tx_index) & VETO)
        for one, two in {(one, two) for one in scripts for two in scripts if one != two}:
            believed = not vetoed and {one, two} <= owned
            faults = check(prove(forest, one, two, [Step(tx_index, "cospend", 1, one, two)]))
            assert (faults == ()) == believed, faults
            seen.add((vetoed, {one, two} <= owned))
    assert seen >= {(False, True), (False, False), (True, True)}


def changed(text, random):
    """The same hex with one digit changed."""
    at = random.randrange(len(text))
    return text[:at] + random.choice([each for each in "0123456789abcdef" if each != text[at]]) + text[at + 1 :]


@given(seed=st.integers(0, 10**9))
def test_any_change_is_noticed(proof, seed):
    random = Random(seed)
    steps, raw = list(proof.steps), list(proof.transactions)
    at = random.randrange(len(steps))
    what = random.choice(("x", "y", "txid", "wtxid", "rule", "raw", "missing", "cut", "order", "a", "b", "surplus"))
    ends = {}
    if what in ("x", "y", "txid", "wtxid"):
        steps[at] = replace(steps[at], **{what: changed(getattr(steps[at], what), random)})
    elif what == "rule":
        other = "cospend" if steps[at].rule == "same_key" else "same_key"
        steps[at] = replace(steps[at], **random.choice([{"rule": other}, {"rule": "self_change"}, {"version": 2}]))
    elif what == "raw":
        which = random.randrange(len(raw))
        raw[which] = changed(raw[which], random)
    elif what == "missing":
        del raw[random.randrange(len(raw))]
    elif what == "cut":
        del steps[at]
    elif what == "order":
        steps.reverse()
    elif what == "surplus":
        raw.append(random.choice(raw))
    else:
        ends = {what: changed(getattr(proof, what), random)}
    faults = check(replace(proof, steps=tuple(steps), transactions=tuple(raw), **ends))
    assert faults != ()
    assert all(faults)


@given(seed=st.integers(0, 10**9))
def test_every_byte_of_every_transaction_counts(proof, seed):
    random = Random(seed)
    which = random.randrange(len(proof.transactions))
    raw = bytearray.fromhex(proof.transactions[which])
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    transactions = (*proof.transactions[:which], raw.hex(), *proof.transactions[which + 1 :])
    assert check(replace(proof, transactions=transactions)) != ()


def test_a_fault_names_the_step_and_what_is_wrong(proof):
    at = next(n for n, step in enumerate(proof.steps) if step.rule == "cospend")
    steps = list(proof.steps)
    steps[at] = replace(steps[at], rule="same_key")
    (fault,) = [each for each in check(replace(proof, steps=tuple(steps))) if "does not show" in each]
    assert fault.startswith(f"step {at + 1}: transaction {steps[at].txid} does not show")


def test_a_coinbase_links_nothing(forest):
    reader = forest.reader
    made = prove(forest, 1, 2, [Step(1, "cospend", 1, 1, 2)])
    assert reader.is_coinbase(1)
    assert any("is a coinbase" in fault for fault in check(made))


def test_nothing_is_proved_of_one_script(proof):
    alone = replace(proof, b=proof.a, steps=(), transactions=())
    assert check(alone) == ()
    assert check(replace(alone, b=proof.b)) != ()


def test_unknown_levels_and_networks_are_not_checked(proof):
    assert check(replace(proof, level="L4")) == ("level 'L4' cannot be checked, only L1, L2, L3",)
    assert check(replace(proof, network="dogecoin")) == ("network 'dogecoin' is not known",)


def test_a_million_steps_of_one_transaction_do_not_hang(proof):
    step = next(step for step in proof.steps if step.rule == "cospend")
    back = replace(step, x=step.y, y=step.x)
    long = replace(proof, a=step.x, b=step.x, steps=(step, back) * 100_000)
    assert len([fault for fault in check(long) if fault.startswith("step")]) == 0


# Files from anybody.


def test_a_document_comes_back_as_it_was(proof):
    raw = documents.write(proof)
    assert documents.read(raw) == proof
    assert documents.write(documents.read(raw)) == raw
    assert all(Transaction.parse(bytes.fromhex(each)) for each in json.loads(raw)["transactions"])


REPLACED = {
    "format": ["other", 1, None, "x" * 1_000],
    "version": [2, -1, True, 1.0, "1", 10**30],
    "a": ["0", "zz", "AB", 5, None, ["00"], " 00", "00\n"],
    "network": [None, 7, "n" * 1_000, {}],
    "level": [None, 1],
    "as_of": [
        None,
        5,
        [],
        {},
        {"height": 1},
        {"height": -1, "block_hash": "00" * 32},
        {"height": 1, "block_hash": "00"},
    ],
    "steps": [None, {}, "steps", [5], [[]], [{}], [{"txid": "00" * 32}]],
    "transactions": [None, {}, [5], ["0"], ["gg"], [["00"]], [{"hex": "00"}]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REPLACED.items() for value in values])
def test_wrong_types_are_refused(proof, name, value):
    found = json.loads(documents.write(proof))
    found[name] = value
    with pytest.raises(InputRefused):
        documents.read(json.dumps(found).encode())


def test_fields_that_are_missing_or_unknown_are_refused(proof):
    whole = asdict(proof)
    for name in whole:
        with pytest.raises(InputRefused, match=f"has no '{name}'|not of format"):
            documents.read(json.dumps({key: value for key, value in whole.items() if key != name}).encode())
    with pytest.raises(InputRefused, match="unknown field 'more'"):
        documents.read(json.dumps({**whole, "more": 1}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 500_000,
        b'{"a":' * 500_000,
        b'{"version": ' + b"9" * 100_000 + b"}",
        b"NaN",
        b'{"format": "\\ud800"}',
    ],
    ids=range(10),
)
def test_what_is_no_document_is_refused(raw):
    with pytest.raises(InputRefused):
        documents.read(raw)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(st.sampled_from(["format", "version", "a", "b", "steps", "as_of", "x"]), each)
        ),
    )
)
def test_any_json_is_refused_or_read(value):
    with pytest.raises(InputRefused):
        documents.read(json.dumps(value).encode())


def test_a_document_that_is_too_large_is_neither_written_nor_read(proof, monkeypatch):
    monkeypatch.setattr(documents, "MOST_BYTES", 1_000)
    with pytest.raises(InputRefused, match="more than the 1,000"):
        documents.write(proof)
    with pytest.raises(InputRefused, match="more than the 1,000"):
        documents.read(b" " * 1_001)
