"""Amounts: text without a float, and the subsidy of every era."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.amounts import COIN, MAX_MONEY, format_btc, subsidy_sat


@pytest.mark.parametrize(
    ("value_sat", "text"),
    [
        (0, "0.00000000"),
        (1, "0.00000001"),
        (-1, "-0.00000001"),
        (50 * COIN, "50.00000000"),
        (MAX_MONEY, "21000000.00000000"),
        (-123_456_789, "-1.23456789"),
        (9_223_372_036_854_277_039, "92233720368.54277039"),  # mainnet block 74638
    ],
)
def test_format_btc(value_sat, text):
    assert format_btc(value_sat) == text


@given(st.integers(min_value=-(1 << 70), max_value=1 << 70))
def test_format_btc_loses_nothing(value_sat):
    text = format_btc(value_sat)
    assert len(text.partition(".")[2]) == 8
    assert int(text.replace(".", "")) == value_sat == int(Decimal(text).scaleb(8))


@pytest.mark.parametrize(
    ("height", "interval", "expected"),
    [
        (0, 210_000, 50 * COIN),
        (209_999, 210_000, 50 * COIN),
        (210_000, 210_000, 25 * COIN),
        (840_000, 210_000, 312_500_000),
        (32 * 210_000, 210_000, 1),
        (33 * 210_000, 210_000, 0),
        (64 * 210_000, 210_000, 0),
        (1 << 40, 210_000, 0),
        (149, 150, 50 * COIN),
        (150, 150, 25 * COIN),
    ],
)
def test_subsidy(height, interval, expected):
    assert subsidy_sat(height, interval) == expected


def test_all_subsidies_stay_below_max_money():
    supply = sum(210_000 * subsidy_sat(era * 210_000, 210_000) for era in range(65))
    assert supply == 2_099_999_997_690_000 < MAX_MONEY
