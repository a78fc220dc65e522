"""Bounds against their definition: every division of every satoshi; and flows over the whole chain by networkx."""

from random import Random

import pytest
from chain_tree import RegtestChain
from plain_bounds import flow_bounds, possible_amounts, small_chain
from plain_chain import PlainChain
from regtest import random_chain

from cointrail.trace.bounds import WHOLE, bounds
from cointrail.trace.fees import ACCOUNT, FeeMode, Fees
from cointrail.trace.limits import Limits
from cointrail.trace.seeds import Seeds

PROPAGATE = Fees(FeeMode.PROPAGATE)


def asked(random, chain):
    """Sources and targets, mostly in that order, at times one and the same."""
    last = [output for tx in chain.txs[106:] for output in tx.outputs]
    first = sorted({output for tx in chain.txs for output in tx.inputs})
    sources = random.sample(first, random.choice((1, 1, 2, 3)))
    if random.random() < 0.2:
        sources.append(random.choice(last))
    return sources, random.sample(last, min(len(last), random.choice((1, 2, 3, 5))))


def interval(found):
    return found.lower_sat, found.upper_sat


@pytest.mark.parametrize("number", range(6))
def test_few_satoshis_equal_every_way_to_divide_them(number, open_ledger):
    random = Random(f"few satoshis {number}")
    built = small_chain(random, transactions=12)
    chain, reader = PlainChain(built), open_ledger(built)
    inside = 0
    for _ in range(40):
        sources, targets = asked(random, chain)
        found = bounds(reader, Seeds.of(sources), targets)
        assert interval(found) == possible_amounts(chain, sources, targets)
        for target, alone in found.alone:
            assert interval(alone) == possible_amounts(chain, sources, [target])
        inside += 0 < found.lower_sat <= found.upper_sat < found.together.value_sat
        assert found.together.exact
        assert not found.together.stops
    assert inside


@pytest.mark.parametrize("number", range(4))
def test_coins_equal_flows_over_the_whole_chain(number, open_ledger):
    random = Random(f"coins {number}")
    built = small_chain(random, transactions=12, unit_sat=10**7, most_units=400)
    assert_equal_to_flows(random, built, open_ledger, ACCOUNT, questions=60)


@pytest.mark.parametrize("fees", [ACCOUNT, PROPAGATE], ids=["account", "propagate"])
def test_chains_whose_coinbases_are_spent_equal_flows(fees, open_ledger):
    random = Random("busy bounds")
    assert_equal_to_flows(random, random_chain(random, 130, 3), open_ledger, fees, questions=25)


def assert_equal_to_flows(random, built: RegtestChain, open_ledger, fees, questions):
    chain, reader = PlainChain(built), open_ledger(built)
    seen = set()
    for _ in range(questions):
        sources, targets = asked(random, chain)
        found = bounds(reader, Seeds.of(sources), targets, fees=fees)
        propagate = fees is PROPAGATE
        assert interval(found) == flow_bounds(chain, sources, targets, propagate=propagate)
        for target, alone in found.alone:
            assert interval(alone) == flow_bounds(chain, sources, [target], propagate=propagate)
        seen |= {found.lower_sat > 0, found.upper_sat > found.lower_sat}
    assert seen == {True, False}


LIMITS = (
    Limits(),
    Limits(hops=1, through_coinjoins=True),
    Limits(hops=3, through_coinjoins=True),
    Limits(min_sat=2 * 10**9, through_coinjoins=True),
    Limits(min_share_ppm=300_000, through_coinjoins=True),
    Limits(outputs=2, through_coinjoins=True),
    Limits(cluster=2, through_coinjoins=True),
    Limits(transactions=3, through_coinjoins=True),
    Limits(from_height=112, through_coinjoins=True),
    Limits(to_height=115, through_coinjoins=True),
)


@pytest.mark.parametrize("fees", [ACCOUNT, PROPAGATE], ids=["account", "propagate"])
def test_limits_can_only_widen_and_say_when_they_did(fees, open_ledger):
    random = Random("limits")
    built = random_chain(random, 130, 3)
    reader, chain = open_ledger(built), PlainChain(built)
    wider, unmoved = set(), 0
    for _ in range(60):
        sources, targets = asked(random, chain)
        whole = bounds(reader, Seeds.of(sources), targets, fees=fees, limits=WHOLE)
        for limits in LIMITS:
            cut = bounds(reader, Seeds.of(sources), targets, fees=fees, limits=limits)
            for one, other in zip(
                [whole.together, *(each for _, each in whole.alone)],
                [cut.together, *(each for _, each in cut.alone)],
                strict=True,
            ):
                assert 0 <= other.lower_sat <= one.lower_sat <= one.upper_sat <= other.upper_sat <= one.value_sat
                assert other.upper_sat <= cut.source_sat
                if other.exact:
                    assert interval(other) == interval(one)
                    unmoved += bool(other.stops)
                if interval(other) != interval(one):
                    wider.add(limits)
                    assert other.stops
                    assert other.unsure_sat >= max(one.lower_sat - other.lower_sat, other.upper_sat - one.upper_sat)
    assert unmoved
    assert len(wider) >= len(LIMITS) - 1, set(LIMITS) - wider
