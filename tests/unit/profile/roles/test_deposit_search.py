"""Deposit addresses: one by one, all at once and by plain loops; shapes by hand, and the truth of simulated worlds."""

from dataclasses import replace

import pytest
from finder_cases import BTC, Town, script, services
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_roles import Plain, plain_deposits
from regtest import write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.profile.roles.search import deposits_of
from cointrail.trace.finders.deposits import LIMITS, Deposits, Standing


def one_by_one(reader, forest, known, limits=LIMITS):
    looked = Deposits(reader, forest, known, limits)
    found = {each: looked.of(each) for each in range(reader.counts.script)}
    return {each: row for each, row in found.items() if row is not None}


def all_at_once(reader, forest, known, limits=LIMITS):
    found = {}
    for number in range(len(known.names)):
        table = deposits_of(reader, forest, known, number, limits)
        for at, each in enumerate(table.scripts.tolist()):
            assert each not in found
            found[each] = (table.service, bool(table.sure[at]), *(int(getattr(table, name)[at]) for name in COLUMNS))
    return found


COLUMNS = ("sweeps", "funders", "siblings", "payers", "dwell_seconds", "swept_ppm", "score_ppm")


def as_rows(found):
    return {
        each: (row.service, row.standing is Standing.DEPOSIT, *(getattr(row, name) for name in COLUMNS))
        for each, row in found.items()
    }


def by_loops(reader, forest, known):
    of = known.of(forest, range(reader.counts.script)).tolist()
    roots = forest.roots(range(reader.counts.script)).tolist()
    return plain_deposits(Plain(reader), lambda each: None if of[each] < 0 else of[each], lambda each: roots[each])


def judged(open_ledger, town, *names, limits=LIMITS, **kinds):
    """The rows of locks by name, after all three ways of looking agreed."""
    reader = open_ledger(town.chain)
    forest, known = Forest(reader), services(reader, town, **(kinds or {"beta": "exchange"}))
    found = one_by_one(reader, forest, known, limits)
    assert as_rows(found) == all_at_once(reader, forest, known, limits)
    if limits == LIMITS:
        assert {each: row[:6] for each, row in as_rows(found).items()} == by_loops(reader, forest, known)
    return [found.get(script(reader, town, name)) for name in names]


def beta(customers=4, sat=10 * BTC):
    """A hot lock that has paid a customer, and coins of several locks of one wallet."""
    town = Town()
    hot = town.pay([town.fresh()], ("beta", 50 * BTC))
    town.pay(hot, ("beta", 40 * BTC), ("customer", 10 * BTC))
    return town, town.pay([town.fresh()], *[(f"payer {number}", sat) for number in range(customers)])


def test_a_sweep_that_empties_a_stranger_too_is_none(open_ledger):
    """The sibling of a deposit pays somebody else elsewhere, so both are somebody's wallet."""
    town, coins = beta()
    (one,) = town.pay(coins[:1], ("deposit", 10 * BTC - 1))
    (other,) = town.pay(coins[1:2], ("sibling", 10 * BTC - 1))
    town.pay([one, other], ("beta", 20 * BTC - 10))
    (more,) = town.pay(coins[2:3], ("sibling", 10 * BTC - 1))
    town.pay([more], ("friend", 10 * BTC - 2))
    assert judged(open_ledger, town, "deposit", "sibling") == [None, None]


def test_what_the_service_pays_itself_is_no_deposit(open_ledger):
    town, _ = beta()
    hot = town.pay([town.fresh()], ("beta", 50 * BTC))
    own = town.pay(hot, ("store", 50 * BTC - 100))
    town.pay(own, ("beta", 50 * BTC - 200))
    assert judged(open_ledger, town, "store") == [None]


def test_one_sweep_into_a_till_that_people_pay_is_likely_at_most(open_ledger):
    """Four locks paid by three clusters fan into one sweep; then somebody pays the till and keeps change."""
    town, coins = beta(8, 6 * BTC)
    deposits = [town.pay(coins[at : at + 1], (f"deposit {at}", 6 * BTC - at - 1))[0] for at in range(4)]
    town.pay(deposits, ("beta", 24 * BTC - 100))
    (before,) = judged(open_ledger, town, "deposit 0")
    assert (before.standing, before.siblings, before.payers) == (Standing.DEPOSIT, 3, 4)


def test_the_same_when_people_pay_the_till(open_ledger):
    town, coins = beta(8, 6 * BTC)
    deposits = [town.pay(coins[at : at + 1], (f"deposit {at}", 6 * BTC - at - 1))[0] for at in range(4)]
    town.pay(deposits, ("beta", 24 * BTC - 100))
    town.pay(coins[5:6], ("beta", 3 * BTC), ("home", 2 * BTC))
    (after,) = judged(open_ledger, town, "deposit 0")
    assert (after.standing, after.sweeps) == (Standing.LIKELY, 1)


def test_dust_makes_no_till_public(open_ledger):
    town, coins = beta(8, 6 * BTC)
    deposits = [town.pay(coins[at : at + 1], (f"deposit {at}", 6 * BTC - at - 1))[0] for at in range(4)]
    town.pay(deposits, ("beta", 24 * BTC - 100))
    town.pay(coins[5:6], ("beta", 9_999), ("home", 5 * BTC))
    assert judged(open_ledger, town, "deposit 0")[0].standing is Standing.DEPOSIT


