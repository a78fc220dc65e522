"""Base58 and Base58Check: round trips, reasons, and the cap on length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.base58 import ALPHABET, MAX_LENGTH, decode, decode_check, encode, encode_check
from cointrail.errors import InputRefused


@given(st.binary(max_size=120))
def test_base58_round_trip(data):
    assert decode(encode(data)) == data
    assert decode_check(encode_check(data)) == data


@given(st.text(ALPHABET, max_size=60))
def test_every_base58_text_is_the_text_of_its_bytes(text):
    assert encode(decode(text)) == text


@given(st.binary(min_size=21, max_size=21), st.data())
def test_a_wrong_character_breaks_the_checksum(payload, data):
    text = encode_check(payload)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET.replace(text[position], "")))
    with pytest.raises(InputRefused, match="base58 checksum mismatch"):
        decode_check(text[:position] + other + text[position + 1 :])


@pytest.mark.parametrize("character", "0OIl+/ \n\u200b\u0430\uff11")
def test_a_character_outside_the_alphabet_is_named_with_its_position(character):
    with pytest.raises(InputRefused) as caught:
        decode("abc" + character)
    assert str(caught.value) == f"character {character!a} at position 4 is not in the base58 alphabet"


@pytest.mark.parametrize("text", ["", "1", "111", "2g"])
def test_too_short_for_a_checksum(text):
    with pytest.raises(InputRefused, match="too short for a checksum"):
        decode_check(text)


def test_the_length_is_capped_before_anything_is_computed():
    decode("1" * MAX_LENGTH)
    with pytest.raises(InputRefused, match="base58 text of 10000000 characters is longer than 200"):
        decode("z" * 10_000_000)
    with pytest.raises(InputRefused, match="base58 text of 36 characters is longer than 35"):
        decode_check("1" * 36, longest=35)
