"""The actors of SCENARIO.md 3, each held to its row of the table; and the shapes of METHODS.md 3.5."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pytest
from simulated_economy import TINY, Kept, simulate, simulated, spends, walk

from cointrail.bitcoin.script import ScriptType, classify
from cointrail.simulation.actors.people import invented_name
from cointrail.simulation.chain import PRELUDE_BLOCKS, Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.parameters import EVERYDAY, HOLDOUT
from cointrail.simulation.prices import MARKET_PRICES, PriceCurve, market_amount_sat
from cointrail.simulation.scale import SMALL
from cointrail.simulation.stream import Stream
from cointrail.simulation.world import World

ANYONE_CAN_PAY = (0x81, 0x82, 0x83)
BOTH = pytest.mark.parametrize("holdout", [False, True], ids=["everyday", "holdout"])


def sent_by(run, name, *kinds):
    number = next(entity.entity_id for entity in run.kept.entities if entity.name == name)
    return [each for each in run.kept.sents if each.initiator_id == number and each.kind in kinds]


def scripts_of(run, wallet):
    return [script for script in run.kept.scripts if script.wallet_id == wallet.number]


def hour_of(run, height):
    return (height - PRELUDE_BLOCKS) * run.economy.scale.spacing // 3_600 % 24


class Components:
    """Co-spending with the gate of METHODS.md 3.2 and the SIGHASH veto, by a union-find of our own."""

    def __init__(self, chain):
        self._parent = {}
        for each in chain:
            if each.gate != "none":
                continue
            scripts = [
                script for (_, script), sign in zip(each.inputs, each.signs, strict=True) if sign not in ANYONE_CAN_PAY
            ]
            for script in scripts[1:]:
                self._parent[self.root(script)] = self.root(scripts[0])

    def root(self, script):
        while self._parent.setdefault(script, script) != script:
            script = self._parent[script]
        return script


@BOTH
@pytest.mark.parametrize("seed", [1, 2])
def test_each_hot_wallet_is_one_component_and_no_other_exchanges(seed, holdout):
    run, chain = simulated(seed, holdout=holdout), spends(seed, holdout=holdout)
    components = Components(chain)
    spent = {script for each in chain for _, script in each.inputs}
    roots = {}
    for name, exchange in run.economy.exchanges.items():
        hot = {script.script_pubkey for script in scripts_of(run, exchange.hot)}
        hot &= spent
        assert len(hot) > 5
        (root,) = {components.root(script) for script in hot}
        roots[name] = root
    assert len(set(roots.values())) == 3


@BOTH
def test_alpha_sweeps_daily_with_a_hot_input_and_pays_in_batches(holdout):
    run = simulated(holdout=holdout)
    alpha, parameters = run.economy.exchanges["Alpha"], HOLDOUT if holdout else EVERYDAY
    sweeps = sent_by(run, "Alpha", "deposit_sweep")
    days = Counter((each.height - PRELUDE_BLOCKS) // 6 for each in sweeps)
    assert len(days) > 100
    assert set(days.values()) == {1}
    for each in sweeps:
        roles = Counter(coin.script.role for coin in each.inputs)
        assert roles["hot"] == 1
        assert roles["deposit"] >= 1
        assert {payment.script.wallet_id for payment in each.outputs} == {alpha.hot.number}
        assert 0 <= hour_of(run, each.height) - parameters.sweep_hour < 4
    batches = sent_by(run, "Alpha", "batch_withdrawal")
    sizes = [sum(not payment.change for payment in each.outputs) for each in batches]
    assert min(sizes) >= 5
    assert max(sizes) <= 40
    assert len(batches) > 50
    assert sent_by(run, "Alpha", "withdrawal") == []
    moved = sent_by(run, "Alpha", "cold_move")
    assert {payment.script.role for each in moved for payment in each.outputs} >= {"cold", "hot"}
    assert alpha.cold.balance_sat > alpha.hot.balance_sat


@BOTH
def test_beta_sweeps_one_by_one_and_pays_one_by_one(holdout):
    run = simulated(holdout=holdout)
    sweeps = sent_by(run, "Beta", "deposit_sweep")
    assert len(sweeps) > 100
    for each in sweeps:
        assert [coin.script.role for coin in each.inputs] == ["deposit"]
        assert [payment.script.role for payment in each.outputs] == ["hot"]
    payments = sent_by(run, "Beta", "withdrawal")
    assert len(payments) > 100
    assert all(len(each.outputs) == 2 for each in payments)
    assert all(sum(payment.change for payment in each.outputs) == 1 for each in payments)
    assert sent_by(run, "Beta", "batch_withdrawal") == []


@BOTH
def test_gamma_sweeps_deposits_only_at_night_and_never_reuses_a_deposit_script(holdout):
    run = simulated(holdout=holdout)
    sweeps = sent_by(run, "Gamma", "deposit_sweep")
    assert len(sweeps) > 50
    assert max(Counter((each.height - PRELUDE_BLOCKS) // 6 for each in sweeps).values()) == 1
    for each in sweeps:
        assert {coin.script.role for coin in each.inputs} == {"deposit"}
        assert [payment.script.role for payment in each.outputs] == ["hot"]
    deposits = run.economy.exchanges["Gamma"].deposits
    assert max(script.uses for script in scripts_of(run, deposits)) == 1


def test_a_deposit_script_belongs_to_its_account():
    run = simulated()
    for name in ("Alpha", "Beta"):
        exchange = run.economy.exchanges[name]
        scripts = scripts_of(run, exchange.deposits)
        assert {script.role for script in scripts} == {"deposit"}
        assert max(Counter(script.account_id for script in scripts).values()) == 1
        for script in scripts:
            account = exchange.accounts[script.account_id]
            assert account.deposit is script
            assert account.exchange == name
    accounts = [account for exchange in run.economy.exchanges.values() for account in exchange.accounts]
    assert len(set(accounts)) == len(accounts)


def guest_economy(**scale):
    kept = Kept()
    small = replace(SMALL, **{"transactions": 4_000, "weeks": 6, **scale})
    world = World(3, Chain(3, SMALL.spacing, lambda block: None), kept)
    economy = Economy(world, small)
    guest = world.add_entity("Guest", "buyer", "XG")
    return world, economy, guest, world.add_wallet(guest, EVERYDAY.models[0], "guest"), kept


def test_withdrawals_are_reported_within_a_day_with_their_output_and_label():
    world, economy, guest, wallet, _ = guest_economy()
    asked: dict[tuple[str, int], int] = {}
    told = []

    def ask(exchange, number):
        account = exchange.open_account(guest, "XC")
        assert (account.holder_id, account.country) == (guest.entity_id, "XC")
        script, value = world.new_script(wallet), 10_000_000 + number % 3
        asked[exchange.name, number] = world.chain.height
        label = f"label-{number}" if number % 2 else ""

        def answer(sent, vout):
            told.append((exchange.name, number))
            assert sent.outputs[vout].script is script
            assert sent.outputs[vout].value_sat == value
            assert label in ("", sent.label)
            assert 0 <= sent.height - asked[exchange.name, number] <= 6

        exchange.withdraw(account, script, value, label=label, on_sent=answer)

    for exchange in economy.exchanges.values():
        for number in range(9):
            economy.at_time((10 + number // 4) * 86_400, lambda exchange=exchange, number=number: ask(exchange, number))
    economy.run()
    assert sorted(told) == sorted(asked)
    assert len(told) == 27


def test_hooks_are_told_of_every_deposit():
    _, economy, _, _, kept = guest_economy()
    heard = defaultdict(list)
    for exchange in economy.exchanges.values():
        exchange.credited.append(lambda account, coin: heard[account.account_id].append(coin.outpoint))
    economy.run()
    paid, due = defaultdict(set), []
    for sent in kept.sents:
        for vout, payment in enumerate(sent.outputs):
            account = payment.script.account_id
            if account:
                paid[account].add(sent.txid + vout.to_bytes(4, "little"))
                if sent.height < economy.last_height:
                    due.append((account, sent.txid + vout.to_bytes(4, "little")))
    assert len(due) > 100
    for account, outpoints in heard.items():
        assert len(set(outpoints)) == len(outpoints), "nothing is told twice"
        assert set(outpoints) <= paid[account]
    assert all(outpoint in heard[account] for account, outpoint in due)


@BOTH
def test_fog_pays_after_6_to_72_hours_from_an_unrelated_pool(holdout):
    run = simulated(holdout=holdout)
    by_txid, fog = run.by_txid(), run.economy.mixer
    paid_in = {each.txid: each for each in run.kept.sents if each.kind == "mixer_in"}
    paid_out = [each for each in run.kept.sents if each.kind == "mixer_out"]
    assert len(paid_in) >= 10
    waiting = defaultdict(list)
    for link in run.links:
        if link.txid in paid_in:
            waiting[link.entity_id].append(paid_in[link.txid])
    answered = 0
    for link in run.links:
        sent = by_txid[link.txid]
        if sent.kind != "mixer_out":
            continue
        assert sent.outputs[link.vout].script.entity_id == link.entity_id
        value = sent.outputs[link.vout].value_sat
        # The order it answers: of this customer, of about this value, at most three days old.
        orders = [
            each
            for each in waiting[link.entity_id]
            for payment in each.outputs
            if payment.script.wallet_id == fog.incoming.number and 969 <= value * 1_000 // payment.value_sat <= 990
            and 2 <= sent.height - each.height <= 18
        ]  # fmt: skip
        assert orders
        assert not ancestors(sent, by_txid) & {each.txid for each in orders}
        answered += 1
    assert answered == len(paid_out)
    assert {coin.script.wallet_id for each in paid_out for coin in each.inputs} == {fog.pool.number}


def ancestors(sent, by_txid, blocks=20 * 6):
    """txids of what a transaction descends from, so many blocks back."""
    found, left = set(), [sent]
    while left:
        for coin in left.pop().inputs:
            txid = coin.outpoint[:32]
            parent = by_txid.get(txid)
            if txid not in found and parent is not None and sent.height - parent.height < blocks:
                found.add(txid)
                left.append(parent)
    return found


def test_lucky_dice_is_the_markets_double():
    run = simulated()
    dice = run.economy.gamblers["LuckyDice"]
    bets = [
        payment
        for sent in run.kept.sents
        for payment in sent.outputs
        if sent.kind == "bet" and payment.script.wallet_id == dice.wallet.number
    ]
    assert abs(len(bets) - SMALL.used_addresses) < SMALL.used_addresses // 10
    assert max(payment.script.uses for payment in bets) == 1
    values = Counter(payment.value_sat for payment in bets)
    listed = sum(values[price] for price, _ in MARKET_PRICES)
    assert 0.4 < listed / len(bets) < 0.6, "half of the prices are converted"
    for price, percent in MARKET_PRICES:
        assert abs(values[price] / listed - percent / 100) < 0.12
    sweeps = sent_by(run, "LuckyDice", "deposit_sweep")
    assert min(later.height - each.height for each, later in pairwise(sweeps)) == 7 * 6
    assert SMALL.market_weeks - 2 <= len(sweeps) <= SMALL.market_weeks + 3
    with_change = [each for each in sweeps if len(each.outputs) == 2]
    assert len(with_change) > len(sweeps) - len(with_change) > 0
    for each in sweeps:
        assert sum(payment.script is dice.collection for payment in each.outputs) == 1
    for each, later in pairwise(sweeps):
        change = [payment.script for payment in each.outputs if payment.script is not dice.collection]
        assert all(script in [coin.script for coin in later.inputs] for script in change)


def test_market_prices_are_drawn_as_the_scenario_says():
    stream, prices = Stream(1, "test"), PriceCurve(1)
    drawn = Counter(market_amount_sat(stream, prices, day * 86_400) for day in range(100, 200) for _ in range(200))
    listed = {price: drawn[price] for price, _ in MARKET_PRICES}
    assert abs(sum(listed.values()) / 20_000 - 0.5) < 0.02
    for price, percent in MARKET_PRICES:
        assert abs(listed[price] / sum(listed.values()) - percent / 100) < 0.02
    assert [price for price, _ in MARKET_PRICES] == [2_000_000, 5_000_000, 10_000_000, 30_000_000]
    # Converted prices are dollars: 840, 2,100, 4,200, 12,600 at the day's close.
    for amount in list(drawn)[:50]:
        if amount not in listed:
            assert any(
                abs(amount * prices.close_minor(day) // 10**8 - dollars * 100) <= 1
                for day in range(100, 200)
                for dollars in (840, 2_100, 4_200, 12_600)
            )


def test_the_price_curve_moves_by_at_most_three_percent_a_day():
    prices = PriceCurve(4)
    closes = [prices.close_minor(day) for day in range(365)]
    assert all(abs(later - each) * 100 <= 3 * each for each, later in pairwise(closes))
    assert len(set(closes)) > 300
    assert PriceCurve(4).close_minor(364) == closes[-1]
    assert prices.close_minor(3, "EUR") < prices.close_minor(3)


@BOTH
def test_even_odds_pays_the_sender_out_of_the_bet_itself(holdout):
    run = simulated(holdout=holdout)
    by_txid, site = run.by_txid(), run.economy.gamblers["EvenOdds"]
    payouts = sent_by(run, "EvenOdds", "payout")
    assert len(payouts) > 50
    for each in payouts:
        bet = by_txid[each.inputs[0].outpoint[:32]]
        assert bet.kind == "bet"
        assert bet.inputs[0].script in [payment.script for payment in each.outputs]
        assert each.height - bet.height <= 1
    scripts = scripts_of(run, site.wallet)
    assert len(scripts) == 6
    assert min(script.uses for script in scripts) > 10


def test_red_black_pays_in_batches():
    run = simulated()
    payouts = sent_by(run, "RedBlack", "payout")
    assert len(payouts) > 10
    assert max(len(each.outputs) for each in payouts) > 2
    assert max(script.uses for script in scripts_of(run, run.economy.gamblers["RedBlack"].wallet)) == 1


def test_heron_has_its_own_addresses_and_consolidates_monthly():
    run = simulated()
    heron = run.economy.merchant
    assert len(heron.addresses) == SMALL.merchant_addresses
    receiving = [script for script in scripts_of(run, heron.wallet) if script.role == "receive"]
    assert receiving == heron.addresses
    assert median(script.uses for script in receiving) > 2
    gathered = sent_by(run, "Heron", "consolidation")
    months = [(each.height - PRELUDE_BLOCKS) // (4 * 7 * 6) for each in gathered]
    assert months == list(range(6))
    assert all(len(each.inputs) > 5 and len(each.outputs) == 1 for each in gathered)
    root = Components(spends()).root
    assert len({root(coin.script.script_pubkey) for each in gathered for coin in each.inputs}) == 1


def test_quill_has_an_address_an_invoice_and_settles_daily():
    run = simulated()
    quill = run.economy.processor
    invoices = scripts_of(run, quill.invoices)
    assert len(invoices) > 200
    assert max(script.uses for script in invoices) == 1
    settled = sent_by(run, "Quill", "payment")
    assert {hour_of(run, each.height) for each in settled} == {16}
    sellers = {wallet.entity_id for wallet in quill.sellers} | {quill.entity.entity_id}
    assert {payment.script.entity_id for each in settled for payment in each.outputs} <= sellers
    assert median(len(each.outputs) for each in settled) >= 3


def test_miners_share_the_blocks_and_pay_their_pool():
    run = simulated()
    mined = Counter(each.initiator_id for each in run.kept.sents if each.kind == "coinbase")
    names = {entity.entity_id: entity.name for entity in run.kept.entities}
    share = {names[number]: count / sum(mined.values()) for number, count in mined.items()}
    assert abs(share["Fen"] - 0.5) < 0.06
    assert abs(share["Moor"] - 0.3) < 0.06
    assert abs(share["Tor"] - 0.2) < 0.06
    scripts = defaultdict(set)
    for each in run.kept.sents:
        if each.kind == "coinbase":
            scripts[names[each.initiator_id]].add(each.outputs[0].script.script_pubkey)
    assert len(scripts["Fen"]) == 1
    assert 1 < len(scripts["Tor"]) <= 12
    assert len(scripts["Moor"]) == round(share["Moor"] * sum(mined.values()))
    assert any(len(each.outputs) > 5 for each in sent_by(run, "Fen", "payout") if each.height > PRELUDE_BLOCKS)
    assert sent_by(run, "Tor", "deposit")


def test_whoever_runs_dry_withdraws():
    run = simulated()
    people = {person.wallet.number for person in run.economy.people.everybody}
    withdrawn = Counter(
        payment.script.wallet_id
        for each in run.kept.sents
        for payment in each.outputs
        if each.kind in ("withdrawal", "batch_withdrawal")
    )
    assert sum(number in withdrawn for number in people) > 0.9 * len(people)
    spent = {coin.script.wallet_id for each in run.kept.sents for coin in each.inputs}
    assert people <= spent


# Shapes.


def shaped(run, protocol):
    return [each for each in run.kept.sents if each.protocol == protocol]


@BOTH
def test_payjoins_are_of_two_owners_and_look_unnecessary(holdout):
    run = simulated(holdout=holdout)
    joined = shaped(run, "payjoin")
    assert len(joined) == SMALL.payjoins
    for each in joined:
        assert each.kind == "payjoin"
        assert [classify(coin.script.script_pubkey) for coin in each.inputs] == [ScriptType.P2WPKH] * 2
        owners = [coin.script.entity_id for coin in each.inputs]
        assert len(set(owners)) == 2
        assert {payment.script.entity_id for payment in each.outputs} == set(owners)
        values = [coin.value_sat for coin in each.inputs]
        # UIH2: the largest output is payable without the smallest input.
        assert sum(values) - min(values) >= max(payment.value_sat for payment in each.outputs) + each.fee_sat
        links = [link for link in run.links if link.txid == each.txid]
        pairs = sorted((owners[link.input_position], each.outputs[link.vout].script.entity_id) for link in links)
        assert pairs == sorted((owner, owner) for owner in owners)


def test_trades_carry_the_sellers_signature_of_his_input_and_price_alone():
    run = simulated()
    chain = {each.txid: each for each in spends()}
    trades = shaped(run, "trade")
    assert len(trades) >= 2
    for each in trades:
        signs = chain[each.txid].signs
        assert signs[0] == 0x83
        assert set(signs[1:]) == {1}
        seller = each.inputs[0].script.entity_id
        assert each.outputs[0].script.entity_id == seller, "SINGLE binds the output of the same number"
        assert {coin.script.entity_id for coin in each.inputs[1:]} == {each.initiator_id} != {seller}
    assert sum(0x83 in each.signs for each in chain.values()) == len(trades)


def test_channels_are_joint_and_reveal_it_when_they_close():
    run = simulated()
    channels = shaped(run, "channel")
    opened = [each for each in channels if any(payment.script.witness_script for payment in each.outputs)]
    closed = [each for each in channels if each.inputs[0].script.witness_script]
    assert len(opened) >= 2
    assert closed
    for each in opened:
        assert len({coin.script.entity_id for coin in each.inputs}) == 2
        joint = [payment.script for payment in each.outputs if payment.script.witness_script]
        assert [classify(script.script_pubkey) for script in joint] == [ScriptType.P2WSH]
        assert joint[0].witness_script[:2] == b"\x52\x21"
        assert joint[0].witness_script[-2:] == b"\x52\xae"
    for each in closed:
        assert len({payment.script.entity_id for payment in each.outputs}) == 2


@BOTH
def test_stonewalls_and_wages_have_one_payer_and_the_shape_of_a_coinjoin(holdout):
    run = simulated(holdout=holdout)
    chain = {each.txid: each for each in spends(holdout=holdout)}
    walls, wages = shaped(run, "stonewall"), shaped(run, "wages")
    assert len(walls) >= 2
    assert len(wages) >= 2
    for each in (*walls, *wages):
        assert {coin.script.entity_id for coin in each.inputs} == {each.initiator_id}
    assert all(chain[each.txid].gate != "none" for each in walls)
    assert any(chain[each.txid].gate != "none" for each in wages), "an ordinary payment the gate takes for a CoinJoin"


def test_dust_goes_to_many():
    run = simulated()
    attacks = shaped(run, "dust")
    assert len(attacks) >= 2
    for each in attacks:
        dust = [payment for payment in each.outputs if payment.value_sat == 546]
        assert len(dust) >= 15
        assert len({payment.script.script_pubkey for payment in dust}) == len(dust)
    spent = {coin.outpoint for each in run.kept.sents for coin in each.inputs}
    dusted = [each.txid + vout.to_bytes(4, "little") for each in attacks for vout in range(len(each.outputs))]
    assert any(outpoint in spent for outpoint in dusted), "some wallets fall for it"


def test_nobody_has_anothers_name():
    assert len({invented_name(number) for number in range(20_000)}) == 20_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [10, 11])
def test_hot_wallets_are_one_component_at_other_seeds(seed):
    run = simulate(TINY, seed=seed)
    chain = list(walk(run.raw))
    components = Components(chain)
    spent = {script for each in chain for _, script in each.inputs}
    for exchange in run.economy.exchanges.values():
        hot = {script.script_pubkey for script in scripts_of(run, exchange.hot)}
        assert len({components.root(script) for script in hot & spent}) == 1
