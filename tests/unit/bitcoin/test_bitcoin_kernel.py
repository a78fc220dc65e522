"""Bitcoin Core's consensus kernel as second judge: the same bytes give the same ids and the same verdicts."""

import random
import tempfile

import pytest
from vectors import core_cases, real_blocks

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import NETWORKS
from cointrail.bitcoin.transaction import Transaction
from cointrail.errors import EncodingError

pbk = pytest.importorskip("pbk", reason="py-bitcoinkernel is not installed")

CHAIN_TYPES = {
    "mainnet": pbk.ChainType.MAINNET,
    "testnet3": pbk.ChainType.TESTNET,
    "testnet4": pbk.ChainType.TESTNET_4,
    "signet": pbk.ChainType.SIGNET,
    "regtest": pbk.ChainType.REGTEST,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_genesis_hashes(name):
    with tempfile.TemporaryDirectory() as folder:
        kernel = pbk.load_chainman(folder, CHAIN_TYPES[name])
        genesis = kernel.get_active_chain().block_tree_entries[0]
        assert str(genesis.block_hash) == display(NETWORKS[name].genesis_hash)


def test_real_blocks_have_the_same_ids():
    compared = 0
    for name, raw in real_blocks():
        ours, theirs = Block.parse(raw), pbk.Block(raw)
        assert str(theirs.block_hash) == display(ours.block_hash), name
        ids = [str(transaction.txid) for transaction in theirs.transactions]
        assert ids == [display(transaction.txid) for transaction in ours.transactions], name
        assert bytes(theirs) == raw
        compared += len(ids)
    assert compared == 4_342


def test_vector_transactions_have_the_same_ids():
    cases = core_cases("tx_valid.json") + core_cases("tx_invalid.json")
    for _, raw_hex, _ in cases:
        raw = bytes.fromhex(raw_hex)
        assert str(pbk.Transaction(raw).txid) == display(Transaction.parse(raw).txid)


def test_damaged_transactions_get_the_same_verdict():
    generator = random.Random(20_260_727)
    transactions = [bytes.fromhex(raw_hex) for _, raw_hex, _ in core_cases("tx_valid.json")]
    verdicts = {True: 0, False: 0}
    for _ in range(5_000):
        raw = bytearray(generator.choice(transactions))
        for _ in range(generator.choice((1, 1, 2))):
            # The first bytes hold marker, flag and counts: most of what a parser can get wrong.
            position = generator.randrange(len(raw) if generator.random() < 0.5 else min(len(raw), 60))
            value = generator.choice((0, 1, 2, 0x41, 0xFD, 0xFE, 0xFF, generator.randrange(256)))
            raw[position : position + generator.choice((0, 1, 1, 2))] = bytes([value])
        verdicts[_same_verdict(bytes(raw))] += 1
    assert min(verdicts.values()) > 1_000


def _same_verdict(raw: bytes) -> bool:
    """Compare our parser with the kernel's; return whether both take the bytes for a transaction."""
    ours, theirs = _our_reading(raw), _kernel_reading(raw)
    if isinstance(ours, EncodingError):
        # Two differences on purpose, see docs/reference/vectors.md; everything else must agree.
        if "trailing bytes" not in str(ours) and "without inputs" not in str(ours):
            assert theirs is None, (raw.hex(), str(ours))
        return False
    assert theirs == ours, raw.hex()
    return True


def _our_reading(raw: bytes) -> tuple | EncodingError:
    try:
        transaction = Transaction.parse(raw)
    except EncodingError as error:
        return error
    outputs = [(_signed(output.value_sat), output.script_pubkey) for output in transaction.outputs]
    return display(transaction.txid), len(transaction.inputs), transaction.lock_time, outputs


def _kernel_reading(raw: bytes) -> tuple | None:
    # No kernel object leaves this function: pytest would print it after its memory is gone.
    try:
        transaction = pbk.Transaction(raw)
    except RuntimeError:
        return None
    outputs = [(output.amount, bytes(output.script_pubkey)) for output in transaction.outputs]
    return str(transaction.txid), len(transaction.inputs), transaction.locktime, outputs


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
