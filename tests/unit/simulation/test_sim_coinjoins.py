"""CoinJoins have the published shapes of METHODS.md 3.1, as `mixing_gate` writes them down a second time."""

from collections import Counter
from dataclasses import replace

import mixing_gate as gate
import pytest
from simulated_economy import TINY, Kept, simulated, spends

from cointrail.bitcoin.script import ScriptType, classify
from cointrail.simulation.actors.wasabi import DENOMINATIONS
from cointrail.simulation.actors.whirlpool import POOL_FEES
from cointrail.simulation.chain import Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.parameters import EVERYDAY
from cointrail.simulation.scale import SMALL
from cointrail.simulation.world import World

RUNS = [(1, False), (2, False), (1, True)]
EACH = pytest.mark.parametrize(("seed", "holdout"), RUNS, ids=["seed 1", "seed 2", "holdout"])
COUNTS = {
    "wasabi1": SMALL.wasabi1,
    "wabisabi": SMALL.wasabi2,
    "whirlpool": SMALL.whirlpool,
    "joinmarket": SMALL.joinmarket,
}


def rounds(seed, holdout, protocol, kind="coinjoin"):
    """(what was recorded, what the chain shows) of a protocol's transactions."""
    chain = {each.txid: each for each in spends(seed, holdout=holdout)}
    recorded = simulated(seed, holdout=holdout).kept.sents
    return [(each, chain[each.txid]) for each in recorded if each.kind == kind and each.protocol == protocol]


def assert_fresh(run, sent):
    """Nobody is paid at a script that was paid before."""
    assert all(payment.script.uses == 1 for payment in sent.outputs)


@EACH
def test_there_are_as_many_rounds_as_the_scale_says_and_the_gate_stops_all(seed, holdout):
    for protocol, count in COUNTS.items():
        found = rounds(seed, holdout, protocol)
        assert len(found) == count
        assert all(seen.gate not in ("none", "ambiguous") for _, seen in found)


@EACH
def test_rounds_of_wasabi_1(seed, holdout):
    for sent, seen in rounds(seed, holdout, "wasabi1"):
        outputs = gate.spendable(seen.outputs)
        assert gate.wasabi1_0(seen.inputs, outputs) or gate.wasabi1_1(seen.inputs, outputs)
        value, count = gate.mode([value for value, _ in outputs])
        # Dumplings: P2WPKH only, n >= 10, as many inputs, 0.1 +- 0.02 BTC, two unique outputs.
        assert {classify(script) for _, script in (*seen.inputs, *outputs)} == {ScriptType.P2WPKH}
        assert 10 <= count <= len(seen.inputs)
        assert abs(value - 10_000_000) <= 2_000_000
        assert sum(many == 1 for many in Counter(value for value, _ in outputs).values()) >= 2
        # Everybody takes part once, and one output is the coordinator's fee.
        owners = {coin.script.wallet_id for coin in sent.inputs}
        assert len(owners) == count
        assert sum(payment.script.entity_id == sent.initiator_id for payment in sent.outputs) == 1
        assert {payment.script.wallet_id for payment in sent.outputs if payment.value_sat == value} == owners


@EACH
def test_rounds_of_wabisabi(seed, holdout):
    found = rounds(seed, holdout, "wabisabi")
    for sent, seen in found:
        large = len(seen.inputs) >= 20
        assert gate.wabisabi_relaxed(seen.inputs, seen.outputs)
        assert not large or gate.wabisabi_graphsense(seen.inputs, seen.outputs)
        assert len(seen.inputs) >= 13
        assert gate.wabisabi_dumplings(seen.inputs, seen.outputs, least=13)
        assert min(value for value, _ in seen.outputs) >= 5_000
        assert len({coin.script.wallet_id for coin in sent.inputs}) >= 5
        for payment in sent.outputs:
            assert payment.change or payment.value_sat in gate.DENOMINATIONS
        assert_fresh(None, sent)


