"""Values: nothing wraps, nothing is lost, and the oddities of RELIABILITY C11 to C15 are cases, not surprises."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from ingest_runs import BATCHES, build
from ledger_view import LedgerView, SeenTransaction, read_back
from regtest import (
    GENESIS,
    INVALID_BLOCKS,
    Lock,
    RegtestChain,
    UnspentOutput,
    mine_many_inputs,
    mine_many_outputs,
    prepared_chain,
)

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.ingest.parsed import parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.report import Options
from cointrail.ingest.timing import Stages
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify

COIN = 100_000_000
HALVING_INTERVAL = 150
TRUE_SCRIPT = b"\x51"
BULK = pytest.mark.parametrize("bulk", [True, False])


def subsidy(height: int) -> int:
    return 50 * COIN >> height // HALVING_INTERVAL


def assert_identity(view: LedgerView) -> None:
    """In every block: spent + subsidy = all outputs + unclaimed."""
    for height, block in enumerate(view.blocks):
        spent = sum(prevout.value_sat for tx in block.transactions[1:] for prevout in tx.prevouts)
        made = sum(output.value_sat for tx in block.transactions for output in tx.outputs)
        assert spent + subsidy(height) == made + block.unclaimed_sat
        assert block.fees_sat == sum(tx.fee_sat for tx in block.transactions[1:])


def of_id(view: LedgerView, txid: bytes) -> SeenTransaction:
    return next(tx for tx in view.transactions if tx.txid == txid)


def matured(blocks: int = 103) -> RegtestChain:
    chain = RegtestChain()
    chain.mine_empty(blocks)
    return chain


@BULK
def test_more_outputs_and_inputs_than_sixteen_bits_count(bulk, tmp_path):
    """C14: 70,000 outputs in one transaction; the last, beyond 65,535, is spent by its number; 20,000 inputs."""
    chain = matured()
    mine_many_outputs(chain, 70_000)
    wide = chain.nodes[chain.tip].txids[1]
    beyond = [output for output in chain.spendable() if output.txid == wide and output.vout >= 65_535]
    chain.mine([chain.spend(beyond[::-7], [TransactionOutput(beyond[-1].value_sat, TRUE_SCRIPT)])])
    many = mine_many_inputs(chain, 20_000).transactions[1]
    report = build(tmp_path, chain.serialized(), options=Options(bulk=bulk))
    assert report.refused == []
    assert verify(tmp_path / "ledger") == []
    with Reader(tmp_path / "ledger") as reader:
        (transaction,) = reader.find_transactions(wide)
        outputs = reader.outputs_of(transaction)
        assert len(outputs) == 70_000
        spenders = reader.spenders(np.array(outputs))
        spent = [vout for vout, spender in enumerate(spenders.tolist()) if spender >= 0]
        assert spent == sorted(output.vout for output in beyond[::-7])
        assert 69_999 in spent
        # The spender's inputs name them in their own order.
        (spender,) = {int(t) for t in reader.transaction_of_inputs(spenders[spent])}
        named = reader.column("input", "output")[reader.inputs_of(spender).start : reader.inputs_of(spender).stop]
        assert [int(each) - outputs.start for each in named] == [output.vout for output in beyond[::-7]]
        (last,) = reader.find_transactions(many.txid)
        assert len(reader.inputs_of(last)) == 20_000
        assert reader.column("block", "unspent_outputs")[-1] == len(chain.unspent())


def test_timestamps_that_go_backwards(tmp_path):
    """C15: order is by height; the median time never decreases and is the node's rule recomputed."""
    random, chain = Random("time"), RegtestChain()
    times = [chain.nodes[chain.tip].block.header.time]
    for number in range(60):
        lowest = chain.median_time_past() + 1
        time = lowest if number % 3 else lowest + random.randrange(7_200)
        chain.mine(time=time)
        times.append(time)
    assert sum(after < before for before, after in pairwise(times)) > 15
    for number, options in enumerate(BATCHES):
        build(tmp_path / str(number), chain.serialized(), options=options)
        view = read_back(tmp_path / str(number) / "ledger")
        assert [block.time for block in view.blocks] == times
        medians = [block.median_time for block in view.blocks]
        spans = [sorted(times[max(0, height - 10) : height + 1]) for height in range(61)]
        assert medians == [span[len(span) // 2] for span in spans]
        assert medians == sorted(medians)


@BULK
def test_unclaimed_rewards_and_fees(bulk, tmp_path):
    """C12: all, a part, one satoshi or nothing of the reward is claimed; what is not claimed is kept as a number."""
    chain = matured()
    unclaimed = {}
    for left in (0, 1, 12_345, None):
        prevout = chain.spendable()[0]
        fee = 1_000_000 if left != 12_345 else 0
        payment = chain.spend([prevout], [TransactionOutput(prevout.value_sat - fee, TRUE_SCRIPT)])
        height = chain.height_of(chain.tip) + 1
        reward = subsidy(height) + fee
        claim = 0 if left is None else reward - left
        chain.mine([payment], claim_sat=claim)
        unclaimed[height] = reward - claim
    report = build(tmp_path, chain.serialized(), options=Options(bulk=bulk))
    assert report.refused == []
    view = read_back(tmp_path / "ledger")
    assert {h: block.unclaimed_sat for h, block in enumerate(view.blocks) if h in unclaimed} == unclaimed
    assert all(block.unclaimed_sat == 0 for h, block in enumerate(view.blocks) if h not in unclaimed)
    assert_identity(view)
    assert verify(tmp_path / "ledger") == []


def test_subsidy_halves(tmp_path):
    """Regtest halves every 150 blocks: the claim of the height before is too much by half."""
    chain = matured(HALVING_INTERVAL - 1)
    greedy = chain.mine(claim_sat=50 * COIN, move_tip=False)
    chain.mine(claim_sat=25 * COIN)
    report = build(tmp_path, [*chain.serialized(), greedy.serialize(), chain.mine().serialize()])
    assert (report.height, report.refused) == (151, [])
    report = build(tmp_path / "greedy", [*chain.serialized()[:150], greedy.serialize()])
    assert report.height == 149
    assert "bad-cb-amount" in report.refused[0]
    assert_identity(read_back(tmp_path / "ledger"))


def test_zero_values(tmp_path):
    """Coinbases and payments of nothing are outputs like others: counted, unspent, spendable."""
    chain = matured()
    prevout = chain.spendable()[0]
    pays_nothing = chain.spend([prevout], [TransactionOutput(0, TRUE_SCRIPT)] * 3)
    chain.mine([pays_nothing], claim_sat=0)
    empty_coinbase = chain.nodes[chain.tip].txids[0]
    zeros = [output for output in chain.spendable() if output.value_sat == 0]
    assert len(zeros) == 3
    spends_nothing = chain.spend(zeros[:2], [TransactionOutput(0, TRUE_SCRIPT)])
    chain.mine([spends_nothing])
    chain.mine_empty(100)
    nothing = next(output for output in chain.spendable() if output.txid == empty_coinbase)
    chain.mine([chain.spend([nothing], [TransactionOutput(0, TRUE_SCRIPT)])])
    report = build(tmp_path, chain.serialized())
    assert report.refused == []
    view = read_back(tmp_path / "ledger")
    assert of_id(view, pays_nothing.txid).fee_sat == prevout.value_sat
    assert of_id(view, spends_nothing.txid).fee_sat == 0
    assert [prevout.value_sat for prevout in of_id(view, spends_nothing.txid).prevouts] == [0, 0]
    assert view.unspent.keys() == {(output.txid, output.vout) for output in chain.unspent().values()}
    assert view.blocks[104].unclaimed_sat == subsidy(104) + prevout.value_sat
    assert_identity(view)


# C13: overflow.

TOO_MUCH = {
    "value_too_large": "bad-txns-vout-toolarge (an output is over MAX_MONEY)",
    "value_sum_overflow": "bad-txns-vout-toolarge (an output is over MAX_MONEY)",
    "total_too_large": "bad-txns-txouttotal-toolarge (the outputs together are over MAX_MONEY)",
    "negative_value": "bad-txns-vout-negative (an output is below zero)",
}


@BULK
@pytest.mark.parametrize("name", TOO_MUCH)
def test_overflow_is_refused_and_nothing_wraps(name, bulk, tmp_path):
    """The block of 2010 in small: twice 92,233,720,368.54277039 BTC wraps a sum of 64 bits; here nothing does."""
    chain = prepared_chain()
    block = INVALID_BLOCKS[name].build(chain)
    report = build(tmp_path, [*chain.serialized(), block.serialize()], options=Options(bulk=bulk))
    txid = display(block.transactions[1].txid)
    name_of_block = f"block {display(block.header.block_hash)} at height 104"
    assert report.refused == [f"{name_of_block} refused: {TOO_MUCH[name]}, transaction {txid}"]
    assert report.block_hash == display(chain.tip)
    view = read_back(tmp_path / "ledger")
    assert_identity(view)
    assert all(0 <= output.value_sat <= MAX_MONEY for tx in view.transactions for output in tx.outputs)


@pytest.mark.parametrize(
    "values",
    [
        [9_223_372_036_854_277_039] * 2,
        [2**64 - 1, 1],
        [2**63, 2**63],
        [2**63 - 1, 1],
        [MAX_MONEY, 1],
        [MAX_MONEY] * 9_000,
        [1] * 5 + [2**63 + 5],
    ],
    ids=["2010", "minus one", "lowest", "highest", "one too much", "many", "last"],
)
def test_coinbase_and_payment_with_impossible_values(values, tmp_path):
    """Whatever wraps to a small or negative sum is refused, in a coinbase as in a payment."""
    chain = prepared_chain()
    tip, outputs = chain.tip, [TransactionOutput(value, TRUE_SCRIPT) for value in values]
    in_coinbase = chain.mine(outputs=outputs, move_tip=False)
    payment = chain.spend(chain.spendable()[:1], outputs)
    in_payment = chain.mine([payment], claim_sat=0, move_tip=False)
    report = build(tmp_path, [*chain.serialized(tip), in_coinbase.serialize(), in_payment.serialize()])
    assert len(report.refused) == 2
    assert all("bad-txns-vout-" in text or "bad-txns-txouttotal-toolarge" in text for text in report.refused)
    assert report.block_hash == display(tip)
    assert_identity(read_back(tmp_path / "ledger"))


def test_parser_keeps_the_values_of_block_74638():
    """The parser states what the bytes say; refusing is the business of the checks."""
    chain = prepared_chain()
    raw = INVALID_BLOCKS["value_sum_overflow"].build(chain).serialize()
    parsed = parse(
        RawBlocks(np.frombuffer(raw + bytes(64), np.uint8), np.array([0]), np.array([len(raw)]), [], 104), Stages()
    )
    assert parsed.output_value.tolist()[1:] == [9_223_372_036_854_277_039] * 2


def test_as_much_money_as_there_may_be_is_no_fault(tmp_path):
    """MAX_MONEY itself passes the range check; it is refused only for paying more than it spends."""
    chain = prepared_chain()
    prevout = chain.spendable()[0]
    block = chain.mine([chain.spend([prevout], [TransactionOutput(MAX_MONEY, TRUE_SCRIPT)])], claim_sat=0)
    report = build(tmp_path, chain.serialized())
    (text,) = report.refused
    assert display(block.header.block_hash) in text
    assert "bad-txns-in-belowout" in text


def test_claim_of_everything_and_one_satoshi_more(tmp_path):
    """The coinbase may claim fees of its own block, to the satoshi."""
    chain = matured()
    prevout = chain.spendable()[0]
    payment = chain.spend([prevout], [TransactionOutput(prevout.value_sat - 777, TRUE_SCRIPT)])
    tip = chain.tip
    greedy = chain.mine([payment], claim_sat=subsidy(104) + 778, move_tip=False)
    assert build(tmp_path / "one more", [*chain.serialized(tip), greedy.serialize()]).height == 103
    chain.mine([payment], claim_sat=subsidy(104) + 777)
    report = build(tmp_path / "all", chain.serialized())
    assert (report.height, report.refused) == (104, [])
    block = read_back(tmp_path / "all" / "ledger").blocks[-1]
    assert (block.fees_sat, block.unclaimed_sat) == (777, 0)


# C11: the genesis block.


@BULK
def test_genesis_coinbase_is_there_and_cannot_be_spent(bulk, tmp_path):
    genesis = Block.parse(GENESIS).transactions[0]
    chain = matured()
    chain.learn(replace_script(chain, genesis.outputs[0].script_pubkey))
    prevout = UnspentOutput(genesis.txid, 0, 50 * COIN, genesis.outputs[0].script_pubkey, 0, is_coinbase=True)
    tip = chain.tip
    thief = chain.mine([chain.spend([prevout], [TransactionOutput(50 * COIN, TRUE_SCRIPT)])])
    # In one batch with the genesis block, and in a batch of its own.
    for number, size in enumerate((1 << 24, 1_000)):
        folder = tmp_path / str(number)
        report = build(folder, chain.serialized(), options=Options(bulk=bulk, batch_bytes=size))
        (text,) = report.refused
        assert "bad-txns-inputs-missingorspent" in text
        assert display(thief.header.block_hash) in text
        assert report.block_hash == display(tip)
        view = read_back(folder / "ledger")
        first = view.blocks[0]
        assert first.transactions[0].txid == genesis.txid
        assert [(output.value_sat, output.script_pubkey) for output in first.transactions[0].outputs] == [
            (50 * COIN, genesis.outputs[0].script_pubkey)
        ]
        assert (genesis.txid, 0) not in view.unspent
        assert (first.unspent_outputs, first.unspent_value_sat, first.unclaimed_sat) == (0, 0, 0)
        assert view.blocks[1].unspent_outputs == 1
        with Reader(folder / "ledger") as reader:
            assert reader.find_transactions(genesis.txid) == [0]
        assert_identity(view)


def replace_script(chain: RegtestChain, script: bytes) -> Lock:
    """A lock under the genesis block's script, so that a spend can be written; it needs no signature to be refused."""
    return replace(chain.default_lock, script_pubkey=script)


@BULK
def test_outputs_that_can_never_be_spent_are_refused_as_inputs(bulk, tmp_path):
    """OP_RETURN and scripts beyond 10,000 bytes: not unspent, and an input that names them has nothing to spend."""
    for name, script in (("op_return", b"\x6a\x01x"), ("too long", b"\x61" * 10_001)):
        chain = matured()
        prevout = chain.spendable()[0]
        lock = chain.learn(replace_script(chain, script))
        made = chain.spend([prevout], [TransactionOutput(prevout.value_sat, lock.script_pubkey)])
        chain.mine([made])
        sound = chain.serialized()
        burnt = UnspentOutput(made.txid, 0, prevout.value_sat, script, 104, is_coinbase=False)
        chain.mine([chain.spend([burnt], [TransactionOutput(1, TRUE_SCRIPT)])])
        for number, size in enumerate((1 << 24, 1_000)):
            folder = tmp_path / name / str(number)
            report = build(folder, chain.serialized(), options=Options(bulk=bulk, batch_bytes=size))
            assert "bad-txns-inputs-missingorspent" in report.refused[0]
            assert report.height == len(sound) - 1
            view = read_back(folder / "ledger")
            assert (made.txid, 0) not in view.unspent
            assert view.blocks[-1].unspent_outputs == len(view.unspent)
