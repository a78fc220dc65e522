"""The interpretations of a transaction, one by one, straight from the definition of METHODS.md 6.4.

An interpretation divides the inputs into groups and gives every output to one of them, so that no group pays more than
it has; what a group does not pay out is its part of the fee. With fees between participants a group may pay up to so
much more. Inputs and outputs without value take no part, and with one input or one output there is nothing to tell
apart. Exponential, for small cases only; shares no code and no idea with `cointrail.trace.linkability`.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

Groups = list[list[int]]


class Counted(NamedTuple):
    """`ways[i][o]`: interpretations in which input i and output o lie in one group; 0 for those without value."""

    interpretations: int
    ways: list[list[int]]


def set_partitions(items: Sequence[int]) -> Iterator[Groups]:
    """Every way to divide items into groups that are not empty."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for groups in set_partitions(rest):
        yield [[first], *groups]
        for place in range(len(groups)):
            yield [[first, *each] if at == place else each for at, each in enumerate(groups)]


def interpretations(inputs: Sequence[int], outputs: Sequence[int], between: int = 0) -> Iterator[tuple[Groups, Groups]]:
    """Each interpretation as groups of input positions and the output positions given to each."""
    spent = [place for place, value in enumerate(inputs) if value]
    paid = [place for place, value in enumerate(outputs) if value]
    for groups in set_partitions(spent):
        for given in product(range(len(groups)), repeat=len(paid)):
            left = [sum(inputs[place] for place in group) for group in groups]
            for place, group in zip(paid, given, strict=True):
                left[group] -= outputs[place]
            if min(left, default=0) >= -between:
                yield (
                    groups,
                    [[o for o, g in zip(paid, given, strict=True) if g == each] for each in range(len(groups))],
                )


def count(inputs: Sequence[int], outputs: Sequence[int], between: int = 0) -> Counted:
    """Count them, and for every pair those that link it."""
    total, ways = 0, [[0] * len(outputs) for _ in inputs]
    spent, paid = [v for v in inputs if v], [v for v in outputs if v]
    if min(len(spent), len(paid)) <= 1:
        return Counted(1, [[int(bool(a and b)) for b in outputs] for a in inputs])
    for groups, given in interpretations(inputs, outputs, between):
        total += 1
        for group, theirs in zip(groups, given, strict=True):
            for i in group:
                for o in theirs:
                    ways[i][o] += 1
    return Counted(total, ways)
