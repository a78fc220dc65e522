"""What the generator promises about level L1, checked on every world it makes (SCENARIO.md 3).

The default gate of METHODS.md 3.2 and a union-find over co-spends, written for this purpose: no code is shared with
`cluster`. Height conditions and transaction lists are left out, as on regtest. The veto of 3.5 against ANYONECANPAY is
left out too, since the promise is about people who never sign so.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cointrail.bitcoin.script import ScriptType, classify
from cointrail.errors import CheckFailed
from cointrail.simulation.flows import Flows

_DUST_SAT = 2_730
_TOKEN_SAT = (546, 2_730)
_POOLS = (100_000, 1_000_000, 2_500_000, 5_000_000, 25_000_000, 50_000_000)
_POOL_ROOM_SAT = 110_000
_WASABI_SAT, _WASABI_ROOM_SAT = 10_000_000, 500_000
_LARGEST_DENOMINATION = 134_375_000_000
_LEAST_DENOMINATION = 5_000


class Components:
    """Scripts joined by co-spends that the gate lets pass.

    Args:
        flows: the chain.
        leave_out: transactions, by number, that join nothing.
    """

    def __init__(self, flows: Flows, leave_out: Collection[int] = ()) -> None:
        self._parents = list(range(len(flows.scripts)))
        for transaction in range(len(flows.heights)):
            first, end = flows.first_input[transaction], flows.first_input[transaction + 1]
            if end - first < 2 or transaction in leave_out:
                continue
            scripts = [flows.script_numbers[output] for output in flows.spent[first:end]]
            if len(set(scripts)) > 1 and not is_collaborative(flows, transaction):
                for other in scripts[1:]:
                    self._join(scripts[0], other)

    def of(self, script: int) -> int:
        """Name of a script's component."""
        parents = self._parents
        while parents[script] != script:
            parents[script] = parents[parents[script]]
            script = parents[script]
        return script

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._parents[second] = first


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose scripts the promise is about.

    Attributes:
        market: entity; test_scripts: numbers of the scripts that the test purchases paid.
        hot_wallets: (name, wallet number) of each exchange.
        double: entity of the market's double, which must stay alone.
        left_out: label of the transaction that is taken as excluded.
    """

    market: int
    test_scripts: Sequence[int]
    hot_wallets: Sequence[tuple[str, int]]
    double: int
    left_out: str


def check(flows: Flows, seed: int, parties: Parties) -> set[int]:
    """Check the promise.

    Returns:
        Numbers of all scripts that lie in the largest component of their entity, for the market in the one it is about.

    Raises:
        CheckFailed: the world of this seed does not keep it.
    """
    components = Components(flows, flows.labelled(parties.left_out))
    names = [components.of(script) for script in range(len(flows.scripts))]
    spent = _spent_scripts(flows)
    main = names[parties.test_scripts[0]]
    if any(names[script] != main for script in parties.test_scripts):
        raise _broken(seed, "the test purchases lie in different components")
    entities, wallets = flows.scripts.entities, flows.scripts.wallets
    _mostly_one(seed, "the market", [names[script] for script in spent if entities[script] == parties.market], main)
    if any(name == main and entities[script] != parties.market for script, name in enumerate(names)):
        raise _broken(seed, "somebody else's script lies in the market's component")
    for exchange, wallet in parties.hot_wallets:
        found = [names[script] for script in spent if wallets[script] == wallet]
        _mostly_one(seed, f"{exchange}'s hot wallet", found, _commonest(found))
    double = {names[script] for script in range(len(names)) if entities[script] == parties.double}
    if any(name in double and entities[script] != parties.double for script, name in enumerate(names)):
        raise _broken(seed, "the market's double was merged with somebody")
    return _reachable(names, entities, {parties.market: main})


def _mostly_one(seed: int, whose: str, found: list[int], main: int) -> None:
    reached = sum(name == main for name in found)
    if not found or 100 * reached < 99 * len(found):
        raise _broken(seed, f"only {reached} of {len(found)} used and swept scripts of {whose} are one component")


def _broken(seed: int, what: str) -> CheckFailed:
    return CheckFailed(f"seed {seed}: {what}", hint="keep this seed as a regression case and mend the generator")


def _spent_scripts(flows: Flows) -> list[int]:
    """Numbers of the scripts of which at least one output was spent, ascending."""
    spent = bytearray(len(flows.scripts))
    for output in flows.spent:
        spent[flows.script_numbers[output]] = 1
    return [script for script, flag in enumerate(spent) if flag]


def _commonest(names: list[int]) -> int:
    counts = Counter(names)
    most = max(counts.values(), default=0)
    return min((name for name, count in counts.items() if count == most), default=-1)


def _reachable(names: list[int], entities: Sequence[int], known: dict[int, int]) -> set[int]:
    by_entity: dict[int, list[int]] = {}
    for script, name in enumerate(names):
        by_entity.setdefault(entities[script], []).append(name)
    mains = {entity: known.get(entity, -1) for entity in by_entity}
    for entity, found in by_entity.items():
        if mains[entity] < 0:
            mains[entity] = _commonest(found)
    return {script for script, name in enumerate(names) if name == mains[entities[script]]}


def is_collaborative(flows: Flows, transaction: int) -> bool:
    """True if the gate keeps a transaction's inputs apart."""
    return bool(collaborative_class(*_shape(flows, transaction)))


