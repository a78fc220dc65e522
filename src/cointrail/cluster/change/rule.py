"""What a change rule is, and the algebra of what rules keep.

A rule returns the outputs it cannot rule out as change, as a mask over `Context.outputs.row`; it fires for a
transaction only if exactly one is left (METHODS.md 2.2). Masks combine with `&` and `|`, `and_not` and `unique`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cointrail.cluster.change.context import Context, Mask

Keep = Callable[[Context], Mask]


class Family(StrEnum):
    """Signs of one kind; rules of a family are not independent of one another (METHODS.md 2.3)."""

    CERTAIN = "certain"
    SOFTWARE = "F1"
    AMOUNT = "F2"
    FRESHNESS = "F3"
    SPENDER = "F4"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """One change rule.

    Attributes:
        id: its name in provenance, `change.C4`.
        name: its name for people.
        family: whose vote it takes part in.
        number: 1 to 21, its place in METHODS.md 2.2.
        keep: the outputs it cannot rule out; it keeps none where it does not apply.
        static: True if it can be decided when the transaction appears.
        text: when it keeps an output, in one sentence.
        version: raised whenever it keeps other outputs than before.
    """

    id: str
    name: str
    family: Family
    number: int
    keep: Keep
    static: bool
    text: str
    version: int = 1

    @property
    def bit(self) -> int:
        """Its bit in `Decisions.votes`."""
        return 1 << self.number


def and_not(kept: Mask, other: Mask) -> Mask:
    """The outputs of one mask without those of the other."""
    return kept & ~other


def unique(context: Context, kept: Mask) -> Mask:
    """The mask where it leaves a transaction exactly one output, nothing elsewhere.

    Method: BlockSci's `unique_change`; without it a rule names payees too (METHODS.md 2.2).
    """
    one = context.count(kept) == 1
    return np.asarray(kept & one[context.outputs.owner], np.bool_)
