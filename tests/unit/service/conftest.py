"""A random chain as a ledger, and the same chain walked without it."""

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from regtest import COINBASE_MATURITY, RegtestChain, random_chain, write_block_files

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.network import REGTEST
from cointrail.bitcoin.script import is_unspendable
from cointrail.bitcoin.transaction import Outpoint
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest


class Walked(NamedTuple):
    """An output as the walk found it: `spender` is (txid, vin) up to the height, or None."""

    outpoint: Outpoint
    value_sat: int
    script_pubkey: bytes
    height: int
    spender: tuple[bytes, int] | None
    spent_at: int | None

    @property
    def spendable(self) -> bool:
        return self.height > 0 and not is_unspendable(self.script_pubkey)


class Walk:
    """Everything up to a height, read from the blocks' bytes alone.

    Attributes:
        transactions: (height, transaction) by txid.
        outputs: by outpoint, in chain order.
        by_script: the same, by script.
        fees: by txid.
    """

    def __init__(self, blocks: list[bytes], height: int) -> None:
        self.height = height
        self.transactions = {}
        self.outputs: dict[Outpoint, Walked] = {}
        self.fees: dict[bytes, int] = {}
        self.txids_by_height: list[list[bytes]] = []
        for number, raw in enumerate(blocks[: height + 1]):
            block = Block.parse(raw)
            self.txids_by_height.append([tx.txid for tx in block.transactions])
            for tx, txid in zip(block.transactions, self.txids_by_height[-1], strict=True):
                self._take(tx, txid, number)
        self.by_script = defaultdict(list)
        for output in self.outputs.values():
            self.by_script[output.script_pubkey].append(output)

    def _take(self, tx, txid: bytes, height: int) -> None:
        spent = 0
        if not tx.is_coinbase:
            for vin, each in enumerate(tx.inputs):
                prevout = self.outputs[each.outpoint]
                assert prevout.spender is None
                self.outputs[each.outpoint] = prevout._replace(spender=(txid, vin), spent_at=height)
                spent += prevout.value_sat
        for vout, each in enumerate(tx.outputs):
            outpoint = Outpoint(txid, vout)
            self.outputs[outpoint] = Walked(outpoint, each.value_sat, each.script_pubkey, height, None, None)
        self.fees[txid] = 0 if tx.is_coinbase else spent - sum(each.value_sat for each in tx.outputs)
        self.transactions[txid] = (height, tx)


class World(NamedTuple):
    """A chain, its block files and its ledger."""

    chain: RegtestChain
    blocks: list[bytes]
    source: Path
    ledger: Path
    random: Random

    def walk(self, height: int) -> Walk:
        return Walk(self.blocks, height)

    def heights(self, count: int) -> list[int]:
        """The tip and some others."""
        tip = len(self.blocks) - 1
        return [tip, *self.random.sample(range(COINBASE_MATURITY - 5, tip), count - 1)]


@pytest.fixture(scope="package", params=[1, 2, 3])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    chain = random_chain(Random(request.param), 25, 9)
    folder = tmp_path_factory.mktemp(f"world-{request.param}")
    blocks = chain.serialized()
    shuffled = Random(request.param).sample(blocks, len(blocks))
    write_block_files(folder / "blocks", shuffled, REGTEST.magic, xor_key=b"\x07" * 8, per_file=40)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    return World(chain, blocks, folder / "blocks", folder / "ledger", Random(request.param + 100))
