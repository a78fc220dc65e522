"""`cointrail peel`: steps, ends, both ways, and what it refuses."""

import json

import pytest
from peel_cases import PeelStage, ledger_of

import cointrail
from cointrail.service.names import outpoint_of

START = 80_000_017


@pytest.fixture(scope="module")
def peeled(tmp_path_factory):
    """(ledger, first output, last payment) of thirty clear steps and one without signs."""
    stage = PeelStage()
    first = coin = stage.coin(START)
    for _ in range(30):
        payment, coin = stage.pay(coin)
        stage.block()
    stage.pay(stage.doubt(coin)[1])
    stage.block()
    ledger = ledger_of(stage, tmp_path_factory.mktemp("peeled"))
    with cointrail.open(ledger) as opened:
        reader = opened.reader
        names = [
            outpoint_of(reader, reader.outputs_of(reader.find_transactions(each.txid)[-1])[each.vout])
            for each in (first, payment)
        ]
    return str(ledger), *names


def test_a_chain_is_shown_step_by_step(cli, peeled):
    ledger, first, _ = peeled
    answer = cli("peel", first, "--ledger", ledger, "--hops", "100")
    assert answer.code == 0
    assert "steps          30, of them 0 leads" in answer.out
    assert "same amount    yes: 30 of 30 within 2 %" in answer.out
    assert "accepted (L2)" in answer.out
    assert "ends at " in answer.out
    assert "showing 25 of 30 steps" in answer.err
    assert "inference" in answer.err
    assert "lead" not in answer.out.split("\n\n")[0].replace("0 leads", "")


def test_json_is_the_whole_answer(cli, peeled):
    ledger, first, _ = peeled
    told = cli("peel", first, "--ledger", ledger, "--json").json
    assert (len(told["steps"]), told["ends"][0]["reason"], told["limits"]["hops"]) == (20, "hop limit", 20)
    assert told["rules"][0] == {"id": "peel_chain", "version": 1}
    assert all(isinstance(step["peeled_sat"], int) for step in told["steps"])


def test_the_way_back_and_leads(cli, peeled):
    ledger, first, payment = peeled
    back = cli("peel", payment, "--backward", "--hops", "100", "--ledger", ledger)
    assert "steps          29, of them 0 leads" in back.out
    assert f"funded by {first} (0.80000017 BTC)" in back.out
    lead = cli("peel", first, "--undecided", "larger", "--ledger", ledger)
    assert "some steps are leads" in lead.out
    assert "larger (lead)" in cli("peel", first, "--undecided", "larger", "--limit", "40", "--ledger", ledger).out
    tree = cli("peel", first, "--undecided", "branch", "--ledger", ledger, "--json")
    assert any(len(step["followed"]) > 1 for step in tree.json["steps"])


def test_as_of_a_height_knows_nothing_later(cli, peeled):
    ledger, first, _ = peeled
    tip = json.loads(cli("status", "--ledger", ledger, "--json").out)["snapshot"]["height"]
    then = cli("peel", first, "--as-of", str(tip - 20), "--ledger", ledger, "--json").json
    assert then["snapshot"]["height"] == tip - 20
    assert len(then["steps"]) < 15


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("xyz",), 4, "xyz"),
        ((f"{'00' * 32}:0",), 3, "is not in this ledger"),
        (("{first}", "--hops", "-1"), 2, "--hops"),
        (("{first}", "--undecided", "guess"), 2, "guess"),
        (("{txid}",), 2, "give one outpoint"),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_traceback(cli, peeled, arguments, code, words):
    ledger, first, _ = peeled
    names = {"first": first, "txid": first.split(":")[0]}
    answer = cli("peel", *(each.format(**names) for each in arguments), "--ledger", ledger)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert "Traceback" not in answer.err
