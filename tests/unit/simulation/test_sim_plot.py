"""The market, its operator and the promises of the plot in the small economy."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import mixing_gate
import pytest
from plot_case import case_of, digest, run
from signer import Signer

from cointrail.bitcoin.script import ScriptType, classify
from cointrail.errors import CheckFailed
from cointrail.simulation.agenda import DAY, WEEK
from cointrail.simulation.chain import START_TIME
from cointrail.simulation.keys import script_of_key
from cointrail.simulation.plot import bip39
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.l1_guarantee import Components, Parties, check, collaborative_class, is_collaborative
from cointrail.simulation.plot.market import Calendar
from cointrail.simulation.plot.taint_truth import RULES
from cointrail.simulation.scale import LARGE, SMALL, STANDARD
from cointrail.simulation.stream import Stream

# Sweeps and what holds them together.


def test_only_r1_and_r2_are_paid_again_and_across_every_break(case):
    paid = Counter(case.script(row.txid, row.vout) for row in case.truth.payments)
    assert {script for script, count in paid.items() if count > 1} == {
        script.script_pubkey for script in case.plot.returning
    }
    calendar = case.plot.calendar
    swept_in = {}
    for number in range(1, len(calendar.sweeps) + 1):
        for output in case.inputs(case.labelled(f"sweep-{number:02d}")):
            swept_in.setdefault(case.truth.script_pubkey(output), set()).add(number)
    first, second = (swept_in[script.script_pubkey] for script in case.plot.returning)
    assert max(first) <= len(calendar.sweeps) // 2 < min(second)
    for number in (*calendar.exact, calendar.payjoin):
        assert {number, number + 1} <= (first if number <= len(calendar.sweeps) // 2 else second)


def test_sweeps_with_change_and_exact_ones(case):
    calendar, truth = case.plot.calendar, case.truth
    assert len(calendar.exact) == SMALL.sweeps_exact
    assert len(calendar.sweeps) == SMALL.sweeps_exact + SMALL.sweeps_with_change
    for number in range(1, len(calendar.sweeps) + 1):
        txid = case.labelled(f"sweep-{number:02d}")
        spent, made = case.inputs(txid), case.outputs(txid)
        assert case.kind(txid) == "market_sweep"
        assert {truth.owner(output) for output in spent} == {case.plot.bazaar.entity_id}
        assert truth.owner(made[0]) == case.plot.operator.entity_id
        assert truth.scripts[truth.script_numbers[made[0]]].role == "collection"
        if number in calendar.exact:
            assert len(made) == 1
            continue
        collected, change = made
        assert truth.changes[change]
        assert truth.script_numbers[change] in [truth.script_numbers[output] for output in spent], "change to itself"
        assert truth.values[collected] % 1_000_000 == 0
        following = case.inputs(case.labelled(f"sweep-{number + 1:02d}")) if number < len(calendar.sweeps) else []
        if number == calendar.payjoin:
            assert change in case.inputs(case.labelled("payjoin-merchant"))
        elif following:
            assert change in following


def test_deposits_of_the_last_week_stay_unswept_and_no_others(case):
    spent = case.spent_outputs()
    last = case.plot.calendar.week(SMALL.market_weeks) + START_TIME
    late = 0
    for row in case.truth.payments:
        time = START_TIME + (row.height - 400) * SMALL.spacing
        if time >= last:
            late += 1
            assert case.output(row.txid, row.vout) not in spent
        elif time < last - DAY:
            assert case.output(row.txid, row.vout) in spent
    assert late > 5
    assert START_TIME + case.plot.calendar.sweeps[-1] <= last


def test_payjoin_has_one_input_of_each_and_joins_the_merchant_if_it_is_not_left_out(case):
    txid = case.labelled("payjoin-merchant")
    spent, made = case.inputs(txid), case.outputs(txid)
    parties = {case.plot.bazaar.entity_id, case.economy.merchant.entity.entity_id}
    assert len(spent) == len(made) == 2
    assert {case.truth.owner(output) for output in spent} == parties
    assert {case.truth.owner(output) for output in made} == parties
    assert {classify(case.truth.script_pubkey(output)) for output in spent} == {ScriptType.P2WPKH}
    assert sum(link.txid == txid for link in case.truth.mix_links) == 2
    merchant = [output for output in spent if case.truth.owner(output) != case.plot.bazaar.entity_id]
    gained = [output for output in made if case.truth.owner(output) != case.plot.bazaar.entity_id]
    assert case.value(gained) > case.value(merchant)
    tested = case.plot._buyers.test_deposits[1].script.number
    tagged = case.truth.script_numbers[merchant[0]]
    joined, apart = Components(case.truth), Components(case.truth, case.truth.labelled("payjoin-merchant"))
    assert joined.of(tested) == joined.of(tagged)
    assert apart.of(tested) != apart.of(tagged)


def test_named_deposits_go_through_a_wabisabi_round(case):
    txid = case.labelled("sweep-coinjoin")
    named = [output for output in case.inputs(txid) if case.truth.owner(output) == case.plot.bazaar.entity_id]
    assert len(named) == SMALL.coinjoined_deposits
    assert (case.kind(txid), case.truth.protocols[case.truth.numbers[txid]]) == ("coinjoin", "wabisabi")
    assert is_collaborative(case.truth, case.truth.numbers[txid])
    tests = {(purchase.txid, purchase.vout) for purchase in case.plot.purchases}
    assert not tests & {case.truth.outpoint(output) for output in named}
    own = [output for output in case.outputs(txid) if case.truth.owner(output) == case.plot.operator.entity_id]
    assert case.value(named) * 0.99 < case.value(own) < case.value(named)
    links = [link for link in case.truth.mix_links if link.txid == txid]
    assert sum(link.entity_id == case.plot.operator.entity_id for link in links) == len(named) * len(own)


# The operator.


def test_legs_of_the_operator(case):
    legs = Counter()
    for row in case.truth.cashouts:
        legs[row.leg] += row.value_sat
        output = case.output(row.txid, row.vout)
        assert case.truth.values[output] == row.value_sat
        assert case.truth.scripts[case.truth.script_numbers[output]].account_id == row.account_id
    merchant = case.economy.merchant.entity.entity_id
    peels = [
        case.truth.txid(number) for label in range(1, 30) for number in case.truth.labelled(f"peel-beta-{label:02d}")
    ]
    to_merchant = [output for txid in peels for output in case.outputs(txid) if case.truth.owner(output) == merchant]
    assert len(to_merchant) == 2
    legs["beta"] += case.value(to_merchant)
    total = sum(legs.values())
    assert abs((legs["alpha1"] + legs["alpha2"]) / total - 0.80) < 0.005
    assert abs(legs["beta"] / total - 0.15) < 0.005
    assert abs(legs["gamma"] / total - 0.05) < 0.005
    assert min(legs.values()) > 0
    assert {row.via for row in case.truth.cashouts if row.leg == "beta"} == {"peel"}
    assert {row.via for row in case.truth.cashouts if row.leg == "gamma"} == {"coinjoin"}
    assert {row.via for row in case.truth.cashouts if row.leg in ("alpha1", "alpha2")} == {"direct"}


def test_what_was_swept_is_cashed_out_spent_or_at_rest(case):
    """Nothing of the operator's is left over but the 3 BTC and the market's float."""
    spent, truth = case.spent_outputs(), case.truth
    left = [
        output
        for output in range(len(truth.values))
        if truth.owner(output) == case.plot.operator.entity_id and output not in spent
    ]
    rest = case.value(left) - 300_000_000
    assert 0 <= rest < 200_000
    swept = case.value(output for row in truth.payments if (output := case.output(row.txid, row.vout)) in spent)
    cashed = sum(row.value_sat for row in truth.cashouts)
    assert swept * 0.95 < cashed + 300_000_000 < swept * 1.02


def test_peel_chain_has_14_to_20_steps_and_ends_at_beta(case):
    numbers = [number for label in range(1, 30) for number in case.truth.labelled(f"peel-beta-{label:02d}")]
    txids = [case.truth.txid(number) for number in numbers]
    assert 14 <= len(txids) <= 20
    for txid, following in pairwise(txids):
        (spent,) = case.inputs(following)
        assert case.maker(spent) == txid
    assert [len(case.outputs(txid)) for txid in txids] == [2] * (len(txids) - 1) + [1]
    scripts = {script.number for script in case.plot.peel_scripts}
    assert {case.truth.script_numbers[output] for txid in txids for output in case.inputs(txid)} == scripts
    for script in case.plot.peel_scripts:
        branch, position = script.derivation.split("/")[-2:]
        node = case.plot.peel_account.derive(f"{branch}/{position}")
        assert (node.secret, node.public_key) == (script.secret, script.public_key)


def test_three_btc_stay_unspent_under_the_twelve_words(case):
    coin = case.plot.reserve
    number = case.truth.output_number(coin.outpoint)
    assert case.truth.values[number] == coin.value_sat == 300_000_000
    assert number not in case.spent_outputs()
    assert case.maker(number) == case.labelled("op-3btc")
    assert bip39.is_valid(case.plot.reserve_phrase)
    assert len(case.plot.reserve_phrase.split()) == 12
    node = ExtendedKey.of_seed(bip39.seed_of(case.plot.reserve_phrase)).derive("84h/1h/0h/0/0")
    assert script_of_key(ScriptType.P2WPKH, node.public_key) == coin.script.script_pubkey
    assert coin.script.secret == node.secret


def test_accounts_and_movements(case):
    targets = {row.account_id for row in case.truth.accounts if row.is_target}
    assert len(targets) == 24
    assert targets == {row.target_id for row in case.truth.taint}
    names = case.plot.names
    assert all(names[row.holder_id] for row in case.truth.accounts)
    kinds = Counter(movement.type for movement in case.plot.movements)
    assert kinds["deposit"] == len(case.truth.cashouts)
    moved = {(movement.txid, movement.vout): movement for movement in case.plot.movements}
    assert len(moved) == len(case.plot.movements)
    for source in case.truth.payment_sources:
        movement = moved[source.withdrawal_txid, source.withdrawal_vout]
        assert (movement.account_id, movement.value_sat) == (source.account_id, source.value_sat)
        assert movement.time == case.world.chain.times[movement.height]
        assert movement.script_pubkey == case.script(movement.txid, movement.vout)


# Taint and conclusions.


def test_taint_of_24_targets_under_five_rules(case):
    rows = {(row.target_id, row.rule): row for row in case.truth.taint}
    assert len(rows) == len(case.truth.taint) == 24 * len(RULES)
    paid = sum(row.value_sat for row in case.truth.payments)
    for row in case.truth.taint:
        if row.source_set == "market payments":
            assert row.total_sat == paid
        if row.rule == "poison":
            assert row.traced_sat >= row.upper_sat
            continue
        assert row.traced_sat + row.untraced_sat + row.fee_sat == row.total_sat
        assert 0 <= row.lower_sat <= row.traced_sat <= row.upper_sat
        assert row.traced_sat <= rows[row.target_id, "poison"].traced_sat
    assert sum(row.source_set == "market payments" for row in case.truth.taint) == 4 * len(RULES)


def test_conclusions_say_what_survives(case):
    rows = {row.conclusion_id: row for row in case.truth.conclusions}
    assert len(rows) == len(case.truth.conclusions)
    assert all(rows[f"test-purchase-{number}"].survives_l1_fifo for number in (1, 2, 3))
    assert not rows["peel-chain"].survives_l1_fifo
    assert not rows["coinjoin-gamma"].survives_l1_fifo
    assert rows["proceeds-alpha1"].survives_l1_fifo
    assert len(rows) >= 20


# The guarantee.


def parties_of(case):
    return case.plot._parties()


def test_the_promise_about_l1_is_kept_and_reported(case):
    truth = case.truth
    assert truth.l1_reachable == check(truth, case.world.seed, parties_of(case))
    rows = [row for row in truth.script_rows() if row.entity_id == case.plot.bazaar.entity_id]
    swept = [row for row in rows if row.used and row.swept]
    assert 100 * sum(row.l1_reachable for row in swept) >= 99 * len(swept)
    assert len(swept) - sum(row.l1_reachable for row in swept) == SMALL.coinjoined_deposits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda case, parties: parties, ""),
        (lambda case, parties: replace(parties, left_out=""), "somebody else's script"),
        (lambda case, parties: replace(parties, double=case.economy.merchant.entity.entity_id), "double was merged"),
        (lambda case, parties: replace(parties, test_scripts=[*parties.test_scripts, 0]), "different components"),
        (
            lambda case, parties: replace(parties, hot_wallets=[("Nobody", case.plot._book.wallet.number + 10_000)]),
            "Nobody's hot wallet",
        ),
        (
            lambda case, parties: replace(
                parties, hot_wallets=[("Person", case.economy.people.everybody[0].wallet.number)]
            ),
            "Person's hot wallet",
        ),
    ],
)
def test_a_broken_promise_is_found_and_names_the_seed(change, said):
    case = case_of(1)
    parties = change(case, parties_of(case))
    if not said:
        assert check(case.truth, 77, parties)
        return
    with pytest.raises(CheckFailed, match="seed 77") as failure:
        check(case.truth, 77, parties)
    assert said in str(failure.value)


def test_without_the_returning_buyers_the_weeks_fall_apart(monkeypatch):
    monkeypatch.setattr(Calendar, "returns", lambda self, half: self.exact[:1] if half == 0 else self.exact[-1:])
    with pytest.raises(CheckFailed, match=r"seed 4: .*(different components|are one component)"):
        run(4, replace(SMALL, transactions=9_000))


def test_the_gate_is_the_one_of_the_methods_page(case):
    """Compared with a second reading of METHODS.md 3.1 on every transaction of several scripts."""
    truth, classes = case.truth, Counter()
    for number in range(len(truth.heights)):
        spent, made = case.inputs(truth.txid(number)), case.outputs(truth.txid(number))
        sides = [[(truth.values[each], truth.script_pubkey(each)) for each in side] for side in (spent, made)]
        if len({script for _, script in sides[0]}) < 2 or len(made) < 2:
            continue
        found = collaborative_class(*sides)
        expected = mixing_gate.collaborative(*sides)
        assert found.lower() == ("" if expected == "none" else expected)
        classes[found] += 1
    assert {"WHIRLPOOL", "WASABI2", "WASABI1", "JOINMARKET", ""} <= set(classes)


# Calendars, determinism, the other set of habits.


@pytest.mark.parametrize("scale", [SMALL, STANDARD, LARGE], ids=lambda scale: scale.name)
def test_calendars_of_all_scales(scale):
    for seed in range(30):
        calendar = Calendar.draw(scale, Stream(seed, "calendar"))
        middle = scale.market_weeks // 2
        assert len(calendar.sweeps) == scale.market_weeks
        assert list(calendar.sweeps) == sorted(calendar.sweeps)
        assert len(set(calendar.exact)) == scale.sweeps_exact
        assert calendar.payjoin not in calendar.exact
        assert calendar.coinjoin not in (*calendar.exact, calendar.payjoin)
        assert not {middle, scale.market_weeks} & {*calendar.exact, calendar.payjoin}
        assert calendar.sweeps[-1] <= calendar.week(scale.market_weeks)
        assert calendar.closes + 4 * WEEK <= scale.weeks * WEEK
        gaps = [later - earlier for earlier, later in pairwise(calendar.sweeps)]
        assert 6 * DAY < min(gaps) <= max(gaps) < 8 * DAY
        assert all(calendar.returns(half) for half in (0, 1))


def test_same_seed_same_truth_in_another_process():
    code = f"import sys; sys.path[:0] = {sys.path!r}; import plot_case; print(plot_case.digest(6))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest(6)


def test_the_plot_works_with_the_other_set_of_habits():
    case = run(5, replace(SMALL, transactions=9_000), holdout=True)
    assert len(case.truth.taint) == 24 * len(RULES)
    assert isinstance(parties_of(case), Parties)


def test_a_signer_makes_the_keys_that_the_plot_has():
    """Seized keys are real: who holds the secrets of the truth can spend."""
    signer, plot = Signer(), case_of(1).plot
    scripts = [
        *plot.change_scripts,
        *plot.peel_scripts,
        *plot.returning,
        plot.reserve.script,
        *(deposit.script for deposit in plot._buyers.test_deposits.values()),
        *(key.script for key in plot.pool if key.script),
    ]
    for script in scripts:
        assert signer.public_key(script.secret) == script.public_key
        assert script.script_pubkey == script_of_key(script.kind, script.public_key)
