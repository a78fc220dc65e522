"""Files of prices: what is read is exact, what is none is refused with its line, the step is what the rows say."""

import csv
import hashlib
import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import shared_data

from cointrail.errors import InputRefused, Unavailable, UsageError
from cointrail.ingest.prices import store
from cointrail.ingest.prices.rule import minor_units, minor_units_of_many
from cointrail.ingest.prices.table import read_prices

REAL = "prices/btc-usd-daily-2010-2025.csv"


def seconds(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture
def written(tmp_path):
    def write(text, name="prices.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def read(path, **options):
    return read_prices(path, **({"currency": "USD", "source": "S"} | options))


# What is read.


def test_real_closes_are_read_to_the_eighth_decimal():
    path = shared_data() / REAL
    file = read(path)
    (series,) = file.series
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    closes = [Decimal(row["btc_close"]) for row in rows]
    exact = [int((each * 10**8).quantize(Decimal(1), ROUND_HALF_EVEN)) for each in closes]
    assert series.prices_e8.tolist() == exact
    assert series.times.tolist() == [seconds(row["time"]) for row in rows]
    assert (series.step, series.gaps()) == (86_400, ())
    assert file.rounded == sum(each * 10**8 % 1 != 0 for each in closes) > 0
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "date,close\n2024-01-01,7.5\n2024-01-02,8\n",
        "\ufeffdate;close\r\n2024-01-02;8\r\n\r\n2024-01-01;7.50\r\n",
        "close\tTime\n8.0\t2024-01-02T23:59:59Z\n7.5\t2024-01-01 23:59:59\n",
        'timestamp,open,close\n"2024-01-01T05:00:00+05:00",1,"7.5"\n2024-01-02 00:00:00 UTC,2,8\n',
        "unix,price\n1704067200,7.5\n1704153600,8\n",
        "unix_ms,close_minor\n1704067200999,750\n1704153600000,800\n",
    ],
)
def test_forms_of_one_table_are_one_series(written, text):
    (series,) = read(written(text)).series
    assert series.times.tolist() == [seconds("2024-01-01"), seconds("2024-01-02")]
    assert series.prices_e8.tolist() == [750_000_000, 800_000_000]
    assert series.step == 86_400


def test_columns_are_mapped_and_other_names_left_alone(written):
    path = written("date,t,close,last\nx,1704067200,x,3\ny,1704070800,y,4\n")
    file = read(path, columns={"unix": "T", "close": "last"})
    assert file.columns == {"unix": "t", "close": "last"}
    assert file.series[0].step == 3_600
    with pytest.raises(InputRefused, match="no column 'lost'") as refused:
        read(path, columns={"close": "lost"})
    assert "'last'" in refused.value.hint
    with pytest.raises(UsageError, match="cannot be 'tme'"):
        read(path, columns={"tme": "t"})
    with pytest.raises(InputRefused, match="several columns of the time"):
        read(written("date,unix,close\n2024-01-01,1,2\n"))
    with pytest.raises(InputRefused, match="both be close"):
        read(written("date,close,Price\n2024-01-01,1,2\n"))
    with pytest.raises(InputRefused, match="no column gives the close"):
        read(written("date,open\n2024-01-01,1\n"))


def test_several_currencies_and_sources_of_one_file(written):
    path = written(
        "date,currency,close_minor,source\n2024-01-01,USD,4200000,A\n2024-01-01,EUR,3900000,A\n"
        "2024-01-02,JPY,6000000,B\n2024-01-02,USD,4300000,A\n2024-01-03,KWD,123456,B\n"
    )
    file = read_prices(path)
    found = {(each.currency, each.source): each.prices_e8.tolist() for each in file.series}
    assert found == {
        ("EUR", "A"): [39_000 * 10**8],
        ("JPY", "B"): [6_000_000 * 10**8],  # a yen has no smaller unit
        ("KWD", "B"): [12_345_600_000],  # a dinar has a thousand
        ("USD", "A"): [42_000 * 10**8, 43_000 * 10**8],
    }
    only = read_prices(path, currency="USD")
    assert ([each.currency for each in only.series], only.left_out) == (["USD"], 3)
    with pytest.raises(InputRefused, match="no price in CHF"):
        read_prices(path, currency="CHF")
    with pytest.raises(UsageError, match="whose prices"):
        read_prices(path, source="C")


def test_currency_and_source_are_mandatory(written):
    path = written("date,close\n2024-01-01,1\n")
    with pytest.raises(UsageError, match="currency"):
        read_prices(path, source="S")
    with pytest.raises(UsageError, match="whose"):
        read_prices(path, currency="USD")
    for source in ("", " ", "a\nb", "x" * 501, "\x1b[31m"):
        with pytest.raises(InputRefused, match="source"):
            read(path, source=source)


