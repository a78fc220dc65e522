"""The figures of one transaction that the detectors decide on, over plain values (METHODS.md 3.1).

No ledger, no arrays: what anybody can work out from a printed transaction and the outputs it spends.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from cointrail.bitcoin.script import ScriptType, classify, is_unspendable
from cointrail.cluster.gate import limits

DENOMINATIONS = frozenset(limits.wabisabi_denominations())

_SEGWIT_KEY = (ScriptType.P2WPKH, ScriptType.P2TR)


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that a transaction makes or spends.

    Attributes:
        value_sat: its value in satoshi.
        script_pubkey: its scriptPubKey.
    """

    value_sat: int
    script_pubkey: bytes


@dataclass(frozen=True)
class Shape:
    """Inputs and outputs of one transaction. The figures leave unspendable outputs out, but for `every_value`.

    Attributes:
        inputs: what it spends, in order; empty for a coinbase.
        every_output: what it makes, in order.
    """

    inputs: Sequence[Coin]
    every_output: Sequence[Coin]

    @cached_property
    def outputs(self) -> list[Coin]:
        """The spendable outputs, in order; nO of them."""
        return [coin for coin in self.every_output if not is_unspendable(coin.script_pubkey)]

    @cached_property
    def values(self) -> Counter[int]:
        """c(v): how often each value occurs."""
        return Counter(coin.value_sat for coin in self.outputs)

    @cached_property
    def every_value(self) -> Counter[int]:
        """The same over all outputs."""
        return Counter(coin.value_sat for coin in self.every_output)

    @cached_property
    def input_scripts(self) -> Counter[bytes]:
        """How many inputs spend each script; sI is its length."""
        return Counter(coin.script_pubkey for coin in self.inputs)

    @cached_property
    def output_scripts(self) -> int:
        """Distinct scripts of the outputs, sO."""
        return len({coin.script_pubkey for coin in self.outputs})

    @property
    def pays_no_script_twice(self) -> bool:
        """True if every output has a script of its own: sO = nO."""
        return self.output_scripts == len(self.outputs)

    @property
    def is_spread(self) -> bool:
        """True if the commonest script gives at most a tenth of the inputs."""
        return limits.ONE_SCRIPT_SHARE * max(self.input_scripts.values(), default=0) <= len(self.inputs)

    def mode(self, least: int, most: int | None = None) -> tuple[int, int]:
        """The commonest value from `least` to `most`, the smallest of several, and its count; (0, 0) of none."""
        inside = {v: n for v, n in self.values.items() if v >= least and (most is None or v <= most)}
        return min(inside.items(), key=lambda pair: (-pair[1], pair[0]), default=(0, 0))

    @cached_property
    def repeated(self) -> dict[int, int]:
        """D: the values that occur at least twice, with their counts."""
        return {value: count for value, count in self.values.items() if count > 1}

    @cached_property
    def denominations(self) -> int:
        """Outputs whose value is a standard amount of Wasabi 2."""
        return sum(count for value, count in self.values.items() if value in DENOMINATIONS)

    @property
    def is_sorted(self) -> bool:
        """True if input values and output values both never rise."""
        return _never_rises(self.inputs) and _never_rises(self.outputs)

    @property
    def spends_segwit_keys(self) -> bool:
        """True if all inputs spend P2WPKH or P2TR."""
        return all(classify(script) in _SEGWIT_KEY for script in self.input_scripts)


def _never_rises(coins: Iterable[Coin]) -> bool:
    return all(one.value_sat >= other.value_sat for one, other in pairwise(coins))