def collaborative_class(inputs: Sequence[tuple[int, bytes]], outputs: Sequence[tuple[int, bytes]]) -> str:
    """The class of METHODS.md 3.2, or an empty text.

    Args:
        inputs: (value, scriptPubKey) of what is spent.
        outputs: the same of all outputs, OP_RETURN included.
    """
    scripts = Counter(script for _, script in inputs)
    spendable = [(value, script) for value, script in outputs if not script.startswith(b"\x6a")]
    if len(scripts) < 2 or len(outputs) < 3 or not spendable:
        return ""  # nothing to join, or too few outputs for any class
    values = [value for value, _ in spendable]
    distinct = len({script for _, script in spendable})
    shape = _Shape(inputs, values, len(scripts), max(scripts.values()), distinct)
    for name, found in (
        ("WHIRLPOOL", shape.whirlpool),
        ("WASABI2", shape.wasabi2),
        ("WASABI1", shape.wasabi1),
        ("JOINMARKET", shape.joinmarket),
        ("EQUAL_OUTPUT", lambda: shape.generic() or _blocksci(len(inputs), len(scripts), outputs)),
        ("AMBIGUOUS", shape.stonewall),
    ):
        if found():
            return name
    return ""


class _Shape:
    """Figures of METHODS.md 3.1: nI, sI, nO, sO, and how often each value occurs."""

    def __init__(
        self, inputs: Sequence[tuple[int, bytes]], values: list[int], scripts: int, most: int, distinct: int
    ) -> None:
        self.inputs, self.values, self.scripts, self.most, self.distinct = inputs, values, scripts, most, distinct
        self.counts = Counter(values)
        self.n_in, self.n_out = len(inputs), len(values)
        self.all_distinct = distinct == self.n_out

    def whirlpool(self) -> bool:
        spent = [value for value, _ in self.inputs]
        if not 5 <= self.n_in <= 10 or self.n_in != self.n_out or not self.all_distinct or self.scripts < self.n_in:
            return False
        size = self.values[0]
        if size not in _POOLS or len(self.counts) > 1:
            return False
        return all(size <= value <= size + _POOL_ROOM_SAT for value in spent) and size < max(spent) > min(spent) == size

    def wasabi2(self) -> bool:
        repeated = [value for value in self.counts if self.counts[value] >= 2]
        in_repeated = sum(self.counts[value] for value in repeated)
        if (
            self.n_in >= 20 and self._few_equal_scripts() and min(self.values) >= _LEAST_DENOMINATION
            and self.all_distinct and len(repeated) >= 3 and self.n_out - 1 <= 2 * in_repeated < 2 * self.n_out
        ):  # fmt: skip
            return True
        standard = sum(_is_denomination(value) for value in self.values)
        if self.n_in >= 10 and self.all_distinct and len(repeated) >= 3 and 5 * standard >= 4 * self.n_out:
            return True
        spent = [value for value, _ in self.inputs]
        kinds = {classify(script) for _, script in self.inputs}
        return (
            self.n_in >= 15 and kinds <= {ScriptType.P2WPKH, ScriptType.P2TR} and _descends(spent)
            and _descends(self.values) and 5 * standard > 4 * self.n_out
        )  # fmt: skip

    def wasabi1(self) -> bool:
        if self.n_in < 10 or not self._few_equal_scripts() or not self.all_distinct:
            return False
        near = {value: count for value, count in self.counts.items() if abs(value - _WASABI_SAT) <= _WASABI_ROOM_SAT}
        most = max(near.values(), default=0)
        if most >= 3 and 2 * most >= self.n_out - 1 and most <= self.scripts <= 7 * most:
            return True
        found = Counter(level for value in self.values if (level := _level(value)) >= 0)
        levels = [count for count in found.values() if count >= 2]
        most, total = max(levels, default=0), sum(levels)
        enough = 2 * total >= self.n_out - 1 or total >= self.n_out - self.scripts - 1
        return most >= 3 and most <= self.scripts <= 7 * most and enough

    def joinmarket(self) -> bool:
        _, n = self._mode()
        if n < 3 or 2 * n < self.n_out or n > self.scripts or not self.all_distinct or len(self.counts) < 2:
            return False
        return self.n_in < 50 or (self.n_in <= 20 * n and self.n_out * 10 >= 17 * n)

    def generic(self) -> bool:
        _, n = self._mode()
        return n >= 3 and 3 * n >= self.n_out and self.scripts >= n

    def stonewall(self) -> bool:
        if self.n_out not in (3, 4) or not self.all_distinct:
            return False
        repeated = [value for value, count in self.counts.items() if count > 1]
        return len(repeated) == 1 and self.counts[repeated[0]] == 2 and repeated[0] >= _LEAST_DENOMINATION

    def _mode(self) -> tuple[int, int]:
        """The commonest value above dust, the smallest of several, and how often it occurs."""
        candidates = [(-count, value) for value, count in self.counts.items() if value > _DUST_SAT]
        count, value = min(candidates, default=(0, 0))
        return value, -count

    def _few_equal_scripts(self) -> bool:
        return 10 * self.most <= self.n_in


