"""The wide RIPEMD-160 kernel against its authors' vectors, the plain reference and OpenSSL where it has the hash."""

import hashlib
from random import Random

import numpy as np
import pytest
from effort import PLAIN, amount, examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.hashes import ripemd160
from cointrail.kernels.ripemd160 import hash_messages

# https://homes.esat.kuleuven.be/~bosselae/ripemd160.html
PUBLISHED = {
    b"": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    b"a": "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    b"abc": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    b"message digest": "5d0689ef49d2fae572b881b123a85ffa21595f36",
    b"abcdefghijklmnopqrstuvwxyz": "f71c27109c692c1b56bbdceb5b9d2865b3708dbc",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "b0e20b6e3116640286ed3a87a5713079b21f5189",
    b"1234567890" * 8: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
}
MILLION = "52783243c1697bdbe16d37f97f68f08325dc1528"


def hashes(messages: list[bytes]) -> list[bytes]:
    """Hash messages that lie one after another, into rows between guards."""
    buffer = np.frombuffer(bytearray(b"".join(messages)), np.uint8)
    lengths = np.array([len(message) for message in messages], np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))[: len(messages)].astype(np.int64)
    digests = np.full((len(messages) + 2, 20), 0xEE, np.uint8)
    hash_messages(buffer, starts, lengths, digests[1:-1])
    assert (digests[[0, -1]] == 0xEE).all(), "wrote outside the digests"
    return [bytes(row) for row in digests[1:-1]]


def test_the_vectors_of_the_authors():
    assert [digest.hex() for digest in hashes(list(PUBLISHED))] == list(PUBLISHED.values())


@pytest.mark.skipif(PLAIN, reason="a megabyte takes minutes in plain Python")
def test_a_million_times_a_beside_short_messages():
    assert [digest.hex() for digest in hashes([b"abc", b"a" * 1_000_000, b""])] == [
        PUBLISHED[b"abc"],
        MILLION,
        PUBLISHED[b""],
    ]


def test_every_length_up_to_200_and_every_number_of_messages():
    random = Random("ripemd160")
    messages = [random.randbytes(length) for length in range(amount(200, 70))]
    random.shuffle(messages)
    for count in (*range(amount(40, 18)), len(messages)):
        assert hashes(messages[:count]) == [ripemd160(message) for message in messages[:count]]


@pytest.mark.skipif("ripemd160" not in hashlib.algorithms_available, reason="OpenSSL has no RIPEMD-160 here")
def test_what_openssl_says():
    messages = [Random(f"openssl {number}").randbytes(number) for number in range(150)]
    assert hashes(messages) == [
        hashlib.new("ripemd160", message, usedforsecurity=False).digest() for message in messages
    ]


@examples(200, plain=5)
@given(st.lists(st.binary(max_size=150), max_size=40))
def test_any_messages(messages):
    assert hashes(messages) == [ripemd160(message) for message in messages]
