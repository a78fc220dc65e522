"""Ledgers for tests: built by the real ingest or, block by block, from a `ChainModel`; copied, compared, damaged."""

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from chain_model import ChainModel
from chain_tree import GENESIS, RegtestChain
from random_chain import random_chain
from random_scripts import RandomScripts
from regtest import write_block_files

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.transaction import Transaction, TransactionOutput
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options, Report
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import TABLES
from cointrail.ledger.writer import Writer


def write_source(folder: Path, raw_blocks: Sequence[bytes]) -> Path:
    """Block files of a regtest chain; returns their folder."""
    write_block_files(folder, raw_blocks, REGTEST.magic)
    return folder


def follow(source: Path, ledger: Path, until: int | None = None, batch: int = 4_000) -> Report:
    """Ingest in small batches that are each published."""
    return ingest(source, ledger, options=Options(until=until, batch_bytes=batch, publish_bytes=1), cluster=bring_up)


def write_model(ledger: Path, model: ChainModel, *, first: int = 0, end: int | None = None, step: int = 3) -> None:
    """Append blocks of a model, `step` blocks a batch, each batch published."""
    end = len(model.blocks) if end is None else end
    with Writer(ledger, model.network.name) as writer:
        for low in range(first, end, step):
            writer.append(model.batch(low, min(low + step, end)))
            writer.publish()


def bring_to(ledger: Path, model: ChainModel, step: int = 3) -> None:
    """Make a ledger hold a model's chain, as ingest does: rewind to the last common block, append, publish."""
    with Writer(ledger, model.network.name) as writer:
        hashes = [bytes(row) for row in writer.column("block", "hash")]
        common = sum(1 for ours, theirs in zip(hashes, model.hashes, strict=False) if ours == theirs)
        writer.rewind(common - 1)
        for low in range(common, len(model.blocks), step):
            writer.append(model.batch(low, min(low + step, len(model.blocks))))
        writer.publish()


def copy_of(ledger: Path, target: Path) -> Path:
    """A copy of a ledger in place of whatever was there."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ledger, target)
    return target


def content(ledger: Path, height: int | None = None) -> dict[str, object]:
    """All that a ledger says at a height: digest, bytes of the fixed columns, links as a reader believes them."""
    with Reader(ledger, height) as reader:
        return content_of(reader)


def content_of(reader: Reader) -> dict[str, object]:
    """All that a reader says."""
    everything = np.arange(reader.counts.output)
    found: dict[str, object] = {
        "snapshot": reader.snapshot,
        "spenders": reader.spenders(everything).tolist(),
        "overwritten": reader.overwritten(everything).tolist(),
        "unspent": reader.unspent(everything).tolist(),
        "histories": [list(reader.outputs_of_script(script)) for script in range(reader.counts.script)],
    }
    for table in TABLES:
        for column in table.columns:
            if not column.link:
                found[f"{table.name}/{column.name}"] = reader.column(table.name, column.name).tobytes()
    return found


@cache
def branches() -> tuple[ChainModel, ...]:
    """Three chains that begin alike; in the first and the third a coinbase is repeated, above where they part."""
    return (
        ChainModel(tiny_chain(16, "branch", repeat=(3, 12))),
        ChainModel(tiny_chain(18, "branch", turn=(6, "left"))),
        ChainModel(tiny_chain(14, "branch", repeat=(3, 11), turn=(10, "right"))),
    )


def common_height(one: ChainModel, other: ChainModel) -> int:
    """Height of the last block that two chains have in common."""
    return sum(1 for ours, theirs in zip(one.hashes, other.hashes, strict=False) if ours == theirs) - 1


@cache
def small_chain(seed: str = "ledger", blocks: int = 25, transactions: int = 6) -> RegtestChain:
    """A random chain that obeys all rules; its first hundred blocks hold nothing but a coinbase."""
    return random_chain(Random(seed), blocks, transactions)


@cache
def tiny_chain(
    blocks: int = 14,
    seed: str = "tiny",
    *,
    repeat: tuple[int, int] | None = None,
    turn: tuple[int, str] | None = None,
) -> tuple[bytes, ...]:
    """A chain of few blocks that is full of spends, for a `ChainModel`; it does not wait for maturity.

    Args:
        blocks: how many, with the genesis block.
        seed: of all choices; chains of one seed begin alike.
        repeat: heights of two blocks with one and the same coinbase, as on mainnet before BIP30.
        turn: a height and the seed of all choices from there on, for another branch.
    """
    random, chain = Random(seed), RegtestChain()
    scripts = RandomScripts(random)
    coinbases: dict[int, Transaction] = {}
    raw = [GENESIS]
    for height in range(1, blocks):
        if turn and height == turn[0]:
            random.seed(turn[1])
        closed = _closed(coinbases, repeat, height)
        made: list[Transaction] = []
        for _ in range(random.randrange(4) if height > 1 else 0):
            used = {each.outpoint for transaction in made for each in transaction.inputs}
            pool = [o for o in chain.unspent().values() if o.script_pubkey in chain.locks]
            pool = [o for o in pool if o.outpoint not in used and o.txid not in closed]
            taken = random.sample(pool, min(len(pool), random.choice((1, 1, 2, 3))))
            if taken:
                made.append(_spend(chain, random, scripts, taken))
        block = chain.mine(made, outputs=[TransactionOutput(chain.reward_sat(height, made), _script(chain, scripts))])
        coinbases[height] = block.transactions[0]
        if repeat and height == repeat[1]:
            block = Block(block.header, (coinbases[repeat[0]], *block.transactions[1:]))
        raw.append(block.serialize())
    return tuple(raw)


def _closed(coinbases: dict[int, Transaction], repeat: tuple[int, int] | None, height: int) -> set[bytes]:
    """Coinbases not to spend at a height: the one that is repeated until that is done, and the one it replaces."""
    if repeat is None:
        return set()
    return {coinbases[h].txid for h in repeat if h in coinbases and (h == repeat[1] or height <= repeat[1])}


def _spend(chain: RegtestChain, random: Random, scripts: RandomScripts, taken: list) -> Transaction:
    total = sum(output.value_sat for output in taken)
    count = random.choice((1, 2, 2, 3))
    outputs = [TransactionOutput(total // count - 1, _script(chain, scripts)) for _ in range(count)]
    if random.random() < 0.3:
        outputs.append(TransactionOutput(0, scripts.locked().script_pubkey))
    return chain.spend(taken, outputs)


def _script(chain: RegtestChain, scripts: RandomScripts) -> bytes:
    return chain.learn(scripts.spendable()).script_pubkey
