"""The wide hash kernel against hashlib: any lengths, any number of messages, single and double."""

import hashlib
from random import Random

import numpy as np
import pytest
from effort import PLAIN, amount, examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.sha256 import hash_messages

BUFFERS = st.binary(max_size=400)
FRACTIONS = st.tuples(st.floats(0, 1), st.floats(0, 1))


def hashes(messages: list[bytes], twice: bool, gap: int = 0) -> list[bytes]:
    """Hash messages that lie one after another, apart by `gap` bytes."""
    filler = b"\xa5" * gap
    buffer = filler + filler.join(messages) + filler
    lengths = np.array([len(message) for message in messages], np.int64)
    starts = gap + np.concatenate(([0], np.cumsum(lengths + gap)))[: len(messages)].astype(np.int64)
    return hash_at(buffer, starts, lengths, twice)


def hash_at(buffer: bytes, starts, lengths, twice: bool) -> list[bytes]:
    digests = np.full((len(starts) + 2, 32), 0xEE, np.uint8)
    hash_messages(np.frombuffer(bytearray(buffer), np.uint8), starts, lengths, twice, digests[1:-1])
    assert (digests[[0, -1]] == 0xEE).all(), "wrote outside the digests"
    return [bytes(row) for row in digests[1:-1]]


def expected(message: bytes, twice: bool) -> bytes:
    digest = hashlib.sha256(message).digest()
    return hashlib.sha256(digest).digest() if twice else digest


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("gap", [0, 3])
def test_every_length_up_to_300_in_one_call(twice, gap):
    generator = Random(f"lengths {gap}")
    messages = [generator.randbytes(length) for length in range(301)]
    generator.shuffle(messages)
    assert hashes(messages, twice, gap) == [expected(message, twice) for message in messages]


@pytest.mark.parametrize("twice", [False, True])
def test_every_number_of_messages(twice):
    generator = Random("numbers")
    for count in range(amount(50, 20)):
        same = [generator.randbytes(70) for _ in range(count)]
        mixed = [generator.randbytes(generator.choice((0, 1, 55, 56, 64, 119, 120, 128))) for _ in range(count)]
        for messages in (same, mixed):
            assert hashes(messages, twice) == [expected(message, twice) for message in messages]


@pytest.mark.parametrize("twice", [False, True])
def test_pairs_of_lengths_around_the_padding_share_a_call(twice):
    generator = Random("padding")
    edges = [0, 1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 183, 184]
    for short in edges[:: amount(1, 4)]:
        messages = [generator.randbytes(length) for length in (short, *edges)]
        assert hashes(messages, twice) == [expected(message, twice) for message in messages]


@pytest.mark.skipif(PLAIN, reason="a megabyte takes minutes in plain Python")
@pytest.mark.parametrize("twice", [False, True])
def test_large_messages_among_small_ones(twice):
    # From 4,095 blocks of 64 bytes on, messages share one group whatever their length.
    lengths = [64 * 4093 + 55, 64 * 4094 - 9, 64 * 4094, 64 * 4096 + 1, 300_000, 4_000_000, 1_000_000, 7, 0, 262_143]
    generator = Random("large")
    messages = [generator.randbytes(length) for length in lengths * 2]
    assert hashes(messages, twice, gap=1) == [expected(message, twice) for message in messages]


@examples(300, plain=15)
@given(st.lists(st.binary(max_size=200), max_size=40), st.booleans(), st.integers(0, 5))
def test_any_messages(messages, twice, gap):
    assert hashes(messages, twice, gap) == [expected(message, twice) for message in messages]


@examples(200, plain=10)
@given(BUFFERS, st.lists(FRACTIONS, max_size=30), st.booleans())
def test_messages_may_overlap(buffer, fractions, twice):
    bounds = [sorted(int(fraction * len(buffer)) for fraction in pair) for pair in fractions]
    starts = np.array([low for low, _ in bounds], np.int64)
    lengths = np.array([high - low for low, high in bounds], np.int64)
    wanted = [expected(buffer[low:high], twice) for low, high in bounds]
    assert hash_at(buffer, starts, lengths, twice) == wanted
