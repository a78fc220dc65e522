"""Merkle roots, branches and the witness commitment."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import real_blocks

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.hashes import double_sha256
from cointrail.bitcoin.merkle import (
    check_witness_commitment,
    merkle_branch,
    merkle_root,
    root_from_branch,
    witness_commitment,
)
from cointrail.bitcoin.transaction import NULL_VOUT, Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.errors import BlockRefused, InputRefused

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True)
HEADER = BlockHeader(1, bytes(32), bytes(32), 0, 0x207FFFFF, 0)
RESERVED = b"\x07" * 32


@given(LEAVES)
def test_every_branch_leads_to_the_root(leaves):
    root, mutated = merkle_root(leaves)
    assert not mutated
    for index, leaf in enumerate(leaves):
        branch = merkle_branch(leaves, index)
        assert root_from_branch(leaf, index, branch) == root
        assert len(branch) == (len(leaves) - 1).bit_length()


@given(LEAVES, st.data())
def test_another_leaf_index_or_branch_does_not_lead_there(leaves, data):
    root, _ = merkle_root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    branch = merkle_branch(leaves, index)
    assert root_from_branch(flipped(leaves[index]), index, branch) != root
    for place in range(len(branch)):
        damaged = [*branch[:place], flipped(branch[place]), *branch[place + 1 :]]
        assert root_from_branch(leaves[index], index, damaged) != root


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_small_roots():
    a, b, c = (bytes([value]) * 32 for value in (1, 2, 3))
    assert merkle_root([]) == (bytes(32), False)
    assert merkle_root([a]) == (a, False)
    assert merkle_root([a, b]) == (double_sha256(a + b), False)
    assert merkle_root([a, b, c])[0] == double_sha256(double_sha256(a + b) + double_sha256(c + c))


@given(LEAVES)
def test_a_list_with_its_tail_doubled_is_reported(leaves):
    """CVE-2012-2459: the doubled list has the same root."""
    root, _ = merkle_root(leaves)
    group = len(leaves) & -len(leaves)  # the largest tail that is a full subtree
    if group < len(leaves):
        assert merkle_root([*leaves, *leaves[-group:]]) == (root, True)


def test_equal_neighbours_are_reported_anywhere():
    a, b = bytes(32), b"\x01" * 32
    assert merkle_root([a, a, b, b])[1]
    assert merkle_root([a, b, a, b])[1]
    assert not merkle_root([a, b, b, a])[1]


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_branch_to_a_leaf_that_is_not_there(index):
    with pytest.raises(InputRefused, match=f"no leaf {index} among 3"):
        merkle_branch([bytes(32)] * 3, index)


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_outside_the_tree_proves_nothing(index):
    with pytest.raises(InputRefused, match=f"no leaf {index} in a tree of 2 rows"):
        root_from_branch(bytes(32), index, [bytes(32)] * 2)


def test_branches_of_a_real_block():
    for name, raw in real_blocks():
        if not name.startswith("mainnet/200000"):
            continue
        block = Block.parse(raw)
        ids = [transaction.txid for transaction in block.transactions]
        assert len(ids) == 388
        for index, txid in enumerate(ids):
            assert root_from_branch(txid, index, merkle_branch(ids, index)) == block.header.merkle_root


def coinbase(*scripts: bytes, witness: tuple[bytes, ...] = (RESERVED,)) -> Transaction:
    item = TransactionInput(Outpoint(bytes(32), NULL_VOUT), b"\x51\x51", 0xFFFFFFFF, witness)
    return Transaction(2, (item,), tuple(TransactionOutput(0, script) for script in scripts), 0)


def payment(witness: tuple[bytes, ...] = (b"w",)) -> Transaction:
    item = TransactionInput(Outpoint(b"\x01" * 32, 0), b"", 0, witness)
    return Transaction(2, (item,), (TransactionOutput(1, b"\x51"),), 0)


def commitment_script(*payments: Transaction) -> bytes:
    root, _ = merkle_root([bytes(32), *(entry.wtxid for entry in payments)])
    return bytes.fromhex("6a24aa21a9ed") + double_sha256(root + RESERVED)


def test_the_last_commitment_counts():
    old, new = (bytes.fromhex("6a24aa21a9ed") + bytes([value]) * 32 for value in (1, 2))
    assert witness_commitment(coinbase(old, new + b"more", b"\x51")) == b"\x02" * 32
    assert witness_commitment(coinbase(old[:-1], b"\x6a\x25" + old[2:], b"")) is None


def test_witnesses_that_fit():
    check_witness_commitment(Block(HEADER, (coinbase(commitment_script(payment())), payment())))
    check_witness_commitment(Block(HEADER, (coinbase(commitment_script()),)))
    check_witness_commitment(Block(HEADER, (coinbase(b"\x51", witness=()), payment(()))))


@pytest.mark.parametrize(
    ("transactions", "reason"),
    [
        ((), "bad-cb-missing"),
        ((replace(payment(), inputs=()),), "bad-cb-missing"),
        ((coinbase(commitment_script(payment())), payment((b"x",))), "bad-witness-merkle-match"),
        ((coinbase(commitment_script(payment()), witness=(bytes(32),)), payment()), "bad-witness-merkle-match"),
        ((coinbase(commitment_script(payment()), witness=()), payment()), "bad-witness-nonce-size"),
        ((coinbase(commitment_script(payment()), witness=(RESERVED[:31],)), payment()), "bad-witness-nonce-size"),
        ((coinbase(commitment_script(payment()), witness=(RESERVED,) * 2), payment()), "bad-witness-nonce-size"),
        ((coinbase(b"\x51", witness=()), payment()), "unexpected-witness"),
        ((coinbase(b"\x51"), payment(())), "unexpected-witness"),
    ],
)
def test_witnesses_that_do_not_fit(transactions, reason):
    with pytest.raises(BlockRefused, match=rf"block [0-9a-f]{{64}} refused: {reason} "):
        check_witness_commitment(Block(HEADER, transactions))


def test_the_first_block_with_witnesses():
    for name, raw in real_blocks():
        if not name.startswith("mainnet/481824"):
            continue
        block = Block.parse(raw)
        check_witness_commitment(block)
        assert witness_commitment(block.transactions[0]) is not None
        place = next(i for i, entry in enumerate(block.transactions) if i and entry.has_witness)
        spend = block.transactions[place]
        changed = replace(spend, inputs=(replace(spend.inputs[0], witness=(b"x",)), *spend.inputs[1:]))
        damaged = replace(block, transactions=(*block.transactions[:place], changed, *block.transactions[place + 1 :]))
        assert changed.txid == spend.txid
        with pytest.raises(BlockRefused, match="bad-witness-merkle-match"):
            check_witness_commitment(damaged)