def test_the_standard_denominations_are_those_of_methods():
    assert sorted(gate.DENOMINATIONS, reverse=True) == DENOMINATIONS
    assert {5_000, 6_561, 8_192, 13_122, 50_000, 100_000_000, 10_000_000_000} <= set(DENOMINATIONS)


@EACH
def test_mixes_of_whirlpool_and_their_lineage(seed, holdout):
    run = simulated(seed, holdout=holdout)
    by_txid = run.by_txid()
    sizes = Counter()
    for sent, seen in rounds(seed, holdout, "whirlpool"):
        assert gate.whirlpool(seen.inputs, seen.outputs)
        value = seen.outputs[0][0]
        sizes[len(seen.inputs)] += 1
        entrants = [coin for coin in sent.inputs if coin.value_sat > value]
        assert 5 <= len(seen.inputs) <= 8
        assert 2 <= len(entrants) <= 3
        assert sent.fee_sat == sum(coin.value_sat - value for coin in entrants), "who comes in pays the miner"
        owners = [coin.script.entity_id for coin in sent.inputs]
        assert len(set(owners)) == len(owners)
        for coin in sent.inputs:
            parent = by_txid[coin.outpoint[:32]]
            if coin.value_sat > value:
                assert parent.kind == "coinjoin_tx0"
            else:
                # Of an earlier mix, or one of the coins a pool begins with.
                assert parent.kind in ("coinjoin", "self_transfer")
                assert parent.protocol == ("whirlpool" if parent.kind == "coinjoin" else "")
        assert_fresh(run, sent)
    assert sizes[5] > 0


@EACH
def test_tx0_has_its_shape_and_one_owner(seed, holdout):
    found = rounds(seed, holdout, "whirlpool", "coinjoin_tx0")
    assert len(found) >= 3
    for sent, seen in found:
        assert gate.tx0(seen.outputs)
        assert len({coin.script.entity_id for coin in sent.inputs}) == 1
        assert sum(script.startswith(b"\x6a") for _, script in seen.outputs) == 1
        fees = [payment for payment in sent.outputs if payment.script.entity_id != sent.initiator_id]
        assert [payment.value_sat in POOL_FEES.values() for payment in fees] == [True]


@EACH
def test_rounds_of_joinmarket(seed, holdout):
    sizes = []
    for sent, seen in rounds(seed, holdout, "joinmarket"):
        assert gate.joinmarket(seen.inputs, seen.outputs)
        value, count = gate.mode([value for value, _ in seen.outputs])
        sizes.append(count)
        owners = {coin.script.wallet_id for coin in sent.inputs}
        assert 3 <= count <= 9
        assert len(owners) == count
        assert {payment.script.wallet_id for payment in sent.outputs} == owners
        change = [payment for payment in sent.outputs if payment.change]
        assert len(change) in (count, count - 1), "all but a taker who sweeps have change"
        for payment in change:
            paid = payment.script.wallet_id
            before = sum(coin.value_sat for coin in sent.inputs if coin.script.wallet_id == paid)
            if payment.script.entity_id != sent.initiator_id:
                assert payment.value_sat > before - value, "a maker earns"
        assert_fresh(None, sent)
    assert len(set(sizes)) > 1


@EACH
def test_true_pairs_are_all_pairs_of_one_owner(seed, holdout):
    run = simulated(seed, holdout=holdout)
    told = Counter((link.txid, link.input_position, link.vout, link.entity_id) for link in run.links)
    for protocol in COUNTS:
        for sent, _ in rounds(seed, holdout, protocol):
            expected = {
                (sent.txid, position, vout, coin.script.entity_id)
                for position, coin in enumerate(sent.inputs)
                for vout, payment in enumerate(sent.outputs)
                if coin.script.entity_id == payment.script.entity_id
            }
            assert expected
            assert all(told[each] == 1 for each in expected)
            assert sum(key[0] == sent.txid for key in told) == len(expected)


