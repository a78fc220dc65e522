"""One side of a transaction with equal amounts taken together: outputs of one value cannot be told apart by value."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class Amounts:
    """Distinct amounts, the largest first.

    Attributes:
        values: in sat, all above 0.
        positions: for each, where it stands, ascending.
    """

    values: tuple[int, ...]
    positions: tuple[tuple[int, ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many there are of each."""
        return tuple(len(each) for each in self.positions)

    @property
    def number(self) -> int:
        """How many there are in all."""
        return sum(self.counts)

    @property
    def total_sat(self) -> int:
        """What they are worth together."""
        return sum(value * count for value, count in zip(self.values, self.counts, strict=True))

    @property
    def subsets(self) -> int:
        """How many sets of them can be told apart by their amounts."""
        return prod(count + 1 for count in self.counts)


def amounts_of(values: Sequence[int]) -> Amounts:
    """Take equal amounts together.

    Args:
        values: of all inputs or outputs, in sat, in order. Those without value take no part: they link nothing.
    """
    found: dict[int, list[int]] = {}
    for position, value in enumerate(values):
        if value > 0:
            found.setdefault(value, []).append(position)
    ordered = sorted(found, reverse=True)
    return Amounts(tuple(ordered), tuple(tuple(found[value]) for value in ordered))
