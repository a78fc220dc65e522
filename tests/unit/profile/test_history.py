"""A shortened history is a part of the whole one, keeps its ends and loses no extreme."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cointrail.profile.history import Balances

BALANCES = st.lists(st.integers(0, 21 * 10**14), min_size=0, max_size=300)


@given(balances=BALANCES, most=st.integers(1, 60))
def test_extremes_survive(balances, most):
    whole = Balances(7, np.arange(len(balances)) * 3, np.array(balances, np.int64))
    short = whole.shortened(most)
    assert len(short.height) <= max(most, 4) or len(balances) <= max(most, 4)
    assert set(zip(short.height.tolist(), short.balance.tolist(), strict=True)) <= set(
        zip(whole.height.tolist(), whole.balance.tolist(), strict=True)
    )
    assert all(one < other for one, other in pairwise(short.height.tolist()))
    assert short.closing_sat == whole.closing_sat
    assert short.opening_sat == 7
    if balances:
        assert (short.balance.min(), short.balance.max()) == (min(balances), max(balances))
        assert short.height[0] == 0


def test_a_peak_of_one_block_is_kept_wherever_it_is():
    for place in range(0, 1_000, 37):
        balance = np.full(1_000, 5)
        balance[place], balance[(place + 500) % 1_000] = 9, 1
        short = Balances(5, np.arange(1_000), balance).shortened(20)
        assert {1, 9} <= set(short.balance.tolist())
        assert len(short.height) <= 20