class Guests:
    """An economy in which somebody from outside joins a round of every protocol."""

    def __init__(self, amount, coins):
        self.kept = Kept()
        scale = replace(TINY, transactions=5_000, weeks=9)
        self.world = World(8, Chain(8, TINY.spacing, lambda block: None), self.kept)
        self.economy = Economy(self.world, scale, on_mix=self.links_append)
        self.links = []
        self.sent = {}
        self.wallets = {}
        self.made = {}
        for number, protocol in enumerate(COUNTS):
            entity = self.world.add_entity(f"Guest {protocol}", "buyer", "XA")
            wallet = self.world.add_wallet(entity, EVERYDAY.models[0], f"guest {protocol}")
            self.wallets[protocol] = wallet
            self.made[protocol] = []
            for _ in range(coins):
                self.economy.grant(self.world.new_script(wallet), amount // coins)
            self.economy.at_time((30 + number) * 86_400, lambda protocol=protocol: self.join(protocol))
        self.economy.run()

    def links_append(self, link):
        self.links.append(link)

    def join(self, protocol):
        wallet = self.wallets[protocol]

        def fresh(wallet):
            script = self.world.new_script(wallet, "receive", kind=ScriptType.P2WPKH)
            self.made[protocol].append(script)
            return script

        coins = list(wallet.coins.values())
        coordinator = self.economy.coordinators[protocol]
        self.sent[protocol] = coordinator.join([(wallet, coins)], label=f"joined-{protocol}", fresh=fresh)


@pytest.mark.parametrize(("amount", "coins"), [(40_000_000, 3), (13_000_000, 1), (900_000_000, 12)])
def test_somebody_from_outside_can_join_any_round(amount, coins):
    guests = Guests(amount, coins)
    for protocol in COUNTS:
        sent, wallet = guests.sent[protocol], guests.wallets[protocol]
        assert (sent.kind, sent.protocol, sent.label) == ("coinjoin", protocol, f"joined-{protocol}")
        inputs = [(coin.value_sat, coin.script.script_pubkey) for coin in sent.inputs]
        outputs = [(payment.value_sat, payment.script.script_pubkey) for payment in sent.outputs]
        assert gate.collaborative(inputs, outputs) not in ("none", "ambiguous")
        mine = [payment.script for payment in sent.outputs if payment.script.wallet_id == wallet.number]
        assert mine
        assert all(script in guests.made[protocol] for script in mine)
        pairs = [link for link in guests.links if link.txid == sent.txid and link.entity_id == wallet.entity_id]
        assert {sent.outputs[link.vout].script for link in pairs} == set(mine)
        assert set(guests.made[protocol]) <= {coin.script for coin in wallet.coins.values()} | {
            coin.script for each in guests.kept.sents for coin in each.inputs
        }
        # But for fees and what makers earn, the money is there afterwards.
        assert amount * 99 // 100 - 900_000 < wallet.balance_sat < amount


def test_whirlpool_mixes_every_coin_of_a_guest_once():
    guests = Guests(40_000_000, 3)
    wallet = guests.wallets["whirlpool"]
    mixes = [each for each in guests.kept.sents if each.label == "joined-whirlpool"]
    (tx0,) = [
        each for each in guests.kept.sents if each.kind == "coinjoin_tx0" and each.initiator_id == wallet.entity_id
    ]
    premix = {
        tx0.txid + vout.to_bytes(4, "little")
        for vout, payment in enumerate(tx0.outputs)
        if payment.script.wallet_id == wallet.number and not payment.change
    }
    mixed = [coin.outpoint for each in mixes for coin in each.inputs if coin.script.wallet_id == wallet.number]
    assert sorted(mixed) == sorted(premix)
    assert len(premix) == len(mixes) == 7  # of 0.05 BTC, and the rest is change or fees
    assert mixes[0] is guests.sent["whirlpool"]
    later = [each for each in guests.kept.sents if each.protocol == "whirlpool" and each not in mixes]
    assert not any(coin.script.wallet_id == wallet.number for each in later for coin in each.inputs if each is not tx0)
