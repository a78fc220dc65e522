"""The co-spends of some scripts, found through their own histories.

Nothing is read of scripts that were not asked for, unless they are a good part of the ledger: then one pass over all
inputs is cheaper than many histories.
"""

from typing import NamedTuple

import numpy as np

from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.gate.gate import distinct_scripts
from cointrail.cluster.spans import I64, Span, input_counts, inputs_of_many
from cointrail.cluster.structure.activity import activity
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE

_SHARE = 4  # from a fourth of all scripts on everything is read
_INPUTS = 1 << 22  # at once


class Links(NamedTuple):
    """Pairs of scripts that something links.

    Attributes:
        a, b: int64 (n,), script_ids.
    """

    a: I64
    b: I64


def owned_scripts(reader: Reader, tx_index: I64) -> Span:
    """The distinct scripts of the inputs that pass the owner filter, ascending in each transaction; int64 (n,).

    Method: METHODS.md 2.1 and 3.5.
    """
    inputs = inputs_of_many(reader, tx_index)
    flags = reader.column("input", "flags")[inputs.row].astype(np.uint16)
    owned = (flags & np.uint16(InputFlag.ANYONECANPAY)) == 0
    return distinct_scripts(reader, Span(inputs.owner[owned], inputs.row[owned]))


def joint_spends(reader: Reader, scripts: I64) -> I64:
    """The transactions of several inputs that spend an output of one of the scripts.

    Args:
        reader: the ledger at a snapshot.
        scripts: int64, script_ids, ascending and distinct.

    Returns:
        int64, tx_index, ascending and distinct.

    Raises:
        Unavailable: a history is damaged.
    """
    if len(scripts) * _SHARE >= reader.counts.script:
        found = _by_one_pass(reader, scripts)
    else:
        spenders = activity(reader, scripts).spenders
        found = np.unique(reader.transaction_of_inputs(spenders[spenders != NONE]))
    return found[input_counts(reader, found) > 1]


def _by_one_pass(reader: Reader, scripts: I64) -> I64:
    asked = np.zeros(reader.counts.script, np.bool_)
    asked[scripts] = True
    spent, script = reader.column("input", "output"), reader.column("output", "script")
    found = []
    for first in range(0, len(spent), _INPUTS):
        outputs = spent[first : first + _INPUTS]
        real = np.flatnonzero(outputs != NONE)
        hit = first + real[asked[script[outputs[real]]]]
        found.append(np.unique(reader.transaction_of_inputs(hit)))
    return np.unique(np.concatenate(found))
