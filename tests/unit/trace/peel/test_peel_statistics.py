"""Numbers about a chain: against numpy's quantiles and exact fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cointrail.trace.peel.statistics import LEAST_PEELS, constancy, quantile

AMOUNTS = st.lists(st.integers(1, 10**12), min_size=1, max_size=40)


@given(values=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60), percent=st.integers(0, 100))
def test_a_quantile_is_the_nearest_rank(values, percent):
    expected = np.percentile(np.array(values), percent, method="inverted_cdf")
    assert quantile(sorted(values), percent) == expected


@given(sums=AMOUNTS, tolerance=st.integers(0, 1_000_000))
def test_amounts_are_the_same_if_all_are_near_their_median(sums, tolerance):
    found = constancy(sums, tolerance)
    middle = int(np.percentile(np.array(sums), 50, method="inverted_cdf"))
    near = [abs(Fraction(each, middle) - 1) <= Fraction(tolerance, 10**6) for each in sums]
    assert (found.median_sat, found.within, found.steps) == (middle, sum(near), len(sums))
    assert found.constant is (all(near) if len(sums) >= LEAST_PEELS else None)


@given(value=st.integers(1, 10**12), count=st.integers(LEAST_PEELS, 30), tolerance=st.integers(0, 10**6))
def test_one_amount_is_constant_at_any_tolerance(value, count, tolerance):
    assert constancy([value] * count, tolerance).constant


def test_nothing_says_nothing():
    found = constancy([])
    assert (found.median_sat, found.steps, found.constant) == (None, 0, None)
