"""Bech32 and Bech32m: round trips, every reason for a refusal, every single wrong character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin import bech32
from cointrail.bitcoin.bech32 import CHARSET, Encoding, WitnessAddress
from cointrail.errors import InputRefused

HRPS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(str.lower)
LATER = st.tuples(st.integers(1, 16), st.binary(min_size=2, max_size=40))
FIRST = st.tuples(st.just(0), st.one_of(st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32)))
PROGRAMS = st.one_of(FIRST, LATER)


@given(HRPS, st.lists(st.integers(0, 31), max_size=60), st.sampled_from(Encoding))
def test_values_round_trip(hrp, values, encoding):
    text = bech32.encode_values(hrp, values, encoding)
    assert bech32.decode_values(text) == (hrp, values, encoding)
    assert bech32.decode_values(text.upper()) == (hrp, values, encoding)


@given(st.sampled_from(["bc", "tb", "bcrt"]), PROGRAMS)
def test_witness_addresses_round_trip(hrp, program):
    encoding = Encoding.BECH32 if program[0] == 0 else Encoding.BECH32M
    text = bech32.encode(hrp, *program)
    assert bech32.decode(text) == WitnessAddress(hrp, *program, encoding)
    assert bech32.decode(text.upper()) == bech32.decode(text)


@given(st.sampled_from(["bc", "tb", "bcrt"]), PROGRAMS, st.data())
def test_a_single_wrong_character_is_always_refused(hrp, program, data):
    text = bech32.encode(hrp, *program)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=0, max_codepoint=0x2FF).filter(lambda c: c != text[position]))
    with pytest.raises(InputRefused):
        bech32.decode(text[:position] + other + text[position + 1 :])


@given(st.sampled_from(["bc", "tb", "bcrt"]), PROGRAMS, st.data())
def test_two_neighbours_swapped_are_always_refused(hrp, program, data):
    text = bech32.encode(hrp, *program)
    place = data.draw(st.integers(0, len(text) - 2).filter(lambda i: text[i] != text[i + 1]))
    with pytest.raises(InputRefused):
        bech32.decode(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


def test_every_single_wrong_character_of_one_address_is_refused():
    text = bech32.encode("bc", 1, bytes(range(32)))
    for position, right in enumerate(text):
        for other in (CHARSET + "1bio").replace(right, ""):
            with pytest.raises(InputRefused):
                bech32.decode(text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bc1" + "q" * 88, "bech32 text of 91 characters is longer than 90"),
        ("bc1q w508d6", r"character ' ' at position 5 cannot stand in a bech32 text"),
        ("bc1q\u0430508d6", r"character '\\u0430' at position 5 cannot stand in a bech32 text"),
        ("bc1qW508d6", "mixed case"),
        ("pzry9x0s0muk", "no separator '1'"),
        ("", "no separator '1'"),
        ("1pzry9x0s0muk", "nothing before the separator '1'"),
        ("li1dgmt3", "fewer than 6 characters after the separator '1'"),
        ("x1b4n0q5v", "character 'b' at position 3 is not in the bech32 alphabet"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bech32 checksum mismatch"),
        ("bc1gmk9yu", "no witness version after the human-readable part"),
        ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "witness version 17 is above 16"),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "checksum is bech32, witness version 1 needs",
        ),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "checksum is bech32m, witness version 0 needs bech32"),
        ("bc1pw5dgrnzv", "witness program of 1 bytes, 2 to 40 are allowed"),
        ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "witness program of 16 bytes, version 0 needs 20 or 32"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "padding of 6 bits"),
        (
            "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
            "padding after the witness program is not zero",
        ),
    ],
)
def test_every_refusal_says_why(text, reason):
    with pytest.raises(InputRefused, match=reason):
        bech32.decode(text)


@pytest.mark.parametrize(
    ("version", "program", "reason"),
    [
        (-1, bytes(20), "witness version -1 is not between 0 and 16"),
        (17, bytes(20), "witness version 17 is not between 0 and 16"),
        (0, bytes(21), "version 0 needs 20 or 32"),
        (1, bytes(1), "2 to 40 are allowed"),
        (1, bytes(41), "2 to 40 are allowed"),
    ],
)
def test_programs_that_have_no_address(version, program, reason):
    with pytest.raises(InputRefused, match=reason):
        bech32.encode("bc", version, program)


def test_no_text_longer_than_the_cap_is_written():
    with pytest.raises(InputRefused, match="bech32 text of 91 characters is longer than 90"):
        bech32.encode_values("bc", [0] * 82, Encoding.BECH32)
