"""The plot in the small economy: who paid Bazaar how, what became of it, and whether the truth says so."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import mixing_gate
import pytest
from signer import Signer

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import ScriptType, classify
from cointrail.errors import CheckFailed
from cointrail.simulation.agenda import DAY, WEEK
from cointrail.simulation.chain import START_TIME, Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import script_of_key
from cointrail.simulation.plot import bip39
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.buyers import EXCHANGES, PURCHASE_WEEKS, ROUTES, shares
from cointrail.simulation.plot.l1_guarantee import Components, Parties, check, collaborative_class, is_collaborative
from cointrail.simulation.plot.market import Calendar
from cointrail.simulation.plot.plot import Plot
from cointrail.simulation.plot.taint_truth import RULES
from cointrail.simulation.scale import LARGE, SMALL, STANDARD
from cointrail.simulation.stream import Stream
from cointrail.simulation.truth import Truth
from cointrail.simulation.world import World

SEEDS = (1, 2, 3)


@dataclass(eq=False)
class Case:
    world: World
    economy: Economy
    plot: Plot
    truth: Truth

    def output(self, txid, vout):
        return self.truth.output_number(txid + vout.to_bytes(4, "little"))

    def kind(self, txid):
        return self.truth.kinds[self.truth.numbers[txid]]

    def inputs(self, txid):
        """Numbers of the outputs that a transaction spends."""
        number = self.truth.numbers[txid]
        return list(self.truth.spent[self.truth.first_input[number] : self.truth.first_input[number + 1]])

    def outputs(self, txid):
        """Numbers of the outputs that it makes."""
        number = self.truth.numbers[txid]
        return list(range(self.truth.first_output[number], self.truth.first_output[number + 1]))

    def maker(self, output):
        return self.truth.txid(self.truth.output_transactions[output])

    def labelled(self, label):
        (number,) = self.truth.labelled(label)
        return self.truth.txid(number)

    def value(self, outputs):
        return sum(self.truth.values[output] for output in outputs)

    def payments(self, route, fresh=False):
        """Rows of a route; fresh ones are by buyers, to neither R1 nor R2."""
        buyers = {buyer.entity.entity_id for buyer in self.plot._buyers.buyers}
        returned = {script.script_pubkey for script in self.plot.returning}
        return [
            row
            for row in self.truth.payments
            if row.route == route
            and not (fresh and (row.buyer_id not in buyers or self.script(row.txid, row.vout) in returned))
        ]

    def script(self, txid, vout):
        return self.truth.script_pubkey(self.output(txid, vout))

    def sources(self, payment_id):
        return [row for row in self.truth.payment_sources if row.payment_id == payment_id]

    def spent_outputs(self):
        return set(self.truth.spent)


def run(seed=1, scale=SMALL, *, holdout=False):
    truth = Truth()
    world = World(seed, Chain(seed, scale.spacing, lambda block: None), truth)
    economy = Economy(world, scale, holdout=holdout, on_mix=truth.mix)
    plot = Plot(economy, truth, scale)
    plot.start()
    economy.run()
    plot.finish()
    return Case(world, economy, plot, truth)


@cache
def case_of(seed):
    return run(seed)


@pytest.fixture(params=SEEDS)
def case(request):
    return case_of(request.param)


# Payments.


def test_shares_of_routes_hold_for_buyers_and_for_payments(case):
    assert Counter(buyer.route for buyer in case.plot._buyers.buyers) == dict(shares(SMALL.buyers, ROUTES))
    fresh = SMALL.used_addresses - 2 - len(PURCHASE_WEEKS)
    for route, count in shares(fresh, ROUTES):
        assert len(case.payments(route, fresh=True)) == count
    assert dict(shares(SMALL.buyers, ROUTES)) == {"direct": 36, "one_hop": 12, "peel": 6, "mixer": 3, "unhosted": 3}
    first = Counter(buyer.accounts[0].exchange for buyer in case.plot._buyers.buyers if buyer.accounts)
    assert first == dict(shares(SMALL.buyers - 3, EXCHANGES))


def test_every_buyer_pays_and_has_a_user(case):
    users = {user.user_id: user for user in case.plot.users}
    assert list(users) == list(range(1, len(users) + 1))
    assert [user.created for user in case.plot.users] == sorted(user.created for user in case.plot.users)
    assert len({user.name for user in case.plot.users}) == len(users)
    for row in case.truth.payments:
        assert users[row.user_id].entity_id == row.buyer_id
    assert {row.buyer_id for row in case.truth.payments} == {
        *(buyer.entity.entity_id for buyer in case.plot._buyers.buyers),
        case.plot.agency.entity_id,
    }


def test_payments_are_all_that_the_deposit_scripts_received(case):
    truth, market = case.truth, case.plot.bazaar.entity_id
    received = [
        truth.outpoint(output)
        for output in range(len(truth.values))
        if truth.owner(output) == market and truth.scripts[truth.script_numbers[output]].role == "deposit"
    ]
    assert sorted(received) == sorted((row.txid, row.vout) for row in truth.payments)
    for row in truth.payments:
        assert row.value_sat == truth.values[case.output(row.txid, row.vout)]
        assert row.height == truth.heights[truth.numbers[row.txid]]
    order = [(row.height, truth.positions[truth.numbers[row.txid]], row.vout) for row in truth.payments]
    assert order == sorted(order)
    assert [row.payment_id for row in truth.payments] == list(range(1, len(order) + 1))


def test_used_addresses_are_as_many_as_the_scale_says_and_all_were_ordered(case):
    rows = list(case.truth.market_addresses)
    assert len(rows) == SMALL.derived_addresses + SMALL.legacy_addresses
    assert sum(row.used for row in rows) == SMALL.used_addresses
    assert Counter(row.source for row in rows) == {"legacy": SMALL.legacy_addresses, "xpub": SMALL.derived_addresses}
    assert Counter(row.source for row in rows if row.used)["legacy"] > 10
    by_address = {row.address: row for row in rows}
    assert len(by_address) == len(rows)
    created = {user.user_id: user.created for user in case.plot.users}
    for order in case.plot.orders:
        assert by_address[order.address].user_id == order.user_id
        assert by_address[order.address].used
        assert created[order.user_id] < order.created
    paid = Counter((address_of(case.script(row.txid, row.vout), REGTEST), row.value_sat) for row in case.truth.payments)
    assert paid == Counter((order.address, order.amount_sat) for order in case.plot.orders)
    assert {row.user_id for row in rows} >= {-1, 1, 2}
    assert [order.created for order in case.plot.orders] == sorted(order.created for order in case.plot.orders)


def test_addresses_derive_from_the_account_key_and_the_key_pool(case):
    account = ExtendedKey.parse(case.plot.account.neuter().serialize())
    rows = [row for row in case.truth.market_addresses if row.source == "xpub"]
    for row in [*rows[:3], *rows[-3:], *(row for row in rows if row.used)][:40]:
        key = account.child(0).child(row.position).public_key
        assert address_of(script_of_key(ScriptType.P2WPKH, key), REGTEST) == row.address
    master = ExtendedKey.of_seed(case.plot.account_seed)
    assert master.derive(case.plot.account_path) == case.plot.account
    assert case.plot.account_origin == f"[{master.fingerprint.hex()}/84h/1h/0h]"
    for row, key in zip(
        (row for row in case.truth.market_addresses if row.source == "legacy"), case.plot.pool, strict=True
    ):
        assert address_of(key.script_pubkey, REGTEST) == row.address
        assert (key.script is not None) == row.used
    for position, script in enumerate(case.plot.change_scripts):
        node = case.plot.account.child(1).child(position)
        assert (script.public_key, script.secret) == (node.public_key, node.secret)
        assert script.derivation == f"m/84h/1h/0h/1/{position}"


def test_prices_are_those_of_the_list_or_converted(case):
    listed = Counter(order.amount_sat for order in case.plot.orders)
    plain = [listed[price] for price in (2_000_000, 5_000_000, 10_000_000, 30_000_000)]
    assert 0.4 < sum(plain) / len(case.plot.orders) < 0.6
    assert plain[0] > plain[2] > plain[3] > 0


def test_direct_payments_are_withdrawals(case):
    for row in case.payments("direct"):
        (source,) = case.sources(row.payment_id)
        assert (source.withdrawal_txid, source.withdrawal_vout) == (row.txid, row.vout)
        assert source.value_sat == row.value_sat
        assert (row.verdict, row.stop_txid, row.stop_reason, row.hops) == ("exchange", row.txid, "exchange", 0)
        exchange = case.economy.exchanges[source.exchange]
        assert exchange.accounts[source.account_id].holder_id == row.buyer_id
        assert case.kind(row.txid) == ("batch_withdrawal" if source.exchange == "Alpha" else "withdrawal")
        assert {case.truth.owner(output) for output in case.inputs(row.txid)} == {exchange.entity.entity_id}


def test_one_hop_payments_spend_withdrawals_and_a_tenth_spends_two(case):
    rows = case.payments("one_hop")
    double = 0
    for row in rows:
        sources = case.sources(row.payment_id)
        double += len({source.exchange for source in sources}) == 2
        spent = [case.output(source.withdrawal_txid, source.withdrawal_vout) for source in sources]
        assert sorted(case.inputs(row.txid)) == sorted(spent)
        assert [case.truth.values[output] for output in spent] == [source.value_sat for source in sources]
        assert {case.truth.owner(output) for output in spent} == {row.buyer_id}
        assert (case.kind(row.txid), row.hops, row.verdict) == ("payment", 1, "exchange")
        assert row.stop_txid == sources[0].withdrawal_txid
        for source in sources:
            owner = case.economy.exchanges[source.exchange].entity.entity_id
            assert {case.truth.owner(output) for output in case.inputs(source.withdrawal_txid)} == {owner}
    assert double == -(-len(rows) // 10)


def test_peel_payments_are_peels_of_a_chain_that_begins_with_a_withdrawal(case):
    chains = {}
    for row in case.payments("peel"):
        (source,) = case.sources(row.payment_id)
        start = case.output(source.withdrawal_txid, source.withdrawal_vout)
        txid, steps = row.txid, 0
        while case.kind(txid) == "peel_step":
            (spent,) = case.inputs(txid)
            assert len(case.outputs(txid)) == 2
            assert case.truth.owner(spent) == row.buyer_id
            txid, steps = case.maker(spent), steps + 1
        assert (txid, spent, steps) == (source.withdrawal_txid, start, row.hops)
        assert (row.verdict, row.stop_txid, row.stop_reason) == ("exchange", txid, "exchange")
        chains.setdefault(start, []).append(row.hops)
    spenders = {output: number for number in range(len(case.truth.heights)) for output in
                case.inputs(case.truth.txid(number))}  # fmt: skip
    for start, hops in chains.items():
        length, output = 0, start
        while output in spenders and case.truth.kinds[spenders[output]] == "peel_step":
            length += 1
            made = case.outputs(case.truth.txid(spenders[output]))
            (output,) = [each for each in made if case.truth.owner(each) == case.truth.owner(start)]
        assert 12 <= length <= 20
        assert max(hops) == length, "the last peel is a payment"
        assert len(hops) == len(set(hops))


def test_mixer_payments_stop_at_a_coinjoin_or_at_the_mixer(case):
    rows = case.payments("mixer")
    reasons = Counter(row.stop_reason for row in rows)
    assert reasons == {"coinjoin": (len(rows) + 1) // 2, "service": len(rows) // 2}
    for row in rows:
        assert (row.verdict, case.sources(row.payment_id)) == ("not_traceable_beyond", [])
        front, met = {row.txid}, set()
        while front:
            parents = {case.maker(output) for txid in front for output in case.inputs(txid)}
            met |= {txid for txid in parents if case.kind(txid) in ("coinjoin", "mixer_out")}
            front = parents - met
            assert {case.kind(txid) for txid in front} <= {"payment"}, "nothing else lies between"
        assert met == {row.stop_txid}
        assert case.kind(row.stop_txid) == ("coinjoin" if row.stop_reason == "coinjoin" else "mixer_out")


def test_unhosted_payments_have_no_exchange_among_their_ancestors(case):
    exchanges = {exchange.entity.entity_id for exchange in case.economy.exchanges.values()}
    rows = case.payments("unhosted")
    seen, front = set(), {row.txid for row in rows}
    while front:
        seen |= front
        front = {case.maker(output) for txid in front for output in case.inputs(txid)} - seen
    initiators = {case.truth.initiators[case.truth.numbers[txid]] for txid in seen}
    assert not initiators & exchanges
    assert any(case.kind(txid) == "coinbase" for txid in seen)
    for row in rows:
        assert (row.verdict, row.stop_txid, row.hops) == ("no_exchange_found", b"", 0)
        assert case.sources(row.payment_id) == []


def test_test_purchases(case):
    calendar, opens = case.plot.calendar, case.plot.market_opens
    assert [purchase.purchase_no for purchase in case.plot.purchases] == [1, 2, 3]
    payments = {(row.txid, row.vout): row for row in case.truth.payments}
    for purchase, week in zip(case.plot.purchases, PURCHASE_WEEKS, strict=True):
        row = payments[purchase.txid, purchase.vout]
        assert row.buyer_id == case.plot.agency.entity_id
        assert purchase.value_sat == row.value_sat
        assert case.labelled(f"undercover-{purchase.purchase_no}") == purchase.txid
        assert (purchase.time - opens) // WEEK + 1 == week
        assert purchase.time == case.world.chain.times[row.height]
    routes = [payments[purchase.txid, purchase.vout].route for purchase in case.plot.purchases]
    assert routes == ["direct", "unhosted", "unhosted"]
    assert [case.kind(purchase.txid) for purchase in case.plot.purchases] == [
        "batch_withdrawal", "undercover", "undercover",
    ]  # fmt: skip
    assert "Alpha" in case.plot.purchases[0].funding
    assert calendar.closes - calendar.opens == SMALL.market_weeks * WEEK


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


def digest(seed):
    case = run(seed, replace(SMALL, transactions=9_000))
    total = hashlib.sha256()
    for name, _, rows in case.truth.tables():
        total.update(name.encode())
        for row in rows:
            total.update(repr(row).encode())
    total.update(repr((case.plot.users, case.plot.orders, case.plot.purchases, case.plot.movements)).encode())
    return total.hexdigest()


def test_same_seed_same_truth_in_another_process():
    code = f"import sys; sys.path[:0] = {sys.path!r}; import test_sim_plot; print(test_sim_plot.digest(6))"
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
