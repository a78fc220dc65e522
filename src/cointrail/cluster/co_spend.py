"""Co-spend: scripts that are spent together in one transaction are under common control.

Rule `cospend` (H1), version 1 (METHODS.md 2.1; docs/methods/co-spend.md), outside collaborative transactions and
without inputs signed ANYONECANPAY, to which anybody could add the others (METHODS.md 3.5). An inference, not a fact.
`cluster.forest` applies it to a whole ledger, `cluster.structure` shows what it did inside one cluster.
"""

import numpy as np

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.gate.gate import distinct_scripts
from cointrail.cluster.spans import I64, Span, inputs_of_many
from cointrail.ledger.rows import Rows

RULE = "cospend"
VERSION = 1


def owned_scripts(rows: Rows, tx_index: I64) -> Span:
    """The distinct scripts of the inputs that pass the owner filter, ascending in each transaction.

    Args:
        rows: a reader of the ledger.
        tx_index: int64 (n,).

    Returns:
        owner indexes `tx_index`; row is a script_id.

    Method: METHODS.md 2.1 and 3.5.
    """
    inputs = inputs_of_many(rows, tx_index)
    owned = (rows.column("input", "flags")[inputs.row].astype(np.uint16) & np.uint16(InputFlag.ANYONECANPAY)) == 0
    return distinct_scripts(rows, Span(inputs.owner[owned], inputs.row[owned]))
