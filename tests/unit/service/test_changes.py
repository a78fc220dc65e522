"""One transaction as change rules see it: everything the methods say, in names people use, at any height."""

import dataclasses
from random import Random

import pytest
from regtest import random_chain

from cointrail.cluster.change.rules import RULE_SETS, RULES
from cointrail.cluster.change.verdict import name_change
from cointrail.cluster.fingerprint import continuation, fingerprint_of
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.changes import change
from cointrail.service.names import outpoint_of, txid_of


@pytest.fixture
def reader(open_ledger):
    return open_ledger(random_chain(Random("change answers"), blocks=14, transactions_per_block=12))


def test_every_answer_says_what_the_methods_say(reader):
    results = set()
    for tx_index in range(reader.counts.transaction):
        txid = txid_of(reader, tx_index)
        if reader.find_transactions(bytes.fromhex(txid)[::-1])[-1] != tx_index:
            continue
        answer = change(reader, txid)
        verdict = name_change(reader, tx_index, clusters=Forest(reader).roots)
        results.add(answer.result)
        assert (answer.result, answer.reason) == (str(verdict.result), verdict.reason)
        named = None if verdict.output < 0 else outpoint_of(reader, verdict.output)
        assert answer.change_outpoint == named
        first = reader.outputs_of(tx_index).start
        assert [first + each.vout for each in answer.outputs] == list(verdict.outputs)
        assert [each.rule for each in answer.opinions] == ([rule.id for rule in RULES] if verdict.outputs else [])
        for ours, theirs in zip(answer.opinions, verdict.opinions, strict=True):
            assert ours.marks == tuple(str(mark) for mark in theirs.marks)
            assert ours.fired_vout == (None if theirs.fired < 0 else theirs.fired - first)
        gate = collaborative(reader, tx_index)
        assert answer.collaborative == str(gate.kind)
        assert [(each.rule, each.version, each.reason) for each in answer.signs] == [
            (*rule, reason) for rule, reason in zip(gate.rules, gate.reasons, strict=True)
        ]
        form = fingerprint_of(reader, tx_index)
        assert (answer.form.version, answer.form.feerate_msat_vb) == (form.version, form.feerate_msat_vb)
        assert {each.name for each in answer.sets} == set(RULE_SETS)
        assert (answer.path, answer.path_end) == ((), "not followed")
    assert results == {"undecided", "accepted"}


def test_a_path_is_followed_hop_by_hop(reader):
    longest = 0
    for tx_index in range(reader.counts.transaction):
        answer = change(reader, txid_of(reader, tx_index), follow=5)
        at = reader.find_transactions(bytes.fromhex(answer.txid)[::-1])[-1]
        for hop in answer.path:
            step = continuation(reader, at)
            assert hop.outpoint == outpoint_of(reader, step.output)
            at = int(reader.transaction_of_inputs(reader.spenders([step.output]))[0])
            assert hop.txid == txid_of(reader, at)
        longest = max(longest, len(answer.path))
        assert answer.path_end == (
            "5 hops were asked for" if len(answer.path) == 5 else continuation(reader, at).reason
        )
    assert longest > 0


def test_an_answer_as_of_a_height_uses_nothing_later(reader, tmp_path):
    height = reader.height - 4
    with Reader(reader.folder, height) as then:
        for tx_index in range(then.counts.transaction):
            answer = change(then, txid_of(then, tx_index), follow=3)
            for output in answer.outputs:
                assert output.spender is None or then.find_transactions(bytes.fromhex(output.spender)[::-1])
            for hop in answer.path:
                assert then.find_transactions(bytes.fromhex(hop.txid)[::-1])
            assert answer.snapshot.height == height
            assert dataclasses.asdict(answer)["basis"] == "inference"


def test_bad_questions_are_refused(reader):
    with pytest.raises(InputRefused):
        change(reader, "abc")
    with pytest.raises(NotFound):
        change(reader, "00" * 32)
    for hops in (-1, 10_001):
        with pytest.raises(UsageError, match="cannot follow"):
            change(reader, txid_of(reader, 0), follow=hops)
