"""Clopper-Pearson bounds against the published figures of METHODS.md 10.5 and the binomial they are defined by."""

from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.simulation.score.intervals import clopper_pearson, upper_bound

# METHODS.md 10.5: with k errors, so many checks are needed for a one-sided 95 % bound of 1, 0.5 and 0.1 %.
NEEDED = {0: (299, 598, 2_995), 1: (473, 947, 4_742), 2: (628, 1_258, 6_294), 3: (773, 1_549, 7_752)}


@pytest.mark.parametrize("errors", sorted(NEEDED))
def test_published_numbers_of_checks_are_exactly_enough(errors):
    for bound, checks in zip((0.01, 0.005, 0.001), NEEDED[errors], strict=True):
        assert upper_bound(errors, checks) <= bound
        assert upper_bound(errors, checks - 1) > bound


@given(st.integers(1, 60), st.data())
def test_bounds_leave_exactly_the_tails(checks, data):
    errors = data.draw(st.integers(0, checks))
    low, high = clopper_pearson(errors, checks)

    def at_least(rate, count):
        return sum(comb(checks, k) * rate**k * (1 - rate) ** (checks - k) for k in range(count, checks + 1))

    assert 0 <= low <= errors / checks <= high <= 1
    if errors:
        assert isclose(at_least(low, errors), 0.025, rel_tol=1e-9)
    if errors < checks:
        assert isclose(1 - at_least(high, errors + 1), 0.025, rel_tol=1e-9)


def test_nothing_checked_proves_nothing():
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_large_counts_do_not_overflow():
    low, high = clopper_pearson(5_000, 10**9)
    assert low < 5e-6 < high
    assert high - low < 1e-6
