"""Peel chains written down once more from METHODS.md 6.1 and 6.3: one transaction at a time, plain sets and lists.

What is change is asked of `name_change`, transaction by transaction, and of nothing stored; clusters are united one by
one from the transactions. Slow.
"""

from collections import defaultdict
from typing import NamedTuple

from cluster_search import Search

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.change.verdict import name_change
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import VETO
from cointrail.ledger.reader import Reader

CARRIERS = {294, 330, 546}


class PlainStep(NamedTuple):
    """A transaction, the inputs that carry the chain, the outputs that do, and why."""

    tx: int
    hop: int
    came: frozenset[int]
    followed: frozenset[int]
    decision: str


class PlainEnd(NamedTuple):
    """Outputs that are not followed (inputs that are not, backward), why, and after which transaction."""

    after: int
    coins: frozenset[int]
    reason: str


class Plain:
    """A ledger as lists."""

    def __init__(self, reader: Reader) -> None:
        self.reader, search = reader, Search(reader)
        self.script, self.spent = search.script, search.spent
        self.value = reader.column("output", "value_sat").tolist()
        count = reader.counts.transaction
        self.inputs = [[self.spent[row] for row in reader.inputs_of(tx) if self.spent[row] >= 0] for tx in range(count)]
        self.outputs = [list(reader.outputs_of(tx)) for tx in range(count)]
        self.maker = {output: tx for tx, outputs in enumerate(self.outputs) for output in outputs}
        self.spender = {output: tx for tx, inputs in enumerate(self.inputs) for output in inputs}
        self.mixes = {tx for tx in range(count) if collaborative(reader, tx).signs & VETO}
        self.dead = {*self.outputs[0], *(each for each in range(reader.counts.output) if self._is_return(each))}
        self.cluster = self._clusters(search)
        self.size = defaultdict(int)
        for script in range(reader.counts.script):
            self.size[self.cluster[script]] += 1
        self._verdicts = {}

    def _is_return(self, output: int) -> bool:
        return self.reader.script_type(self.script[output]) is ScriptType.OP_RETURN

    def _clusters(self, search: Search) -> list[int]:
        groups = [sorted(search.owned(tx)) for tx, inputs in enumerate(self.inputs) if inputs and tx not in self.mixes]
        groups += [[a, b] for facts in search.facts.values() for _, a, b in facts]
        name = list(range(self.reader.counts.script))
        members = defaultdict(list, {script: [script] for script in name})
        for group in groups:
            for script in group[1:]:
                one, two = name[group[0]], name[script]
                if one != two:
                    for each in members.pop(two):
                        name[each] = one
                        members[one].append(each)
        return name

    def verdict(self, tx: int):
        """(decision or None, output)."""
        if tx not in self._verdicts:
            found = name_change(self.reader, tx)
            self._verdicts[tx] = (None if found.result == "undecided" else str(found.result), found.output)
        return self._verdicts[tx]

    def spendable(self, tx: int) -> list[int]:
        return [output for output in self.outputs[tx] if output not in self.dead]

    def larger(self, tx: int) -> int:
        best = -1
        for output in self.spendable(tx):
            if best < 0 or self.value[output] > self.value[best]:
                best = output
        return best

    def shape_stop(self, tx: int, limits) -> str | None:
        """Why a transaction is not crossed, whatever its inputs."""
        if not self.inputs[tx]:
            return "coinbase"
        if tx in self.mixes:
            return "coinjoin"
        if limits.outputs is not None and len(self.outputs[tx]) > limits.outputs:
            return "too many outputs"
        if any(self.value[output] in CARRIERS or self._is_return(output) for output in self.outputs[tx]):
            return "protocol outputs"
        return None

    def stop(self, tx: int, limits) -> str | None:
        merged = len({self.cluster[self.script[output]] for output in self.inputs[tx]}) > 1
        return self.shape_stop(tx, limits) or ("merge" if merged else None)

    def limit(self, output: int, hop: int, limits) -> str | None:
        if hop and limits.cluster is not None and self.size[self.cluster[self.script[output]]] > limits.cluster:
            return "large cluster"
        if limits.hops is not None and hop >= limits.hops:
            return "hop limit"
        return "below minimum" if self.value[output] < limits.min_sat else None


