"""Bitcoin Core's consensus kernel as judge: on random chains the ledger holds exactly what the kernel validated."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from ingest_runs import BATCHES, assert_same_ledger, build, ingest, lay_out
from judge import Judge, SpentOutput, TransactionIds, kernel
from ledger_view import LedgerView, read_back
from regtest import (
    INVALID_BLOCKS,
    RegtestChain,
    extend_randomly,
    forked_chain,
    mine_large_witness,
    mine_many_inputs,
    mine_many_outputs,
    prepared_chain,
    random_chain,
    zoo_chain,
)

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.script import classify
from cointrail.ingest.parsed import parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.report import Options
from cointrail.ingest.timing import Stages

COIN = 100_000_000
HALVING_INTERVAL = 150
PADDING = 64


class JudgedBlock(NamedTuple):
    ids: list[TransactionIds]
    spent: list[list[SpentOutput]]
    outputs: list[list[tuple[int, bytes]]]
    raw: bytes


class Judgement(NamedTuple):
    """What the kernel says about its best chain, as plain values: no kernel object outlives its judge."""

    hashes: list[bytes]
    blocks: list[JudgedBlock]
    unspent: dict[tuple[bytes, int], SpentOutput]


def judgement(judge: Judge) -> Judgement:
    hashes = judge.active_chain()
    return Judgement(hashes, [_judged(judge, block_hash) for block_hash in hashes], judge.unspent())


def _judged(judge: Judge, block_hash: bytes) -> JudgedBlock:
    raw = judge.block_bytes(block_hash)
    transactions = kernel().Block(raw).transactions
    outputs = [[(each.amount, bytes(each.script_pubkey)) for each in tx.outputs] for tx in transactions]
    is_genesis = block_hash == judge.active_chain()[0]
    spent = [] if is_genesis else judge.spent_outputs(block_hash)
    return JudgedBlock(judge.transaction_ids(block_hash), spent, outputs, raw)


def compare(view: LedgerView, told: Judgement) -> int:
    """Compare a ledger with the kernel's answers; returns how many transactions were compared."""
    assert view.hashes == told.hashes
    compared = 0
    for height, (seen, judged) in enumerate(zip(view.blocks, told.blocks, strict=True)):
        assert [tx.txid for tx in seen.transactions] == [ids.txid for ids in judged.ids]
        assert [tx.prevouts for tx in seen.transactions[1:]] == judged.spent
        assert seen.transactions[0].prevouts == [None]
        outputs = [[(each.value_sat, each.script_pubkey) for each in tx.outputs] for tx in seen.transactions]
        assert outputs == judged.outputs
        for tx in seen.transactions:
            assert tx.types == [classify(output.script_pubkey) for output in tx.outputs]
        fees = [
            sum(output.value_sat for output in spent) - sum(value for value, _ in paid)
            for spent, paid in zip(judged.spent, judged.outputs[1:], strict=True)
        ]
        assert [tx.fee_sat for tx in seen.transactions[1:]] == fees
        assert seen.fees_sat == sum(fees)
        claimed = sum(value for value, _ in judged.outputs[0])
        assert seen.unclaimed_sat == (50 * COIN >> height // HALVING_INTERVAL) + sum(fees) - claimed
        assert seen.size == len(judged.raw)
        compared += len(judged.ids)
    assert view.unspent == told.unspent
    tip = view.blocks[-1]
    assert tip.unspent_outputs == len(told.unspent)
    assert tip.unspent_value_sat == sum(output.value_sat for output in told.unspent.values())
    _compare_wtxids(told)
    return compared


def _compare_wtxids(told: Judgement) -> None:
    raw = b"".join(block.raw for block in told.blocks)
    end = np.cumsum([len(block.raw) for block in told.blocks])
    start = np.concatenate(([0], end[:-1]))
    parsed = parse(RawBlocks(np.frombuffer(raw + bytes(PADDING), np.uint8), start, end, [], 0), Stages())
    ids = [TransactionIds(bytes(t), bytes(w)) for t, w in zip(parsed.txid, parsed.wtxid, strict=True)]
    assert ids == [each for block in told.blocks for each in block.ids]
    assert [bytes(block_hash) for block_hash in parsed.block_hash] == told.hashes


def judge_and_compare(blocks: list[bytes], folder: Path, options: Options | None = None) -> int:
    """Submit blocks, ingest the files the kernel wrote, compare; returns the transactions compared."""
    with Judge() as judge:
        judge.submit_all(blocks)
        told = judgement(judge)
        judge.close()  # from here on the files are complete
        assert (judge.blocks_folder / "xor.dat").read_bytes() != bytes(8)
        report = ingest(judge.blocks_folder, folder / "genuine", options=options)
    assert report.complete
    assert report.gaps == []
    return compare(read_back(folder / "genuine"), told)


def check_random_chain(seed: str, folder: Path, blocks: int, transactions: int) -> int:
    """One random chain over genuine files and a layout of our own, in both ways of resolving and all sizes of batch."""
    random = Random(seed)
    chain = random_chain(random, blocks, transactions)
    raw = chain.serialized()
    compared = judge_and_compare(raw[1:], folder)
    digests = {read_back(folder / "genuine").digest}
    shuffled = [raw[0], *random.sample(raw[1:], len(raw) - 1)]
    lay_out(folder / "files", shuffled, xor_key=random.randbytes(8), per_file=25, preallocate=1 << 16)
    bulk = random.random() < 0.5
    for number, batches in enumerate(BATCHES):
        bulk = not bulk
        options = replace(batches, bulk=bulk)
        digests.add(ingest(folder / "files", folder / str(number), options=options).digest)
        assert_same_ledger(folder / "genuine", folder / str(number))
    assert len(digests) == 1
    return compared


SEEDS = [f"judge {number}" for number in range(6)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_random_chains(seed, tmp_path):
    assert check_random_chain(seed, tmp_path, blocks=25, transactions=60) > 1_200


@pytest.mark.wide
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_hundred_thousand_transactions(first, tmp_path):
    compared = 0
    for number in range(first, first + 10):
        compared += check_random_chain(f"wide {number}", tmp_path / str(number), blocks=20, transactions=60)
    assert compared >= 10_000


def test_random_chains_have_what_they_are_for():
    """Spends inside a block, scripts paid again, zero values, witnesses, unclaimed rewards: seen, not hoped for."""
    chain = random_chain(Random(SEEDS[0]), 25, 60)
    blocks = [node.block for node in chain.branch()]
    scripts, spent_inside = [], 0
    for node in chain.branch():
        spent_inside += sum(
            each.outpoint.txid in node.txids for tx in node.block.transactions[1:] for each in tx.inputs
        )
        scripts += [output.script_pubkey for tx in node.block.transactions for output in tx.outputs]
    assert spent_inside > 100
    assert len(scripts) - len(set(scripts)) > 500
    assert sum(output.value_sat == 0 for b in blocks for tx in b.transactions for output in tx.outputs) > 10
    assert sum(tx.has_witness for b in blocks for tx in b.transactions) > 200


def test_every_script_of_the_zoo(tmp_path):
    assert judge_and_compare(zoo_chain().serialized()[1:], tmp_path) > 100


def test_seventy_thousand_outputs_and_many_inputs(tmp_path):
    chain = RegtestChain()
    chain.mine_empty(103)
    mine_many_outputs(chain, 70_000)
    mine_many_inputs(chain, 20_000)
    compared = judge_and_compare(chain.serialized()[1:], tmp_path, Options(bulk=False))
    assert compared == 104 + 1 + 1 + 1 + 3


def test_witness_of_almost_four_million_bytes(tmp_path):
    chain = RegtestChain()
    chain.mine_empty(102)
    mine_large_witness(chain)
    judge_and_compare(chain.serialized()[1:], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("bulk", [True, False])
def test_reorg_of_100_blocks_in_genuine_files(tmp_path, bulk):
    """The kernel's files hold both branches; a ledger that took the first one turns to the second, and back."""
    chain, left, right = forked_chain(Random(f"fork {bulk}"), 5, 100, 101, transactions_per_block=6)
    options, compared = Options(bulk=bulk, batch_bytes=4_000, publish_bytes=40_000), 0
    with Judge(tmp_path / "node") as judge:
        judge.submit_all(chain.serialized(left)[1:])
        first = judgement(judge)
        judge.submit_all(chain.serialized(right)[106:])
        second = judgement(judge)
        assert len(judge.disconnected) == 100
        extend_randomly(chain, Random("back"), 2, 6, parent=left)
        judge.submit_all(chain.serialized()[206:])
        third = judgement(judge)
        judge.close()

    one = [block.raw for block in first.blocks]
    two = one + [block.raw for block in second.blocks[106:]]
    assert build(tmp_path, one, options=options).rewound == 0
    compared += compare(read_back(tmp_path / "ledger"), first)
    report = build(tmp_path, two, options=options, xor_key=b"\x01\x80\xff\x00\x33\x07\xaa\x55")
    assert (report.rewound, report.blocks, report.stale) == (100, 101, 100)
    compared += compare(read_back(tmp_path / "ledger"), second)
    report = ingest(tmp_path / "node" / "blocks", tmp_path / "ledger", options=options)
    assert (report.rewound, report.blocks, report.stale) == (101, 102, 101)
    compared += compare(read_back(tmp_path / "ledger"), third)
    assert compared > 2_000
    ingest(tmp_path / "node" / "blocks", tmp_path / "fresh")
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh")


# Invalid blocks. What the rules of value cannot see is listed here; everything else must be refused.

NOT_A_RULE_OF_VALUE = {
    "failing_script": "no script is executed; a node stores such a block, so it can stand in the files",
    "relative_lock_not_passed": "BIP68 is not checked; a node stores such a block, so it can stand in the files",
    "lock_time_not_passed": "lock times are not checked; a node never stores such a block",
    "wrong_coinbase_height": "BIP34 is not checked; a node never stores such a block",
    "time_too_old": "header times are not checked; a node never stores such a block",
}

# Blocks whose bytes do not fit their header may have a sound twin: they are reported, not remembered.
DAMAGED = {
    "wrong_merkle_root": "its transactions do not fit the merkle root in its header",
    "repeated_transactions": "its transactions do not fit the merkle root in its header",
    "bad_witness_commitment": "bad-witness-merkle-match",
    "missing_witness_commitment": "unexpected-witness",
}
FAILED = {"bad_proof_of_work": "does not meet its proof of work"}
REFUSED = sorted(set(INVALID_BLOCKS) - set(NOT_A_RULE_OF_VALUE) - set(DAMAGED) - set(FAILED))
STORED = sorted(name for name, case in INVALID_BLOCKS.items() if case.is_stored)


def with_invalid_branch(name: str, children: int = 3) -> tuple[RegtestChain, bytes, bytes, list[bytes]]:
    """(chain, tip of the valid branch, hash of the invalid block, it and its descendants as bytes)."""
    chain = prepared_chain()
    tip = chain.tip
    block = INVALID_BLOCKS[name].build(chain)
    parent = block.header.block_hash
    if parent not in chain.nodes:  # the tree holds the sound twin
        return chain, tip, parent, [block.serialize()]
    descendants = [chain.mine(parent=parent), *(chain.mine() for _ in range(children - 1))]
    return chain, tip, parent, [each.serialize() for each in (block, *descendants)]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("bulk", [True, False])
def test_invalid_branch_is_refused_by_name(name, bulk, tmp_path):
    """The branch with most work begins with an invalid block: it goes with its descendants, by name, for good."""
    chain, tip, bad, branch = with_invalid_branch(name)
    sound, options = chain.serialized(tip), Options(bulk=bulk)
    report = build(tmp_path, [*sound, *branch], options=options)
    (text,) = report.refused
    assert f"block {display(bad)} at height 104 refused: {INVALID_BLOCKS[name].reason}" in text
    assert "3 blocks above it go with it" in text
    assert report.block_hash == display(tip)
    assert report.damaged == report.failed == []
    clean = build(tmp_path / "clean", sound, options=options)
    assert report.digest == clean.digest

    # Later: the invalid branch has grown, and so has the valid one, which still has less work.
    more = [chain.mine() for _ in range(2)]
    extend_randomly(chain, Random(name), 1, 5, parent=tip)
    again = build(tmp_path, [*sound, *branch, *(b.serialize() for b in more), chain.serialized()[-1]], options=options)
    assert again.refused == [f"{text} (found before)"]
    assert again.block_hash == display(chain.tip)
    assert (again.blocks, again.rewound) == (1, 0)
    clean = build(tmp_path / "clean", chain.serialized(), options=options)
    assert again.digest == clean.digest
    assert_same_ledger(tmp_path / "ledger", tmp_path / "clean" / "ledger")


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_block_is_reported_and_its_twin_taken(name, tmp_path):
    chain, tip, bad, branch = with_invalid_branch(name)
    sound = chain.serialized(tip)
    report = build(tmp_path, [*sound, *branch, *sound[-1:]])
    (text,) = report.damaged
    assert f"block {display(bad)} at height 104 refused: " in text
    assert DAMAGED[name] in text
    assert "blk00000.dat at byte " in text
    assert report.refused == []
    assert not report.complete
    assert report.block_hash == display(tip)
    if name == "repeated_transactions":  # the same header, without the repetition
        twin = chain.nodes[bad].block.serialize()
        assert twin != branch[0]
        report = build(tmp_path, [*sound, *branch, twin])
        assert report.block_hash == display(chain.tip)
        assert report.complete
        (text,) = report.gaps
        assert "a copy of it is read in its place" in text
        assert report.digest == build(tmp_path / "clean", chain.serialized()).digest


@pytest.mark.parametrize("name", FAILED)
def test_block_without_its_work_is_left_out(name, tmp_path):
    chain, tip, bad, branch = with_invalid_branch(name)
    report = build(tmp_path, [*chain.serialized(tip), *branch, chain.serialized(tip)[5]])
    (text,) = report.failed
    assert text.startswith("blk00000.dat at byte ")
    assert f"block {display(bad)} {FAILED[name]}" in text
    assert report.block_hash == display(tip)
    assert not report.complete


@pytest.mark.parametrize("name", NOT_A_RULE_OF_VALUE)
def test_what_the_rules_of_value_cannot_see_is_taken(name, tmp_path):
    """Stated, so that nobody believes more: such a branch is followed if it has most work."""
    chain, _, _, branch = with_invalid_branch(name)
    report = build(tmp_path, [*chain.serialized()[:-4], *branch])
    assert report.refused == report.damaged == report.failed == []
    assert report.block_hash == display(chain.tip)


@pytest.mark.parametrize("name", STORED)
def test_invalid_block_under_the_longest_headers_in_genuine_files(name, tmp_path):
    """The kernel stored the invalid block and its children, and stayed on the valid branch; so does the ledger."""
    chain, tip, bad, branch = with_invalid_branch(name)
    with Judge() as judge:
        judge.submit_all(chain.serialized(tip)[1:])
        assert all(judge.submit_header(raw[:80]) for raw in branch)
        assert judge.submit_all(branch[1:]) == ["stored"] * 3
        assert judge.submit(branch[0]) == INVALID_BLOCKS[name].reason
        told = judgement(judge)
        judge.close()
        report = ingest(judge.blocks_folder, tmp_path)
    assert report.records == len(told.hashes) + len(branch)
    if name in NOT_A_RULE_OF_VALUE:
        assert report.block_hash == display(chain.tip) != display(told.hashes[-1])
        return
    assert display(bad) in report.refused[0]
    compare(read_back(tmp_path), told)


def test_every_kind_of_invalid_block_is_covered():
    kinds = [*REFUSED, *DAMAGED, *FAILED, *NOT_A_RULE_OF_VALUE]
    assert sorted(kinds) == sorted(INVALID_BLOCKS)
    assert len(STORED) == 9


def test_invalid_block_in_the_middle_of_a_batch(tmp_path):
    """The sound blocks below it, in the same batch, are kept; a second fault earlier in the batch is found too."""
    chain = prepared_chain()
    first = INVALID_BLOCKS["overspend"].build(chain)  # found by the value checks, which come last
    chain.mine(parent=first.header.block_hash)
    second = INVALID_BLOCKS["missing_input"].build(chain)  # found by the resolver, which comes before them
    chain.mine(parent=second.header.block_hash)
    report = build(tmp_path, chain.serialized())
    (text,) = report.refused
    assert display(first.header.block_hash) in text
    assert "bad-txns-in-belowout" in text
    assert report.height == 103
    assert report.block_hash == display(first.header.previous_hash)


def test_invalid_tip_returns_to_the_branch_first_in_the_files(tmp_path):
    """A refused tip leaves a tie: the first in file order has it, as if the refused block had never been there."""
    chain = prepared_chain()
    fork = chain.tip
    chain.mine_empty(2)
    first_tip = chain.tip
    extend_randomly(chain, Random("tie"), 2, 3, parent=fork)
    second_tip = chain.tip
    bad = INVALID_BLOCKS["overspend"].build(chain)
    blocks = [*chain.serialized(first_tip), *chain.serialized(second_tip)[-2:]]
    with_bad = build(tmp_path / "bad", [*blocks, bad.serialize()])
    without = build(tmp_path / "good", blocks)
    assert len(with_bad.refused) == 1
    assert (with_bad.rivals, without.rivals) == (1, 1)
    assert without.block_hash == display(first_tip)
    assert with_bad.block_hash == display(first_tip)
    assert with_bad.digest == without.digest
    # A ledger that stood on the second branch before stays there.
    build(tmp_path / "late", chain.serialized(second_tip))
    stays = build(tmp_path / "late", [*blocks, bad.serialize()])
    assert stays.block_hash == display(second_tip)
    assert (stays.rewound, stays.rivals) == (0, 1)


def test_refused_longest_branch_leads_back_home(tmp_path):
    """A ledger that left its branch for an invalid one returns to it, though its rival is first in the files."""
    chain, first, home = forked_chain(Random("home"), 2, 2, 2, 4)
    fork = chain.block_hashes(home)[-3]
    extend_randomly(chain, Random("bad"), 3, 2, parent=fork)
    bad = INVALID_BLOCKS["overspend"].build(chain, chain.block_hashes()[-3])
    chain.mine(parent=bad.header.block_hash)
    longest = [*chain.serialized()[-3:], chain.mine().serialize()]
    before = build(tmp_path, chain.serialized(home))
    report = build(tmp_path, [*chain.serialized(first), *chain.serialized(home)[-2:], *longest])
    assert len(report.refused) == 1
    assert (report.block_hash, report.digest, report.rivals) == (display(home), before.digest, 1)
    assert report.rewound > 2
    build(tmp_path / "fresh", chain.serialized(home))
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / "ledger")
