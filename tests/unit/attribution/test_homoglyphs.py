"""Disguised names: what nobody sees is refused, what looks like something else is said, honest names pass."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import load_json

from cointrail.attribution.homoglyphs import doubt, forbidden, skeleton

HONEST = [
    "Binance",
    "Zürich Exchange",
    "Việt BTC",
    "Яндекс Money",
    "七彩神仙鱼",
    "🐵🚀",
    "ビットコイン Bank",
    "مبادلة",
    "a-b_c.d!",
]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_passes(name):
    assert forbidden(name) is None
    assert doubt(name) is None


def test_the_names_of_real_pools_pass():
    for pool in load_json("tags/mining-pools-v2.json"):
        for text in (pool["name"], *pool["tags"]):
            assert forbidden(text) is None, text
            assert doubt(text) is None, text


def test_every_control_bidi_and_zero_width_character_is_refused():
    """Unicode's own properties say which: everything of the categories C (but unassigned) and Zl, Zp."""
    for number in range(0x110000):
        character = chr(number)
        category = unicodedata.category(character)
        if (category[0] == "C" and category != "Cn") or category in ("Zl", "Zp"):
            assert f"U+{number:04X}" in (forbidden(f"Bi{character}nance") or ""), hex(number)


@pytest.mark.parametrize("code", [0x202E, 0x2066, 0x200B, 0x200D, 0xFEFF, 0xAD, 0x3164, 0x2800, 0xE0041, 0])
def test_the_place_of_the_character_is_named(code):
    reason = forbidden(f"ab{chr(code)}c")
    assert reason is not None
    assert "position 3" in reason
    assert chr(code) not in reason


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("Bin\u0430nce", "Binance"),
        ("\u0392itstamp", "Bitstamp"),
        ("\u0440\u0430\u0443", "pay"),
        ("\uff22inance", "Binance"),
        ("\ufb01nex", "finex"),
        ("K\u0336\u0332\u0330raken", "Kraken"),
        ("\u041a\u0421", "KC"),
        ("\u0585kc\u0585in", "okcoin"),
    ],
)
def test_a_disguise_is_doubted_and_looks_like_what_it_imitates(name, like):
    assert doubt(name)
    assert doubt(like) is None
    assert skeleton(name) == skeleton(like)


@pytest.mark.parametrize(
    ("one", "other"), [("Bitfinex", "BItfinex"), ("mining", "rnining"), ("Coin0", "CoinO"), ("B inance", "Binance")]
)
def test_plain_letters_imitate_letters_too(one, other):
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Bitstamp", "Bitfinex"), ("Kraken", "Karken"), ("七彩", "七"), ("Poloniex", "Polonia")]
)
def test_different_names_stay_different(one, other):
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=30))
def test_any_text_has_an_answer(name):
    assert skeleton(skeleton(name)) == skeleton(name)
    if forbidden(name):
        assert doubt(name)
    for reason in (forbidden(name), doubt(name)):
        assert reason is None or reason.isascii()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_ascii_is_never_doubted(name):
    assert forbidden(name) is None
    assert doubt(name) is None
