"""Coins that a payer received from somebody else, told apart from those that he kept.

Who paid a wallet is answered as far as the money stays with the payer: what his own transaction left him (change, or a
move of the whole) is followed back, what another transaction paid him is where he got it, and beyond it lies another
party's money. A service's withdrawal ends a walk by itself; this is for all other transactions.
"""

import numpy as np
import numpy.typing as npt

from cointrail.cluster.change.context import Context
from cointrail.cluster.change.vote import decide
from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]

_PAIR = 2


def received(reader: Reader, outputs: I64, payments: I64) -> npt.NDArray[np.bool_]:
    """True where an output was somebody else's payment to whoever spends it.

    Of a transaction with one output that can be spent nothing was paid to anybody else. Of one with two the change is
    kept: the one the vote of level L2 names, or, where it names none, the one that pays a script which the transaction
    spends, or else the one beside a payment to the wallet that is asked about, or else the larger; the last is a lead.
    Of one with more every output counts as paid.

    Args:
        reader: the ledger at a snapshot.
        outputs: output_index of each, int64 (n,); their transactions are no coinbases.
        payments: output_index of what others paid the wallet that is asked about, int64: whoever paid kept none of it.

    Method: docs/methods/funding.md; METHODS.md 6.1.
    """
    makers, item = np.unique(reader.transaction_of_outputs(outputs), return_inverse=True)
    paid = frozenset(payments.tolist())
    kept = np.array([_kept_of_pair(reader, maker, paid) for maker in makers.tolist()], np.int64).reshape(-1)
    context = Context(reader, makers)
    back = np.flatnonzero(context.returned)
    kept[context.outputs.owner[back]] = context.outputs.row[back]
    voted = decide(context)
    kept[np.searchsorted(makers, voted.tx_index)] = voted.output
    found: npt.NDArray[np.bool_] = (kept[item] != outputs) & (kept[item] != _ALL)
    return found


_ALL, _NONE = -1, -2


def _kept_of_pair(reader: Reader, tx_index: int, paid: frozenset[int]) -> int:
    """Of two spendable outputs the one beside a payment, or else the larger, the first of equals.

    _ALL if there is only one, _NONE if there are more.
    """
    made = np.array(reader.outputs_of(tx_index), np.int64)
    live = made[~reader.unspendable_scripts(reader.column("output", "script")[made])]
    if len(live) != _PAIR:
        return _ALL if len(live) < _PAIR else _NONE
    beside = [each for each in live.tolist() if each not in paid]
    if len(beside) == 1:
        return int(beside[0])
    values = reader.column("output", "value_sat")[live]
    return int(live[int(np.argmax(values))])
