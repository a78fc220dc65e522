"""The balance over time, block by block: what could be spent after each block in which the wallet moved.

Exact; a shorter history leaves out steps and never an extreme. The filter by value does not apply: a part of the
movements has no balance.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from cointrail.profile.moves import Selection

I64 = npt.NDArray[np.int64]

FEWEST = 4
"""Steps that a shortened history has at least: its ends and its extremes."""


@dataclass(frozen=True, slots=True, eq=False)
class Balances:
    """A step function.

    Attributes:
        opening_sat: before the first block of the window.
        height: int64 (k,), ascending; of blocks in the window.
        balance: int64 (k,), satoshi after each.
    """

    opening_sat: int
    height: I64
    balance: I64

    @property
    def closing_sat(self) -> int:
        """After the last block of the window."""
        return int(self.balance[-1]) if len(self.balance) else self.opening_sat

    def shortened(self, most: int) -> Self:
        """At most so many steps, four at least: both ends, and of equal stretches the least and the greatest."""
        count = len(self.height)
        if count <= max(most, FEWEST):
            return self
        edges = np.linspace(0, count, (max(most, FEWEST) - 2) // 2 + 1).astype(np.int64).tolist()
        kept = {0, count - 1}
        for low, high in pairwise(edges):
            part = self.balance[low:high]
            kept |= {low + int(part.argmin()), low + int(part.argmax())}
        rows = np.array(sorted(kept), np.int64)
        return type(self)(self.opening_sat, self.height[rows], self.balance[rows])


def balances(found: Selection) -> Balances:
    """The balance after every block of the filter's heights in which the wallet moved."""
    moves, touched = found.moves, found.touched
    change = np.zeros(len(touched.tx), np.int64)
    alive = moves.spendable
    np.add.at(change, touched.made_at[alive], moves.values[alive])
    gone = moves.gone
    np.subtract.at(change, touched.spent_at[gone], moves.values[gone])
    lost = (moves.lost >= 0) & alive
    # The transaction that repeats a txid repeats its outputs, so it pays the wallet, too.
    np.subtract.at(change, np.searchsorted(touched.tx, moves.lost[lost]), moves.values[lost])
    after = np.cumsum(change)
    low, high = np.searchsorted(touched.height, (found.asked.first, found.asked.last + 1)).tolist()
    opening = int(after[low - 1]) if low else 0
    last = np.flatnonzero(np.append(np.diff(touched.height[low:high]) != 0, [True] * (high > low))) + low
    return Balances(opening, touched.height[last], after[last])
