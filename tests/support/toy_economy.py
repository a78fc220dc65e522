"""A toy economy for tests of what stands below the real one: two miners and one wallet of every model.

Every wallet pays others in every block it can afford it; now and then there is a CoinJoin-like transaction of several
wallets, an OP_RETURN and an ANYONECANPAY signature. It uses `World` as the real actors do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cointrail.bitcoin.script import ScriptType, classify
from cointrail.simulation.chain import PRELUDE_BLOCKS, Block, Chain
from cointrail.simulation.columns import HeldScript
from cointrail.simulation.keys import Signer
from cointrail.simulation.models import HOLDOUT_MODELS, MODELS
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import NoRecord, Payment, Recorder, World

ALL_MODELS = (*MODELS, *HOLDOUT_MODELS)
PRELUDE = PRELUDE_BLOCKS - 1


@dataclass(eq=False)
class ToyEconomy:
    """Run it once.

    Attributes:
        seed, blocks, per_block: what it does after PRELUDE blocks of mining.
        sink: gets every block; recorder: gets the truth.
    """

    seed: int
    blocks: int
    per_block: int
    recorder: Recorder = field(default_factory=NoRecord)
    signer: Signer | None = None
    sink: Callable[[Block], None] | None = None
    raws: list[bytes] = field(default_factory=list)
    world: World = field(init=False)

    def run(self) -> "ToyEconomy":
        chain = Chain(self.seed, 600, self._take)
        self.world = world = World(self.seed, chain, self.recorder, self.signer)
        stream = world.stream("toy")
        pool = world.add_entity("Pool", "miner", "XA")
        miner = world.add_wallet(pool, ALL_MODELS[0], "Pool")
        payout = world.new_script(miner, "hot")
        people = [
            world.add_wallet(world.add_entity(model.name, "person", "XB"), model, model.name) for model in ALL_MODELS
        ]
        for _ in range(PRELUDE):
            world.mine(miner, payout)
        miner.mature(chain.height)
        for wallet in people:
            world.pay(miner, [Payment(world.receive_script(wallet), 10**8) for _ in range(3)], "payout")
        world.mine(miner, payout)
        for number in range(self.blocks):
            for _ in range(self.per_block):
                payer, payee = stream.pick(people), stream.pick(people)
                amount = stream.heavy(10_000, 3 * 10**7)
                world.pay(payer, [Payment(world.receive_script(payee), amount)], "payment", label=f"toy-{number % 3}")
            if number % 3 == 0:
                self._together(people)
            world.mine(miner, payout, claim_less_sat=stream.below(2) * 1_000)
        return self

    def _take(self, block: Block) -> None:
        self.raws.append(block.raw)
        if self.sink:
            self.sink(block)

    def _together(self, people: list[Wallet]) -> None:
        """One coin of each wallet that has one, one output each, some data, and mixed hash types."""
        world = self.world
        payers = [wallet for wallet in people if wallet.coins]
        coins = [next(iter(wallet.coins.values())) for wallet in payers]
        outputs = [
            Payment(world.new_script(wallet), coin.value_sat - 2_000, change=True)
            for wallet, coin in zip(payers, coins, strict=True)
            if coin.value_sat > 5_000
        ]
        sighash = [(0x01, 0x81, 0x83 if place < len(outputs) else 0x81)[place % 3] for place in range(len(coins))]
        world.send(
            payers[0], coins, outputs, "coinjoin", protocol="toy", data=b"\x6a\x04toys", lock_time=0, sighash=sighash
        )


def all_kinds(scripts: Iterable[HeldScript]) -> set[ScriptType]:
    """Types of scripts that were made."""
    return {classify(script.script_pubkey) for script in scripts}
