"""Deterministic links without a count: none is claimed that an interpretation parts."""

from random import Random

import plain_linkability as plain
import pytest

from cointrail.trace.linkability import certain, sets
from cointrail.trace.linkability.amounts import amounts_of
from cointrail.trace.linkability.certain import certain_links


def pairs_of(found, inputs, outputs):
    spent, paid = amounts_of(inputs).positions, amounts_of(outputs).positions
    return {(vin, vout) for i, o in found.pairs for vin in spent[i] for vout in paid[o]}


def true_pairs(inputs, outputs, between):
    """Pairs that stand in one group in every interpretation."""
    total, ways = plain.count(inputs, outputs, between)
    return {(i, o) for i, row in enumerate(ways) for o, each in enumerate(row) if each == total}


def case(random):
    """A large input or output more often than by chance, so that something is deterministic."""
    inputs = [random.choice((random.randint(1, 20), random.randint(40, 90))) for _ in range(random.randint(2, 4))]
    left, outputs = sum(inputs) - random.randint(0, 6), []
    while left > 0 and len(outputs) < 4:
        outputs.append(random.randint(1, left))
        left -= outputs[-1]
    return inputs, [*outputs, 1] if len(outputs) == 1 and sum(inputs) > sum(outputs) else outputs


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_all_of_them_and_no_other(seed):
    random, some = Random(seed), 0
    for _ in range(250):
        inputs, outputs = case(random)
        if len(outputs) < 2:
            continue
        found = certain_links(amounts_of(inputs), amounts_of(outputs), 0)
        assert found.are_all
        assert pairs_of(found, inputs, outputs) == true_pairs(inputs, outputs, 0), (inputs, outputs)
        some += 0 < len(found.pairs) < len(inputs) * len(outputs)
    assert some > 20


@pytest.mark.parametrize("between", [1, 4, 15])
def test_with_fees_between_participants_it_claims_less_than_there_is_never_more(between):
    random, claimed = Random(between), 0
    for _ in range(250):
        inputs, outputs = case(random)
        if len(outputs) < 2:
            continue
        found = certain_links(amounts_of(inputs), amounts_of(outputs), between)
        assert not found.are_all
        assert pairs_of(found, inputs, outputs) <= true_pairs(inputs, outputs, between), (inputs, outputs)
        claimed += len(found.pairs)
    assert claimed > 20


@pytest.mark.parametrize("between", [0, 1, 4])
def test_one_comparison_claims_less_still(between, monkeypatch):
    monkeypatch.setattr(sets, "MOST_SETS", 1)
    random, claimed, left_out = Random(between), 0, 0
    for _ in range(250):
        inputs, outputs = case(random)
        if len(outputs) < 2:
            continue
        found = certain_links(amounts_of(inputs), amounts_of(outputs), between)
        assert not found.are_all
        pairs, truth = pairs_of(found, inputs, outputs), true_pairs(inputs, outputs, between)
        assert pairs <= truth, (inputs, outputs)
        claimed += len(pairs)
        left_out += len(truth - pairs)
    assert claimed > 20
    assert left_out > 0


def test_large_transactions_take_one_comparison():
    """Nobody but the first can pay the first output; the rest is dust that anybody can pay."""
    inputs = [10**12, *range(1_000, 4_000)]
    outputs = [10**12 - 1, *range(10, 3_000)]
    found = certain_links(amounts_of(inputs), amounts_of(outputs), 0)
    assert found == certain.Certain(((0, 0),), are_all=False)
