"""What people are told of bounds, and what the command prints."""

import json
from dataclasses import asdict

import pytest
from command_lines import run_command
from regtest import Form, anyone_can_spend
from trace_cases import BTC, created, pays

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.cli.tracing import bounds as command
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate import kinds
from cointrail.errors import Incomplete, InputRefused, NotFound, UsageError
from cointrail.service.tracing.bounds import CONVENTIONS, bounds
from cointrail.trace.fees import FeeMode, Fees
from cointrail.trace.limits import Limits


@pytest.fixture
def case(chain, open_ledger):
    """50 + 50 pay 30, 60 and a fee of 10; the 60 go on."""
    coins = chain.spendable()[:2]
    tx = chain.spend(coins, pays(30 * BTC, 60 * BTC))
    onward = chain.spend([created(tx, 1)], pays(60 * BTC))
    block = chain.mine([tx, onward])
    reader = open_ledger(chain)
    return (
        reader,
        [f"{display(each.txid)}:{each.vout}" for each in coins],
        display(tx.txid),
        display(onward.txid),
        block,
    )


def test_conventions_stand_beside_the_bounds(case):
    reader, (first, _), tx, _, _ = case
    answer = bounds(reader, [first], [f"{tx}:1"])
    assert (answer.lower_sat, answer.upper_sat, answer.basis) == (10 * BTC, 50 * BTC, "fact")
    assert answer.statement == (
        "at least 1000000000 and at most 5000000000 satoshis of the target derive from the source "
        "under every convention that conserves value"
    )
    # The first coin fills 30 and 20; the second goes before it; the highest output; the last output behind the fee.
    expected = {"fifo": 20, "haircut": 30, "lifo": 40, "tiho": 50, "seniority": 20, "purity": 40}
    assert {each.policy: each.traced_sat for each in answer.conventions} == {
        policy: sat * BTC for policy, sat in expected.items()
    }
    assert {each.policy for each in answer.conventions} == set(CONVENTIONS)
    assert all(each.inside and each.left_sat == 0 and each.basis == "inference" for each in answer.conventions)
    assert [rule.id for rule in answer.rules] == ["bounds", *(f"taint.{policy}" for policy in CONVENTIONS)]
    assert (answer.snapshot.height, answer.exact, answer.complete) == (reader.height, True, True)


def test_several_sources_and_targets_are_taken_together(case):
    reader, coins, tx, onward, _ = case
    both = bounds(reader, coins, [tx])
    assert (both.lower_sat, both.upper_sat, both.source_sat) == (90 * BTC, 90 * BTC, 100 * BTC)
    assert both.statement.startswith("exactly 9000000000 satoshis")
    assert [(each.outpoint, each.lower_sat, each.upper_sat) for each in both.alone] == [
        (f"{tx}:0", 30 * BTC, 30 * BTC),
        (f"{tx}:1", 60 * BTC, 60 * BTC),
    ]
    # An output named twice, by its outpoint and its transaction, counts once.
    assert bounds(reader, coins, [f"{tx}:1", tx]).target_sat == 90 * BTC
    assert bounds(reader, coins[:1], [f"{onward}:0", f"{tx}:1"]).upper_sat == 50 * BTC


def test_fees_are_asked_alike_of_bounds_and_conventions(case):
    reader, (first, _), _, _, block = case
    coinbase = display(block.transactions[0].txid)
    booked = bounds(reader, [first], [coinbase])
    followed = bounds(reader, [first], [coinbase], fees=Fees(FeeMode.PROPAGATE))
    assert (booked.upper_sat, followed.upper_sat, followed.fees["mode"]) == (0, 10 * BTC, "propagate")
    assert {each.traced_sat for each in booked.conventions} == {0}
    assert max(each.traced_sat for each in followed.conventions) == 10 * BTC
    assert all(each.inside for each in followed.conventions)


def test_a_limit_says_what_it_left(case):
    reader, (first, _), tx, _, _ = case
    answer = bounds(reader, [first], [tx], limits=Limits(hops=0))
    assert (answer.lower_sat, answer.upper_sat, answer.exact) == (0, 50 * BTC, False)
    assert (answer.stops, answer.unsure_outputs, answer.unsure_sat) == ({"hop limit": 1}, 2, 90 * BTC)
    assert {(each.traced_sat, each.left_sat, each.inside) for each in answer.conventions} == {(0, 50 * BTC, True)}
    assert (answer.basis, answer.complete) == ("fact", True)  # a number of hops is no inference
    assert set(kinds.RULES) <= {(rule.id, rule.version) for rule in answer.rules}
    # What a limit ends behind the target is none of its business.
    far = bounds(reader, [first], [tx], limits=Limits(hops=1))
    assert (far.exact, far.stops, {each.left_sat for each in far.conventions}) == (True, {}, {0})


