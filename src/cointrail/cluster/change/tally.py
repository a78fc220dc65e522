"""Counting votes: which output each family chooses for each transaction of a batch.

A family votes for the output that its firing rules choose, abstains if none fires, and is in conflict if two of its
rules choose different outputs (METHODS.md 2.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.context import Context, Mask
from cointrail.cluster.change.rule import Family, Rule, unique
from cointrail.cluster.spans import I64

FAMILIES = (Family.SOFTWARE, Family.AMOUNT, Family.FRESHNESS, Family.SPENDER)
"""In the order of the bits of `Decisions.families`."""

LEAST_FAMILIES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Votes over the outputs of a context.

    Attributes:
        votes: uint32 (m,), for each output the bits of the rules that fired for it.
        families: uint8 (m,), for each output the families one of whose rules fired for it, by bit.
        static: bool (m,), a static rule fired for the output.
    """

    votes: npt.NDArray[np.uint32]
    families: npt.NDArray[np.uint8]
    static: Mask

    def __or__(self, other: "Tally") -> "Tally":
        """The votes of both, over the same outputs."""
        return Tally(self.votes | other.votes, self.families | other.families, self.static | other.static)

    def of(self, outputs: Mask | I64) -> "Tally":
        """The votes over some of the outputs."""
        return Tally(self.votes[outputs], self.families[outputs], self.static[outputs])

    def agreed(self, context: Context) -> Mask:
        """Outputs that at least two families chose, one vote static, where nothing was chosen but them, bool (m,).

        A family in conflict has chosen two outputs, so it speaks against each of them.
        """
        chosen = np.asarray(self.families != 0, np.bool_)
        enough = np.bitwise_count(self.families) >= LEAST_FAMILIES
        return unique(context, chosen) & enough & self.static


def tally(context: Context, rules: Sequence[Rule]) -> Tally:
    """Let rules vote.

    Args:
        context: the batch.
        rules: those of the four families; others are not counted.

    Method: METHODS.md 2.3.
    """
    size = len(context.outputs.row)
    votes, families, static = np.zeros(size, np.uint32), np.zeros(size, np.uint8), np.zeros(size, np.bool_)
    for rule in rules:
        if rule.family not in FAMILIES:
            continue
        fired = unique(context, rule.keep(context))
        votes |= fired * np.uint32(rule.bit)
        families |= fired * np.uint8(1 << FAMILIES.index(rule.family))
        if rule.static:
            static |= fired
    return Tally(votes, families, static)
