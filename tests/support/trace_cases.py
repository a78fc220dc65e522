"""Small pieces that tests of tracing are made of."""

import numpy as np
import pytest
from chain_tree import UnspentOutput

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.trace.flow import Direction
from cointrail.trace.limits import Limits
from cointrail.trace.policy import POLICIES
from cointrail.trace.reason import ACCOUNTS, REASONS
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace

TRUE_SCRIPT = b"\x51"
BTC = 100_000_000
UNLIMITED = Limits()

each_conserving_policy = pytest.mark.parametrize(
    "policy", [each for each in POLICIES.values() if each.conserves], ids=lambda policy: policy.name
)
each_two_way_policy = pytest.mark.parametrize(
    "policy", [each for each in POLICIES.values() if each.conserves and each.backward], ids=lambda policy: policy.name
)


def pays(*values, script=TRUE_SCRIPT):
    return [TransactionOutput(value, script) for value in values]


def created(tx, vout=0):
    """An output of a transaction of the same block, to be spent."""
    output = tx.outputs[vout]
    return UnspentOutput(tx.txid, vout, output.value_sat, output.script_pubkey, 0, is_coinbase=False)


def trace_forward(reader, seeds, policy, limits=UNLIMITED, **question):
    return trace(reader, Seeds.of(seeds), policy, limits=limits, **question)


def trace_backward(reader, seeds, policy, limits=UNLIMITED, **question):
    return trace(reader, Seeds.of(seeds), policy, direction=Direction.BACKWARD, limits=limits, **question)


def ends(flow):
    """(output, sat, reason, hops) of the real outputs at which it ended, in chain order."""
    return [
        (int(flow.output[part]), int(flow.sat[part]), REASONS[flow.reason[part]], int(flow.hops[part]))
        for part in flow.ended.tolist()
        if flow.output[part] >= 0
    ]


def reasons(flow):
    return {reason for _, _, reason, _ in ends(flow)}


def fees_sat(flow):
    return sum(sat for reason, sat in flow.ended_sat.items() if reason in ACCOUNTS)


def step_outputs(flow, step):
    """(output, sat) of the real parts that a step made."""
    rows = np.arange(flow.first_part[step], flow.first_part[step + 1])
    return [(int(flow.output[row]), int(flow.sat[row])) for row in rows if flow.output[row] >= 0]


def segments(flow, output):
    """(offset, length) of the traced satoshis of an output at which it ended."""
    (part,) = [part for part in flow.ended.tolist() if flow.output[part] == output]
    return [(offset, length) for _, offset, length in flow.pieces(part)]