# What is refused.

AT_LINE_3 = [
    *((f"2024-01-02,{price}", "is no price") for price in (
        "1e309", "1e3",
        "nan", "NaN", "inf", "-inf", "-1", "+1", "0", "0.00", "0.000000001", "", "0x10", "1_000", "1.2.3",
        ".5", "5.", "$5", "5 USD", "٣", "²", "1'000", "1 000", "9" * 18, "9" * 19, "92233720368.54775808", "--", "1/2",
    )),
    *((f"{day},1", "is no date or time") for day in (
        "2024-02-30", "2023-02-29", "2024-13-01", "2024-1-2", "02.01.2024", "01/02/2024", "1704153600", "", "today",
        "2024-01-02T24:01:00Z", "2024-01-02T23:59:60Z", "2024-W01-1", "\uff12024-01-02", "2024-01-02T10:00:00+99:00",
    )),
    ("1999-01-01,1", "outside the years 2009"), ("9999-01-01,1", "outside the years 2009"),
    ("0001-01-01T00:00:00+10:00,1", "no date or time|outside"),
    ("2024-01-02,1,234.50", "has 3 cell"), ("2024-01-02", "has 1 cell"), ('2024-01-02,"1', "is no CSV"),
    ("2024-01-02,1\0", "holds NUL"), ("2024-01-02," + "1" * 10_000_000, "longer than"),
    ('2024-01-02,"' + "1\n" * 200_000, "is no CSV|longer"), ("2024-01-01,1", "gives 2024-01-01 again in USD: line 2"),
    ("2024-01-01,2", "a second price in USD: line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "says"), AT_LINE_3, ids=lambda text: ascii(text[:30]))
def test_what_is_no_price_is_refused_with_its_line(written, row, says):
    path = written(f"date,close\n2024-01-01,1\n{row}\n2024-01-05,2\n")
    with pytest.raises(InputRefused, match=says) as refused:
        read(path)
    text = str(refused.value)
    assert "line 3" in text or "CSV" in text
    assert len(text) < 600
    assert text.isprintable()


@pytest.mark.parametrize("currency", ["usd", "USDT", "US", "", "EURO", "XXX", "ÜSD", "U" * 1_000_000])
def test_a_wrong_currency_is_refused(written, currency):
    path = written("date,close\n2024-01-01,1\n")
    with pytest.raises(InputRefused, match="no currency of ISO 4217"):
        read(path, currency=currency)
    if "\n" not in currency and len(currency) < 1_000:
        path = written(f"date,close,currency\n2024-01-01,1,USD\n2024-01-02,1,{currency}\n")
        with pytest.raises(InputRefused, match=r"line 3 of .*no currency"):
            read_prices(path, source="S")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"date,close\n", "holds no price"),
        (b"date,close\n2024-01-01,1\n2024-01-02,caf\xe9\n", "line 3 of .* is not UTF-8"),
        (b"\x00" * 100, "NUL"),
        (b"PK\x03\x04" + bytes(range(256)) * 40, "NUL|UTF-8|CSV|longer"),
        (b"{" * 100_000, "longer than"),
        (b"date,close\r2024-01-01,1\r", "CSV|column"),
    ],
)
def test_what_is_no_table_is_refused(written, content, says):
    with pytest.raises(InputRefused, match=says):
        read(written(content))


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises((InputRefused, Unavailable)):
            read(path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"date,close\n{text}".encode()))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        file = read(path)
    except (InputRefused, UsageError):
        return
    assert all((each.prices_e8 > 0).all() and (np.diff(each.times) > 0).all() for each in file.series)


# Steps and gaps.


