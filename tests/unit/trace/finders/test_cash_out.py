"""Where money arrived: deposit addresses by hand, arrivals once each, and candidates behind CoinJoins."""

from itertools import pairwise

import pytest
from finder_cases import BTC, Town, output, script, services
from hypothesis import given
from hypothesis import strategies as st

from cointrail.cluster.forest.view import Forest
from cointrail.trace.finders.arrivals import Arrival, arrivals
from cointrail.trace.finders.candidates import BILLION, Candidate, among
from cointrail.trace.finders.cash_out import find_cash_out
from cointrail.trace.finders.deposits import Deposits, Standing
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace


def beta_town(sweeps):
    """An exchange that empties deposit addresses one by one into a hot lock that pays customers."""
    town = Town()
    hot = town.pay([town.fresh()], ("beta", 50 * BTC))
    hot = town.pay(hot, ("beta", 40 * BTC), ("customer", 10 * BTC))
    coins = town.pay([town.fresh()], *[(f"thief {number}", 10 * BTC) for number in range(5)])
    deposits = [town.pay([coins[number]], ("deposit", 10 * BTC - 1))[0] for number in range(sweeps)]
    for coin in deposits:
        town.pay([coin], ("beta", coin.value_sat - 1))
    return town, coins, deposits


@pytest.mark.parametrize(("sweeps", "standing"), [(1, Standing.LIKELY), (2, Standing.DEPOSIT), (5, Standing.DEPOSIT)])
def test_a_script_that_is_emptied_into_a_hot_wallet_is_a_deposit_address(open_ledger, sweeps, standing):
    town, coins, deposits = beta_town(sweeps)
    reader = open_ledger(town.chain)
    known = services(reader, town, beta="exchange")
    looked = Deposits(reader, Forest(reader), known)
    found = looked.of(script(reader, town, "deposit"))
    assert (found.service, found.standing, found.sweeps, found.siblings) == (0, standing, sweeps, 0)
    assert found.score_ppm == 1_000_000 * (sweeps + 1) // (sweeps + 2)
    answer = find_cash_out(reader, Seeds.of([output(reader, each) for each in coins]), known)
    assert [(each.output, each.sat, each.hops, each.swept) for each in answer.arrivals] == [
        (output(reader, each), 10 * BTC - 1, 1, True) for each in deposits
    ]
    assert answer.fifo_sat == tuple(10 * BTC - 1 for _ in deposits)


def test_the_customers_own_wallet_is_no_deposit_address(open_ledger):
    """thief -> deposit -> hot: the thief's lock empties itself into the deposit, which pays nobody but the service."""
    town, _, _ = beta_town(2)
    reader = open_ledger(town.chain)
    looked = Deposits(reader, Forest(reader), services(reader, town, beta="exchange"))
    assert looked.of(script(reader, town, "thief 0")) is None
    assert looked.of(script(reader, town, "customer")) is None


