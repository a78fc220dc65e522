"""Whatever the convention, what arrives lies inside the bounds; poison arrives exactly where something may."""

from random import Random

import pytest
from plain_bounds import small_chain
from plain_chain import PlainChain
from regtest import random_chain

from cointrail.trace.bounds import WHOLE, bounds
from cointrail.trace.fees import ACCOUNT, CoinbaseOrder, FeeMode, Fees
from cointrail.trace.policy import POISON, POLICIES
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace

FEES = {
    "account": ACCOUNT,
    "subsidy-first": Fees(FeeMode.PROPAGATE, CoinbaseOrder.SUBSIDY_FIRST),
    "fees-first": Fees(FeeMode.PROPAGATE, CoinbaseOrder.FEES_FIRST),
}
CHAINS = {
    "random": lambda random: random_chain(random, 130, 4),
    "small": lambda random: small_chain(random, 40, unit_sat=10**6, most_units=5_000),
}


def arrived(reader, sources, targets, policy, fees):
    flow = trace(reader, Seeds.of(sources), policy, limits=WHOLE, fees=fees, targets=targets)
    return flow.ended_sat.get(Reason.TARGET, 0)


def reachable(chain, sources, propagate):
    """Outputs with value that something of the sources can flow into."""
    found = {output for output in sources if chain.values[output]}
    for block in chain.blocks:
        fees_from = False
        for number in [*block[1:], block[0]]:
            tx = chain.txs[number]
            if any(each in found for each in tx.inputs) or (number == block[0] and fees_from):
                found.update(output for output in tx.outputs if chain.values[output])
                fees_from |= propagate and number != block[0] and chain.fee(number) > 0
    return found


@pytest.mark.parametrize("fees", FEES.values(), ids=FEES)
@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS)
def test_every_convention_lies_inside(make, fees, open_ledger):
    random = Random("conventions")
    built = make(random)
    chain, reader = PlainChain(built), open_ledger(built)
    first = sorted(chain.spent)
    last = sorted(output for tx in chain.txs if tx.inputs for output in tx.outputs)
    positive, tight, apart = 0, 0, 0
    for _ in range(60):
        sources = random.sample(first, random.choice((1, 1, 2, 5)))
        near = sorted(reachable(chain, sources, fees is not ACCOUNT) & set(last))
        pool = near[:40] if near and random.random() < 0.8 else last
        targets = random.sample(pool, min(len(pool), random.choice((1, 2, 8))))
        found = bounds(reader, Seeds.of(sources), targets, fees=fees)
        amounts = set()
        for policy in POLICIES.values():
            if policy.conserves:
                amounts.add(sat := arrived(reader, sources, targets, policy, fees))
                assert found.lower_sat <= sat <= found.upper_sat, policy.name
                for target, alone in found.alone:
                    one = arrived(reader, sources, [target], policy, fees)
                    assert alone.lower_sat <= one <= alone.upper_sat, policy.name
        positive += found.lower_sat > 0
        tight += 0 < found.upper_sat == max(amounts)
        apart += len(amounts) > 1
    assert min(positive, tight, apart) > 5


@pytest.mark.parametrize("propagate", [False, True], ids=["account", "propagate"])
def test_poison_arrives_exactly_where_something_may(propagate, open_ledger):
    random = Random("poison")
    built = random_chain(random, 130, 4)
    chain, reader = PlainChain(built), open_ledger(built)
    fees = FEES["subsidy-first"] if propagate else ACCOUNT
    outputs = sorted(output for tx in chain.txs[106:] for output in tx.outputs)
    met = 0
    for _ in range(12):
        sources = random.sample(sorted(chain.spent), random.choice((1, 3)))
        may = reachable(chain, sources, propagate)
        for target in random.sample(outputs, 60):
            found = bounds(reader, Seeds.of(sources), [target], fees=fees)
            assert (found.upper_sat > 0) is (target in may)
            if target in may:
                met += 1
                flow = trace(reader, Seeds.of(sources), POISON, limits=WHOLE, fees=fees, targets=[target])
                assert (flow.output == target).any()
    assert met > 20
