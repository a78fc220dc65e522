"""Paths against a list of all of them."""

from random import Random

import pytest
from plain_bounds import small_chain
from plain_chain import PlainChain
from plain_paths import all_paths, carried, fewest_transactions, haircut

from cointrail.trace.limits import Limits
from cointrail.trace.paths import By, paths
from cointrail.trace.seeds import Seeds

UNLIMITED = Limits(through_coinjoins=True)


def asked(random, chain):
    """Sources, and mostly something that they lead to."""
    first = sorted(chain.spent)
    last = [output for tx in chain.txs if tx.inputs for output in tx.outputs]
    sources = random.sample(first, random.choice((1, 1, 2, 4)))
    if random.random() < 0.2:
        sources.append(random.choice(last))
    return sorted(set(sources)), sorted(random.sample(last, random.choice((1, 2, 4))))


def outputs_of(found):
    return [[hop.output_index for hop in path.hops] for path in found.paths]


def in_order(chain, by, ways):
    """By hops or time, ties by the lower output from the target back."""
    return sorted(
        ways,
        key=lambda outputs: (chain.maker[outputs[-1]] if by is By.TIME else 0, len(outputs), outputs[::-1]),
    )


@pytest.fixture(params=range(5))
def random(request):
    return Random(f"paths {request.param}")


@pytest.fixture
def built(random):
    return small_chain(random, transactions=20, unit_sat=10**7, most_units=400)


def test_by_hops_and_by_time_they_are_the_first_of_all(random, built, open_ledger):
    chain, reader = PlainChain(built), open_ledger(built)
    most = 0
    for _ in range(60):
        sources, targets = asked(random, chain)
        every = all_paths(chain, sources, targets)
        most = max(most, len(every))
        for by in (By.HOPS, By.TIME):
            for k in (1, 3, 10_000):
                found = paths(reader, Seeds.of(sources), targets, by=by, k=k, limits=UNLIMITED)
                assert outputs_of(found) == in_order(chain, by, every)[:k]
                assert (found.total, found.complete, found.stops) == (len(every), True, {})
        shortest = fewest_transactions(chain, sources, targets)
        found = paths(reader, Seeds.of(sources), targets, by=By.HOPS, limits=UNLIMITED)
        assert (found.paths[0].transactions if found.paths else None) == shortest
    assert most > 2


def test_by_share_they_carry_the_most(random, built, open_ledger):
    chain, reader = PlainChain(built), open_ledger(built)
    met = 0
    for _ in range(60):
        sources, targets = asked(random, chain)
        every = [way for way in all_paths(chain, sources, targets) if carried(chain, way) or len(way) == 1]
        assert sum(carried(chain, way) for way in every) == haircut(chain, sources, targets)
        expected = sorted((carried(chain, way) for way in every), reverse=True)
        for k in (1, 4, 10_000):
            found = paths(reader, Seeds.of(sources), targets, k=k, limits=UNLIMITED)
            ways = outputs_of(found)
            assert [carried(chain, way) for way in ways] == expected[:k]
            assert len({tuple(way) for way in ways}) == len(ways)
            assert all(way in every for way in ways)
            assert found.total == len(every)
            met += len(ways) > 1
    assert met > 2


def test_hops_tell_values_shares_and_what_is_carried(random, built, open_ledger):
    chain, reader = PlainChain(built), open_ledger(built)
    seen = 0
    for _ in range(30):
        sources, targets = asked(random, chain)
        for path in paths(reader, Seeds.of(sources), targets, limits=UNLIMITED).paths:
            outputs = [hop.output_index for hop in path.hops]
            seen += len(outputs) > 2
            exact = carried(chain, outputs)
            assert exact - path.transactions <= path.carried_sat <= exact
            for before, hop in zip((None, *path.hops), path.hops, strict=False):
                assert hop.tx_index == chain.maker[hop.output_index]
                assert hop.value_sat == chain.values[hop.output_index]
                if before is None:
                    assert (hop.share, hop.carried_sat) == (1 if hop.value_sat else 0, hop.value_sat)
                else:
                    assert before.output_index in chain.txs[hop.tx_index].inputs
                    assert hop.carried_sat == int(before.carried_sat * hop.share)
    assert seen
