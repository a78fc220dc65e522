"""How much came and went, how often, and from when to when. Facts, once the wallet's scripts are given."""

from dataclasses import dataclass

import numpy as np

from cointrail.ledger.reader import Reader
from cointrail.profile.moves import Selection


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the transactions that a filter keeps; satoshi and counts.

    Attributes:
        received_sat, spent_sat: value of the outputs made and spent, gross.
        returned_sat: of each transaction the smaller of the two: what the wallet paid itself. Less it, both are net.
        unspendable_sat: of what was received, what could not be spent at the end though nobody had spent it.
        coinbase_sat, coinbases: new coins and fees received as a miner, and in how many transactions.
        unspent_sat, unspent_outputs: of what was received, what could be spent at the end.
        transactions: all; `receiving` of them spend nothing of the wallet, `sending` do.
        outputs, inputs: that pay the wallet and spend from it.
        first_tx, last_tx: the first and the last transaction, or None.
    """

    received_sat: int
    spent_sat: int
    returned_sat: int
    unspendable_sat: int
    coinbase_sat: int
    coinbases: int
    unspent_sat: int
    unspent_outputs: int
    transactions: int
    receiving: int
    sending: int
    outputs: int
    inputs: int
    first_tx: int | None
    last_tx: int | None


def sums(reader: Reader, found: Selection) -> Sums:
    """Add up what a filter keeps of a wallet."""
    moves, keep = found.moves, found.keep
    tx, received, spent = (each[keep] for each in (found.touched.tx, found.touched.received, found.touched.spent))
    sending = int(np.count_nonzero(found.touched.inputs[keep]))
    first = np.asarray(reader.column("block", "first_transaction")[found.touched.height[keep]], np.int64)
    coinbase = tx == first
    dead = found.made & ~moves.spendable
    dead |= found.made & (moves.lost >= 0) & (moves.lost < found.end)
    return Sums(
        received_sat=int(received.sum()),
        spent_sat=int(spent.sum()),
        returned_sat=int(np.minimum(received, spent).sum()),
        unspendable_sat=int(moves.values[dead].sum()),
        coinbase_sat=int(received[coinbase].sum()),
        coinbases=int(np.count_nonzero(coinbase)),
        unspent_sat=int(moves.values[found.unspent].sum()),
        unspent_outputs=int(np.count_nonzero(found.unspent)),
        transactions=len(tx),
        receiving=len(tx) - sending,
        sending=sending,
        outputs=int(np.count_nonzero(found.made)),
        inputs=int(np.count_nonzero(found.spent)),
        first_tx=int(tx[0]) if len(tx) else None,
        last_tx=int(tx[-1]) if len(tx) else None,
    )
