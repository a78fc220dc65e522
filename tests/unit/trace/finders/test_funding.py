"""Who paid: by hand, and against the pro rata shares of exact fractions on tangled chains."""

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from finder_cases import BTC, Town, output, script, services, transaction
from regtest import random_chain

from cointrail.cluster.forest.view import Forest
from cointrail.trace.finders.funding import LIMITS, RECEIVED, Route, Source, Verdict, find_funding
from cointrail.trace.reason import Reason
from cointrail.trace.services import NONE, Services


def asked(reader, town, name, known):
    return find_funding(reader, np.array([script(reader, town, name)]), known)


def test_a_withdrawal_that_is_the_payment_is_direct(open_ledger):
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    paid = town.pay(hot, ("market", 3 * BTC), ("alpha", 47 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange"))
    (payment,) = found.payments
    tx = transaction(reader, paid[0])
    assert payment.sources == (Source(0, tx, output(reader, paid[0]), 3 * BTC, 0),)
    assert (payment.route, payment.passed) == (Route.DIRECT, 0)
    assert payment.verdict(found.services) is Verdict.EXCHANGE
    assert found.complete


def test_two_withdrawals_into_one_payment_are_told_apart(open_ledger):
    """6 BTC pay 4: of each satoshi 5/6 came from the one and 1/6 from the other."""
    town = Town()
    alpha = town.pay([town.fresh()], ("alpha", 50 * BTC))
    beta = town.pay([town.fresh()], ("beta", 50 * BTC))
    one = town.pay(alpha, ("alpha", 45 * BTC), ("buyer", 5 * BTC))
    two = town.pay(beta, ("buyer", 1 * BTC), ("beta", 49 * BTC))
    paid = town.pay([one[1], two[0]], ("market", 4 * BTC), ("rest", 2 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange", beta="exchange"))
    (payment,) = found.payments
    assert payment.output == output(reader, paid[0])
    first, second = payment.sources
    assert first == Source(0, transaction(reader, one[1]), output(reader, one[1]), first.sat, 1)
    assert second == Source(1, transaction(reader, two[0]), output(reader, two[0]), second.sat, 1)
    assert abs(Fraction(first.sat) - Fraction(20 * BTC, 6)) < 1
    assert first.sat + second.sat == 4 * BTC
    assert (payment.route, payment.passed) == (Route.ONE_HOP, 1)


@pytest.mark.parametrize("joined", [False, True])
def test_every_payment_out_of_a_peel_chain_is_traced(open_ledger, joined):
    """25 steps, more than a court's 20 hops; with another input the way is no peel chain any more."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    left = town.pay(hot, ("peel", 40 * BTC), ("alpha", 10 * BTC))
    rest, paid = [left[0]], []
    for number in range(25):
        made = town.pay(rest, ("market", BTC), (f"rest {number}", rest[0].value_sat - BTC))
        rest, paid = [made[1]], [*paid, made[0]]
    if joined:
        paid.append(town.pay([*rest, town.fresh()], ("market", 20 * BTC), ("rest", 1))[0])
    reader = open_ledger(town.chain)
    known = services(reader, town, alpha="exchange")
    found = asked(reader, town, "market", known)
    assert [each.output for each in found.payments] == [output(reader, each) for each in paid]
    for number, payment in enumerate(found.payments):
        (source,) = payment.sources
        assert source.output == output(reader, left[0])
        assert (source.hops, payment.passed) == (number + 1, number + 1)
        peel = Route.PEEL if number else Route.ONE_HOP
        assert payment.route is (Route.THROUGH if number == 25 else peel)
        assert source.sat == BTC if number < 25 else payment.rest[Reason.COINBASE] == 20 * BTC - source.sat


@pytest.mark.parametrize("category", ["mixing_service", "gambling", ""])
def test_nothing_is_asserted_through_what_is_no_exchange(open_ledger, category):
    """The mixer's pool was filled from an exchange; only what left the mixer is named."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    pool = town.pay(hot, ("fog", 50 * BTC))
    left = town.pay(pool, ("buyer", 5 * BTC), ("fog", 45 * BTC))
    town.pay(left[:1], ("market", 5 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange", fog=category))
    (payment,) = found.payments
    assert payment.found(found.services) == ()
    assert payment.beyond(found.services) == ((transaction(reader, left[0]), Reason.SERVICE),)
    assert payment.verdict(found.services) is Verdict.NOT_TRACEABLE


def test_what_the_payer_received_from_somebody_unknown_is_followed_no_further(open_ledger):
    """An untagged mixer was filled from an exchange and paid the buyer; its own change lies in the larger output."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    pool = town.pay(hot, ("pool", 40 * BTC), ("alpha", 10 * BTC))
    left = town.pay(pool[:1], ("buyer", 5 * BTC), ("pool's change", 35 * BTC))
    kept = town.pay(left[:1], ("market", 1 * BTC), ("buyer's change", 4 * BTC))
    town.pay(kept[1:], ("market", 4 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange"))
    for payment in found.payments:
        (stop,) = payment.received
        assert (stop.tx_index, stop.sat) == (transaction(reader, left[0]), payment.sat)
        assert payment.beyond(found.services) == ((transaction(reader, left[0]), RECEIVED),)
        assert (payment.sources, payment.verdict(found.services)) == ((), Verdict.NOT_TRACEABLE)


def test_what_is_left_beside_a_payment_is_the_payer_s_though_the_payment_is_larger(open_ledger):
    """The buyer pays twice out of one withdrawal, first the larger part: the change is what he did not pay."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    left = town.pay(hot, ("buyer", 20 * BTC), ("alpha", 30 * BTC))
    first = town.pay(left[:1], ("market", 12 * BTC), ("change", 8 * BTC))
    town.pay(first[1:], ("market", 5 * BTC), ("rest", 3 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange"))
    assert [each.verdict(found.services) for each in found.payments] == [Verdict.EXCHANGE] * 2
    for payment, sat in zip(found.payments, (12 * BTC, 5 * BTC), strict=True):
        (source,) = payment.sources
        assert (source.output, source.sat) == (output(reader, left[0]), sat)
        assert payment.received == ()


def test_beside_what_a_wallet_paid_itself_nothing_is_known(open_ledger):
    """The market's own change is the smaller output and no payment: the larger counts as kept, as before."""
    town = Town()
    (own,) = town.pay([town.fresh()], ("market", 50 * BTC))
    made = town.pay([own], ("shop", 49 * BTC), ("market", 1 * BTC))
    town.pay(made[:1], ("market", 49 * BTC))
    reader = open_ledger(town.chain)
    first, second = asked(reader, town, "market", NONE).payments
    assert first.rest == {Reason.COINBASE: 50 * BTC}
    assert second.rest == {Reason.SEED: 49 * BTC}


def test_a_batch_of_somebody_unknown_pays_everybody(open_ledger):
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    pool = town.pay(hot, ("pool", 50 * BTC))
    batch = town.pay(pool, ("a", 1 * BTC), ("b", 2 * BTC), ("buyer", 47 * BTC))
    town.pay(batch[2:], ("market", 47 * BTC))
    reader = open_ledger(town.chain)
    (payment,) = asked(reader, town, "market", services(reader, town, alpha="exchange")).payments
    assert [stop.tx_index for stop in payment.received] == [transaction(reader, batch[0])]


def test_own_money_that_comes_back_is_followed_no_further(open_ledger):
    """market -> owner -> market: the second payment is the market's own money, not the exchange's."""
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    paid = town.pay(hot, ("market", 10 * BTC), ("alpha", 40 * BTC))
    swept = town.pay(paid[:1], ("owner", 6 * BTC), ("market", 4 * BTC))
    town.pay([swept[0], town.fresh()], ("market", 28 * BTC), ("owner", 28 * BTC))
    reader = open_ledger(town.chain)
    found = asked(reader, town, "market", services(reader, town, alpha="exchange"))
    first, second = found.payments
    assert [each.service for each in first.sources] == [0]
    assert second.sources == ()
    assert second.verdict(found.services) is Verdict.NO_EXCHANGE
    assert second.rest == {Reason.SEED: 3 * BTC, Reason.COINBASE: 25 * BTC}


def test_new_coins_and_an_unpaid_script_have_no_source(open_ledger):
    town = Town()
    mined = town.pay([town.fresh()], ("market", 50 * BTC))
    town.pay(mined, ("market", 50 * BTC))
    reader = open_ledger(town.chain)
    (payment,) = asked(reader, town, "market", NONE).payments
    assert payment.output == output(reader, mined[0])
    assert (payment.sources, payment.coinjoins, payment.rest) == ((), (), {Reason.COINBASE: 50 * BTC})
    assert find_funding(reader, np.empty(0, np.int64), NONE).payments == ()


def test_a_tag_on_the_wallet_itself_changes_nothing(open_ledger):
    town = Town()
    hot = town.pay([town.fresh()], ("alpha", 50 * BTC))
    town.pay(hot, ("market", 10 * BTC), ("alpha", 40 * BTC))
    reader = open_ledger(town.chain)
    plain = asked(reader, town, "market", services(reader, town, alpha="exchange")).payments
    assert asked(reader, town, "market", services(reader, town, alpha="exchange", market="gambling")).payments == plain


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_those_of_exact_fractions(open_ledger, seed):
    """Each payment's amounts sum to it, and each service has its pro rata share, but for a satoshi a transaction."""
    random = Random(seed)
    reader = open_ledger(random_chain(Random(seed), 30, 4))
    scripts = reader.counts.script
    own = np.array(random.sample(range(scripts), max(scripts // 10, 1)))
    served = np.array(sorted(set(random.sample(range(scripts), scripts // 4)) - set(own.tolist())))
    known = Services(("a", "b"), ("exchange", "mixer"), served, served % 2)
    found = find_funding(reader, own, known)
    returned = {each for each, place in enumerate(reader.column("output", "script").tolist()) if place in own}
    received = set(found.flow.asked.targets.tolist()) - returned if found.flow else set()
    expected = Exact(
        reader, set(own.tolist()), dict(zip(served.tolist(), (served % 2).tolist(), strict=True)), received
    )
    assert {each.output for each in found.payments} == expected.payments
    for payment in found.payments:
        ended = [each.sat for each in (*payment.sources, *payment.coinjoins, *payment.received)]
        ended += payment.rest.values()
        assert sum(ended) == payment.sat
        for service in (0, 1):
            came = sum(each.sat for each in payment.sources if each.service == service)
            assert abs(came - expected.share(payment.output, service)) <= 1 + len(found.flow.tx)
            for each in payment.sources:
                assert each.tx_index == int(reader.transaction_of_outputs(each.output))


class Exact:
    """Pro rata by definition: what an output has of a service is its part of what its transaction's inputs have."""

    def __init__(self, reader, own, served, received):
        self.reader, self.own, self.served, self.received, self.known = reader, own, served, received, {}
        self.values = reader.column("output", "value_sat").tolist()
        self.scripts = reader.column("output", "script").tolist()
        self.spent = reader.column("input", "output").tolist()
        self.maker = reader.transaction_of_outputs(np.arange(reader.counts.output)).tolist()
        self.mixed = {int(tx) for tx in np.flatnonzero(Forest(reader).signs(np.arange(reader.counts.transaction)))}
        paying = {
            tx for tx in range(reader.counts.transaction)
            if any(self.scripts[each] in own for each in self.inputs(tx))
        }  # fmt: skip
        self.payments = {
            each for each, place in enumerate(self.scripts) if place in own and self.maker[each] not in paying
        }

    def inputs(self, tx):
        return [self.spent[row] for row in self.reader.inputs_of(tx) if self.spent[row] >= 0]

    def share(self, output, service):
        return self.part(output, service, LIMITS.hops, top=True) * self.values[output]

    def part(self, output, service, hops, *, top=False):
        """The fraction of an output that came from a service."""
        if not top and (self.scripts[output] in self.own or output in self.received):
            return Fraction(0)
        if not top and self.scripts[output] in self.served:
            return Fraction(self.served[self.scripts[output]] == service)
        tx = self.maker[output]
        if tx in self.mixed or not hops or not self.values[output]:
            return Fraction(0)
        if (output, service, top) not in self.known:
            inputs = self.inputs(tx)
            whole = sum(self.values[each] for each in inputs)
            parts = (self.part(each, service, hops - 1) * self.values[each] for each in inputs)
            self.known[output, service, top] = sum(parts, Fraction(0)) / whole if whole else Fraction(0)
        return self.known[output, service, top]
