"""Amounts as people write them, and foreign words that can do no harm."""

import unicodedata
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cointrail.reports.wording import btc, counted, foreign, listed, plain, readable, short

ISOLATES = ("\u2068", "\u2069")


@given(st.integers(-21 * 10**14, 21 * 10**14))
def test_an_amount_is_exact(sat):
    text = btc(sat)
    assert Decimal(text.removesuffix(" BTC").replace(",", "")) * 10**8 == sat
    assert not ("." in text and text.removesuffix(" BTC").endswith("0"))


def test_amounts_by_example():
    assert [btc(each) for each in (0, 1, 150_000_000, 123_456_789_000_000_00)] == [
        "0 BTC", "0.00000001 BTC", "1.5 BTC", "123,456,789 BTC",
    ]  # fmt: skip
    assert [counted(number, "output") for number in (0, 1, 1_000)] == ["0 outputs", "1 output", "1,000 outputs"]
    assert short("ab" * 32) == "abababab…abab"
    assert short("1A1zP1eP5QGe") == "1A1zP1eP5QGe"
    assert listed(map(str, range(9)), 3) == "0, 1, 2, 6 more"


@given(st.text())
def test_nothing_unseen_is_left(text):
    shown = plain(text)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
    assert plain(shown) == shown
    for each in foreign(text):
        assert each in ISOLATES or unicodedata.category(each)[0] != "C"
    assert readable(foreign(text)) == foreign(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=150))
def test_what_can_be_seen_stays(text):
    assert plain(text) == readable(text) == foreign(text) == text


def test_foreign_words_turn_nothing_around():
    assert foreign("\u05d0\u05d1 15") == "\u2068\u05d0\u05d1 15\u2069"
    assert plain("a\u202eb\x00c\u2068\ud800") == "a<U+202E>b<U+0000>c<U+2068><U+D800>"
    assert len(foreign("x" * 10_000)) == 200
