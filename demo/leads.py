"""What the investigation asks about, found with the Python API from the chain, three receipts and a tag pack.

Nothing here reads the truth. Where a person would look at an answer and choose a line, this module does.
"""

import csv
import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cointrail

EXCHANGES = ("Alpha", "Beta", "Gamma")


@dataclass(slots=True, eq=False)
class Leads:
    """The lines a person would follow; each is a text as the command line takes it.

    Attributes:
        world, ledger: the folders.
        tags: address to label, as the tag pack `services.yaml` says.
    """

    world: Path
    ledger: Path
    tags: dict[str, str]
    receipt: dict[str, str] = field(init=False)
    paid: str = field(init=False)
    sweep: str = field(init=False)
    collected: str = field(init=False)
    onward: str = field(init=False)
    deposit: str = field(init=False)
    before: int = field(init=False)
    stranger: str = field(init=False)
    bridge: str = field(init=False)
    payers: dict[int, Counter[str]] = field(init=False)
    hop: str = field(init=False)

    @property
    def payment(self) -> str:
        """The test payment's outpoint."""
        return f"{self.receipt['txid']}:{self.receipt['vout']}"


def find(world: Path, ledger: Path) -> Leads:
    """Follow the first receipt through the ledger."""
    pack = (world / "inputs" / "tags" / "services.yaml").read_text("utf-8")
    leads = Leads(world, ledger, dict(re.findall(r"address: '(\w+)'\n +label: (\w+)", pack)))
    with (world / "inputs" / "undercover.csv").open(encoding="utf-8", newline="") as file:
        leads.receipt = next(csv.DictReader(file))
    with cointrail.open(ledger) as opened:
        output = opened.transaction(leads.receipt["txid"]).outputs[int(leads.receipt["vout"])]
        assert output.address is not None
        assert output.spender is not None
        leads.paid, leads.sweep = output.address, output.spender.txid
        largest = max(opened.transaction(leads.sweep).outputs, key=lambda each: each.value_sat)
        assert largest.spender is not None
        leads.collected, leads.onward = f"{leads.sweep}:{largest.vout}", largest.spender.txid
        leads.deposit = next(
            each.address
            for each in opened.transaction(leads.onward).outputs
            if each.address and set(opened.cluster(each.address).members) & set(leads.tags)
        )
        leads.before, leads.stranger, leads.bridge = _bridge(leads, opened)
        leads.payers = {height: _payers(leads, opened, height) for height in (leads.before, opened.reader.height)}
        leads.hop = _one_hop(leads, opened)
    return leads


def members(leads: Leads, height: int | None) -> frozenset[str]:
    """The co-spend cluster of the paid address at a height."""
    with cointrail.open(leads.ledger, height) as opened:
        return frozenset(opened.cluster(leads.paid).members)


def _bridge(leads: Leads, opened: cointrail.Ledger) -> tuple[int, str, str]:
    """The last height at which no tagged address is in the cluster; which one comes then, and by what transaction."""
    (stranger,) = members(leads, None) & set(leads.tags)
    start = opened.transaction(leads.sweep).height
    heights = range(start, opened.reader.height + 1)
    joined = heights[bisect_left(heights, True, key=lambda height: stranger in members(leads, height))]
    mine = members(leads, joined - 1)
    for txid in opened.block(str(joined)).txids:
        spent = {each.address for each in opened.transaction(txid).inputs}
        if spent & mine and spent - mine:
            return joined - 1, stranger, txid
    raise AssertionError(joined)


def _incoming(leads: Leads, opened: cointrail.Ledger, height: int) -> list[tuple[str, list[int]]]:
    """(txid, vouts) of what the cluster of a height received up to it from others."""
    mine = members(leads, height)
    txids = {entry.txid: entry.height for each in mine for entry in opened.history(each) if entry.received_sat}
    found = []
    for txid in sorted(txids, key=lambda each: (txids[each], each)):
        if txids[txid] <= height:
            tx = opened.transaction(txid)
            if not {each.address for each in tx.inputs} & mine:
                found.append((txid, [each.vout for each in tx.outputs if each.address in mine]))
    return found


def exchange_of(leads: Leads, opened: cointrail.Ledger) -> dict[str, str]:
    """Address to exchange: an assertion (the tag) carried by an inference (the cluster of the tagged address)."""
    return {
        member: label
        for address, label in leads.tags.items()
        if label in EXCHANGES
        for member in opened.cluster(address).members
    }


def _payers(leads: Leads, opened: cointrail.Ledger, height: int) -> Counter[str]:
    """Payments to the cluster of a height, by the exchange whose cluster holds every input."""
    exchanges, found = exchange_of(leads, opened), Counter[str]()
    for txid, vouts in _incoming(leads, opened, height):
        labels = {exchanges.get(each.address or "", "") for each in opened.transaction(txid).inputs}
        found[labels.pop() if len(labels) == 1 else ""] += len(vouts)
    return found


def _one_hop(leads: Leads, opened: cointrail.Ledger) -> str:
    """The first payment whose two transactions backward end at a tagged exchange address and nowhere else."""
    hot = {address for address, label in leads.tags.items() if label in EXCHANGES}
    for txid, vouts in _incoming(leads, opened, leads.before):
        ends = opened.trace(f"{txid}:{vouts[0]}", direction="backward", hops=2).endpoints
        if all(end.address in hot and end.hops == 2 for end in ends):
            return f"{txid}:{vouts[0]}"
    raise AssertionError("no such payment")
