"""CoinJoins of which the true owner of every input and output is known: simulated ones, and the Wasabi 2 emulation."""

import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from simulated_economy import TINY, simulate
from vectors import shared_data

from cointrail.cluster.gate.kinds import Kind, kind_of
from cointrail.cluster.gate.reference import Coin, signs_of_shape

MORE_MIXES = replace(TINY, wasabi1=12, wasabi2=12, whirlpool=12, joinmarket=30)


class Owned(NamedTuple):
    """What an input or output is worth, its script, and whose it is; None if nobody's that took part is known."""

    value_sat: int
    script_pubkey: bytes
    owner: object


class Mix(NamedTuple):
    """A CoinJoin with its truth; `protocol` is what it truly is, `kind` what the gate calls it."""

    protocol: str
    inputs: tuple[Owned, ...]
    outputs: tuple[Owned, ...]

    @property
    def kind(self) -> Kind:
        sides = [[Coin(*each[:2]) for each in side] for side in (self.inputs, self.outputs)]
        return kind_of(int(signs_of_shape(*sides)))

    @property
    def spent(self) -> list[int]:
        return [each.value_sat for each in self.inputs]

    @property
    def paid(self) -> list[int]:
        return [each.value_sat for each in self.outputs]

    def true_parts(self, vin: int) -> list[float] | None:
        """How the satoshis of an input's owner lie on the outputs; None if its outputs are not known."""
        theirs = [each.value_sat * (each.owner == self.inputs[vin].owner) for each in self.outputs]
        return [each / sum(theirs) for each in theirs] if sum(theirs) else None


@cache
def simulated_mixes(seeds: Sequence[int] = (1, 2, 3)) -> tuple[Mix, ...]:
    """The CoinJoins of simulated economies with more of them than usual."""
    return tuple(
        Mix(
            sent.protocol,
            tuple(Owned(each.value_sat, each.script.script_pubkey, each.script.entity_id) for each in sent.inputs),
            tuple(Owned(each.value_sat, each.script.script_pubkey, each.script.entity_id) for each in sent.outputs),
        )
        for seed in seeds
        for sent in simulate(MORE_MIXES, seed).kept.sents
        if sent.kind == "coinjoin"
    )


@cache
def emulated_mixes() -> tuple[Mix, ...]:
    """The rounds of the Wasabi 2 emulation; the coordinator's outputs are nobody's."""
    blocks, owner = {}, {}
    with tarfile.open(shared_data() / "coinjoin" / "wasabi2-emulation-10-wallets.tar.gz") as archive:
        for member in archive:
            name = member.name.split("/")
            if name[-1].startswith("block_"):
                block = json.load(archive.extractfile(member), parse_float=Decimal)
                blocks[block["height"]] = block
            elif name[-1] == "keys.json":
                owner |= {_script(key["scriptPubKey"]): name[-2] for key in json.load(archive.extractfile(member))}
    return tuple(_rounds([blocks[height] for height in sorted(blocks)], owner))


def _script(text: str) -> bytes:
    version, program = text.split()
    raw = bytes.fromhex(program)
    return {"0": b"\x00", "1": b"\x51"}[version] + bytes([len(raw)]) + raw


def _rounds(blocks: Sequence[dict], owner: dict[bytes, str]) -> Iterator[Mix]:
    made: dict[tuple[str, int], Owned] = {}
    for block in blocks:
        for place, tx in enumerate(block["tx"]):
            scripts = [bytes.fromhex(each["scriptPubKey"]["hex"]) for each in tx["vout"]]
            outputs = tuple(
                Owned(int(each["value"] * 100_000_000), script, owner.get(script))
                for each, script in zip(tx["vout"], scripts, strict=True)
            )
            made.update(((tx["txid"], vout), output) for vout, output in enumerate(outputs))
            if place:
                inputs = tuple(made[each["txid"], each["vout"]] for each in tx["vin"])
                if len({each.owner for each in inputs}) > 1:
                    yield Mix("wabisabi", inputs, outputs)
