"""The way through the forest: every step is in the chain, and there is a way exactly if the chain links the two."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kin_chain import distances, kin_chain
from wide_forest import wide_forest

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.proof.explain import explain
from cointrail.cluster.proof.shorten import explain_shortly
from cointrail.errors import NotFound
from cointrail.ledger.reader import Reader

FEW = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_way(steps, one, two, allowed):
    """Steps lead from one script to the other, each inside a group of its transaction."""
    ends = [one, *(step.script_y for step in steps)]
    assert ends[-1] == two
    for (here, there), step in zip(pairwise(ends), steps, strict=True):
        assert (step.script_x, step.script_y) == (here, there)
        assert any({here, there} <= group for group in allowed.get(step.tx_index, ()))


def groups_by_transaction(reader, groups):
    """Script ids of each group, by tx_index."""
    found = {}
    for group in groups:
        scripts = {reader.find_script(script) for script in group.scripts}
        found.setdefault(reader.find_transactions(group.txid)[0], []).append(scripts)
    return found


def check_all(forest, groups):
    """Compare every pair of a ledger with what the chain says."""
    reader = forest.reader
    allowed, scripts = groups_by_transaction(reader, groups), range(reader.counts.script)
    pubkeys = [reader.script_pubkey(script) for script in scripts]
    for one in scripts:
        truth = distances(groups, pubkeys[one])
        for two in scripts:
            steps, short = explain(forest, one, two), explain_shortly(forest, one, two)
            if pubkeys[two] not in truth:
                assert steps is None
                assert short is None
                continue
            assert_way(steps, one, two, allowed)
            assert_way(short.steps, one, two, allowed)
            assert short.shortest
            assert short.forest_steps == len(steps)
            assert len(short.steps) == truth[pubkeys[two]]


def test_every_pair_of_a_chain_is_explained_as_the_blocks_say(kin, forest):
    assert forest.reader.counts.collaborative > 0
    assert forest.reader.counts.same_key > 0
    check_all(forest, kin.groups(forest.reader))


@FEW
@given(seed=st.integers(0, 10**6), keys=st.integers(2, 20))
def test_on_random_chains_too(make_kin, seed, keys):
    made = make_kin(kin_chain(Random(seed), 8, keys, 3))
    with Reader(made.ledger) as reader:
        check_all(Forest(reader), made.groups(reader))


@settings(FEW, max_examples=3)
@given(seed=st.integers(0, 10**6), blocks=st.integers(1, 8))
def test_the_past_is_explained_as_it_was_then(make_kin, seed, blocks):
    chain = kin_chain(Random(seed), 8, 6, 3)
    height = 100 + blocks
    full, cut = make_kin(chain), make_kin(chain, height)
    with Reader(full.ledger, height) as later, Reader(cut.ledger) as then:
        now, past = Forest(later), Forest(then)
        assert later.counts == then.counts
        for one in range(then.counts.script):
            for two in range(then.counts.script):
                assert explain(now, one, two) == explain(past, one, two)
                assert explain_shortly(now, one, two) == explain_shortly(past, one, two)


@given(st.data())
def test_bare_groups_of_any_shape(data):
    scripts = data.draw(st.integers(2, 14))
    group = st.lists(st.integers(0, scripts - 1), min_size=2, max_size=5, unique=True)
    groups = data.draw(st.lists(group, max_size=20))
    forest = wide_forest(groups, scripts)
    allowed = {t: [set(group)] for t, group in enumerate(groups, 1)}
    for one in range(scripts):
        reached, grown = {one}, True
        while grown:
            more = set().union(*(set(group) for group in groups if reached & set(group)))
            grown, reached = not more <= reached, reached | more
        for two in range(scripts):
            steps = explain(forest, one, two)
            assert (steps is not None) == (two in reached)
            if steps is not None:
                assert_way(steps, one, two, allowed)
                assert len({step.tx_index for step in steps}) == len(steps)


def test_a_way_may_have_a_hundred_thousand_steps():
    scripts = np.arange(100_001)
    forest = wide_forest(np.stack([scripts[:-1], scripts[1:]], axis=1)[::-1].copy(), len(scripts))
    steps = explain(forest, 0, 100_000)
    assert [(step.script_x, step.script_y) for step in steps] == [(n, n + 1) for n in range(100_000)]
    assert [step.tx_index for step in steps] == list(range(100_000, 0, -1))


def test_the_search_says_when_it_gave_up():
    # A ring: the forest's way round it is long, the link that closes it is short.
    scripts = np.arange(1_000)
    groups = np.stack([scripts, np.roll(scripts, -1)], axis=1)
    forest = wide_forest(groups, len(scripts))
    found = explain_shortly(forest, 0, 999)
    assert (len(found.steps), found.forest_steps, found.shortest) == (1, 999, True)
    half = explain_shortly(forest, 0, 500, most_scripts=100)
    assert (len(half.steps), half.shortest) == (500, False)
    assert not explain_shortly(forest, 0, 500, most_rows=100).shortest
    assert explain_shortly(forest, 0, 500).shortest


def test_a_script_explains_itself_and_an_unknown_one_is_refused(forest):
    assert explain(forest, 3, 3) == ()
    with pytest.raises(NotFound, match="script 1000000 is not in this snapshot"):
        explain(forest, 1_000_000, 1_000_000)