@given(
    st.sampled_from((60, 300, 3_600, 14_400)),
    st.sets(st.integers(1, 399), max_size=60),
    st.randoms(use_true_random=False),
)
def test_steps_and_gaps_are_those_of_the_rows_in_any_order(tmp_path_factory, step, missing, order):
    begin = seconds("2024-02-28T00:00:00")
    places = [place for place in range(401) if place not in missing]
    rows = [(begin + place * step, place + 1) for place in places]
    order.shuffle(rows)
    path = tmp_path_factory.getbasetemp() / "steps.csv"
    path.write_text("unix,close\n" + "".join(f"{time},{price}\n" for time, price in rows))
    (series,) = read(path).series
    assert series.step == step
    assert series.times.tolist() == [begin + place * step for place in places]
    named = {time for gap in series.gaps() for time in range(gap.first, gap.last + 1, step)}
    assert named == {begin + place * step for place in missing}
    assert sum(gap.steps for gap in series.gaps()) == len(missing)
    # A time is answered by its step and by no other.
    times = np.array([begin + (place * step) + offset for place in range(401) for offset in (0, step - 1)], np.int64)
    prices = [0 if row < 0 else int(series.prices_e8[row]) // 10**8 for row in series.rows_at(times)]
    assert prices == [0 if place in missing else place + 1 for place in range(401) for _ in range(2)]
    assert series.rows_at(np.array([begin - 1, begin + 401 * step], np.int64)).tolist() == [-1, -1]


def test_uneven_times_and_steps_of_more_than_a_day_are_refused(written):
    with pytest.raises(InputRefused, match=r"line 4 of .*off the steps of 60 s"):
        read(
            written("unix,close\n1704067200,1\n1704067260,1\n1704067290,1\n1704067320,1\n1704067380,1\n1704067440,1\n")
        )
    with pytest.raises(InputRefused, match="apart"):
        read(written("unix,close\n1704067200,1\n1704672000,1\n"))
    with pytest.raises(InputRefused, match="one time only"):
        read(written("unix,close\n1704067200,1\n"))
    assert read(written("unix,close\n1704067200,1\n"), step=60).series[0].step == 60


# Arithmetic.


@given(st.integers(-(21 * 10**14), 21 * 10**14), st.integers(1, 2**63 - 1), st.sampled_from((0, 2, 3)))
def test_minor_units_are_rounded_half_to_even(value, price, exponent):
    with localcontext(Context(prec=80)):
        exact = Decimal(value) * Decimal(price) * 10**exponent / 10**16
        assert minor_units(value, price, exponent) == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


HALVES = st.integers(-4_000, 4_000).map(lambda each: each * 5 * 10**9)  # by a price of 10^-8 x 10^6, all ties


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(10**12), 10**12), HALVES),
            st.one_of(st.integers(0, 2**63 - 1), st.integers(1, 10**13), st.just(10**6)),
        ),
        max_size=12,
    ),
    st.sampled_from((0, 2, 3, 4)),
)
def test_many_amounts_are_rounded_as_each_alone(pairs, exponent):
    values, prices = (np.array([pair[place] for pair in pairs], np.int64) for place in (0, 1))
    found = minor_units_of_many(values, prices, exponent)
    assert found.tolist() == [minor_units(value, price, exponent) for value, price in pairs]
    assert int(found.sum()) == sum(found.tolist()), "sums do not overflow"


# The database.


def days(first, count, price=100):
    begin = date.fromisoformat(first)
    return "date,close\n" + "".join(f"{begin + timedelta(each)},{price + each}\n" for each in range(count))


def test_series_are_kept_once_and_never_changed(written, database):
    first = read(written(days("2024-01-01", 50)))
    rows = days("2024-01-01", 50).splitlines()
    random.Random(3).shuffle(rows[1:])
    again = read(written("\n".join([rows[0], *reversed(rows[1:])]), "again.csv"))
    longer = read(written(days("2024-01-01", 51)))
    ((kept, new),) = store.add(database, first, now_utc="2024-03-01T00:00:00Z", by="me")
    assert new
    assert store.add(database, again, now_utc="2024-03-02T00:00:00Z", by="you") == [(kept, False)]
    assert store.every(database) == [kept]
    ((updated, new),) = store.add(database, longer, now_utc="2024-03-03T00:00:00Z", by="me")
    assert new
    assert store.every(database) == [updated, kept]
    assert store.load(database, kept).prices_e8.tolist() == first.series[0].prices_e8.tolist()
    assert store.load(database, updated).digest == longer.series[0].digest == updated.digest
    assert json.loads(json.dumps(kept.columns)) == {"time": "date", "close": "close"}


def test_the_digest_can_be_computed_without_the_program(written):
    (series,) = read(written("date,close\n2024-01-02,8\n2024-01-01,7.5\n")).series
    lines = ["cointrail price series 1", "USD", "S", "86400", "1704067200 750000000", "1704153600 800000000", ""]
    assert series.digest == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_the_database_finds_the_same_prices_and_gaps_as_the_series(written, database):
    gone = {3, 4, 5, 11, 30}
    rows = [line for place, line in enumerate(days("2024-01-01", 40).splitlines()) if place - 1 not in gone]
    file = read(written("\n".join(rows)))
    (series,) = file.series
    ((kept, _),) = store.add(database, file, now_utc="2024-03-01T00:00:00Z", by="me")
    assert tuple(store.gaps(database, kept)) == series.gaps()
    assert kept.missing == len(gone)
    begin = int(series.times[0])
    for time in range(begin - 90_000, begin + 42 * 86_400, 21_600):
        row = int(series.rows_at(np.array([time], np.int64))[0])
        expected = None if row < 0 else (int(series.times[row]), int(series.prices_e8[row]))
        assert store.price_at(database, kept, time) == expected
