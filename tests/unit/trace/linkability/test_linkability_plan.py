"""The count by its two ways, the residues it is kept in, and the sets it is made of."""

from itertools import product
from random import Random

import numpy as np
import plain_linkability as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels import linkability as kernel
from cointrail.trace.linkability import plan
from cointrail.trace.linkability.amounts import amounts_of
from cointrail.trace.linkability.residues import (
    bits_at_most,
    factorials_modulo,
    inverses,
    number_of_primes,
    primes_for,
    whole,
)
from cointrail.trace.linkability.sets import MOST_SETS, sets_of, too_many


def planned(inputs, outputs, between=0):
    made = plan.Plan(amounts_of(inputs), amounts_of(outputs), between)
    assert made.refusal(10**12) == ""
    return made


def dense_case(random, most):
    """A large fee, so that most groups fit; some amounts repeat."""
    outputs = [random.randint(1, 9) * 10 for _ in range(random.randint(2, most))]
    inputs = [random.randint(1, 9) * 10 + random.randint(0, 2) for _ in range(random.randint(2, most))]
    return [*inputs, max(1, sum(outputs) - sum(inputs) + random.randint(0, 40))], outputs


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_to_look_at_pairs_agree(seed):
    """Without the list of sets inside sets, every pair of runs is looked at."""
    inputs, outputs = dense_case(Random(seed), 7)
    listed, unlisted = planned(inputs, outputs, seed % 3), planned(inputs, outputs, seed % 3)
    unlisted.below = kernel.Below(np.zeros(0, np.int64), np.zeros(0, np.int32))
    assert listed.count() == unlisted.count()


def test_many_calls_count_as_one(monkeypatch):
    inputs, outputs = [31, 42, 53, 64, 75, 86, 97, 105], [20, 30, 40, 50, 60, 71, 72]
    at_once = planned(inputs, outputs)
    assert len(at_once._calls()) == 1
    monkeypatch.setattr(plan, "_STEPS_A_CALL", 1_000)
    in_pieces = planned(inputs, outputs)
    calls = in_pieces._calls()
    assert len(calls) > 5
    assert [begin for begin, _ in calls] == [1, *(end for _, end in calls[:-1])]
    assert calls[-1][1] == len(in_pieces.ins.sums)
    assert in_pieces.count() == at_once.count()


def test_sets_inside_sets_may_be_too_many_to_list(monkeypatch):
    inputs, outputs = dense_case(Random(41), 6)
    listed = planned(inputs, outputs)
    monkeypatch.setattr(plan, "_MOST_INSIDE", 5)
    assert planned(inputs, outputs).below.first.size == 0
    assert planned(inputs, outputs).count() == listed.count()


# Sets.


@given(st.lists(st.integers(0, 6), max_size=9))
def test_amounts_keep_every_position_once(values):
    side = amounts_of(values)
    assert list(side.values) == sorted({each for each in values if each}, reverse=True)
    for value, positions in zip(side.values, side.positions, strict=True):
        assert list(positions) == [place for place, each in enumerate(values) if each == value]
    assert (side.number, side.total_sat) == (sum(map(bool, values)), sum(values))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=7))
def test_every_set_that_differs_is_made_once(values):
    side = amounts_of(values)
    sets = sets_of(side)
    wanted = set(product(*(range(count + 1) for count in side.counts)))
    assert [tuple(row) for row in sets.digits.tolist()] == sorted(wanted, key=lambda each: each[::-1])
    assert len(sets.sums) == side.subsets == len(wanted)
    for code, (digits, total) in enumerate(zip(sets.digits.tolist(), sets.sums.tolist(), strict=True)):
        assert total == sum(number * value for number, value in zip(digits, side.values, strict=True))
        assert code == int(np.dot(digits, sets.stride))


def test_too_many_sets_are_named():
    assert too_many(amounts_of(range(1, 21)), amounts_of([5] * 1_000)) == ""
    assert f"{MOST_SETS:,}" in too_many(amounts_of(range(1, 22)), amounts_of([5]))


# Residues.


@given(st.integers(0, 10**60))
def test_a_number_comes_back_from_its_residues(number):
    primes = primes_for(200)
    assert whole([number % prime for prime in primes], primes) == number


def test_primes_are_primes_below_two_to_the_31():
    primes = primes_for(900)
    assert len(set(primes)) == len(primes) <= number_of_primes(900)
    assert np.log2(np.array(primes, float)).sum() > 900
    for prime in primes:
        assert prime < 1 << 31
        # Fermat's test with five bases; none of the liars of all five lies so close below 2^31.
        assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7, 11))


def test_inverses_and_factorials():
    primes = primes_for(60)
    table = inverses(30, primes)
    for n in range(1, 31):
        assert [n * each % prime for each, prime in zip(table[n].tolist(), primes, strict=True)] == [1] * len(primes)
    assert factorials_modulo([3, 5, 1], primes) == [720] * len(primes)


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 5), (4, 4), (5, 3), (3, 7)])
def test_the_bound_is_reached_if_the_fee_pays_for_everything(inputs, outputs):
    """Then every way to give outputs to groups is an interpretation."""
    most = plain.count([100 * outputs] * inputs, [1] * outputs).interpretations
    assert bits_at_most(inputs, outputs) == pytest.approx(np.log2(most))


def test_the_bound_of_large_transactions_lies_above_the_exact_one():
    assert bits_at_most(300, 301) >= bits_at_most(300, 300)
    assert bits_at_most(301, 300) >= bits_at_most(300, 300)
