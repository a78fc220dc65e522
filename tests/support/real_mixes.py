"""Real transactions with what they spend, as the shared data has them: inputs and outputs as (value, scriptPubKey).

Lists of crocs-muni hold one transaction a line; explorers' files hold JSON with the spent outputs inside; the archive
of the Wasabi 2 emulation holds a regtest node's blocks and the keys of each of its ten wallets.
"""

import json
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from vectors import load_json, real_blocks, shared_data

from cointrail.bitcoin.block import Block
from cointrail.bitcoin.encoding import Cursor

BTC = 100_000_000
Side = tuple[tuple[int, bytes], ...]


class RealTransaction(NamedTuple):
    """A transaction with the outputs it spends; `owners` is known in the emulation only."""

    txid: str
    inputs: Side
    outputs: Side
    owners: frozenset[str] = frozenset()


@cache
def listed(name: str) -> tuple[RealTransaction, ...]:
    """The transactions of a list of crocs-muni."""
    lines = (shared_data() / "coinjoin" / name).read_text("utf-8").splitlines()
    return tuple(_listed(line.split(":::")) for line in lines if line.count(":::") >= 5)


def _listed(fields: list[str]) -> RealTransaction:
    inputs, outputs = ([each.strip("{}").split("+") for each in field.split("}{")] for field in fields[4:6])
    return RealTransaction(
        fields[0],
        tuple((int(each[0].split("-")[2]), bytes.fromhex(each[1])) for each in inputs),
        tuple((int(each[0]), bytes.fromhex(each[1])) for each in outputs),
    )


def explored(name: str) -> RealTransaction:
    """A transaction of an explorer's file."""
    tx = load_json(f"transactions/{name}.json")
    return RealTransaction(
        tx["txid"],
        tuple(_side(each["prevout"]) for each in tx["vin"]),
        tuple(_side(each) for each in tx["vout"]),
    )


def _side(output: dict[str, Any]) -> tuple[int, bytes]:
    return output["value"], bytes.fromhex(output["scriptpubkey"])


@cache
def emulated() -> tuple[RealTransaction, ...]:
    """All transactions of the Wasabi 2 emulation but coinbases, in chain order, with the wallets they spend from."""
    blocks: dict[int, Any] = {}
    owner: dict[bytes, str] = {}
    with tarfile.open(shared_data() / "coinjoin" / "wasabi2-emulation-10-wallets.tar.gz") as archive:
        for member in archive:
            name = member.name.split("/")
            if name[-1].startswith("block_"):
                block = json.load(archive.extractfile(member), parse_float=Decimal)
                blocks[block["height"]] = block
            elif name[-1] == "keys.json":
                for key in json.load(archive.extractfile(member)):
                    version, program = key["scriptPubKey"].split()
                    prefix = {"0": b"\x00", "1": b"\x51"}[version]
                    program = bytes.fromhex(program)
                    owner[prefix + bytes([len(program)]) + program] = name[-2]
    return tuple(_emulated([blocks[height] for height in sorted(blocks)], owner))


def mainnet_block_300025() -> tuple[RealTransaction, ...]:
    """A block of May 2014 without its coinbase: what it spends comes from a node's undo data."""
    (raw,) = (block for name, block in real_blocks() if name.startswith("mainnet/300025_"))
    undo = Cursor((shared_data() / "oracles" / "undo" / "mainnet-300025.undo").read_bytes())
    found = []
    for tx in Block.parse(raw).transactions[1:]:
        inputs = tuple((undo.u64(), undo.var_bytes()) for _ in tx.inputs)
        outputs = tuple((output.value_sat, output.script_pubkey) for output in tx.outputs)
        found.append(RealTransaction(tx.txid.hex(), inputs, outputs))
    assert not undo.remaining
    return tuple(found)


def _emulated(blocks: list[Any], owner: dict[bytes, str]) -> Iterator[RealTransaction]:
    made: dict[tuple[str, int], tuple[int, bytes]] = {}
    for block in blocks:
        for place, tx in enumerate(block["tx"]):
            outputs = tuple((int(o["value"] * BTC), bytes.fromhex(o["scriptPubKey"]["hex"])) for o in tx["vout"])
            made.update(((tx["txid"], vout), output) for vout, output in enumerate(outputs))
            if place:
                inputs = tuple(made[each["txid"], each["vout"]] for each in tx["vin"])
                owners = frozenset(owner.get(script, "nobody") for _, script in inputs)
                yield RealTransaction(tx["txid"], inputs, outputs, owners)
