"""Real CoinJoins that others collected, and a regtest run of Wasabi 2 whose wallets are known: does the gate see them?

The lists were labelled by their collectors' own rules, so they are partly circular; the emulation's truth is exact
(METHODS.md 10.1). Nothing is copied: a set that is not there is left out, and said so.
"""

import hashlib
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from book import Book
from cointrail.cluster.gate.kinds import RULE_OF, VERSION_OF, VETO, Sign
from cointrail.cluster.gate.reference import Coin, signs_of_shape
from gate_rows import GATE
from worlds import REAL

LISTS = {
    "wasabi1-2021.txt": "Wasabi 1 rounds, 2021",
    "whirlpool-2024-03-first700.txt": "Whirlpool mixes, March 2024",
    "whirlpool-tx0-2024-03-first450.txt": "Whirlpool Tx0, March 2024",
}
EMULATION = "wasabi2-emulation-10-wallets.tar.gz"
_BTC = 100_000_000


class Real(NamedTuple):
    """A transaction with the outputs it spends, and the wallets they are of where that is known."""

    inputs: tuple[Coin, ...]
    outputs: tuple[Coin, ...]
    owners: tuple[str, ...] = ()


class Set(NamedTuple):
    """A set that was read."""

    name: str
    sha256: str


def real_rows(book: Book, folder: Path) -> list[Set]:
    """Add the rows of every set in a folder, and name the sets."""
    read = []
    for name in (*LISTS, EMULATION):
        path = folder / name
        if not path.is_file():
            print(f"skipped: there is no {path}", file=sys.stderr)
            continue
        read.append(Set(name, hashlib.sha256(path.read_bytes()).hexdigest()))
        if name == EMULATION:
            _emulation(book, path)
        else:
            _list(book, LISTS[name], [*_listed(path)], tx0="Tx0" in LISTS[name])
    return read


def _list(book: Book, label: str, found: list[Real], *, tx0: bool) -> None:
    """A CoinJoin should be suppressed; a Tx0 has one owner and should be left alone."""
    several = [each for each in found if len({coin.script_pubkey for coin in each.inputs}) > 1]
    signs = [signs_of_shape(each.inputs, each.outputs) for each in several]
    if tx0:  # the list holds other transactions too
        signs = [each for each in signs if Sign.TX0 in each]
    vetoed = sum(bool(each & VETO) for each in signs)
    if tx0:
        book.add(GATE, REAL, f"{label} of several scripts, left alone", len(signs), vetoed)
        return
    book.add(GATE, REAL, label, len(several), len(several) - vetoed, found=vetoed, wanted=len(several))
    for sign in Sign:
        hits = sum(sign in each for each in signs)
        if sign in VETO and hits:
            n = len(several)
            book.add(RULE_OF[sign], REAL, label, n, n - hits, version=VERSION_OF[sign], found=hits, wanted=n)


def _emulation(book: Book, path: Path) -> None:
    """Pairs of strangers, and transactions of one wallet."""
    for each in _emulated(path):
        owner = dict(zip((coin.script_pubkey for coin in each.inputs), each.owners, strict=True))
        sizes = Counter(owner.values()).values()
        pairs = sum(sizes) * (sum(sizes) - 1) // 2 - sum(size * (size - 1) // 2 for size in sizes)
        vetoed = bool(signs_of_shape(each.inputs, each.outputs) & VETO)
        if pairs:
            missed = 0 if vetoed else pairs
            book.add(
                GATE, REAL, "Wasabi 2 emulation, pairs of strangers", pairs, missed, found=pairs - missed, wanted=pairs
            )
            book.add(GATE, REAL, "Wasabi 2 emulation, rounds", 1, not vetoed, found=vetoed, wanted=1)
        else:
            book.add(GATE, REAL, "Wasabi 2 emulation, of one wallet, left alone", 1, vetoed)


def _listed(path: Path) -> Iterator[Real]:
    """`txid:::block:::index:::time:::{outpoint-and-value+script+type}...:::{value+script+type}...`, one a line."""
    for line in path.read_text("utf-8").splitlines():
        fields = line.split(":::")
        if len(fields) > 5:
            sides = [[each.strip("{}").split("+") for each in field.split("}{")] for field in fields[4:6]]
            yield Real(
                *(tuple(Coin(int(e[0].rpartition("-")[2]), bytes.fromhex(e[1])) for e in side) for side in sides)
            )


def _emulated(path: Path) -> Iterator[Real]:
    """All transactions of the run but coinbases, in chain order."""
    blocks: dict[int, Any] = {}
    owner: dict[bytes, str] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = Path(member.name).parts
            file = archive.extractfile(member) if member.isfile() else None
            if file and parts[-1].startswith("block_"):
                block = json.load(file, parse_float=Decimal)
                blocks[block["height"]] = block
            elif file and parts[-1] == "keys.json":
                owner.update((_program(key["scriptPubKey"]), parts[-2]) for key in json.load(file))
    made: dict[tuple[str, int], Coin] = {}
    for height in sorted(blocks):
        for place, tx in enumerate(blocks[height]["tx"]):
            outputs = [
                Coin(int(each["value"] * _BTC), bytes.fromhex(each["scriptPubKey"]["hex"])) for each in tx["vout"]
            ]
            made.update({(tx["txid"], vout): coin for vout, coin in enumerate(outputs)})
            if place:
                inputs = tuple(made[each["txid"], each["vout"]] for each in tx["vin"])
                yield Real(inputs, tuple(outputs), tuple(owner.get(coin.script_pubkey, "") for coin in inputs))


def _program(words: str) -> bytes:
    """A witness program written as `version hex`, as a scriptPubKey."""
    version, program = words.split()
    data = bytes.fromhex(program)
    return bytes([0x50 + int(version) if int(version) else 0, len(data)]) + data
