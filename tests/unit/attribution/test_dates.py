"""Dates of statements: whatever their spelling, texts compare as the times do that Python's calendar gives."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.attribution.dates import normal_date, seconds_within

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda each: each.replace(microsecond=0))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.tuples(MOMENTS, ZONES, st.sampled_from("T ")), min_size=2, max_size=2))
def test_texts_of_times_compare_as_the_times(two):
    times = [moment.replace(tzinfo=zone) for moment, zone, _ in two]
    texts = [normal_date(time.isoformat(between)) for time, (_, _, between) in zip(times, two, strict=True)]
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (times[0] < times[1], times[0] == times[1])
    assert [datetime.fromisoformat(text) for text in texts] == times
    assert texts == [normal_date(time) for time in times]
    assert {len(text) for text in texts} == {len("2024-05-01T12:00:00Z")}


@given(st.dates(), MOMENTS)
def test_a_day_is_its_seconds(day, moment):
    assert normal_date(day.isoformat()) == normal_date(day.strftime("%Y").zfill(4) + day.strftime("%m%d"))
    assert normal_date(day) == normal_date(f"{day.year:04}-{day.month}-{day.day}") == day.isoformat()
    first, last = seconds_within(normal_date(day))
    text = normal_date(moment.replace(tzinfo=UTC))
    assert (first <= text <= last) == (moment.date() == day)
    assert seconds_within(text) == (text, text)
    # as an end that is not included, a day is its first second
    assert (day.isoformat() <= text) == (datetime(day.year, day.month, day.day) <= moment)


@pytest.mark.parametrize(
    ("said", "normal"),
    [
        ("20120601", "2012-06-01"),
        (" 2024-1-5 ", "2024-01-05"),
        ("2012-06-01T00:00:00+02:00", "2012-05-31T22:00:00Z"),
        ("2012-06-01 00:00", "2012-06-01T00:00:00Z"),
        ("2012-06-01T12:00:00.999999Z", "2012-06-01T12:00:00Z"),
        ("0001-01-01", "0001-01-01"),
        (date(2024, 1, 5), "2024-01-05"),
    ],
)
def test_every_spelling_has_one(said, normal):
    assert normal_date(said) == normal
    assert normal_date(normal) == normal


@pytest.mark.parametrize(
    "said",
    [
        "", "tomorrow", "2024", "2024-13-01", "2024-02-30", "2024-02-30T00:00:00Z", "0000-01-01", "10000-01-01",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01", "2024-01-01T25:00:00Z", "1704067200", "2024-01-01\0",
        "\u0662\u0660\u0662\u0664-01-01",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(said):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        normal_date(said)
