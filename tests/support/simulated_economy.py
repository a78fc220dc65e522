"""A simulated economy, kept whole, and a walk over its blocks that believes nothing but the bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from mixing_gate import collaborative

from cointrail.bitcoin.block import Block
from cointrail.simulation.actors.coinjoins import MixLink
from cointrail.simulation.chain import Chain
from cointrail.simulation.economy import Economy
from cointrail.simulation.keys import Script
from cointrail.simulation.scale import SMALL, Scale
from cointrail.simulation.wallet import Wallet
from cointrail.simulation.world import Entity, Sent, World

# Half a year of the small economy with a third of its transactions: everything happens, and it takes a second.
TINY = replace(SMALL, transactions=9_000)


@dataclass(eq=False)
class Kept:
    """A recorder that keeps everything."""

    entities: list[Entity] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    sents: list[Sent] = field(default_factory=list)

    def entity(self, entity: Entity) -> None:
        self.entities.append(entity)

    def wallet(self, wallet: Wallet) -> None:
        self.wallets.append(wallet)

    def script(self, script: Script) -> None:
        self.scripts.append(script)

    def sent(self, sent: Sent) -> None:
        self.sents.append(sent)


@dataclass(frozen=True, eq=False)
class Spend:
    """A transaction as the chain shows it, with what it spends resolved.

    inputs and outputs are (value, scriptPubKey); `born` are the heights of what is spent; `signs` the last byte of
    each input's signature, 1 where it carries none.
    """

    txid: bytes
    height: int
    position: int
    inputs: tuple[tuple[int, bytes], ...]
    outputs: tuple[tuple[int, bytes], ...]
    born: tuple[int, ...]
    signs: tuple[int, ...]

    @cached_property
    def gate(self) -> str:
        return collaborative(self.inputs, self.outputs)


@dataclass(eq=False)
class Simulated:
    """What a run left."""

    world: World
    economy: Economy
    kept: Kept
    raw: list[bytes]
    links: list[MixLink]

    def by_txid(self) -> dict[bytes, Sent]:
        return {each.txid: each for each in self.kept.sents}


def simulate(scale: Scale = TINY, seed: int = 1, *, holdout: bool = False) -> Simulated:
    raw: list[bytes] = []
    links: list[MixLink] = []
    kept = Kept()
    world = World(seed, Chain(seed, scale.spacing, lambda block: raw.append(block.raw)), kept)
    economy = Economy(world, scale, holdout=holdout, on_mix=links.append)
    economy.run()
    return Simulated(world, economy, kept, raw, links)


@cache
def simulated(seed: int = 1, *, holdout: bool = False) -> Simulated:
    """One run for all tests of a process."""
    return simulate(seed=seed, holdout=holdout)


@cache
def spends(seed: int = 1, *, holdout: bool = False) -> list[Spend]:
    """Every transaction but the coinbases."""
    return list(walk(simulated(seed, holdout=holdout).raw))


def walk(raw: list[bytes]) -> Iterator[Spend]:
    """Resolve what every transaction spends; an output that is not there, or is spent twice, is an error."""
    unspent: dict[tuple[bytes, int], tuple[int, bytes, int]] = {}
    for height, each in enumerate(raw):
        for position, transaction in enumerate(Block.parse(each).transactions):
            txid = transaction.txid
            taken = []
            if position:
                taken = [unspent.pop((item.outpoint.txid, item.outpoint.vout)) for item in transaction.inputs]
            outputs = tuple((output.value_sat, output.script_pubkey) for output in transaction.outputs)
            for vout, (value, script) in enumerate(outputs):
                if height and not script.startswith(b"\x6a"):
                    unspent[txid, vout] = (value, script, height)
            if position:
                yield Spend(
                    txid,
                    height,
                    position,
                    tuple((value, script) for value, script, _ in taken),
                    outputs,
                    tuple(born for _, _, born in taken),
                    tuple(_sign(item.script_sig, item.witness) for item in transaction.inputs),
                )


def _sign(script_sig: bytes, witness: tuple[bytes, ...]) -> int:
    """Hash type of an input's first signature."""
    if len(witness) == 1 and len(witness[0]) in (64, 65):
        return witness[0][64] if len(witness[0]) == 65 else 1
    signature = next((item for item in witness if item), b"") if witness else script_sig[1 : 1 + script_sig[0]]
    return signature[-1]
