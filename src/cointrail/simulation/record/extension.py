"""Two branches above the tip (criterion 10): the watch-list must report a move, withdraw it, and report it again.

a1 moves the watched output and a2, a3 follow. b1 to b4 fork at the tip without the move and win by one block; b5 holds
the same transaction again. Each file is a raw block; none is in the block files.
"""

from collections.abc import Sequence
from pathlib import Path

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block as Parsed
from cointrail.bitcoin.network import REGTEST
from cointrail.simulation.chain import Block, assemble, make_coinbase
from cointrail.simulation.transactions import Built, Coin, build, estimated_vsize
from cointrail.simulation.world import World

A_BLOCKS = 3
B_BLOCKS = 5
_FEERATE = 20


def move(world: World, coin: Coin) -> Built:
    """A transaction that moves a coin whole to a fresh script of its wallet, which the chain never sees."""
    wallet = world.wallets[coin.script.wallet_id]
    target = world.new_script(wallet)
    fee = _FEERATE * estimated_vsize([coin], [target.kind])
    return build(
        world.keys,
        [coin],
        [(target.script_pubkey, coin.value_sat - fee)],
        version=wallet.model.version,
        sequences=[wallet.model.sequence],
        lock_time=0 if wallet.model.lock_time == "zero" else world.chain.height - 1,
    )


def write_extension(folder: Path, last: Sequence[Block], spacing: int, moving: Built) -> None:
    """Write both branches into a new folder.

    Args:
        folder: where.
        last: the two highest blocks, whose miners mine the branches.
        spacing: seconds between blocks.
        moving: the transaction of a1 and of b5.
    """
    folder.mkdir(parents=True)
    before, tip = last
    first = _branch(tip, before, spacing, A_BLOCKS, {1: moving})
    second = _branch(tip, tip, spacing, B_BLOCKS, {B_BLOCKS: moving}, late=spacing // 2)
    for letter, blocks in (("a", first), ("b", second)):
        for number, block in enumerate(blocks, start=1):
            (folder / f"{letter}{number}.blk").write_bytes(block.raw)


def _branch(
    tip: Block, payee: Block, spacing: int, count: int, transactions: dict[int, Built], late: int = 0
) -> list[Block]:
    paid = Parsed.parse(payee.raw).transactions[0].outputs[0].script_pubkey
    blocks = [tip]
    for number in range(1, count + 1):
        height = tip.height + number
        taken = [transactions[number]] if number in transactions else []
        outputs = [(paid, subsidy_sat(height, REGTEST.halving_interval))]
        coinbase = make_coinbase(height, outputs, [each.wtxid for each in taken], extra_nonce=1 if late else 2)
        time = tip.time + number * spacing + late
        blocks.append(assemble(blocks[-1].block_hash, height, time, [coinbase, *taken]))
    return blocks[1:]
