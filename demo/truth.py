"""What the truth says to each step: numbers for the last section, which no investigator has."""

import csv
from collections import Counter
from pathlib import Path

from leads import OVERLAY, RULE, Leads

from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.amounts import format_btc
from cointrail.bitcoin.hashes import display, parse_hash, script_hash
from cointrail.bitcoin.network import REGTEST


class Truth:
    """The truth tables of a small world, read as far as the case needs."""

    def __init__(self, world: Path) -> None:
        self.folder = world / "truth"
        self.entities = {row["entity_id"]: row for row in self.rows("entities")}
        self.scripts = {row["script_hash"]: row for row in self.rows("scripts")}
        key = {row["payment_id"]: row for row in self.rows("payments")}
        sources = [(row["payment_id"], row["exchange"]) for row in self.rows("payment_sources")]
        self.payments = {
            (display(bytes.fromhex(row["txid"])), int(row["vout"])): (
                row["route"],
                [s for p, s in sources if p == each],
            )
            for each, row in key.items()
        }
        self.market = next(row for row in self.entities.values() if row["kind"] == "market")

    def rows(self, name: str) -> list[dict[str, str]]:
        """A table."""
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def script(self, address: str) -> dict[str, str]:
        """The row of an address."""
        return self.scripts[script_hash(script_of(address, REGTEST)).hex()]

    def holders(self, addresses: frozenset[str]) -> Counter[str]:
        """Kinds of entities that hold addresses."""
        return Counter(self.entities[self.script(each)["entity_id"]]["kind"] for each in addresses)

    def used_by(self, entity: str) -> int:
        """How many scripts of an entity ever held money."""
        return sum(row["entity_id"] == entity and row["used"] == "true" for row in self.scripts.values())


def solution(world: Path, leads: Leads) -> dict[str, str]:
    """Numbers and names by the name they have in case.md."""
    truth = Truth(world)
    mine, welded = (truth.holders(leads.members[reading]) for reading in (OVERLAY, RULE))
    straight = [each for each in leads.payers[OVERLAY] if each[2]]
    right = [each for each in straight if each[2] in truth.payments.get(each[:2], ("", []))[1]]
    others = Counter(truth.payments.get(each[:2], ("no payment to the market",))[0] for each in leads.payers[RULE]
                     if not each[2])  # fmt: skip
    bridge = next(row for row in truth.rows("transactions") if row["txid"] == parse_hash(leads.bridge).hex())
    account = truth.script(leads.deposit)["account_id"]
    holder = next(row["holder_id"] for row in truth.rows("accounts") if row["account_id"] == account)
    cashed = Counter[str]()
    for row in truth.rows("cashouts"):
        cashed[row["leg"]] += int(row["value_sat"])
    txid, _, vout = leads.hop.partition(":")
    route, exchanges = truth.payments[txid, int(vout)]
    return {
        "market_mine": f"{mine['market']:,} of {mine.total():,}",
        "market_now": f"{welded['market']:,} of {welded.total():,}",
        "merchant_now": f"{welded['merchant']:,}",
        "market_used": f"{truth.used_by(truth.market['entity_id']):,}",
        "bridge_kind": bridge["kind"],
        "bridge_label": bridge["label"],
        "straight_right": f"{len(right):,} of {len(straight):,}",
        "others": ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(others.items())),
        "hop_route": route.replace("_", " "),
        "hop_source": " and ".join(exchanges),
        "account": account,
        "holder": f"{truth.entities[holder]['name']} ({truth.entities[holder]['kind']})",
        "same": "one and the same" if truth.entities[holder]["controller_id"] == truth.market["controller_id"]
        else "not the same",
        "cashed": ", ".join(f"{format_btc(value)} BTC by {leg}" for leg, value in sorted(cashed.items())),
    }  # fmt: skip