def test_a_wallet_emptied_into_a_deposit_script_of_the_cluster_is_the_customers(open_ledger):
    """Alpha sweeps deposits with a hot input: the deposit is in its cluster, and the arrival is that very output."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    hot = town.pay(hot, ("alpha", 40 * BTC), ("customer", 10 * BTC))
    (mine,) = town.pay([town.fresh()], ("thief", 50 * BTC))
    (deposit,) = town.pay([mine], ("deposit", 50 * BTC - 1))
    town.pay([deposit, hot[0]], ("alpha", 90 * BTC - 2))
    reader = open_ledger(town.chain)
    known = services(reader, town, alpha="exchange")
    looked = Deposits(reader, Forest(reader), known)
    assert looked.of(script(reader, town, "thief")) is None
    (arrival,) = find_cash_out(reader, Seeds.of([output(reader, mine)]), known).arrivals
    assert arrival == Arrival(output(reader, deposit), 0, 50 * BTC - 1, 1, None, swept=True)


def test_one_payment_to_somebody_else_is_enough_against_it(open_ledger):
    town, coins, _ = beta_town(2)
    (more,) = town.pay([coins[2]], ("deposit", 10 * BTC - 1))
    town.pay([more], ("beta", BTC), ("friend", 8 * BTC))
    reader = open_ledger(town.chain)
    known = services(reader, town, beta="exchange")
    assert Deposits(reader, Forest(reader), known).of(script(reader, town, "deposit")) is None
    found = find_cash_out(reader, Seeds.of([output(reader, coins[0])]), known).arrivals
    assert [(each.deposit, each.sat) for each in found] == [(None, 10 * BTC - 2)]


def test_a_deposit_that_waits_is_known_by_its_other_sweeps(open_ledger):
    town, coins, _ = beta_town(2)
    (waits,) = town.pay([coins[2]], ("deposit", 10 * BTC - 1))
    reader = open_ledger(town.chain)
    known = services(reader, town, beta="exchange")
    (arrival,) = find_cash_out(reader, Seeds.of([output(reader, coins[2])]), known).arrivals
    assert (arrival.output, arrival.swept, arrival.sat) == (output(reader, waits), False, 10 * BTC - 1)


def test_deposits_of_many_swept_together(open_ledger):
    """Only the traced one is reported, with all that came; the others are its siblings."""
    town = Town()
    hot = town.pay([town.fresh()], ("gamma", 50 * BTC))
    town.pay(hot, ("gamma", 40 * BTC), ("customer", 10 * BTC))
    coins = town.pay([town.fresh()], *[(f"payer {number}", 12 * BTC) for number in range(4)])
    deposits = [town.pay([coin], (f"deposit {number}", 12 * BTC - number))[0] for number, coin in enumerate(coins)]
    town.pay(deposits, ("gamma", 48 * BTC - 100))
    reader = open_ledger(town.chain)
    known = services(reader, town, gamma="exchange")
    found = find_cash_out(reader, Seeds.of([output(reader, coins[2])]), known)
    (arrival,) = found.arrivals
    assert (arrival.output, arrival.sat) == (output(reader, deposits[2]), 12 * BTC - 2)
    assert (arrival.deposit.siblings, arrival.deposit.sweeps) == (3, 1)
    assert arrival.deposit.standing is Standing.DEPOSIT


def test_what_came_and_what_ended_elsewhere_is_all_that_was_traced(open_ledger):
    """Under haircut, to the satoshi: half goes to a service, the other half is split once more."""
    town, coins, _ = beta_town(2)
    split = town.pay([coins[3]], ("deposit", 5 * BTC), ("home", 5 * BTC - 10))
    town.pay(split[:1], ("beta", 5 * BTC - 7))
    reader = open_ledger(town.chain)
    known = services(reader, town, beta="exchange")
    seeds = Seeds.of([output(reader, each) for each in coins])
    flow = trace(reader, seeds, HAIRCUT, services=known)
    found = arrivals(reader, flow, Deposits(reader, Forest(reader), known))
    elsewhere = sum(sat for reason, sat in flow.ended_sat.items() if reason not in (Reason.SERVICE, Reason.FEE))
    fees = flow.ended_sat[Reason.FEE]
    swept = [1, 1, 7]  # fees of sweeps are counted with the deposits
    assert sum(each.sat for each in found) + elsewhere + fees - sum(swept) == flow.traced_sat
    assert len({each.output for each in found}) == len(found) == 3


@given(st.lists(st.integers(1, BILLION), max_size=30))
def test_candidates_share_one_whole(weights):
    given_ = [Candidate(Arrival(number, 0, 1, 1, None, swept=True), weight, 0) for number, weight in enumerate(weights)]
    found = among(given_)
    assert sum(each.probability_ppb for each in found) == (BILLION if weights else 0)
    assert sorted(each.arrival.output for each in found) == list(range(len(weights)))
    for before, after in pairwise(found):
        assert before.weight_ppb >= after.weight_ppb
        assert before.probability_ppb >= after.probability_ppb - 1
    if weights:
        alike = [each.probability_ppb for each in found if each.weight_ppb * 10 >= max(weights)]
        assert max(alike) - min(alike) <= 1
    assert among(reversed(found)) == found
