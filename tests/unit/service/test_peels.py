"""Peel chains in names people use: every field is the chain's, and the snapshot and the rules are said."""

import dataclasses
import json

import pytest
from peel_cases import ODD, ROUND, PeelStage

from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.names import outpoint_of, txid_of
from cointrail.service.tracing.peels import peel
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.question import LEAD, Undecided, services_by_script

START = 80_000_017


@pytest.fixture
def chain(open_ledger):
    """(reader, first output, last payment) of four clear steps and one without signs."""
    stage = PeelStage()
    first = coin = stage.coin(START)
    stage.block()
    for _ in range(4):
        payment, coin = stage.pay(coin)
        stage.block()
    stage.pay(stage.doubt(coin)[1])
    stage.block()
    reader = open_ledger(stage.chain)

    def name(output):
        return outpoint_of(reader, reader.outputs_of(reader.find_transactions(output.txid)[-1])[output.vout])

    return reader, name(first), name(payment)


def index(reader, outpoint):
    txid, vout = outpoint.split(":")
    return reader.outputs_of(reader.find_transactions(bytes.fromhex(txid)[::-1])[-1])[int(vout)]


@pytest.mark.parametrize("undecided", Undecided)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_an_answer_says_what_the_chain_says(chain, direction, undecided):
    reader, first, payment = chain
    seed = first if direction == "forward" else payment
    walk = follow if direction == "forward" else follow_back
    answer = peel(reader, seed, direction=direction, undecided=str(undecided), hops=100)
    found = walk(reader, index(reader, seed), LEAD, undecided=undecided)
    assert (answer.seed.outpoint, answer.direction, answer.undecided) == (seed, direction, str(undecided))
    assert len(answer.steps) == len(found.steps) > 3
    for ours, theirs in zip(answer.steps, found.steps, strict=True):
        assert ours.txid == txid_of(reader, theirs.tx_index)
        assert (ours.height, ours.hop, ours.decision) == (theirs.height, theirs.hop, str(theirs.decision))
        assert ours.previous == (None if theirs.previous < 0 else theirs.previous)
        for outputs, coins in (
            (ours.came, theirs.came),
            (ours.other_inputs, theirs.others),
            (ours.followed, theirs.followed),
            (ours.peels, theirs.peels),
        ):
            assert [each.outpoint for each in outputs] == [outpoint_of(reader, coin.output) for coin in coins]
            assert [each.value_sat for each in outputs] == [coin.value_sat for coin in coins]
            assert [each.spender is not None for each in outputs] == [coin.spent for coin in coins]
    assert [(each.reason, each.detail) for each in answer.ends] == [(str(e.reason), e.detail) for e in found.ends]
    assert {(rule.id, rule.version) for rule in answer.rules} >= {("peel_chain", 1), ("change_vote", 1), ("cospend", 1)}
    assert (answer.basis, answer.snapshot.height) == ("inference", reader.height)
    assert answer.is_lead is any(step.level == "lead" for step in answer.steps)
    json.dumps(dataclasses.asdict(answer))


def test_levels_say_how_sure_a_step_is(chain):
    reader, first, _ = chain
    stop = peel(reader, first)
    assert [step.level for step in stop.steps] == ["L2"] * 4
    assert (stop.is_lead, stop.statistics.peeled_sat, stop.limits["hops"]) == (False, 4 * ROUND, 20)
    lead = peel(reader, first, undecided="larger")
    assert [step.level for step in lead.steps] == ["L2"] * 4 + ["lead"] * 2
    assert (lead.is_lead, lead.limits["hops"]) == (True, 100)
    assert lead.statistics.peeled_sat == 5 * ROUND + ODD


def test_services_are_named_and_end_a_chain(chain):
    reader, first, payment = chain
    script = int(reader.column("output", "script")[index(reader, payment)])
    services = services_by_script([script], [0], ["Alpha"], digest="ab" * 32)
    answer = peel(reader, first, services=services)
    assert [each.service for step in answer.steps for each in step.peels] == ["Alpha"] * 4
    assert (answer.services_sha256, answer.ends[0].reason) == ("ab" * 32, "undecided")
    ended = peel(reader, payment, services=services)
    assert [(end.reason, end.detail, end.txid) for end in ended.ends] == [("service", "Alpha", None)]
    assert peel(reader, first).services_sha256 is None


def test_an_answer_as_of_a_height_uses_nothing_later(chain):
    reader, first, _ = chain
    with Reader(reader.folder, reader.height - 2) as then:
        answer = peel(then, first)
        assert answer.snapshot.height == then.height
        assert len(answer.steps) == 2
        assert all(each.spender is None for each in answer.steps[-1].peels)
        (end,) = answer.ends
        assert (end.reason, end.outputs[0].spender) == ("undecided", end.txid)


def test_bad_questions_are_refused(chain):
    reader, first, _ = chain
    txid = first.split(":")[0]
    with pytest.raises(UsageError, match="names 2 outputs"):
        peel(reader, txid)
    for seed, kind in (("abc", InputRefused), (f"{'00' * 32}:0", NotFound), (f"{txid}:9", NotFound)):
        with pytest.raises(kind):
            peel(reader, seed)
    for limits in ({"hops": -1}, {"min_sat": -1}):
        with pytest.raises(UsageError, match="cannot be negative"):
            peel(reader, first, **limits)
