"""Blocks: bytes, compact targets at their edges, proof of work and median time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import real_blocks

from cointrail.bitcoin.block import (
    HEADER_SIZE,
    Block,
    BlockHeader,
    check_proof_of_work,
    median_time_past,
    target,
    work,
)
from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.bitcoin.network import MAINNET, NETWORKS, REGTEST, SIGNET
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.errors import BlockRefused, EncodingError, InputRefused

U32 = st.integers(min_value=0, max_value=0xFFFFFFFF)
HASHES = st.binary(min_size=32, max_size=32)
HEADERS = st.builds(BlockHeader, st.integers(-(1 << 31), (1 << 31) - 1), HASHES, HASHES, U32, U32, U32)

GENESIS = BlockHeader(
    version=1,
    previous_hash=bytes(32),
    merkle_root=parse_hash("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"),
    time=1_231_006_505,
    bits=0x1D00FFFF,
    nonce=2_083_236_893,
)
PAYMENT = Transaction(
    1, (TransactionInput(Outpoint(b"\x01" * 32, 0), b"", 0, (b"w",)),), (TransactionOutput(1, b"\x51"),), 0
)


@given(HEADERS)
def test_a_header_comes_back_from_its_bytes(header):
    raw = header.serialize()
    assert len(raw) == HEADER_SIZE
    assert BlockHeader.parse(raw) == header


def test_a_header_is_80_bytes():
    for raw in (GENESIS.serialize()[:-1], b""):
        with pytest.raises(EncodingError):
            BlockHeader.parse(raw)
    with pytest.raises(EncodingError, match="1 trailing bytes after the block header"):
        BlockHeader.parse(GENESIS.serialize() + b"\x00")


@given(HEADERS, st.integers(min_value=0, max_value=3))
def test_a_block_comes_back_from_its_bytes(header, count):
    block = Block(header, (PAYMENT,) * count)
    raw = block.serialize()
    assert Block.parse(raw) == block
    assert (block.size, block.base_size) == (81 + count * PAYMENT.size, 81 + count * PAYMENT.base_size)
    assert block.weight == 4 * 81 + count * PAYMENT.weight
    assert block.block_hash == header.block_hash


def test_every_truncation_of_a_block_is_refused():
    raw = Block(GENESIS, (PAYMENT, PAYMENT)).serialize()
    for length in range(len(raw)):
        with pytest.raises(EncodingError):
            Block.parse(raw[:length])
    with pytest.raises(EncodingError, match="3 trailing bytes after the block"):
        Block.parse(raw + bytes(3))


def test_a_hostile_number_of_transactions_is_refused():
    with pytest.raises(EncodingError, match="33554432 transactions announced, 1000 bytes left"):
        Block.parse(GENESIS.serialize() + b"\xfe\x00\x00\x00\x02" + bytes(1000))


def test_a_flipped_byte_in_a_header_changes_the_hash():
    raw = bytearray(GENESIS.serialize())
    for position in range(HEADER_SIZE):
        raw[position] ^= 1
        assert BlockHeader.parse(bytes(raw)).block_hash != GENESIS.block_hash
        raw[position] ^= 1


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x1E0377AE, 0x0377AE << 216),
        (0x03123456, 0x123456),
        (0x02123456, 0x1234),
        (0x01123456, 0x12),
        (0x04123456, 0x12345600),
        (0x05009234, 0x92340000),
        (0x20123456, 0x123456 << 232),
        (0x2100FFFF, 0xFFFF << 240),
        (0x220000FF, 0xFF << 248),
    ],
)
def test_compact_targets(bits, expected):
    assert target(bits) == expected
    assert work(bits) == (1 << 256) // (expected + 1)


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (0, "is zero"),
        (0x00123456, "is zero"),
        (0x01003456, "is zero"),
        (0x02000056, "is zero"),
        (0x04000000, "is zero"),
        (0x04800000, "is zero"),
        (0x01803456, "is zero"),
        (0xFF000000, "is zero"),
        (0x01FEDCBA, "is negative"),
        (0x04923456, "is negative"),
        (0x1D80FFFF, "is negative"),
        (0x21010000, "is above 256 bits"),
        (0x22000100, "is above 256 bits"),
        (0x23000001, "is above 256 bits"),
        (0xFF123456, "is above 256 bits"),
    ],
)
def test_compact_forms_that_are_no_target(bits, reason):
    with pytest.raises(InputRefused, match=f"compact target {bits:08x} {reason}"):
        target(bits)
    with pytest.raises(InputRefused, match=reason):
        work(bits)


def test_work_of_known_targets():
    assert work(0x1D00FFFF) == 0x100010001
    assert work(0x207FFFFF) == 2


def test_proof_of_work():
    check_proof_of_work(GENESIS, MAINNET)
    assert GENESIS.block_hash == MAINNET.genesis_hash
    name = display(replace(GENESIS, nonce=0).block_hash)
    with pytest.raises(BlockRefused, match=f"block {name} refused: high-hash"):
        check_proof_of_work(replace(GENESIS, nonce=0), MAINNET)


def test_a_target_easier_than_the_network_allows_is_refused():
    easy = replace(GENESIS, bits=0x207FFFFF, nonce=next(n for n in range(100) if _reaches(n)))
    check_proof_of_work(easy, REGTEST)
    for network in (MAINNET, SIGNET):
        with pytest.raises(BlockRefused, match=f"target 207fffff is easier than {network.name} allows"):
            check_proof_of_work(easy, network)
    with pytest.raises(BlockRefused, match=r"block [0-9a-f]{64} refused: compact target 1d80ffff is negative"):
        check_proof_of_work(replace(GENESIS, bits=0x1D80FFFF), MAINNET)


def _reaches(nonce: int) -> bool:
    return replace(GENESIS, bits=0x207FFFFF, nonce=nonce).block_hash[31] < 0x7F


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_no_network_allows_more_than_its_limit(network):
    assert target(network.pow_limit_bits) < 1 << 255


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([7], 7),
        ([7, 3], 7),
        ([3, 7, 5], 5),
        (list(range(11)), 5),
        (list(range(100)), 94),
        ([100, *[5] * 6, *range(5)], 5),
        ([9, 1, 8, 2, 7, 3, 6, 4, 5, 0, 10], 5),
    ],
)
def test_median_time_past(times, expected):
    assert median_time_past(times) == expected


def test_no_times_have_no_median():
    with pytest.raises(InputRefused, match="no block times"):
        median_time_past([])


def test_a_flipped_byte_in_a_real_block_never_goes_unseen():
    """C8: a damaged block does not parse, or has another hash or merkle root, or other witnesses."""
    raw = dict(real_blocks())["mainnet/100000_000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506"]
    original = Block.parse(raw)
    for position in range(len(raw)):
        damaged = raw[:position] + bytes([raw[position] ^ 0x20]) + raw[position + 1 :]
        try:
            block = Block.parse(damaged)
        except EncodingError:
            continue
        ids = [transaction.txid for transaction in block.transactions]
        assert block.block_hash != original.block_hash or ids != [entry.txid for entry in original.transactions]
