"""Lists of transactions whose co-spend is not believed: CoinJoins, trades, wrong merges (METHODS.md 2.6, 3.2).

A list only ever keeps scripts apart. Its SHA-256 is a parameter of the clusters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ledger.indexes import keys_of


@dataclass(frozen=True, slots=True, eq=False)
class TransactionList:
    """A list in force.

    Attributes:
        name: what people call it.
        sha256: of its file, hex.
        txids: uint8 (n, 32), internal order.
    """

    name: str
    sha256: str
    txids: npt.NDArray[np.uint8]

    def contains(self, txids: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which of the txids, uint8 (t, 32), are on the list."""
        found = np.isin(keys_of(txids), keys_of(self.txids))
        listed = {bytes(txid) for txid in self.txids}
        for row in np.flatnonzero(found):
            found[row] = bytes(txids[row]) in listed
        return found
