"""Bounds on chains that are made one transaction at a time; the expected amounts are worked out in the tests."""

import numpy as np
import pytest
from regtest import Form, anyone_can_spend
from trace_cases import BTC, created, pays

from cointrail.errors import NotFound, UsageError
from cointrail.trace.bounds import WHOLE, bounds
from cointrail.trace.fees import FeeMode, Fees
from cointrail.trace.limits import Limits
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services


def interval(found):
    return found.lower_sat, found.upper_sat


def test_two_inputs_two_outputs_and_a_fee(chain, coinbases, open_ledger, output_of):
    tx = chain.spend(chain.spendable()[:2], pays(30 * BTC, 60 * BTC))
    chain.mine([tx])
    reader = open_ledger(chain)
    source = Seeds.of([output_of(reader, coinbases[0], 0)])
    left, right = output_of(reader, tx, 0), output_of(reader, tx, 1)
    found = bounds(reader, source, [right, left, right])
    # Of 90 that are paid, the other 50 can be 50; of the 60, too; the 30 can be all one or all the other.
    assert interval(found) == (40 * BTC, 50 * BTC)
    assert [(output, interval(each)) for output, each in found.alone] == [
        (left, (0, 30 * BTC)),
        (right, (10 * BTC, 50 * BTC)),
    ]
    assert (found.source_sat, found.together.value_sat, found.together.outputs) == (50 * BTC, 90 * BTC, 2)
    assert (found.together.transactions, found.together.arcs, found.passed) == (1, 3, 1)
    assert found.together.exact


def test_a_source_that_is_a_target_counts_wholly_and_sources_begin_anew(chain, coinbases, open_ledger, output_of):
    first = chain.spend(chain.spendable()[:1], pays(20 * BTC, 30 * BTC))
    second = chain.spend([created(first, 0), created(first, 1)], pays(50 * BTC))
    chain.mine([first, second])
    reader = open_ledger(chain)
    coin, small, last = output_of(reader, coinbases[0], 0), output_of(reader, first, 0), output_of(reader, second, 0)
    large = output_of(reader, first, 1)
    assert interval(bounds(reader, Seeds.of([small]), [small])) == (20 * BTC, 20 * BTC)
    assert interval(bounds(reader, Seeds.of([small]), [last])) == (20 * BTC, 20 * BTC)
    # The 20 are a source of their own: what they got from the first is no longer the first's, and nothing counts twice.
    assert interval(bounds(reader, Seeds.of([coin, small]), [last])) == (50 * BTC, 50 * BTC)
    # What leaves a target is clean for the next, but each target alone knows no other.
    found = bounds(reader, Seeds.of([coin]), [large, last])
    assert interval(found) == (50 * BTC, 50 * BTC)
    assert [interval(each) for _, each in found.alone] == [(30 * BTC, 30 * BTC), (50 * BTC, 50 * BTC)]
    assert [output for output, _ in bounds(reader, Seeds.of([coin]), [large, last], alone=1).alone] == [large]


def test_nothing_flows_back_in_time_or_beyond_the_snapshot(chain, coinbases, open_ledger, output_of):
    tx = chain.spend(chain.spendable()[:1], pays(50 * BTC))
    chain.mine([tx])
    reader = open_ledger(chain)
    first, second, paid = (output_of(reader, each, 0) for each in (*coinbases[:2], tx))
    assert interval(bounds(reader, Seeds.of([paid]), [first])) == (0, 0)
    assert interval(bounds(reader, Seeds.of([second]), [paid])) == (0, 0)
    with pytest.raises(NotFound, match=f"output {reader.counts.output} "):
        bounds(reader, Seeds.of([first]), [reader.counts.output])
    with pytest.raises(NotFound, match="output -1 "):
        bounds(reader, Seeds.of([-1]), [first])
    with pytest.raises(UsageError, match="target"):
        bounds(reader, Seeds.of([first]), [])
    with pytest.raises(UsageError, match="nothing to trace"):
        bounds(reader, Seeds.of([]), [first])


