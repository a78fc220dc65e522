"""What the investigation asks about, found with the Python API from the chain, three receipts and a tag pack.

Where a person looks at an answer and chooses a line, this module does. It never reads the truth.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cointrail
from cointrail.bitcoin.amounts import format_btc
from cointrail.cluster.overlay.entries import Kind
from cointrail.service import overlays

EXCHANGES = ("Alpha", "Beta", "Gamma")
POLICIES = ("fifo", "haircut", "lifo", "tiho")
OVERLAY, RULE = "with the overlay", "by the rule alone"
PURCHASES = "test purchases"


class Leads:
    """Everything is found when it is made; texts are as the command line takes them."""

    def __init__(self, world: Path, ledger: Path) -> None:
        self.pack_file = world / "inputs" / "tags" / "services.yaml"
        pack = self.pack_file.read_text("utf-8")
        self.tags: dict[str, str] = dict(re.findall(r"address: '(\w+)'\n +label: (\w+)", pack))
        with (world / "inputs" / "undercover.csv").open(encoding="utf-8", newline="") as file:
            self.receipt, *self.receipts = csv.DictReader(file)
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
        self._doubt()
        self.payers = {reading: list(self._paid_in(mine)) for reading, mine in self.members.items()}
        self.hop = self._find_hop()
        self.account = opened.address(self.deposit)
        self.trace = opened.trace(self.payment, policies=POLICIES, services=self.pack_file)

    def _doubt(self) -> None:
        """The merge that is ranked first, and the cluster with and without it."""
        bought = (self.opened.transaction(row["txid"]).outputs[int(row["vout"])] for row in self.receipts)
        self.tagged = self.tags | dict.fromkeys((self.paid, *(str(each.address) for each in bought)), PURCHASES)
        asked = self.opened.cluster(self.paid, show=("members", "suspicious"), tagged=self.tagged)
        (self.stranger,) = set(asked.members) & set(self.tags)
        self.suspect = (asked.suspicious or ())[0]
        assert self.suspect.txid is not None
        self.bridge = self.suspect.txid
        with TemporaryDirectory() as folder:  # the case's own overlay says the same
            file = Path(folder) / "overlay.json"
            overlays.new(file, name="Bazaar", author="demo", network="regtest")
            overlays.add(file, Kind.EXCLUDE_TRANSACTION, [self.bridge], author="demo", reason="ranked first")
            mine, others = (self.opened.cluster(each, overlay=file).members for each in (self.paid, self.stranger))
        self.members = {OVERLAY: frozenset(mine), RULE: frozenset(asked.members)}
        self.others = frozenset(others)
        self.steps = len(self.opened.explain(self.paid, self.stranger).steps)

    def _paid_in(self, mine: frozenset[str]) -> Iterator[tuple[str, int, str]]:
        """(txid, vout, exchange whose cluster holds every input or "") of what others paid to a cluster."""
        heights = dict[str, int]()
        for member in mine:
            heights |= {each.txid: each.height for each in self.opened.history(member) if each.received_sat}
        for txid in sorted(heights, key=lambda each: (heights[each], each)):
            tx = self.opened.transaction(txid)
            payers = {each.address for each in tx.inputs}
            labels = {self.exchange_of.get(str(each), "") for each in payers}
            if not payers & mine:
                for output in tx.outputs:
                    if output.address in mine:
                        yield txid, output.vout, labels.pop() if len(labels) == 1 else ""

    def _find_hop(self) -> str:
        """The first payment of a person's shape that was, two transactions earlier, money of one exchange."""
        exchanges = {label.lower(): label for label in EXCHANGES}
        for txid, vout, label in self.payers[OVERLAY]:
            if label or len(self.opened.transaction(txid).outputs) > 2:
                continue
            answer = self.opened.trace(f"{txid}:{vout}", direction="backward", services=self.pack_file)
            ends = {(str(end.service), end.hops) for end in answer.endpoints}
            if len(ends) == 1 and ends <= {(actor, 2) for actor in exchanges}:
                self.hop_exchange = exchanges[ends.pop()[0]]
                return f"{txid}:{vout}"
        raise AssertionError("no payment from an exchange over one hop")

    def names(self) -> dict[str, object]:
        """What case.md may name."""
        deposit, reached = self.account, [end for end in self.trace.endpoints if end.address == self.deposit]
        return vars(self) | {
            "pack": len(self.tags),
            "decoy": next(address for address, label in self.tags.items() if label == "LuckyDice"),
            "vout": self.receipt["vout"],
            "joined": self.suspect.height,
            "label": self.tags[self.stranger],
            "size_mine": len(self.members[OVERLAY]),
            "size_others": len(self.others),
            "size_now": len(self.members[RULE]),
            "sweep_inputs": len(self.swept.inputs),
            "sweep_outputs": len(self.swept.outputs),
            "collected_btc": format_btc(self.collection.value_sat),
            "straight": sum(bool(label) for _, _, label in self.payers[OVERLAY]),
            "deposit_btc": format_btc(deposit.received_sat),
            "fifo_btc": format_btc(sum(end.traced_sat["fifo"] for end in reached)),
            "haircut_btc": format_btc(sum(end.traced_sat["haircut"] for end in reached)),
            "traced_btc": format_btc(self.trace.traced_sat),
            "payer_table": self.payer_table(),
        }

    def payer_table(self) -> str:
        """How many payments came straight from an exchange."""
        counts = {reading: Counter(label for _, _, label in found) for reading, found in self.payers.items()}
        lines = ["  ".join(["straight from", *counts])]
        for label in (*EXCHANGES, ""):
            cells = "  ".join(f"{count[label]:>{len(reading)},}" for reading, count in counts.items())
            lines.append(f"{label or 'anybody else':<13}  {cells}")
        return "\n".join(lines)
