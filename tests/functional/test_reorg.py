"""Reorganisations: whatever a ledger has been through, it equals the one built afresh from its chain."""

import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest
from ingest_runs import assert_same_ledger, build, lay_out
from ledger_view import read_back
from regtest import RegtestChain, extend_randomly, forked_chain, mine_many_outputs, random_chain

from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.extend import bring_up
from cointrail.errors import SnapshotGone
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify

SMALL = Options(batch_bytes=5_000, publish_bytes=20_000)


def grown(chain: RegtestChain, tip: bytes, blocks: int, seed: str) -> bytes:
    """The tip of a branch after some more random blocks."""
    extend_randomly(chain, Random(seed), blocks, 3, parent=tip)
    return chain.tip


def both(chain: RegtestChain, first: bytes, second: bytes) -> list[bytes]:
    """All blocks of two branches, those of the first before those of the second."""
    seen = chain.serialized(first)
    return seen + [raw for raw in chain.serialized(second) if raw not in set(seen)]


def there_and_back(folder: Path, depth: int, options: Options, transactions: int = 5) -> None:
    """A, then the longer B, then A grown longer still: at each step the ledger equals a fresh one."""
    chain, a, b = forked_chain(Random(f"reorg {depth}"), 3, depth, depth + 1, transactions)
    fork = len(chain.branch(b)) - depth - 2
    assert build(folder, chain.serialized(a), options=options).block_hash == display(a)
    first = read_back(folder / "ledger")

    report = build(folder, both(chain, a, b), options=options)
    assert (report.rewound, report.blocks, report.stale) == (depth, depth + 1, depth)
    assert report.block_hash == display(b)
    build(folder / "fresh b", chain.serialized(b))
    assert_same_ledger(folder / "ledger", folder / "fresh b" / "ledger")

    longer = grown(chain, a, 2, "back")
    report = build(folder, both(chain, longer, b), options=options)
    assert (report.rewound, report.blocks) == (depth + 1, depth + 2)
    assert report.block_hash == display(longer)
    build(folder / "fresh a", chain.serialized(longer))
    assert_same_ledger(folder / "ledger", folder / "fresh a" / "ledger")

    # Time travel: at its old tip, at the fork and below, the branch reads as it did when it was the tip.
    assert read_back(folder / "ledger", len(first.blocks) - 1) == first
    for height in (fork, fork - 1, 50, 0):
        build(folder / str(height), chain.serialized(a)[: height + 1])
        assert read_back(folder / "ledger", height) == read_back(folder / str(height) / "ledger")


@pytest.mark.parametrize("depth", [1, 2, 6])
@pytest.mark.parametrize("bulk", [True, False])
def test_reorg_there_and_back(depth, bulk, tmp_path):
    there_and_back(tmp_path, depth, Options(bulk=bulk))


@pytest.mark.slow
def test_reorg_of_100_blocks_there_and_back(tmp_path):
    there_and_back(tmp_path, 100, Options(batch_bytes=20_000, publish_bytes=50_000))


@pytest.mark.slow
def test_reorg_of_1088_blocks_there_and_back(tmp_path):
    there_and_back(tmp_path, 1_088, Options(bulk=False), transactions=2)


@pytest.mark.slow
def test_many_random_reorgs_on_one_ledger(tmp_path):
    """One ledger follows a tree that grows at random places; after each step it equals a fresh build."""
    random = Random("tree")
    chain = random_chain(random, 3, 8)
    tips = [chain.tip]
    files = chain.serialized()
    rewound = 0
    for step in range(25):
        tip = random.choice(tips[-3:])
        parent = chain.block_hashes(tip)[-random.randint(1, 9)]
        extend_randomly(chain, random, random.randint(1, 12), 6, parent=parent)
        known = set(files)
        files += [raw for raw in chain.serialized() if raw not in known]
        tips.append(chain.tip)
        options = Options(bulk=random.choice([True, False]), batch_bytes=random.choice([1, 3_000, 1 << 24]))
        report = build(tmp_path, files, options=options, per_file=random.choice([None, 17]))
        rewound += report.rewound
        best = next(tip for tip in tips if display(tip) == report.block_hash)
        assert report.height == max(map(chain.height_of, tips))
        fresh = build(tmp_path / "fresh" / str(step), chain.serialized(best))
        assert fresh.digest == report.digest
        assert verify(tmp_path / "ledger") == []
    assert rewound > 30
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / str(step) / "ledger")


