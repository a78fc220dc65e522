"""What the investigation asks about, found with the Python API from the chain, three receipts and a tag pack.

Where a person looks at an answer and chooses a line, this module does. It never reads the truth.
"""

import csv
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cointrail
from cointrail.bitcoin.amounts import format_btc

EXCHANGES = ("Alpha", "Beta", "Gamma")
POLICIES = ("fifo", "haircut")


class Leads:
    """Everything is found when it is made; texts are as the command line takes them."""

    def __init__(self, world: Path, ledger: Path) -> None:
        self.path = ledger
        pack = (world / "inputs" / "tags" / "services.yaml").read_text("utf-8")
        self.tags: dict[str, str] = dict(re.findall(r"address: '(\w+)'\n +label: (\w+)", pack))
        with (world / "inputs" / "undercover.csv").open(encoding="utf-8", newline="") as file:
            self.receipt = next(csv.DictReader(file))
        self.members = lru_cache(None)(self._members)
        with cointrail.open(ledger) as self.opened:
            self._follow()

    def _follow(self) -> None:
        opened, self.txid = self.opened, self.receipt["txid"]
        self.tip, self.payment = opened.reader.height, f"{self.txid}:{self.receipt['vout']}"
        output = opened.transaction(self.txid).outputs[int(self.receipt["vout"])]
        assert output.spender is not None
        self.paid, self.sweep = str(output.address), output.spender.txid
        self.swept = opened.transaction(self.sweep)
        self.collection = max(self.swept.outputs, key=lambda each: each.value_sat)
        assert self.collection.spender is not None
        self.onward = self.collection.spender.txid
        self.exchange_of = {
            member: label
            for address, label in self.tags.items()
            if label in EXCHANGES
            for member in opened.cluster(address).members
        }
        outputs = opened.transaction(self.onward).outputs
        self.deposit = next(str(each.address) for each in outputs if each.address in self.exchange_of)
        self.exchange = self.exchange_of[self.deposit]
        self.hot = next(address for address, label in self.tags.items() if label == self.exchange)
        self._find_bridge()
        self.payers = {height: list(self._paid_in(height)) for height in (self.before, self.tip)}
        self.hop = self._find_hop()
        self.account = opened.address(self.deposit)
        self.traces = [opened.trace(self.payment, policy=name, hops=2) for name in POLICIES]

    def _members(self, height: int) -> frozenset[str]:
        """The co-spend cluster of the paid address at a height."""
        with cointrail.open(self.path, height) as opened:
            return frozenset(opened.cluster(self.paid).members)

    def _find_bridge(self) -> None:
        """The last height at which no tagged address is in the cluster, which one comes next, and through what."""
        (self.stranger,) = self.members(self.tip) & set(self.tags)
        heights = range(self.swept.height, self.tip + 1)
        joined = heights[bisect_left(heights, 1, key=lambda height: int(self.stranger in self.members(height)))]
        self.before, mine = joined - 1, self.members(joined - 1)
        with cointrail.open(self.path, self.before) as opened:
            self.others = frozenset(opened.cluster(self.stranger).members)
        for txid in self.opened.block(str(joined)).txids:
            spent = {each.address for each in self.opened.transaction(txid).inputs}
            if spent & mine and spent & self.others:
                self.bridge = txid

    def _paid_in(self, height: int) -> Iterator[tuple[str, int, str]]:
        """(txid, vout, exchange whose cluster holds every input or "") of what others paid to a height's cluster."""
        mine, heights = self.members(height), dict[str, int]()
        for member in mine:
            heights |= {each.txid: each.height for each in self.opened.history(member) if each.received_sat}
        for txid in sorted(heights, key=lambda each: (heights[each], each)):
            tx = self.opened.transaction(txid)
            payers = {each.address for each in tx.inputs}
            labels = {self.exchange_of.get(str(each), "") for each in payers}
            if heights[txid] <= height and not payers & mine:
                for output in tx.outputs:
                    if output.address in mine:
                        yield txid, output.vout, labels.pop() if len(labels) == 1 else ""

    def _find_hop(self) -> str:
        """The first payment of a person's shape whose second transaction backward spends a tagged exchange address."""
        hot = {(address, 2) for address, label in self.tags.items() if label in EXCHANGES}
        for txid, vout, label in self.payers[self.before]:
            if label or len(self.opened.transaction(txid).outputs) > 2:
                continue
            answer = self.opened.trace(f"{txid}:{vout}", direction="backward", hops=2)
            ends = {(str(end.address), end.hops) for end in answer.endpoints}
            if len(ends) == 1 and ends <= hot:
                self.hop_exchange = self.tags[ends.pop()[0]]
                return f"{txid}:{vout}"
        raise AssertionError("no payment from a tagged address over one hop")

    def names(self) -> dict[str, object]:
        """What case.md may name."""
        deposit, haircut = self.account, self.traces[1]
        arrived = sum(end.traced_sat for end in haircut.endpoints if end.address == self.deposit)
        return vars(self) | {
            "tagged": len(self.tags),
            "vout": self.receipt["vout"],
            "joined": self.before + 1,
            "label": self.tags[self.stranger],
            "size_before": len(self.members(self.before)),
            "size_others": len(self.others),
            "size_now": len(self.members(self.tip)),
            "sweep_inputs": len(self.swept.inputs),
            "sweep_outputs": len(self.swept.outputs),
            "collected_btc": format_btc(self.collection.value_sat),
            "straight": sum(bool(label) for _, _, label in self.payers[self.before]),
            "deposit_btc": format_btc(deposit.received_sat),
            "haircut_btc": format_btc(arrived),
            "traced_btc": format_btc(haircut.traced_sat),
            "payer_table": self.payer_table(),
            "policy_table": self.policy_table(),
        }

    def payer_table(self) -> str:
        """How many payments came straight from an exchange."""
        counts = {height: Counter(label for _, _, label in self.payers[height]) for height in self.payers}
        lines = ["straight from  " + "  ".join(f"cluster at {height:,}" for height in counts)]
        for label in (*EXCHANGES, ""):
            cells = "  ".join(f"{count[label]:>{len(f'cluster at {at:,}')},}" for at, count in counts.items())
            lines.append(f"{label or 'anybody else':<13}  {cells}")
        return "\n".join(lines)

    def policy_table(self) -> str:
        """Where both policies end, side by side."""
        ends = {end.outpoint: end for answer in self.traces for end in answer.endpoints}
        parts = [{end.outpoint: end.traced_sat for end in answer.endpoints} for answer in self.traces]
        lines = [f"{POLICIES[0]:>10}  {POLICIES[1]:>10}  ended because  at"]
        for outpoint, end in ends.items():
            cells = "  ".join(f"{format_btc(part.get(outpoint, 0)):>10}" for part in parts)
            lines.append(f"{cells}  {end.reason:<13}  {end.address}")
        lines.append("  ".join(f"{format_btc(each.fees_sat):>10}" for each in self.traces) + "  fees")
        lines.append("  ".join(f"{format_btc(each.traced_sat):>10}" for each in self.traces) + "  together")
        return "\n".join(lines)