def plain_ahead(plain: Plain, seed: int, limits, services: set[int], undecided: str):
    """(steps, ends) of a chain ahead."""
    steps, ends, waiting, passed = [], [], [], set()

    def arrive(output: int, after: int, hop: int) -> None:
        if plain.script[output] in services:
            reason = "service"
        elif output in plain.dead:
            reason = "unspendable"
        elif output not in plain.spender:
            reason = "unspent"
        else:
            reason = plain.limit(output, hop, limits)
        if reason:
            ends.append(PlainEnd(after, frozenset([output]), reason))
        else:
            waiting.append((plain.spender[output], output, after, hop))

    arrive(seed, -1, 0)
    while waiting:
        waiting.sort()
        tx, output, after, hop = waiting.pop(0)
        coins = frozenset([output])
        if len(steps) == limits.transactions:
            ends.append(PlainEnd(after, coins, "transaction budget"))
            continue
        if tx in passed:
            ends.append(PlainEnd(after, coins, "joined another branch"))
            continue
        if reason := plain.stop(tx, limits):
            ends.append(PlainEnd(after, coins, reason))
            continue
        decision, change = plain.verdict(tx)
        followed = [change]
        if decision is None and undecided == "larger":
            decision, followed = "larger", [plain.larger(tx)]
        elif decision is None and undecided == "branch":
            decision, followed = "branch", plain.spendable(tx)
        if decision is None or followed in ([], [-1]):
            ends.append(PlainEnd(after, coins, "undecided"))
            continue
        passed.add(tx)
        steps.append(PlainStep(tx, hop + 1, coins, frozenset(followed), decision))
        for each in followed:
            arrive(each, tx, hop + 1)
    return steps, ends


def plain_back(plain: Plain, seed: int, limits, services: set[int], undecided: str):
    """(steps, ends) of a chain back."""
    steps, ends, passed = [], [], set()
    waiting = [(-plain.maker[seed], seed, -1, 0, "seed")]
    while waiting:
        waiting.sort()
        minus, output, after, hop, decision = waiting.pop(0)
        tx = -minus
        if len(steps) == limits.transactions:
            ends.append(PlainEnd(after, frozenset([output]), "transaction budget"))
            continue
        if tx in passed:
            ends.append(PlainEnd(after, frozenset([output]), "joined another branch"))
            continue
        passed.add(tx)
        chosen, reason = _came(plain, tx, limits, services, undecided)
        if reason:
            ends.append(PlainEnd(tx, frozenset(plain.inputs[tx]), reason))
        came = []
        for each in chosen:
            if limit := plain.limit(each, hop, limits):
                ends.append(PlainEnd(tx, frozenset([each]), limit))
            else:
                came.append(each)
                waiting.append(
                    (-plain.maker[each], each, tx, hop + 1, plain.verdict(plain.maker[each])[0] or undecided)
                )
        steps.append(PlainStep(tx, hop, frozenset(came), frozenset([output]), decision))
    return steps, ends


def _came(plain: Plain, tx: int, limits, services: set[int], undecided: str):
    """(inputs that may carry the chain, why none does)."""
    inputs = plain.inputs[tx]
    if reason := plain.stop(tx, limits):
        return [], reason
    if any(plain.script[output] in services for output in inputs):
        return [], "service"
    sure = [output for output in inputs if plain.verdict(plain.maker[output])[1] == output]
    if len(sure) > 1 and undecided == "stop":
        return [], "several remainders"
    if sure:
        return (sure if undecided == "branch" else [_most(plain, sure)]), None
    why = {output: plain.shape_stop(plain.maker[output], limits) for output in inputs}
    for output in inputs:
        why[output] = why[output] or ("not change" if plain.verdict(plain.maker[output])[0] else "undecided")
    doubtful = [output for output in inputs if why[output] == "undecided"]
    if undecided == "larger":
        doubtful = [output for output in doubtful if plain.larger(plain.maker[output]) == output]
    if doubtful and undecided != "stop":
        return (doubtful if undecided == "branch" else [_most(plain, doubtful)]), None
    reasons = set(why.values())
    return [], reasons.pop() if len(reasons) == 1 else "undecided"


def _most(plain: Plain, outputs: list[int]) -> int:
    return max(outputs, key=lambda output: plain.value[output])
