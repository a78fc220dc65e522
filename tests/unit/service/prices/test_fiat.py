"""Amounts in money: exact, by the day's close, with rule and source; a gap gives no value."""

import csv
from datetime import UTC, datetime
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from vectors import shared_data

from cointrail.database import Database
from cointrail.errors import InputRefused, NotFound, Unavailable, UsageError
from cointrail.service.prices.fiat import format_minor
from cointrail.service.prices.imports import import_prices, list_prices, price_at
from cointrail.service.prices.series import choose


def written(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def half_even(exact):
    return round(exact)  # of a Fraction: to the even neighbour


def test_real_closes_value_amounts_at_any_time_of_their_day(where):
    path = shared_data() / "prices" / "btc-usd-daily-2010-2025.csv"
    import_prices(where, path, currency="USD", source="a package")
    with path.open(encoding="utf-8", newline="") as lines:
        closes = {row["time"]: round(Fraction(row["btc_close"]) * 10**8) for row in csv.DictReader(lines)}
    random = Random(7)
    low, high = 1_278_979_200, 1_746_057_600  # from before the first day until after the last
    times = [random.randrange(low, high) for _ in range(3_000)]
    values = [random.randrange(-(10**13), 10**13) for _ in times]
    expected = []
    for value, time in zip(values, times, strict=True):
        close = closes.get(datetime.fromtimestamp(time, UTC).date().isoformat())
        expected.append(None if close is None else half_even(Fraction(value * close, 10**14)))
    assert None in expected
    with Database(where) as database:
        table = choose(database, "USD")
        many = table.many(values, times)
        assert list(many) == expected
        assert many.gaps == expected.count(None)
        assert many.total_minor == sum(each for each in expected if each is not None)
        for value, time, minor, begin in zip(values[:200], times, expected, many.price_times.tolist(), strict=False):
            one = table.at(value, time)
            assert one.minor == minor
            assert (one.gap is None) is (minor is not None)
            day = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
            assert one.price_time_utc == (None if minor is None else f"{day}T00:00:00Z")
            assert begin == (-1 if minor is None else time // 86_400 * 86_400)
            assert (one.rule, one.source, one.basis) == ("price.daily_close/1", "a package", "assertion")


def test_a_gap_has_no_value_and_says_so(where, tmp_path):
    path = written(tmp_path, "p.csv", "date,close", "2024-01-01,100", "2024-01-03,300")
    import_prices(where, path, currency="EUR", source="S")
    answer = price_at(where, "2024-01-02T12:00:00Z", currency="EUR")
    assert (answer.fiat.minor, answer.fiat.price_time_utc) == (None, None)
    assert answer.fiat.gap == "no price is known for the UTC day 2024-01-02"
    assert [price_at(where, day, currency="EUR").fiat.minor for day in ("2024-01-01", "2024-01-03")] == [10_000, 30_000]
    (series,) = list_prices(where).series
    assert (series.missing, series.gap_count) == (1, 1)
    assert (series.gaps[0].first_utc, series.gaps[0].last_utc) == ("2024-01-02T00:00:00Z", "2024-01-02T00:00:00Z")


def test_finer_prices_hold_for_one_step(where, tmp_path):
    path = written(tmp_path, "p.csv", "unix,close", *(f"{1_704_067_200 + 3_600 * n},{n + 1}" for n in (0, 1, 2, 4)))
    import_prices(where, path, currency="JPY", source="S")

    def worth(text):
        return price_at(where, text, currency="JPY").fiat

    assert [worth(f"2024-01-01T0{hour}:59:59Z").minor for hour in range(5)] == [1, 2, 3, None, 5]
    assert worth("2024-01-01T02:30:00Z").rule == "price.last_before/1"
    assert worth("2024-01-01T03:00:00Z").gap == "no price is known in the 3,600 s up to 2024-01-01T03:00:00Z"
    assert worth("2023-12-31T23:59:59Z").minor is None
    assert worth("1704070800").price_time_utc == "2024-01-01T01:00:00Z"


def test_the_named_source_or_the_newest_import_answers_and_says_which(where, tmp_path):
    for source, close in (("A", 1), ("B", 2)):
        path = written(tmp_path, f"{source}.csv", "date,close", f"2024-01-01,{close}")
        import_prices(where, path, currency="USD", source=source)
    newest = price_at(where, "2024-01-01", currency="USD")
    assert (newest.fiat.source, newest.fiat.minor, newest.prices.chosen) == ("B", 200, "newest of 2 sources")
    named = price_at(where, "2024-01-01", currency="USD", source="A")
    assert (named.fiat.source, named.fiat.minor, named.prices.chosen) == ("A", 100, "named")
    assert [(each.source, each.used_by_default) for each in list_prices(where).series] == [("B", True), ("A", False)]
    with pytest.raises(NotFound, match="no prices in USD by 'C'") as refused:
        price_at(where, "2024-01-01", currency="USD", source="C")
    assert "USD by A; USD by B" in refused.value.hint
    with pytest.raises(NotFound, match="no prices in EUR"):
        price_at(where, "2024-01-01", currency="EUR")


def test_files_of_one_source_follow_and_correct_one_another(where, tmp_path):
    old = written(tmp_path, "2023.csv", "date,close", "2023-12-30,1", "2023-12-31,2")
    new = written(tmp_path, "2024.csv", "date,close", "2023-12-31,20", "2024-01-01,30")
    for path in (old, new):
        import_prices(where, path, currency="USD", source="S")
    answers = [price_at(where, day, currency="USD") for day in ("2023-12-30", "2023-12-31", "2024-01-01")]
    assert [answer.fiat.minor for answer in answers] == [100, 2_000, 3_000]
    assert answers[0].fiat.series != answers[1].fiat.series == answers[2].fiat.series
    assert [each.file_name for each in answers[0].prices.imports] == ["2024.csv", "2023.csv"]
    with Database(where) as database:
        times = [1_703_894_400 + 86_400 * day for day in range(-1, 4)]
        many = choose(database, "USD").many(np.full(5, 10**8), times)
        assert list(many) == [None, 100, 2_000, 3_000, None]


def test_importing_again_changes_nothing(where, tmp_path):
    path = written(tmp_path, "p.csv", "date,close", "2024-01-01,1")
    first = import_prices(where, path, currency="USD", source="S", by="me")
    before = list_prices(where)
    second = import_prices(where, path, currency="USD", source="S", by="you")
    assert (first.series[0].new, second.series[0].new) == (True, False)
    assert list_prices(where) == before
    # The same prices of somebody else are another statement.
    assert import_prices(where, path, currency="USD", source="T").series[0].new


def test_a_refused_file_leaves_nothing(where, tmp_path):
    good = "2024-01-01,USD,1,A", "2024-01-01,EUR,1,A"
    path = written(tmp_path, "p.csv", "date,currency,close,source", *good, "2024-01-02,USD,-1,A")
    with pytest.raises(InputRefused, match="line 4"):
        import_prices(where, path)
    try:
        assert list_prices(where).series == ()
    except Unavailable:
        assert "sqlite" in where  # no file was even made


@pytest.mark.parametrize("time", ["", "now", "1e9", "12", "2024-02-30", "-1", "9" * 40, "\0", "1999-01-01"])
def test_what_is_no_time_is_refused(where, tmp_path, time):
    import_prices(where, written(tmp_path, "p.csv", "date,close", "2024-01-01,1"), currency="USD", source="S")
    with pytest.raises(InputRefused):
        price_at(where, time, currency="USD")


def test_an_amount_beyond_64_bits_is_refused(where, tmp_path):
    import_prices(where, written(tmp_path, "p.csv", "date,close", "2024-01-01,1"), currency="USD", source="S")
    with pytest.raises(UsageError):
        price_at(where, "2024-01-01", currency="USD", value_sat=1 << 70)


def test_minor_units_are_written_as_people_read_them():
    written_as = {
        (0, 2): "0.00",
        (-1, 2): "-0.01",
        (123_456_789, 2): "1,234,567.89",
        (5, 0): "5",
        (-1_234, 3): "-1.234",
    }
    assert {key: format_minor(*key) for key in written_as} == written_as
