"""Cold stores: by hand with each condition broken in turn, and the exchange of a world that has one."""

from dataclasses import replace

import numpy as np
import pytest
from finder_cases import BTC, Town, script

from cointrail.profile.roles.search import scripts_of
from cointrail.profile.roles.stores import LIMITS, stores_of

NOW = replace(LIMITS, idle_seconds=0)


def found_in(open_ledger, town, limits=NOW):
    reader = open_ledger(town.chain)
    stores = stores_of(reader, np.array([script(reader, town, "hot")], np.int64), limits)
    names = {script(reader, town, name): name for name in town._locks}
    return {names[each]: at for at, each in enumerate(stores.scripts.tolist())}, stores


def filled():
    """A hot lock of 50 BTC that puts 30 away, and serves a customer."""
    town = Town()
    hot = town.pay([town.fresh()], ("hot", 50 * BTC))
    store, hot = town.pay(hot, ("store", 30 * BTC), ("hot", 20 * BTC))
    customer, hot = town.pay([hot], ("customer", BTC), ("hot", 19 * BTC))
    return town, store, hot, customer


def test_what_the_wallet_alone_fills_is_a_store(open_ledger):
    town, _, _, _ = filled()
    names, stores = found_in(open_ledger, town)
    assert list(names) == ["store"]
    assert (stores.payments.tolist(), stores.returns.tolist()) == ([1], [0])
    assert (stores.received_sat.tolist(), stores.share_ppm.tolist()) == ([30 * BTC], [600_000])


def test_it_may_pay_back_with_change_to_a_script_of_its_own(open_ledger):
    town, store, _, _ = filled()
    town.pay([store], ("hot", 5 * BTC), ("store 2", 25 * BTC))
    names, stores = found_in(open_ledger, town, LIMITS)  # it has not rested, and need not
    assert list(names) == ["store"]
    assert stores.returns.tolist() == [1]


def broken_by_others(town, store, hot, customer):
    town.pay([town.fresh()], ("store", 50 * BTC))


def broken_by_paying(town, store, hot, customer):
    town.pay([store], ("shop", 30 * BTC))


def broken_by_two_payees(town, store, hot, customer):
    town.pay([store], ("hot", BTC), ("shop", BTC), ("home", 28 * BTC))


@pytest.mark.parametrize("breaks", [broken_by_others, broken_by_paying, broken_by_two_payees])
def test_one_exception_is_enough(open_ledger, breaks):
    filled_ = filled()
    breaks(*filled_)
    assert "store" not in found_in(open_ledger, filled_[0])[0]


def test_what_is_small_or_has_not_rested_is_none(open_ledger):
    town, _, _, _ = filled()
    assert found_in(open_ledger, town, LIMITS)[0] == {}
    assert "customer" in found_in(open_ledger, town, replace(NOW, share_ppm=10_000))[0]  # a lead is no more than that


def test_a_batch_fills_no_store(open_ledger):
    town = Town()
    hot = town.pay([town.fresh()], ("hot", 50 * BTC))
    town.pay(hot, ("store", 30 * BTC), ("customer", 10 * BTC), ("hot", 10 * BTC))
    assert found_in(open_ledger, town)[0] == {}


def test_the_exchange_that_has_one(economy):
    number = economy.services.names.index("Alpha")
    own = scripts_of(economy.forest, economy.services, number)
    found = stores_of(economy.reader, own).scripts
    assert len(found) >= 1
    assert {economy.controller(each) for each in found.tolist()} == {"Alpha"}
    assert {economy.roles.role[each] for each in found.tolist()} == {"cold"}
    eager = stores_of(economy.reader, own, replace(LIMITS, share_ppm=100, payees=40)).scripts
    assert len({economy.controller(each) for each in eager.tolist()}) > 1
