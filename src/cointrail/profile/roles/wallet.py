"""The movements of a wallet's scripts: what came from outside, what gathers inside, what pays others.

A wallet is any set of scripts: a cluster, or all that is said to be a service's. A transaction that spends it and pays
nobody else *gathers*; one that pays others *pays out*, and what comes back of it is *change*. Facts, once the scripts
are given.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from cointrail.cluster.spans import input_counts, output_counts
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.profile.roles.histories import Histories, histories, times_of

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Wallet:
    """A wallet with its movements.

    Attributes:
        past: the outputs of its scripts.
        external, gathered, change: bool (m,), of outputs: from outside, from a gathering, left of a payment to others.
        came, left: int64 (m,), median times; `left` is 0 where nothing spends the output.
        spends: int64 (t,), ascending, the transactions that spend it.
        inputs, payees: int64 (t,), all inputs of each, and outputs to others.
        spend_of: int64 (m,), place in `spends` of what spends each output, -1 for none.
        newest: median time of the snapshot's tip.
    """

    past: Histories
    external: Mask
    gathered: Mask
    change: Mask
    came: I64
    left: I64
    spends: I64
    inputs: I64
    payees: I64
    spend_of: I64
    newest: int

    @classmethod
    def read(cls, reader: Reader, scripts: I64) -> Self:
        """Read a wallet.

        Args:
            reader: the ledger at a snapshot.
            scripts: int64 (n,), ascending and distinct.

        Raises:
            Unavailable: the ledger is damaged.
        """
        past = histories(reader, scripts)
        spends = np.unique(past.spenders[past.spent])
        mine = np.sort(past.outputs)
        first, end = reader.output_bounds(spends)
        payees = output_counts(reader, spends) - (np.searchsorted(mine, end) - np.searchsorted(mine, first))
        own, at = _places(past.makers, spends)
        pays = np.zeros(len(own), np.bool_)
        pays[own] = payees[at[own]] > 0
        spent, spend_of = _places(past.spenders, spends)
        left = np.zeros(len(own), np.int64)
        left[spent] = times_of(reader, past.spenders[spent])
        return cls(
            past=past,
            external=~own,
            gathered=own & ~pays,
            change=own & pays,
            came=times_of(reader, past.makers),
            left=left,
            spends=spends,
            inputs=input_counts(reader, spends),
            payees=payees,
            spend_of=np.where(spent, spend_of, NONE),
            newest=int(reader.column("block", "median_time")[reader.height]),
        )

    def by_script(self, outputs: Mask) -> I64:
        """How many of some outputs each script has, int64 (n,)."""
        return np.bincount(self.past.owner[outputs], minlength=len(self.past.scripts)).astype(np.int64)

    def script_spends(self) -> tuple[I64, I64]:
        """Pairs (place of a script, place in `spends`): who is spent by what, each once."""
        spent = self.spend_of != NONE
        key = self.past.owner[spent] * np.int64(max(len(self.spends), 1)) + self.spend_of[spent]
        owner, spend = np.divmod(np.unique(key), np.int64(max(len(self.spends), 1)))
        return owner, spend


def _places(asked: I64, among: I64) -> tuple[Mask, I64]:
    """Which values are among others, which ascend, and where."""
    if not len(among):
        return np.zeros(len(asked), np.bool_), np.zeros(len(asked), np.int64)
    at = np.minimum(np.searchsorted(among, asked), len(among) - 1)
    found: Mask = among[at] == asked
    return found, at