def test_siblings_of_one_payer_are_likely_at_most(open_ledger):
    """A wallet of four locks, all paid by one cluster, emptied at once: no exchange is needed for that."""
    town, coins = beta(1)
    locks = town.pay(coins, *[(f"lock {at}", 2 * BTC) for at in range(4)])
    town.pay(locks, ("beta", 8 * BTC - 100))
    (found,) = judged(open_ledger, town, "lock 0")
    assert (found.standing, found.siblings, found.payers, found.funders) == (Standing.LIKELY, 3, 1, 1)


def test_money_that_rests_too_long_or_stays_is_no_deposit(open_ledger):
    town, coins = beta(4)
    for at in range(2):
        (coin,) = town.pay(coins[at : at + 1], ("deposit", 10 * BTC - 1))
        town.pay([coin], ("beta", 10 * BTC - 2))
    town.pay(coins[2:3], ("deposit", 10 * BTC - 1))
    (found,) = judged(open_ledger, town, "deposit")
    assert (found.sweeps, found.swept_ppm) == (2, 1_000_000)  # what came last may still be swept
    for limits in (replace(LIMITS, dwell_seconds=found.dwell_seconds), replace(LIMITS, dwell_seconds=-1)):
        assert judged(open_ledger, town, "deposit", limits=limits) == [None]


@st.composite
def payments(draw):
    """Moves among few locks: (who, how many of his coins, to whom, beside whom)."""
    names = ["beta", "gamma", "a", "b", "c", "d"]
    some = st.sampled_from(names)
    return draw(st.lists(st.tuples(some, st.integers(1, 3), some, st.none() | some), min_size=4, max_size=25))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(moves=payments())
def test_three_ways_to_look_agree(moves, tmp_path_factory):
    town = Town()
    names = ["beta", "gamma", "a", "b", "c", "d"]
    coins = {name: [] for name in names}
    for coin in town.pay([town.fresh()], *[(name, 8 * BTC) for name in names]):
        coins[names[coin.vout]].append(coin)
    for who, count, to, beside in moves:
        taken, coins[who] = coins[who][:count], coins[who][count:]
        value = sum(coin.value_sat for coin in taken) - 1_000
        if not taken or value < 100_000:
            coins[who] += taken
            continue
        outputs = [(to, value)] if beside is None else [(to, value // 2), (beside, value - value // 2)]
        for coin in town.pay(taken, *outputs):
            coins[outputs[coin.vout][0]].append(coin)
    folder = tmp_path_factory.mktemp("moves")
    write_block_files(folder / "blocks", town.chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    with Reader(folder / "ledger") as reader:
        forest, known = Forest(reader), services(reader, town, beta="exchange", gamma="exchange")
        found = as_rows(one_by_one(reader, forest, known))
        assert found == all_at_once(reader, forest, known)
        assert {each: row[:6] for each, row in found.items()} == by_loops(reader, forest, known)


# A simulated world.


def wrong_and_right(economy, found):
    wrong = {each for each, row in found.items()
             if economy.controller(each) != economy.services.names[row[0]]}  # fmt: skip
    return wrong, set(found) - wrong


def test_on_a_world_all_three_agree_and_are_right(economy):
    found = all_at_once(economy.reader, economy.forest, economy.services)
    assert found == as_rows(one_by_one(economy.reader, economy.forest, economy.services))
    plain = by_loops(economy.reader, economy.forest, economy.services)
    assert {each: row[:6] for each, row in found.items()} == plain
    wrong, right = wrong_and_right(economy, found)
    assert len(right) > 1_000
    assert len(wrong) <= len(found) // 100
    assert not {each for each in wrong if found[each][2] >= 2}


def test_every_exchange_that_sweeps_apart_is_found(economy):
    """Beta and Gamma: nine of ten scripts that were truly swept, one by one and many at once."""
    found = all_at_once(economy.reader, economy.forest, economy.services)
    sure = {each for each, row in found.items() if row[2] >= 1}
    for name in ("Beta", "Gamma"):
        number = economy.services.names.index(name)
        swept = {
            each
            for each in range(economy.reader.counts.script)
            if economy.controller(each) == name
            and economy.roles.role[each] == "deposit"
            and economy.plain.spends_of(each)
        }
        caught = {each for each in swept if each in sure and found[each][0] == number}
        assert len(swept) > 15
        assert len(caught) >= len(swept) * 9 // 10


def test_without_tills_customers_are_taken_for_deposits(economy, monkeypatch):
    """Mutation: a script of the service that pays nobody would do as the end of a sweep."""
    before, _ = wrong_and_right(economy, as_rows(one_by_one(economy.reader, economy.forest, economy.services)))
    monkeypatch.setattr(Deposits, "_is_till", lambda _self, _script, _service: True)
    after, _ = wrong_and_right(economy, as_rows(one_by_one(economy.reader, economy.forest, economy.services)))
    assert len(after) > len(before) + 10


@pytest.mark.parametrize("number", [0, 1])
def test_thresholds_matter(economy, number):
    """Mutation: one sweep that makes sure makes more sure, and none survives that money must leave before it came."""
    eager = all_at_once(economy.reader, economy.forest, economy.services, replace(LIMITS, min_sweeps=1))
    found = all_at_once(economy.reader, economy.forest, economy.services)
    assert set(eager) == set(found)
    if number:
        assert sum(row[1] for row in eager.values()) > sum(row[1] for row in found.values())
    else:
        assert not all_at_once(economy.reader, economy.forest, economy.services, replace(LIMITS, dwell_seconds=0))
