"""Where a search for paths ends, what it says then, and ways too many and too thin to count."""

import pytest
from trace_cases import BTC, created, pays

from cointrail.errors import NotFound, UsageError
from cointrail.kernels.trace.paths import MOST_WAYS
from cointrail.trace.limits import Limits
from cointrail.trace.paths import By, paths
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds

each_order = pytest.mark.parametrize("by", By)


def ladder(chain, rungs, *, parts=2, fee=0):
    """Transactions that each make some outputs, all of which the next one spends."""
    (coin,) = chain.spendable()[:1]
    taken, made = [coin], []
    for _ in range(rungs):
        total = sum(each.value_sat for each in taken) - fee
        values = [total // parts] * (parts - 1)
        tx = chain.spend(taken, pays(*values, total - sum(values)))
        made.append(tx)
        taken = [created(tx, vout) for vout in range(parts)]
    chain.mine(made)
    return made


@each_order
def test_a_source_that_is_a_target_is_a_path_without_transactions(by, chain, coinbases, open_ledger, output_of):
    (tx,) = ladder(chain, 1)
    reader = open_ledger(chain)
    coin, paid = output_of(reader, coinbases[0], 0), output_of(reader, tx, 1)
    found = paths(reader, Seeds.of([coin, paid]), [paid], by=by)
    assert [(path.transactions, path.carried_sat) for path in found.paths] == [(0, 25 * BTC)]
    assert found.total == 1


@each_order
def test_a_path_ends_at_the_first_target_and_begins_at_the_last_source(by, chain, coinbases, open_ledger, output_of):
    first, second, third = ladder(chain, 3, parts=1)
    reader = open_ledger(chain)
    coin = output_of(reader, coinbases[0], 0)
    one, two, three = (output_of(reader, tx, 0) for tx in (first, second, third))
    found = paths(reader, Seeds.of([coin, one]), [two, three], by=by)
    assert [[hop.output_index for hop in path.hops] for path in found.paths] == [[one, two]]


@each_order
def test_no_path_says_what_stopped_the_search(by, chain, coinbases, open_ledger, output_of):
    made = ladder(chain, 4, parts=1)
    reader = open_ledger(chain)
    coin, last = output_of(reader, coinbases[0], 0), output_of(reader, made[-1], 0)
    found = paths(reader, Seeds.of([coin]), [last], by=by, limits=Limits(hops=2))
    assert (found.paths, found.total, found.complete, found.stops) == ((), 0, True, {Reason.HOPS: 1})
    found = paths(reader, Seeds.of([coin]), [last], by=by, limits=Limits(transactions=2))
    assert (found.paths, found.complete, found.stops) == ((), False, {Reason.TRANSACTIONS: 1})
    # What a limit ends behind the target's block has nothing to do with it; and nothing leads back in time.
    found = paths(reader, Seeds.of([last]), [coin], by=by, limits=Limits(hops=0))
    assert (found.paths, found.stops) == ((), {})
    other = output_of(reader, coinbases[1], 0)
    assert paths(reader, Seeds.of([other]), [last], by=by).stops == {}


@each_order
def test_more_paths_than_can_be_counted(by, chain, coinbases, open_ledger, output_of):
    made = ladder(chain, 80, parts=2)
    reader = open_ledger(chain)
    coin, last = output_of(reader, coinbases[0], 0), output_of(reader, made[-1], 0)
    found = paths(reader, Seeds.of([coin]), [last], by=by, k=50)
    assert found.total == MOST_WAYS
    ways = [tuple(hop.output_index for hop in path.hops) for path in found.paths]
    assert len(set(ways)) == 50
    assert {path.transactions for path in found.paths} == {80}
    # All alike, so the lower outputs come first, from the target back.
    assert ways == sorted(ways, key=lambda way: way[::-1])


def test_shares_too_thin_for_a_float_keep_their_order(chain, coinbases, open_ledger, output_of):
    """Along 1,500 transactions of two unequal halves the share falls below 2^-1074, and still the larger are better."""
    (coin,) = chain.spendable()[:1]
    taken, made = [coin], []
    for _ in range(1_500):
        tx = chain.spend(taken, pays(20 * BTC, 30 * BTC))
        made.append(tx)
        taken = [created(tx, 0), created(tx, 1)]
    chain.mine(made)
    reader = open_ledger(chain)
    coin, last = output_of(reader, coinbases[0], 0), output_of(reader, made[-1], 0)
    found = paths(reader, Seeds.of([coin]), [last], k=3)
    large = [sum(hop.value_sat == 30 * BTC for hop in path.hops) for path in found.paths]
    assert large == [1_499, 1_498, 1_498]
    assert found.paths[0].carried_sat == 0


@pytest.mark.parametrize("k", [0, -1, 10_001])
def test_a_number_of_paths_that_makes_no_sense_is_refused(k, chain, open_ledger):
    reader = open_ledger(chain)
    with pytest.raises(UsageError, match=f"{k} paths"):
        paths(reader, Seeds.of([1]), [2], k=k)


def test_what_is_not_there_is_refused(chain, open_ledger):
    reader = open_ledger(chain)
    with pytest.raises(UsageError, match="target"):
        paths(reader, Seeds.of([1]), [])
    with pytest.raises(NotFound, match=f"output {reader.counts.output} "):
        paths(reader, Seeds.of([reader.counts.output]), [2])
    with pytest.raises(NotFound, match="output -1 "):
        paths(reader, Seeds.of([1]), [-1])
