"""Invented lists of tags: a table of addresses of a few services, as exchanges' lists are, and a TagPack.

In the TagPack every tag has a source of its own, as WalletExplorer's has. Addresses are random, of three kinds.
"""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path


def some_addresses(count: int, seed: int) -> Iterator[str]:
    """Random addresses of mainnet."""
    from cointrail.bitcoin.address import address_of
    from cointrail.bitcoin.network import MAINNET

    chance = random.Random(seed)
    forms = (
        lambda: b"\x76\xa9\x14" + chance.randbytes(20) + b"\x88\xac",
        lambda: b"\xa9\x14" + chance.randbytes(20) + b"\x87",
        lambda: b"\x00\x14" + chance.randbytes(20),
    )
    for number in range(count):
        yield address_of(forms[number % 3](), MAINNET) or ""


def write_table(path: Path, addresses: Iterable[str], services: int = 5) -> int:
    """A table of addresses of a few services; gives how many there are."""
    number = -1
    with path.open("w", encoding="utf-8") as file:
        file.write("address,actor,label,category,source,confidence,is_cluster_definer\n")
        for number, address in enumerate(addresses):
            each = number % services
            source = f"https://example.org/{each}"
            file.write(f"{address},actor{each},Service {each},exchange,{source},service_data,true\n")
    return number + 1


def write_pack(path: Path, addresses: Iterable[str]) -> None:
    """A TagPack with a source for every tag."""
    with path.open("w", encoding="utf-8") as file:
        file.write("title: Many\ncreator: benchmark\ncurrency: BTC\nnetwork: BTC\nconfidence: service_data\n")
        file.write("is_cluster_definer: true\nlastmod: 2021-11-11\ntags:\n")
        for number, address in enumerate(addresses):
            # A TagPack has at most 64 MiB.
            file.write(f"- address: {address}\n  label: S{number % 50}\n  source: https://e.org/{address}\n")