def test_reorg_across_a_block_of_seventy_thousand_outputs(tmp_path):
    """Many links are undone, and the scripts they led to are found again."""
    chain = RegtestChain()
    chain.mine_empty(103)
    fork = chain.tip
    mine_many_outputs(chain, 70_000)
    a = chain.tip
    extend_randomly(chain, Random("b"), 2, 5, parent=fork)
    build(tmp_path, chain.serialized(a))
    assert build(tmp_path, both(chain, a, chain.tip)).rewound == 1
    build(tmp_path / "fresh", chain.serialized())
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / "ledger")
    assert read_back(tmp_path / "ledger") == read_back(tmp_path / "fresh" / "ledger")


def test_spent_outputs_are_unspent_again(tmp_path):
    """An output spent on one branch only: its spender link follows the branch."""
    chain = RegtestChain()
    chain.mine_empty(102)
    fork, prevout = chain.tip, chain.spendable()[0]
    outputs = chain.nodes[fork].block.transactions[0].outputs
    chain.mine([chain.spend([prevout], outputs)])
    a = chain.tip
    b = chain.mine_empty(2, parent=fork)[-1].header.block_hash

    def state() -> tuple[bool, int, int]:
        with Reader(tmp_path / "ledger") as reader:
            (transaction,) = reader.find_transactions(prevout.txid)
            output = reader.outputs_of(transaction)[prevout.vout]
            script = reader.find_script(prevout.script_pubkey)
            paid = sum(1 for _ in reader.outputs_of_script(script))
            return bool(reader.unspent([output])[0]), int(reader.spenders([output])[0]), paid

    build(tmp_path, chain.serialized(a))
    spent, spender, paid = state()
    assert (spent, paid) == (False, 104)
    assert spender >= 0
    build(tmp_path, both(chain, a, b))
    assert state() == (True, -1, 104)


# Ties.


def tie() -> tuple[RegtestChain, bytes, bytes]:
    return forked_chain(Random("tie"), 2, 3, 3, 4)


@pytest.mark.parametrize("per_file", [None, 1])
def test_tie_keeps_the_branch_first_in_file_order(tmp_path, per_file):
    """As a node does without other knowledge; the report says that there is a rival."""
    chain, a, b = tie()
    for name, first, second in (("ab", a, b), ("ba", b, a)):
        report = build(tmp_path / name, both(chain, first, second), per_file=per_file)
        assert (report.block_hash, report.rivals, report.rewound) == (display(first), 1, 0)
    # What counts is the block that completes the work, not where the branch began.
    blocks = both(chain, a, b)
    blocks[-4], blocks[-1] = blocks[-1], blocks[-4]
    assert build(tmp_path / "last", blocks).block_hash == display(b)


def test_tie_of_three(tmp_path):
    chain, a, b = tie()
    c = grown(chain, chain.block_hashes(a)[-4], 3, "third")
    blocks = both(chain, b, a) + chain.serialized(c)[-3:]
    report = build(tmp_path, blocks)
    assert (report.block_hash, report.rivals, report.stale) == (display(b), 2, 6)


def test_no_rival_without_a_tie(tmp_path):
    chain, a, b = forked_chain(Random("no tie"), 2, 3, 4, 4)
    assert build(tmp_path, both(chain, a, b)).rivals == 0


def test_ledger_on_the_losing_branch_of_a_tie_stays(tmp_path):
    """It was there first; more work moves it."""
    chain, a, b = tie()
    first = build(tmp_path, chain.serialized(b))
    report = build(tmp_path, both(chain, a, b))
    assert (report.block_hash, report.digest) == (display(b), first.digest)
    assert (report.rivals, report.rewound, report.blocks) == (1, 0, 0)
    longer = grown(chain, a, 1, "more")
    report = build(tmp_path, both(chain, longer, b))
    assert (report.block_hash, report.rewound, report.rivals) == (display(longer), 3, 0)


def test_files_that_lost_the_ledgers_branch(tmp_path):
    """Equal work of another branch does not move a ledger, more work does, less never."""
    chain, a, b = tie()
    first = build(tmp_path, chain.serialized(b))
    assert build(tmp_path, chain.serialized(a)).digest == first.digest
    assert build(tmp_path, chain.serialized(a)[:-1]).digest == first.digest
    longer = grown(chain, a, 1, "more")
    assert build(tmp_path, chain.serialized(longer)).block_hash == display(longer)


# Until a height.


