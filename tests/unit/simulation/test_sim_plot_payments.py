"""Who paid Bazaar how, and whether the truth says so."""

from collections import Counter

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import ScriptType
from cointrail.simulation.agenda import WEEK
from cointrail.simulation.keys import script_of_key
from cointrail.simulation.plot.bip32 import ExtendedKey
from cointrail.simulation.plot.buyers import EXCHANGES, PURCHASE_WEEKS, ROUTES, shares
from cointrail.simulation.scale import SMALL

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
