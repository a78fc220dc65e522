"""Clusters without a forest: a plain breadth-first search over spends and same-key facts, for tests to compare with."""

from collections import defaultdict
from dataclasses import dataclass, field

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import VETO, Sign
from cointrail.ledger.reader import Reader


@dataclass
class Searched:
    """What a search found: scripts, the co-spends that join them, those that are not believed, and the facts inside."""

    scripts: set[int] = field(default_factory=set)
    co_spends: dict[int, set[int]] = field(default_factory=dict)
    suppressed: set[int] = field(default_factory=set)
    facts: list[tuple[int, int, int]] = field(default_factory=list)


class Search:
    """A reader's transactions and facts, looked up one by one."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.script = reader.column("output", "script").tolist()
        self.spent = reader.column("input", "output").tolist()
        self.flags = reader.column("input", "flags").tolist()
        self.spenders = reader.spenders(range(reader.counts.output)).tolist()
        self.outputs = defaultdict(list)
        for output, script in enumerate(self.script):
            self.outputs[script].append(output)
        self.transaction = {row: tx for tx in range(reader.counts.transaction) for row in reader.inputs_of(tx)}
        names = ("tx_index", "script_a", "script_b")
        rows = zip(*(reader.column("same_key", name).tolist() for name in names), strict=True)
        self.facts = defaultdict(list)
        for tx, a, b in rows:
            self.facts[a].append((tx, a, b))
            self.facts[b].append((tx, a, b))

    def owned(self, tx: int) -> set[int]:
        """Distinct scripts of inputs that nobody could add to."""
        rows = self.reader.inputs_of(tx)
        return {self.script[self.spent[row]] for row in rows if not self.flags[row] & InputFlag.ANYONECANPAY}

    def cluster(self, script: int) -> Searched:
        """The cluster of one script."""
        found, queue = Searched({script}), [script]
        while queue:
            here = queue.pop(0)
            for tx in {
                self.transaction[row] for row in (self.spenders[each] for each in self.outputs[here]) if row >= 0
            }:
                scripts = self.owned(tx)
                if here not in scripts or len(scripts) < 2:
                    continue
                if collaborative(self.reader, tx).signs & VETO:
                    found.suppressed.add(tx)
                    continue
                found.co_spends[tx] = scripts
                queue += scripts - found.scripts
                found.scripts |= scripts
            for fact in self.facts[here]:
                found.facts += [fact] if fact not in found.facts else []
                fresh = {fact[1], fact[2]} - found.scripts
                queue += fresh
                found.scripts |= fresh
        return found

    def parts_without(self, found: Searched, tx: int | None = None, fact: int | None = None) -> list[int]:
        """Sizes of what is left of a cluster without one co-spend, or without one fact; largest first."""
        joined = [scripts for each, scripts in found.co_spends.items() if each != tx]
        joined += [{a, b} for number, (_, a, b) in enumerate(found.facts) if number != fact]
        part = {script: {script} for script in found.scripts}
        for scripts in joined:
            union = set().union(*(part[script] for script in scripts))
            part.update(dict.fromkeys(union, union))
        return sorted((len(each) for each in {id(each): each for each in part.values()}.values()), reverse=True)


def suspect(reader: Reader, tx: int) -> bool:
    """The gate's informative sign, by the plain rules."""
    return bool(collaborative(reader, tx).signs & Sign.UNNECESSARY_INPUT)
