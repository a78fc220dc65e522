"""Readers in other processes while blocks come and go: an answer belongs to one snapshot, or the snapshot is gone."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from chain_model import ChainModel
from effort import WIDE
from ledgers import branches, content, follow, write_source
from regtest import extend_randomly, forked_chain, write_block_files

from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer

READERS, READS, ROUNDS = 3, 7_000, 300 if WIDE else 12
READING = Path(__file__).parents[2] / "support" / "reading_process.py"

Answers = dict[bytes, tuple[int, int]]


def truth_of(model: ChainModel) -> dict[str, Answers]:
    """For each block of a chain the outputs and the balance of every script at its height."""
    truth: dict[str, Answers] = {}
    for height, block_hash in enumerate(model.hashes):
        live, answers = set(model.unspent(height)), {}
        for number, output in enumerate(model.outputs):
            if output.height <= height:
                script = model.scripts[output.script]
                outputs, balance = answers.get(script, (0, 0))
                answers[script] = outputs + 1, balance + (output.value_sat if number in live else 0)
        truth[display(block_hash)] = answers
    return truth


@pytest.mark.slow
def test_answers_stay_consistent_while_the_chain_is_reorganised(place):
    chain, left, right = forked_chain(Random("readers"), 3, 8, 10, 8)
    sources = {}
    for name, tip in (("left", left), ("right", right)):
        sources[name] = write_source(place / name, chain.serialized(tip))
    growing = write_source(place / "growing", chain.serialized(left))
    tips = [left, right]
    # Each of these makes the branch that lies behind the longer one.
    additions = [[node.block.serialize() for node in chain.branch(right)[104:]]]
    for turn in range(4):
        tips[turn % 2] = extend_randomly(chain, Random(turn), 4, 6, parent=tips[turn % 2])[-1].header.block_hash
        additions.append([node.block.serialize() for node in chain.branch(tips[turn % 2])[-4:]])
    truth = truth_of(ChainModel(chain.serialized(tips[0]))) | truth_of(ChainModel(chain.serialized(tips[1])))
    (place / "truth").write_bytes(pickle.dumps(truth))

    ledger = place / "ledger"
    follow(growing, ledger, batch=20_000)
    command = [sys.executable, READING, ledger, place / "truth", place / "stop"]
    readers = [
        subprocess.Popen([str(each) for each in (*command, seed, READS)], stdout=subprocess.PIPE, text=True)
        for seed in range(READERS)
    ]
    try:
        for number, blocks in enumerate(additions, 1):
            write_block_files(growing, blocks, REGTEST.magic, first_file=number)
            assert follow(growing, ledger, batch=1_500).rewound > 0
        assert verify(ledger) == []
        rounds = 0
        while any(reader.poll() is None for reader in readers):
            for name in ("left", "right"):
                with Writer(ledger, "regtest") as writer:
                    writer.rewind(Random(rounds).choice((103, 103, 102, 60)))
                follow(sources[name], ledger, batch=1_500)
            rounds += 1
            if rounds == ROUNDS:
                (place / "stop").touch()
        outcomes = [json.loads(reader.communicate()[0]) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    assert [outcome["wrong"] for outcome in outcomes] == [[]] * READERS
    assert sum(outcome["reads"] for outcome in outcomes) >= 20_000
    assert all(outcome["gone"] > 0 for outcome in outcomes), "no reader met a reorganisation"
    assert all(outcome["snapshots"] > 10 for outcome in outcomes)
    assert verify(ledger) == []
    follow(sources["right"], place / "clean")
    assert content(ledger) == content(place / "clean")


def test_a_reader_opened_between_publications_sees_one_of_them(place):
    # The runs that a manifest names may be merged and deleted while a reader opens.
    model = branches()[1]
    with Writer(place, "regtest") as writer:
        for height in range(len(model.blocks)):
            writer.append(model.batch(height, height + 1))
            writer.publish()
            with Reader(place) as reader:
                assert reader.snapshot.digest == model.blocks[height].digest.hex()