def test_until_then_on(tmp_path):
    chain, a, b = forked_chain(Random("until"), 5, 4, 6, 5)
    fork = len(chain.branch(a)) - 5
    for until in (0, 1, fork - 2, fork):
        report = build(tmp_path, chain.serialized(a), options=Options(until=until))
        assert report.height == until
        assert report.digest == build(tmp_path / str(until), chain.serialized(a)[: until + 1]).digest
    # Inside the branch: the block of that height on the best chain, the loser's block is withdrawn.
    build(tmp_path, chain.serialized(a))
    report = build(tmp_path, both(chain, a, b), options=Options(until=fork + 2))
    assert report.height == fork + 2
    assert report.block_hash == display(chain.block_hashes(b)[fork + 2])
    assert report.digest == build(tmp_path / "part", chain.serialized(b)[: fork + 3]).digest
    report = build(tmp_path, both(chain, a, b))
    assert report.digest == build(tmp_path / "fresh", chain.serialized(b)).digest
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / "ledger")


def test_until_below_the_tip_never_cuts(tmp_path):
    chain = random_chain(Random("cut"), 3, 5)
    full = build(tmp_path, chain.serialized())
    for until in (0, 50, 102, 103, 10_000):
        report = build(tmp_path, chain.serialized(), options=Options(until=until))
        assert (report.digest, report.rewound, report.blocks) == (full.digest, 0, 0)


# Readers.


def test_readers_across_a_reorg(tmp_path):
    """Above the fork a reader says that its snapshot is gone, below it goes on as if nothing had happened."""
    chain, a, b = forked_chain(Random("readers"), 3, 6, 7, 6)
    fork = len(chain.branch(a)) - 7
    build(tmp_path, chain.serialized(a))
    with (
        Reader(tmp_path / "ledger") as tip,
        Reader(tmp_path / "ledger", fork + 1) as above,
        Reader(tmp_path / "ledger", fork) as at,
        Reader(tmp_path / "ledger", 60) as below,
    ):
        before = answers(at)
        for reader in (tip, above, at, below):
            reader.check_current()
        build(tmp_path, both(chain, a, b))
        for reader in (tip, above):
            with pytest.raises(SnapshotGone, match=f"reorganised below height {reader.height}"):
                reader.check_current()
        for reader in (at, below):
            reader.check_current()
        assert answers(at) == before
    with Reader(tmp_path / "ledger", fork) as fresh:
        assert answers(fresh) == before
    with Reader(tmp_path / "ledger") as now:
        now.check_current()
        assert now.snapshot.block_hash == display(b)


def answers(reader: Reader) -> tuple[str, list[int], list[int], list[list[int]]]:
    """What links say at a snapshot: unspent outputs, spenders, histories of all scripts."""
    outputs = np.arange(reader.counts.output)
    histories = [list(reader.outputs_of_script(script)) for script in range(reader.counts.script)]
    unspent = np.flatnonzero(reader.unspent(outputs)).tolist()
    return reader.snapshot.digest, unspent, reader.spenders(outputs).tolist(), histories


def test_reader_whose_chain_came_back_is_told(tmp_path):
    """A to B to a longer A: the rows are the same again, but what was read in between may have been the other's."""
    chain, a, b = forked_chain(Random("came back"), 2, 2, 3, 4)
    build(tmp_path, chain.serialized(a))
    with Reader(tmp_path / "ledger") as reader:
        before = answers(reader)
        build(tmp_path, both(chain, a, b))
        with pytest.raises(SnapshotGone):
            reader.check_current()
        build(tmp_path, both(chain, grown(chain, a, 2, "again"), b))
        with pytest.raises(SnapshotGone):
            reader.check_current()
    with Reader(tmp_path / "ledger", chain.height_of(a)) as again:
        assert answers(again) == before


def test_ledger_copied_before_a_reorg_keeps_its_chain(tmp_path):
    """A backup is a ledger: it answers for its own tip and can go on from there."""
    chain, a, b = forked_chain(Random("copy"), 2, 3, 4, 4)
    first = build(tmp_path, chain.serialized(a))
    shutil.copytree(tmp_path / "ledger", tmp_path / "backup")
    build(tmp_path, both(chain, a, b))
    assert read_back(tmp_path / "backup").digest == first.digest
    lay_out(tmp_path / "files", both(chain, a, b))
    ingest(tmp_path / "files", tmp_path / "backup", options=SMALL, cluster=bring_up)
    assert_same_ledger(tmp_path / "backup", tmp_path / "ledger")