def test_a_stop_that_is_an_inference_makes_the_width_one(chain, open_ledger, tmp_path):
    """Of 50, 30 go to a shop, which pays 30 to where the other 20 arrive."""
    shop = chain.learn(anyone_can_spend(Form.P2WSH, b"shop")).script_pubkey
    (coin,) = chain.spendable()[:1]
    first = chain.spend([coin], [*pays(20 * BTC), *pays(30 * BTC, script=shop)])
    side = chain.spend([created(first, 1)], pays(30 * BTC))
    last = chain.spend([created(first, 0), created(side)], pays(50 * BTC))
    chain.mine([first, side, last])
    reader = open_ledger(chain)
    tags = tmp_path / "tags.csv"
    tags.write_text(f"address,actor\n{address_of(shop, REGTEST)},Shop\n")
    source, target = f"{display(coin.txid)}:0", f"{display(last.txid)}:0"
    answer = bounds(reader, [source], [target], services=tags)
    assert (answer.lower_sat, answer.upper_sat, answer.stops) == (20 * BTC, 50 * BTC, {"service": 1})
    assert (answer.basis, answer.exact, answer.complete) == ("inference", False, True)
    assert answer.tags.used == 1
    # 30 ended there, so each convention may have brought as much more.
    assert {(each.traced_sat, each.left_sat, each.inside) for each in answer.conventions} == {
        (20 * BTC, 30 * BTC, True)
    }
    assert {(rule.id, rule.version) for rule in answer.rules} >= {*Forest(reader).rules}
    printed = run_command(command, source, target, "--tags", tags, "--ledger", reader.folder).out
    assert "attributed by tags.csv" in printed
    assert "service: 1" in printed
    assert "30.00000000 BTC may come from behind a limit" in printed
    assert "inference: how wide" in printed
    whole = bounds(reader, [source], [target])
    assert (whole.lower_sat, whole.upper_sat, whole.basis) == (50 * BTC, 50 * BTC, "fact")


def test_what_makes_no_sense_is_refused(case):
    reader, (first, _), tx, _, _ = case
    with pytest.raises(UsageError, match="poison"):
        bounds(reader, [first], [tx], conventions=["fifo", "poison"])
    with pytest.raises(UsageError, match="no policy 'best'"):
        bounds(reader, [first], [tx], conventions=["best"])
    with pytest.raises(UsageError, match="no target"):
        bounds(reader, [first], [])
    with pytest.raises(InputRefused, match="not-an-address"):
        bounds(reader, [first], ["not-an-address"])
    with pytest.raises(NotFound):
        bounds(reader, ["00" * 32], [tx])


def test_the_command_prints_the_answer(case):
    reader, (first, second), tx, _, _ = case
    asked = (first, f"{tx}:1", "--ledger", reader.folder)
    printed = run_command(command, *asked, "--json")
    assert printed.json == json.loads(json.dumps(asdict(bounds(reader, [first], [f"{tx}:1"]))))
    text = run_command(command, *asked).out
    assert text.startswith(f"at least 1,000,000,000 and at most 5,000,000,000 satoshis of {tx}:1 derive from {first}\n")
    for policy in CONVENTIONS:
        assert policy in text
    both = run_command(command, first, tx, "--also-source", second, "--ledger", reader.folder).out
    assert "exactly 9,000,000,000 satoshis" in both
    assert f"{first} and 1 more" in both
    assert f"{tx}:0" in both


def test_the_command_says_when_a_budget_widened_the_bounds(case):
    reader, (first, _), _, onward, _ = case
    asked = (first, f"{onward}:0", "--ledger", reader.folder, "--transactions", 1)
    printed = run_command(command, *asked)
    assert "transaction budget: 1" in printed.out
    assert printed.error is None
    assert isinstance(run_command(command, *asked, "--require-complete").error, Incomplete)
    assert isinstance(run_command(command, "x", onward, "--ledger", reader.folder).error, InputRefused)
