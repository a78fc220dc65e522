"""Totals of many amounts at once are, to the minor unit, the sum of each amount at its own time."""

from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from cointrail.service.prices import series
from cointrail.service.prices.beside import Beside, beside
from cointrail.service.prices.imports import import_prices
from cointrail.service.worth import FiatChoice

DAY, BEGIN = 86_400, 1_388_534_400
TIMES = np.sort(np.random.default_rng(7).integers(BEGIN - 3 * DAY, BEGIN + 70 * DAY, 900)).astype(np.uint32)


def reader_of(times):
    return SimpleNamespace(column=lambda table, name: {("block", "time"): times}[table, name])


@pytest.fixture
def prices(where, tmp_path):
    """Three overlapping imports of one source, each with gaps, and one whose amounts in money exceed 64 bits."""
    random = Random(5)
    for name, first, last in (("a", 0, 60), ("b", 20, 40), ("c", 35, 65)):
        rows = [
            f"{BEGIN + DAY * day},{random.randrange(1, 10**6)}.{random.randrange(10**8):08d}"
            for day in range(first, last)
            if random.random() > 0.2 or day in (first, last - 1)
        ]
        (tmp_path / name).write_text("\n".join(["unix,close", *rows]))
        import_prices(where, tmp_path / name, currency="USD", source="S", step=DAY)
    rows = [f"{BEGIN + 3_600 * hour},{random.randrange(1, 9 * 10**10)}" for hour in range(24 * 65) if hour % 7]
    (tmp_path / "d").write_text("\n".join(["unix,close", *rows]))
    import_prices(where, tmp_path / "d", currency="IRR", source="S")
    return where


def amounts(random, kind):
    if kind == "real":
        return random.choice((0, 1, random.randrange(10**4), random.randrange(21 * 10**14)))
    if kind == "negative":
        return random.randrange(-(10**12), 10**12)
    return random.randrange(-(2**57), 2**57)  # beyond all bitcoin


def slow(worth, values, heights):
    return worth.total((value, worth.at(value, height)) for value, height in zip(values, heights, strict=True))


@pytest.mark.parametrize("kind", ["real", "negative", "huge"])
@pytest.mark.parametrize("currency", ["USD", "IRR"])
def test_totals_are_sums_of_each_at_its_own_time(prices, currency, kind):
    random, some, beyond = Random(f"{currency} {kind}"), 0, 0
    for count in (0, 1, 2, 5, 30, 60):
        for _ in range(4):
            values = [amounts(random, kind) for _ in range(count)]
            heights = [random.randrange(len(TIMES)) for _ in range(count)]
            groups = random.randrange(1, 5)
            group = [random.randrange(groups) for _ in range(count)]
            # Fresh, so that nothing was looked up before: few amounts are looked up, for many the series is read.
            with beside(reader_of(TIMES), FiatChoice(currency, prices)) as worth:
                columns = (np.array(each, np.int64) for each in (values, heights, group))
                found = worth.totals_at(*columns, groups)
                whole = worth.total_at(np.array(values, np.int64), np.array(heights, np.int64))
                assert whole == slow(worth, values, heights)
                for number, total in enumerate(found):
                    rows = [row for row in range(count) if group[row] == number]
                    assert total == slow(worth, [values[row] for row in rows], [heights[row] for row in rows])
            some += 0 < whole.missing < whole.amounts
            beyond += whole.minor is not None and abs(whole.minor) >= 2**63
    assert some > 5
    assert (beyond > 0) == (currency == "IRR" and kind != "negative")


def test_prices_that_are_looked_up_are_those_that_are_read(prices, monkeypatch):
    """Whether a series is read or asked step by step is a question of time only."""
    random = Random(9)
    values = np.array([random.randrange(21 * 10**14) for _ in range(400)], np.int64)
    heights = np.array([random.randrange(len(TIMES)) for _ in range(400)], np.int64)
    found = []
    for rows in (0, 10**9):
        monkeypatch.setattr(series, "_ROWS_A_LOOKUP", rows)
        for currency in ("USD", "IRR"):
            with beside(reader_of(TIMES), FiatChoice(currency, prices)) as worth:
                found.append(worth.total_at(values, heights))
                assert bool(worth._table._loaded) == (rows > 0)
    assert found[:2] == found[2:]
    assert all(0 < each.missing < each.amounts for each in found)


def test_without_a_choice_there_are_no_totals():
    nothing = Beside(reader_of(TIMES))
    none = np.empty(0, np.int64)
    assert nothing.total_at(none, none) is None
    assert nothing.totals_at(none, none, none, 3) == [None, None, None]


def test_a_group_without_amounts_is_worth_nothing(prices):
    with beside(reader_of(TIMES), FiatChoice("USD", prices)) as worth:
        first, last = worth.totals_at(np.array([0, 7]), np.array([3, 0]), np.array([0, 1]), 2)
    assert (first.minor, first.amounts) == (0, 0)
    assert (last.minor, last.amounts, last.missing, last.missing_sat) == (None, 1, 1, 7), "before the first price"
