"""Exposure against its definition in exact fractions, and what must hold whatever the chain: sums, ways, bounds."""

from collections import defaultdict
from copy import copy
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from plain_bounds import flow_bounds, small_chain
from plain_chain import PlainChain
from plain_exposure import CHANGE, OWN, PlainExposure
from regtest import write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Side, find_exposure, find_exposures
from cointrail.profile.exposure.interval import interval_of
from cointrail.profile.exposure.ways import ways_of
from cointrail.trace.limits import Limits
from cointrail.trace.reason import Reason
from cointrail.trace.services import services_of

OPEN, WHOLE = Limits(), Limits(through_coinjoins=True)
NAMES = ("alpha", "beta", "gamma")
each_side = pytest.mark.parametrize("side", Side)


class Case:
    """A random chain of which some scripts are a wallet's and some are tagged."""

    def __init__(self, seed, folder):
        random = Random(f"exposure {seed}")
        chain = small_chain(random, 48, unit_sat=10_000_019)
        write_block_files(folder / "blocks", chain.serialized(), REGTEST.magic)
        ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
        self.reader, self.plain = Reader(folder / "ledger"), PlainChain(chain)
        used = sorted({self.plain.scripts[o] for tx in self.plain.txs if tx.inputs for o in (*tx.inputs, *tx.outputs)})
        random.shuffle(used)
        own = random.randint(1, 3)
        self.own = used[:own]
        self.tags = {script: random.randrange(len(NAMES)) for script in used[own : own + random.randint(1, 4)]}
        self.limits = Limits()
        self.services = services_of(
            Forest(self.reader),
            [self.reader.find_script(script) for script in self.tags],
            list(self.tags.values()),
            NAMES,
            kinds=("exchange", "mixer", "exchange"),
            definers=[False] * len(self.tags),
        )

    def found(self, side):
        scripts = [self.reader.find_script(script) for script in self.own]
        return find_exposure(self.reader, scripts, self.services, side, limits=self.limits)

    def defined(self, side):
        return PlainExposure(self.plain, self.own, self.tags, sent=side is Side.SENT, hops=self.limits.hops)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Every case once; tests set its limits."""
    made = [Case(seed, tmp_path_factory.mktemp("exposure")) for seed in range(8)]
    yield made
    for case in made:
        case.reader.close()


@pytest.fixture(params=range(8))
def case(request, cases):
    """One of them as it was made."""
    found = copy(cases[request.param])
    found.limits = Limits()
    return found


def by_service(found):
    sums = defaultdict(lambda: defaultdict(int))
    for service, hops, sat in zip(found.service.tolist(), found.hops.tolist(), found.sat.tolist(), strict=True):
        sums[service][hops] += sat
    return sums


@each_side
@pytest.mark.parametrize("hops", [None, 1, 2])
def test_it_is_what_the_definition_says(case, side, hops):
    case.limits = Limits(hops=hops)
    found, defined = case.found(side), case.defined(side)
    rounded = 2 * len(case.plain.txs)
    ours = by_service(found)
    assert {service: set(sums) for service, sums in ours.items()} == {s: set(v) for s, v in defined.came.items() if v}
    for service, sums in defined.came.items():
        for far, sat in sums.items():
            assert abs(ours[service][far] - sat) <= rounded
    assert abs(found.gross_sat - defined.gross) <= rounded
    assert abs(found.change_sat - defined.rest[CHANGE]) <= rounded
    rest = {OWN if reason is Reason.SEED else str(reason): sat for reason, sat in found.rest.items()}
    for reason in {*rest, *defined.rest} - {CHANGE}:
        assert abs(rest.get(reason, 0) - defined.rest.get(reason, 0)) <= rounded


@each_side
def test_everything_sums_to_the_satoshi(case, side):
    outputs = [o for o, script in enumerate(case.plain.scripts) if script in case.own]
    if side is Side.SENT:
        outputs = [o for o in outputs if o in case.plain.spent]
    tight = Limits(min_sat=5_000_000), Limits(min_share_ppm=90_000)
    for limits in (OPEN, Limits(hops=2), Limits(transactions=3), *tight):
        case.limits = limits
        found = case.found(side)
        assert found.gross_sat + found.change_sat == sum(case.plain.values[o] for o in outputs)
        assert found.gross_sat == int(found.sat.sum()) + sum(found.rest.values())
        assert all(found.rest.values())


@each_side
@pytest.mark.parametrize("transactions", [1, 3, 6, 10])
def test_what_a_budget_allows_is_whole_within_its_hops(case, side, transactions):
    """The oldest transactions alone would tell nothing: it is what is asked within fewer hops, one at least."""
    case.limits = Limits(transactions=transactions)
    found = case.found(side)
    if found.flow is None or found.complete:
        case.limits = OPEN
        assert case.found(side).rest == found.rest
        return
    assert found.whole_hops >= 1
    case.limits = Limits(hops=found.whole_hops)
    within = case.found(side)
    assert within.complete
    assert by_service(found) == by_service(within)
    rest = {Reason.TRANSACTIONS if reason is Reason.HOPS else reason: sat for reason, sat in within.rest.items()}
    assert found.rest == rest
    assert found.whole_hops == 1 or len(found.flow.tx) <= transactions


@pytest.mark.parametrize("limits", [OPEN, Limits(hops=2), Limits(transactions=4)])
def test_both_sides_at_once_are_each_alone(case, limits):
    case.limits = limits
    scripts = [case.reader.find_script(script) for script in case.own]
    both = find_exposures(case.reader, scripts, case.services, limits=limits)
    assert list(both) == list(Side)
    for side, found in both.items():
        alone = case.found(side)
        assert by_service(found) == by_service(alone)
        assert (found.rest, found.gross_sat, found.change_sat) == (alone.rest, alone.gross_sat, alone.change_sat)


@each_side
def test_the_wallets_own_cluster_is_never_too_large(case, side):
    """A limit that every cluster exceeds ends each way after its first transaction, and not before."""
    case.limits = Limits(cluster=0)
    found = case.found(side)
    case.limits = OPEN
    free = case.found(side)
    rounded = 2 * len(case.plain.txs)
    assert abs(found.gross_sat - free.gross_sat) <= rounded
    if found.flow is not None:
        large = found.flow.reason == Reason.LARGE_CLUSTER.code
        assert (found.flow.hops[large] == 1).all()
        near, all_ = by_service(found), by_service(free)
        assert set(near) == {service for service, sums in all_.items() if sums[1]}
        assert all(abs(sums[1] - all_[service][1]) <= rounded for service, sums in near.items())


@each_side
def test_ways_sum_to_arrivals_and_follow_the_chain(case, side):
    found, chain = case.found(side), case.plain
    ways = ways_of(found)
    arrived, passed, left = defaultdict(int), defaultdict(int), defaultdict(int)
    for way in ways:
        assert way.sat > 0
        assert way.hops == len(way.parts) - 1 >= 1
        outputs = found.flow.output[list(way.parts)].tolist()
        assert chain.scripts[outputs[0]] in case.own
        assert case.tags[chain.scripts[outputs[-1]]] == way.service
        assert not any(chain.scripts[each] in {*case.own, *case.tags} for each in outputs[1:-1])
        for one, other in pairwise(outputs):
            before, after = (one, other) if side is Side.SENT else (other, one)
            assert chain.spender[before] == chain.maker[after]
        arrived[way.parts[-1]] += way.sat
        left[way.parts[0]] += way.sat
        for part in way.parts:
            passed[part] += way.sat
    came, direct = defaultdict(int), defaultdict(int)
    for part, sat in zip(found.part.tolist(), found.sat.tolist(), strict=True):
        came[part] += sat
    assert arrived == came
    for way in ways:
        if way.hops == 1:
            direct[way.service] += way.sat
    assert direct == {service: sums[1] for service, sums in by_service(found).items() if sums[1]}
    assert all(sat <= found.flow.sat[part] for part, sat in passed.items())
    assert len(ways) <= (len(found.flow.output) if found.flow else 0)
    assert ways_of(found, most=0) is None or not ways


@each_side
def test_what_each_output_of_the_wallet_gives_is_its_own_haircut(case, side):
    """The ways of one output sum to what a definition for that output alone says, the rest of the wallet ending it."""
    found = case.found(side)
    given = defaultdict(lambda: defaultdict(int))
    for way in ways_of(found):
        given[int(found.flow.output[way.parts[0]])][way.service] += way.sat
    rounded = 2 * len(case.plain.txs)
    for output in found.flow.seeds.outputs.tolist() if found.flow else ():
        alone = OneOutput(case.plain, case.own, case.tags, sent=side is Side.SENT, output=output)
        for service in range(len(NAMES)):
            assert abs(given[output][service] - sum(alone.came[service].values())) <= rounded


class OneOutput(PlainExposure):
    """The same of a single output of the wallet."""

    def __init__(self, *arguments, output, **question):
        self.only = output
        super().__init__(*arguments, **question)

    def _put(self, output, near, rest, hops, far):
        if hops or output == self.only:
            super()._put(output, near, rest, hops, far)


@each_side
def test_bounds_contain_it_and_are_those_of_the_definition(case, side):
    """Without limits: the bounds are maximum flows over the whole chain, and the haircut lies between them."""
    case.limits = WHOLE
    found = case.found(side)
    ways = ways_of(found)
    for service in sorted({way.service for way in ways}):
        own = [way for way in ways if way.service == service]
        result = interval_of(case.reader, found, own, limits=case.limits)
        sat = int(found.sat[found.service == service].sum())
        assert result.lower_sat <= sat <= result.upper_sat <= result.of_sat
        ends = sorted({int(found.flow.output[way.parts[-1]]) for way in own})
        starts = sorted({int(found.flow.output[way.parts[0]]) for way in own})
        if side is Side.SENT:
            sources, targets = found.flow.seeds.outputs.tolist(), ends
        else:
            sources, targets = ends, starts
        lower, upper = flow_bounds(case.plain, sources, targets)
        assert result.lower_sat <= lower
        assert result.upper_sat >= upper
        if result.exact:
            assert (result.lower_sat, result.upper_sat) == (lower, upper)


@each_side
def test_bounds_are_exact_at_times_and_are_not_computed_beyond_the_budget(cases, side):
    exact = above_zero = 0
    for case in map(copy, cases):
        case.limits = WHOLE
        found = case.found(side)
        if ways := ways_of(found):
            result = interval_of(case.reader, found, ways, limits=WHOLE)
            exact, above_zero = exact + result.exact, above_zero + (result.lower_sat > 0)
            assert interval_of(case.reader, found, ways, limits=WHOLE, transactions=1) is None
    assert exact
    assert above_zero


def test_what_tags_do_not_name_is_passed_and_the_wallet_is_never_its_own_exposure(case):
    """With the wallet's own scripts tagged the answer is the same; without tags everything is rest."""
    tagged = services_of(
        Forest(case.reader),
        [case.reader.find_script(script) for script in (*case.tags, *case.own)],
        [*case.tags.values(), *[0] * len(case.own)],
        NAMES,
        definers=[False] * (len(case.tags) + len(case.own)),
    )
    for side in Side:
        plain = case.found(side)
        case.services, before = tagged, case.services
        found = case.found(side)
        assert np.array_equal(found.sat, plain.sat)
        assert found.rest == plain.rest
        case.services = replace(before, scripts=before.scripts[:0], script_service=before.script_service[:0])
        nobody = case.found(side)
        assert not len(nobody.sat)
        assert sum(nobody.rest.values()) == nobody.gross_sat
        case.services = before
