"""Merkle roots of many blocks at once against the plain reference and against real headers."""

from random import Random

import numpy as np
from effort import amount, examples
from hypothesis import given
from hypothesis import strategies as st
from vectors import real_blocks

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.merkle import merkle_root
from cointrail.kernels.merkle import merkle_roots

LEAVES = st.sampled_from([bytes([n]) * 32 for n in range(3)] + [bytes(31) + b"\x01", b"\x01" + bytes(31)])


def roots_of(groups: list[list[bytes]]) -> list[tuple[bytes, bool]]:
    leaves = np.frombuffer(bytearray(b"".join(b"".join(group) for group in groups)), np.uint8).reshape(-1, 32)
    before = leaves.copy()
    first = np.concatenate(([0], np.cumsum([len(group) for group in groups]))).astype(np.int64)
    roots, mutated = np.empty((len(groups), 32), np.uint8), np.ones(len(groups), np.bool_)
    merkle_roots(leaves, first, roots, mutated)
    assert (leaves == before).all(), "the leaves are only read"
    return [(bytes(root), bool(flag)) for root, flag in zip(roots, mutated, strict=True)]


def test_groups_of_every_size_at_once():
    generator = Random("merkle")
    groups = [[generator.randbytes(32) for _ in range(size)] for size in range(1, amount(70, 20))]
    generator.shuffle(groups)
    assert roots_of(groups) == [merkle_root(group) for group in groups]
    assert not any(mutated for _, mutated in roots_of(groups))


def test_repeated_tails_are_seen_and_keep_the_root():
    # CVE-2012-2459: a row of odd length ends as if its last part stood there twice.
    generator = Random("repeat")
    seen = 0
    for size in range(1, amount(41, 12)):
        group = [generator.randbytes(32) for _ in range(size)]
        variants, width = [], 1
        while width < size:
            if (size // width) % 2 and size % width == 0:
                variants.append(group + group[-width:])
            width *= 2
        found = roots_of([group, *variants])
        assert found[0] == (merkle_root(group)[0], False)
        assert found[1:] == [(found[0][0], True)] * len(variants)
        seen += len(variants)
    assert seen >= amount(20, 5)


def test_equal_means_all_32_bytes():
    for byte in range(32):
        other = bytes(32)[:byte] + b"\x80" + bytes(31 - byte)
        assert roots_of([[bytes(32), other], [other, other]]) == [
            (merkle_root([bytes(32), other])[0], False),
            (merkle_root([other, other])[0], True),
        ]


def test_no_group_gives_nothing():
    assert roots_of([]) == []


@examples(300, plain=10)
@given(st.lists(st.lists(LEAVES, min_size=1, max_size=40), min_size=1, max_size=12))
def test_any_groups_with_many_equal_leaves(groups):
    assert roots_of(groups) == [merkle_root(group) for group in groups]


def test_roots_of_real_blocks_are_in_their_headers():
    blocks = [Block.parse(raw) for _, raw in real_blocks() if len(raw) < amount(10**7, 10_000)]
    groups = [[transaction.txid for transaction in block.transactions] for block in blocks]
    assert roots_of(groups) == [(block.header.merkle_root, False) for block in blocks]
