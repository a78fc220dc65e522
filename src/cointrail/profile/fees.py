"""Fees that a wallet paid: those of transactions all of whose inputs are its own.

Where others pay along, nobody can tell from the chain who bore which part: the whole fees of such transactions stand
apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.cluster.spans import input_counts, inputs_of_many, outputs_of_many
from cointrail.ledger.reader import Reader
from cointrail.profile.moves import Selection

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees of the transactions that spend from a wallet; satoshi and numbers of transactions.

    Attributes:
        paid_sat, paid_in: where all inputs are the wallet's.
        shared_sat, shared_in: where others pay along: the whole fee.
    """

    paid_sat: int
    paid_in: int
    shared_sat: int
    shared_in: int


def fees(reader: Reader, found: Selection) -> Fees:
    """The fees of what a filter keeps of a wallet."""
    sends = np.flatnonzero(found.keep & (found.touched.inputs > 0))
    tx = found.touched.tx[sends]
    alone = input_counts(reader, tx) == found.touched.inputs[sends]
    came, left = found.touched.spent[sends], _totals(reader, tx)
    return Fees(
        paid_sat=int(came[alone].sum() - left[alone].sum()),
        paid_in=int(np.count_nonzero(alone)),
        shared_sat=int(_spent(reader, tx[~alone]).sum() - left[~alone].sum()),
        shared_in=int(np.count_nonzero(~alone)),
    )


def _totals(reader: Reader, tx: I64) -> I64:
    """Value of the outputs of each transaction."""
    made = outputs_of_many(reader, tx)
    totals = np.zeros(len(tx), np.int64)
    np.add.at(totals, made.owner, reader.column("output", "value_sat")[made.row])
    return totals


def _spent(reader: Reader, tx: I64) -> I64:
    """Value that each transaction spends, none of them a coinbase."""
    inputs = inputs_of_many(reader, tx)
    totals = np.zeros(len(tx), np.int64)
    spent = reader.column("input", "output")[inputs.row]
    np.add.at(totals, inputs.owner, reader.column("output", "value_sat")[spent])
    return totals
