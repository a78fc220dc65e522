"""Two tag packs in GraphSense's schema: one by somebody who knows the services, one crawled from the web, and wrong."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.simulation.truth import Truth
from cointrail.simulation.world import Entity

_CATEGORIES = {
    "exchange": "exchange",
    "gambling": "gambling",
    "payment_processor": "payment_processor",
    "merchant": "service",
    "mixer": "mixing_service",
}
_DECOY = "LuckyDice"

_SERVICES = """\
title: Known services
creator: Office of Invented Statistics
description: One address of each service, from deposits and withdrawals of our own
confidence: service_data
currency: BTC
is_cluster_definer: true
lastmod: 2024-01-15
source: https://statistics.invalid/services
tags:
"""
_CRAWLED = """\
title: Addresses found on the web
creator: Lantern Crawler
description: Labels as forums give them, unchecked
confidence: web_crawl
currency: BTC
is_cluster_definer: false
lastmod: 2024-02-20
source: https://lantern.invalid/labels
tags:
"""


def write_tags(folder: Path, entities: Sequence[Entity], truth: Truth) -> None:
    """Write both packs.

    Args:
        folder: an existing, empty folder.
        entities: everybody; those who are tagged get one address.
        truth: says which of their scripts was spent most often.
    """
    tagged = [entity for entity in entities if entity.tagged]
    addresses = _busiest({entity.entity_id for entity in tagged}, truth)
    services = "".join(
        _tag(addresses[each.entity_id], each.name, _CATEGORIES[each.kind], actor=each.name.lower()) for each in tagged
    )
    decoy = next(entity for entity in tagged if entity.name == _DECOY)
    crawled = _tag(addresses[decoy.entity_id], "LuckyDice Market", "market", actor="")
    for name, text in (("services.yaml", _SERVICES + services), ("webcrawl.yaml", _CRAWLED + crawled)):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _tag(address: str, label: str, category: str, *, actor: str) -> str:
    lines = [f"- address: '{address}'", f"  label: {label}", f"  category: {category}"]
    if actor:
        lines.append(f"  actor: {actor}")
    return "".join(f"{line}\n" for line in lines)


def _busiest(entities: set[int], truth: Truth) -> dict[int, str]:
    """Address of the script each entity spent from most often, a hot one if it has any."""
    owners = truth.scripts.entities
    spends: Counter[int] = Counter()
    for output in truth.spent:
        number = truth.script_numbers[output]
        if owners[number] in entities:
            spends[number] += 1
    best: dict[int, tuple[bool, int, int]] = {}
    for number in sorted(spends):
        rank = truth.scripts[number].role == "hot", spends[number], -number
        best[owners[number]] = max(best.get(owners[number], rank), rank)
    return {owner: _address(truth.scripts.script_pubkey(-minus)) for owner, (_, _, minus) in best.items()}


def _address(script_pubkey: bytes) -> str:
    address = address_of(script_pubkey, REGTEST)
    assert address is not None, "services have addresses"
    return address