def test_fees_reach_a_coinbase_only_if_they_are_propagated(chain, coinbases, open_ledger, output_of):
    payment = chain.spend(chain.spendable()[:1], pays(41 * BTC))  # 9 go to the block
    block = chain.mine([payment])
    reader = open_ledger(chain)
    source = Seeds.of([output_of(reader, coinbases[0], 0)])
    target = output_of(reader, block.transactions[0], 0)
    assert reader.column("output", "value_sat")[target] == 59 * BTC
    assert interval(bounds(reader, source, [target])) == (0, 0)
    assert interval(bounds(reader, source, [target], fees=Fees(FeeMode.PROPAGATE))) == (9 * BTC, 9 * BTC)


@pytest.fixture
def side_way(chain):
    """Of 50 traced, 20 go straight to the end and 30 over a side way; other money joins them there.

    In chain order: early: coin 1 -> 50. first: coin 0 -> 20, 30 to a shop. between: coin 2 -> 50.
    side: the shop's 30 -> 30. late: coin 3 -> 50. last: 20 + 30 of the side + 3 x 50 -> 200.
    """
    chain.mine_empty(1)
    coins = chain.spendable()[:4]
    shop = chain.learn(anyone_can_spend(Form.P2WSH, b"shop")).script_pubkey
    early, between, late = (chain.spend([coin], pays(50 * BTC)) for coin in coins[1:])
    first = chain.spend(coins[:1], [*pays(20 * BTC), *pays(30 * BTC, script=shop)])
    side = chain.spend([created(first, 1)], pays(30 * BTC))
    ends = [created(each) for each in (first, side, early, between, late)]
    last = chain.spend(ends, pays(200 * BTC))
    chain.mine([early, first, between, side, late, last])
    return first, last


@pytest.fixture
def question(side_way, coinbases, chain, open_ledger, output_of):
    """A reader, the source, and the target."""
    reader = open_ledger(chain)
    return reader, Seeds.of([output_of(reader, coinbases[0], 0)]), [output_of(reader, side_way[1], 0)]


def test_what_may_come_by_a_way_that_was_not_followed_counts_both_ways(question, side_way, output_of):
    reader, source, target = question
    assert interval(bounds(reader, source, target)) == (50 * BTC, 50 * BTC)
    # 30 arrived at a service. What is made from the side way on may be that money: 30 and 50. What is older cannot be.
    script = int(reader.column("output", "script")[output_of(reader, side_way[0], 1)])
    shop = Services(("shop",), ("exchange",), scripts=np.array([script]), script_service=np.array([0]))
    found = bounds(reader, source, target, limits=WHOLE, services=shop).together
    assert (found.unsure, found.unsure_sat, found.stops) == (2, 80 * BTC, {Reason.SERVICE: 1})
    assert interval(found) == (20 * BTC, 50 * BTC)  # never more than the source holds
    assert not found.exact
    assert found.rests_on_inference
    assert found.complete


def test_an_output_that_was_not_followed_but_whose_spender_was_met_is_not_unsure(question):
    """The 20 are below the minimum, and spent by a transaction that was reached along the 30."""
    reader, source, target = question
    found = bounds(reader, source, target, limits=Limits(min_sat=25 * BTC, through_coinjoins=True)).together
    assert (interval(found), found.exact, found.stops) == ((50 * BTC, 50 * BTC), True, {})


def test_a_target_that_nothing_followed_leads_to_may_be_the_sources(question):
    reader, source, target = question
    found = bounds(reader, source, target, limits=Limits(outputs=1, through_coinjoins=True)).together
    assert interval(found) == (0, 50 * BTC)
    assert (found.stops, found.unsure_sat) == ({Reason.MANY_OUTPUTS: 1}, 200 * BTC)
    assert found.complete
    assert not found.rests_on_inference
    budget = bounds(reader, source, target, limits=Limits(transactions=1, through_coinjoins=True)).together
    # Only the first was passed: from the side way on, everything may be the source's, and so may the last one's 200.
    assert interval(budget) == (0, 50 * BTC)
    assert not budget.complete
    assert bounds(reader, source, target).together.complete


