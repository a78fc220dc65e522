"""Hashes: published digests, the fallback against OpenSSL, and the two spellings of an identifier."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin import hashes
from cointrail.errors import InputRefused

# From the authors' page of RIPEMD-160 (Dobbertin, Bosselaers, Preneel).
RIPEMD160_DIGESTS = {
    b"": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    b"a": "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    b"abc": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    b"message digest": "5d0689ef49d2fae572b881b123a85ffa21595f36",
    b"abcdefghijklmnopqrstuvwxyz": "f71c27109c692c1b56bbdceb5b9d2865b3708dbc",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
    b"1234567890" * 8: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
}


@pytest.mark.parametrize("data", RIPEMD160_DIGESTS)
def test_ripemd160_gives_the_published_digests(data):
    assert hashes.ripemd160(data).hex() == RIPEMD160_DIGESTS[data]


@given(st.binary(max_size=300))
def test_ripemd160_agrees_with_openssl_where_it_has_it(data):
    try:
        expected = hashlib.new("ripemd160", data).digest()
    except ValueError:
        pytest.skip("this OpenSSL has no RIPEMD-160")
    assert hashes.ripemd160(data) == expected


def test_hash160_does_not_need_openssl(monkeypatch):
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    expected = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
    assert hashes.hash160(key) == expected

    def missing(*_arguments, **_options):
        raise ValueError("unsupported hash type ripemd160")

    monkeypatch.setattr(hashlib, "new", missing)
    assert hashes.hash160(key) == expected


def test_script_hash_is_not_reversed():
    assert hashes.script_hash(b"abc").hex().startswith("ba7816bf8f01cfea")


@given(st.binary(min_size=32, max_size=32))
def test_parse_hash_undoes_display(identifier):
    assert hashes.parse_hash(hashes.display(identifier)) == identifier
    assert hashes.parse_hash(hashes.display(identifier).upper()) == identifier


@pytest.mark.parametrize(
    "text",
    ["", "00" * 31, "00" * 33, "0x" + "00" * 31, " " + "0" * 63, "0" * 64 + "\n", "g" * 64, "\u0660" * 64, "0_" * 32],
)
def test_parse_hash_refuses_anything_else(text):
    with pytest.raises(InputRefused, match="64 hex digits are needed"):
        hashes.parse_hash(text)


def test_a_refusal_does_not_repeat_a_long_text():
    with pytest.raises(InputRefused, match="text of 100000 characters"):
        hashes.parse_hash("0" * 100_000)