def _blocksci(n_in: int, scripts: int, outputs: Sequence[tuple[int, bytes]]) -> bool:
    participants = (len(outputs) + 1) // 2
    counts = Counter(value for value, _ in outputs)
    most = max(counts.values())
    commonest = min(value for value, count in counts.items() if count == most)
    return participants <= n_in and participants <= scripts and most == participants and commonest not in _TOKEN_SAT


def _descends(values: Sequence[int]) -> bool:
    return all(one >= other for one, other in pairwise(values))


def _level(value: int) -> int:
    """Say i if the value is within 5 % of 2**i times 0.1 BTC, or -1."""
    level = max(value * 20 // (_WASABI_SAT * 19), 1).bit_length() - 1
    base = _WASABI_SAT << level
    return level if abs(value - base) * 20 <= base else -1


def _is_denomination(value: int) -> bool:
    if not _LEAST_DENOMINATION <= value <= _LARGEST_DENOMINATION:
        return False
    for base, factors in ((2, (1,)), (3, (1, 2)), (10, (1, 2, 5))):
        for factor in factors:
            rest = value // factor if value % factor == 0 else 0
            while rest > 1 and rest % base == 0:
                rest //= base
            if rest == 1:
                return True
    return False


def _shape(flows: Flows, transaction: int) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    first, end = flows.first_input[transaction], flows.first_input[transaction + 1]
    begin, stop = flows.first_output[transaction], flows.first_output[transaction + 1]
    return (
        [(flows.values[output], flows.script_pubkey(output)) for output in flows.spent[first:end]],
        [(flows.values[output], flows.script_pubkey(output)) for output in range(begin, stop)],
    )
