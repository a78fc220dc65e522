"""Small pieces that tests of tracing are made of."""

import pytest
from chain_tree import UnspentOutput

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.trace.limits import Limits
from cointrail.trace.policies import POLICIES

TRUE_SCRIPT = b"\x51"
BTC = 100_000_000
UNLIMITED = Limits(hops=None, min_sat=0)

each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)


def pays(*values, script=TRUE_SCRIPT):
    return [TransactionOutput(value, script) for value in values]


def created(tx, vout=0):
    """An output of a transaction of the same block, to be spent."""
    output = tx.outputs[vout]
    return UnspentOutput(tx.txid, vout, output.value_sat, output.script_pubkey, 0, is_coinbase=False)


def ends(flow):
    return [(end.output_index, end.traced_sat, end.reason, end.hops) for end in flow.endpoints]