def test_early_money_stays_clean_behind_a_limit(chain, coinbases, open_ledger, output_of):
    """A target that nothing followed leads to is unsure if it is later than the limit, and clean if it is not."""
    coins = chain.spendable()[:3]
    before = chain.spend([coins[1]], pays(50 * BTC))
    chain.mine([before])
    fan_out = chain.spend([coins[0]], pays(25 * BTC, 25 * BTC))
    chain.mine([fan_out])
    after = chain.spend([coins[2]], pays(50 * BTC))
    later = chain.mine([after]).transactions[0]
    reader = open_ledger(chain)
    source, limits = Seeds.of([output_of(reader, coinbases[0], 0)]), Limits(outputs=1, through_coinjoins=True)
    old, new = output_of(reader, before, 0), output_of(reader, after, 0)
    coinbase = output_of(reader, later, 0)
    found = dict(bounds(reader, source, [old, new, coinbase], limits=limits).alone)
    assert [(interval(found[each]), found[each].unsure_sat) for each in (old, new)] == [
        ((0, 0), 0),
        ((0, 50 * BTC), 50 * BTC),
    ]
    # A coinbase takes no output, so it descends from nothing, unless fees go into it.
    assert interval(found[coinbase]) == (0, 0)
    propagated = bounds(reader, source, [coinbase], limits=limits, fees=Fees(FeeMode.PROPAGATE))
    assert interval(propagated) == (0, 50 * BTC)


def test_clean_fees_in_a_coinbase_stay_clean(chain, coinbases, open_ledger, output_of):
    first, second = chain.spendable()[:2]
    traced, clean = chain.spend([first], pays(41 * BTC)), chain.spend([second], pays(43 * BTC))
    block = chain.mine([traced, clean])  # 50 new, 9 and 7 of fees
    reader = open_ledger(chain)
    source, target = Seeds.of([output_of(reader, coinbases[0], 0)]), [output_of(reader, block.transactions[0], 0)]
    found = bounds(reader, source, target, fees=Fees(FeeMode.PROPAGATE))
    assert interval(found) == (9 * BTC, 9 * BTC)
    assert (found.together.transactions, found.together.exact) == (2, True)


def test_a_limit_of_height_is_kept(chain, coinbases, open_ledger, output_of):
    first = chain.spend(chain.spendable()[:1], pays(50 * BTC))
    chain.mine([first])
    second = chain.spend([created(first)], pays(50 * BTC))
    height = chain.height_of(chain.tip)
    chain.mine([second])
    reader = open_ledger(chain)
    source, target = Seeds.of([output_of(reader, coinbases[0], 0)]), [output_of(reader, second, 0)]
    for to_height, expected in (
        (height - 1, (0, 50 * BTC)),
        (height, (50 * BTC, 50 * BTC)),
        (999, (50 * BTC, 50 * BTC)),
    ):
        found = bounds(reader, source, target, limits=Limits(to_height=to_height))
        assert interval(found) == expected
        assert found.together.stops == ({Reason.TIME: 1} if to_height < height else {})
        assert found.limits.to_height == to_height


def test_what_leaves_a_target_behind_a_limit_is_clean_for_the_targets_together(
    chain, coinbases, open_ledger, output_of
):
    first = chain.spend(chain.spendable()[:1], pays(50 * BTC))
    second = chain.spend([created(first)], pays(50 * BTC))
    chain.mine([first, second])
    reader = open_ledger(chain)
    source, targets = (
        Seeds.of([output_of(reader, coinbases[0], 0)]),
        [output_of(reader, tx, 0) for tx in (first, second)],
    )
    found = bounds(reader, source, targets, limits=Limits(hops=1))
    assert (interval(found), found.together.exact, found.together.stops) == ((50 * BTC, 50 * BTC), True, {})
    assert [(interval(each), each.exact) for _, each in found.alone] == [
        ((50 * BTC, 50 * BTC), True),
        ((0, 50 * BTC), False),
    ]
