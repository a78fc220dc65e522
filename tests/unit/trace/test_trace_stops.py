"""Where a walk ends and why: every reason on a real ledger made for it."""

import subprocess
import sys

import pytest
from chain_tree import BITS, BLOCK_INTERVAL, Node, grind
from regtest import Form, anyone_can_spend
from trace_cases import BTC, UNLIMITED, created, each_policy, ends, pays

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.gate import kinds
from cointrail.errors import NotFound, UsageError
from cointrail.trace.backward import trace_backward
from cointrail.trace.flow import Reason
from cointrail.trace.forward import trace_forward
from cointrail.trace.limits import Limits
from cointrail.trace.policies import FIFO


@each_policy
def test_coinbase_seed_ends_backward_at_once(policy, chain, coinbases, open_ledger, output_of):
    reader = open_ledger(chain)
    for seed in (output_of(reader, coinbases[0], 0), 0):
        flow = trace_backward(reader, [seed], policy, UNLIMITED)
        assert ends(flow) == [(seed, 50 * BTC, Reason.COINBASE, 0)]
        assert flow.steps == ()


@each_policy
def test_unspendable_and_genesis_outputs_end_forward(policy, chain, open_ledger, output_of):
    (prevout,) = chain.spendable()[:1]
    burnt = TransactionOutput(7 * BTC, b"\x6a\x01\x00")
    too_long = TransactionOutput(5 * BTC, b"\x61" * 10_001)
    tx = chain.spend([prevout], [burnt, too_long, *pays(38 * BTC)])
    chain.mine([tx])
    reader = open_ledger(chain)
    seed = reader.outputs_of(reader.find_transactions(prevout.txid)[0])[0]
    flow = trace_forward(reader, [seed, 0], policy, Limits(hops=1, min_sat=6 * BTC))
    at = [output_of(reader, tx, vout) for vout in range(3)]
    assert ends(flow) == [
        (0, 50 * BTC, Reason.GENESIS, 0),
        (at[0], 7 * BTC, Reason.UNSPENDABLE, 1),
        (at[1], 5 * BTC, Reason.UNSPENDABLE, 1),
        (at[2], 38 * BTC, Reason.UNSPENT, 1),
    ]
    assert flow.conserved


def test_overwritten_coinbase_ends_forward_but_not_in_an_earlier_snapshot(chain, coinbases, open_ledger):
    tip, repeated = chain.nodes[chain.tip], coinbases[-1]
    time = tip.block.header.time + BLOCK_INTERVAL
    header = BlockHeader(1, chain.tip, merkle_root([repeated.txid])[0], time, BITS, 0)
    block = Block(grind(header), (repeated,))
    chain.tip = block.header.block_hash
    chain.nodes[chain.tip] = Node(block, chain.tip, tip.block_hash, tip.height + 1, (repeated.txid,))
    reader = open_ledger(chain)
    earlier, later = (reader.outputs_of(tx_index)[0] for tx_index in reader.find_transactions(repeated.txid))
    flow = trace_forward(reader, [earlier, later], FIFO, UNLIMITED)
    assert ends(flow) == [(earlier, 50 * BTC, Reason.OVERWRITTEN, 0), (later, 50 * BTC, Reason.UNSPENT, 0)]
    before = open_ledger(chain, height=tip.height)
    assert ends(trace_forward(before, [earlier], FIFO, UNLIMITED)) == [(earlier, 50 * BTC, Reason.UNSPENT, 0)]


def ladder(chain, rungs):
    """Transactions that each spend the only output of the one before, in one block."""
    txs, prevout = [], chain.spendable()[0]
    for _ in range(rungs):
        txs.append(chain.spend([prevout], pays(prevout.value_sat)))
        prevout = created(txs[-1])
    chain.mine(txs)
    return txs


@each_policy
@pytest.mark.parametrize("hops", range(6))
def test_hops_count_transactions_and_true_ends_win(policy, hops, chain, coinbases, open_ledger, output_of):
    txs = ladder(chain, 4)
    reader = open_ledger(chain)
    outputs = [output_of(reader, coinbases[0], 0), *(output_of(reader, tx, 0) for tx in txs)]
    reached = min(hops, 4)
    flow = trace_forward(reader, [outputs[0]], policy, Limits(hops=hops, min_sat=0))
    reason = Reason.UNSPENT if reached == 4 else Reason.HOPS
    assert ends(flow) == [(outputs[reached], 50 * BTC, reason, reached)]
    flow = trace_backward(reader, [outputs[4]], policy, Limits(hops=hops, min_sat=0))
    reason = Reason.COINBASE if reached == 4 else Reason.HOPS
    assert ends(flow) == [(outputs[4 - reached], 50 * BTC, reason, reached)]
    assert flow.complete


def test_the_nearest_input_counts_the_hops(chain, coinbases, open_ledger, output_of):
    far = ladder(chain, 3)
    joined = chain.spend([created(far[-1]), chain.spendable()[0]], pays(100 * BTC))
    chain.mine([joined])
    reader = open_ledger(chain)
    seeds = [output_of(reader, coinbases[0], 0), output_of(reader, coinbases[1], 0)]
    flow = trace_forward(reader, seeds, FIFO, UNLIMITED)
    assert ends(flow) == [(output_of(reader, joined, 0), 100 * BTC, Reason.UNSPENT, 1)]
    # With two hops only, what went the long way stops on it; the other half arrives.
    flow = trace_forward(reader, seeds, FIFO, Limits(hops=2, min_sat=0))
    assert ends(flow) == [
        (output_of(reader, far[1], 0), 50 * BTC, Reason.HOPS, 2),
        (output_of(reader, joined, 0), 50 * BTC, Reason.UNSPENT, 1),
    ]
    assert flow.conserved


def test_small_traced_parts_stay_where_they_are(chain, coinbases, open_ledger, output_of):
    tx = chain.spend(chain.spendable()[:1], pays(49 * BTC, 1 * BTC))
    onward = [chain.spend([created(tx, vout)], pays(tx.outputs[vout].value_sat)) for vout in (0, 1)]
    chain.mine([tx, *onward])
    reader = open_ledger(chain)
    seed = output_of(reader, coinbases[0], 0)
    flow = trace_forward(reader, [seed], FIFO, Limits(hops=None, min_sat=BTC + 1))
    assert ends(flow) == [
        (output_of(reader, tx, 1), BTC, Reason.MINIMUM, 1),
        (output_of(reader, onward[0], 0), 49 * BTC, Reason.UNSPENT, 2),
    ]
    assert trace_forward(reader, [seed], FIFO, Limits(hops=None, min_sat=BTC)).steps[-1].traced_in_sat == BTC
    flow = trace_backward(reader, [output_of(reader, onward[1], 0)], FIFO, Limits(hops=None, min_sat=BTC + 1))
    assert ends(flow) == [(output_of(reader, onward[1], 0), BTC, Reason.MINIMUM, 0)]


def test_the_search_limit_is_told(chain, coinbases, open_ledger, output_of):
    txs = ladder(chain, 3)
    reader = open_ledger(chain)
    seeds = [output_of(reader, coinbases[0], 0), output_of(reader, coinbases[60], 0)]
    flow = trace_forward(reader, seeds, FIFO, Limits(hops=None, min_sat=0, transactions=2))
    assert not flow.complete
    assert ends(flow) == [
        (seeds[1], 50 * BTC, Reason.UNSPENT, 0),
        (output_of(reader, txs[1], 0), 50 * BTC, Reason.SEARCH, 2),
    ]
    assert len(flow.steps) == 2
    assert flow.conserved
    assert trace_forward(reader, seeds, FIFO, Limits(hops=None, min_sat=0, transactions=3)).complete
    back = trace_backward(reader, [output_of(reader, txs[2], 0)], FIFO, Limits(hops=None, min_sat=0, transactions=0))
    assert (ends(back)[0][2], back.complete) == (Reason.SEARCH, False)


def three_mix(chain):
    """Three owners with 10 BTC each make three equal outputs and pay a fee."""
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, tag)) for tag in (b"one", b"two", b"three")]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(10 * BTC, lock.script_pubkey) for lock in locks] + pays(20 * BTC)
    )
    mix = chain.spend([created(funding, vout) for vout in range(3)], pays(9 * BTC, 9 * BTC, 9 * BTC))
    chain.mine([funding, mix])
    return funding, mix


@each_policy
def test_coinjoins_stop_a_trace_unless_asked(policy, chain, open_ledger, output_of):
    funding, mix = three_mix(chain)
    reader = open_ledger(chain)
    entering = [output_of(reader, funding, vout) for vout in range(3)]
    leaving = [output_of(reader, mix, vout) for vout in range(3)]
    flow = trace_forward(reader, entering[:1], policy, UNLIMITED)
    assert ends(flow) == [(entering[0], 10 * BTC, Reason.COINJOIN, 0)]
    assert flow.gate == kinds.RULES
    assert flow.complete
    back = trace_backward(reader, leaving[:1], policy, UNLIMITED)
    assert ends(back) == [(leaving[0], 9 * BTC, Reason.COINJOIN, 0)]
    through = Limits(hops=None, min_sat=0, through_coinjoins=True)
    flow = trace_forward(reader, entering, policy, through)
    assert ends(flow) == [(output, 9 * BTC, Reason.UNSPENT, 1) for output in leaving]
    assert (flow.fees_sat, flow.gate) == (3 * BTC, ())
    assert {end.reason for end in trace_backward(reader, leaving, policy, through).endpoints} == {Reason.COINBASE}


def test_unknown_outputs_and_negative_limits_are_refused(chain, open_ledger):
    reader = open_ledger(chain)
    for seed in (-1, reader.counts.output):
        with pytest.raises(NotFound, match=f"output {seed} "):
            trace_forward(reader, [0, seed], FIFO, UNLIMITED)
        with pytest.raises(NotFound, match=f"output {seed} "):
            trace_backward(reader, [seed], FIFO, UNLIMITED)
    for limits in ({"hops": -1, "min_sat": 0}, {"hops": None, "min_sat": -1}):
        with pytest.raises(UsageError, match="negative"):
            Limits(**limits)
    empty = trace_forward(reader, [], FIFO, UNLIMITED)
    assert (empty.traced_sat, empty.endpoints, empty.steps, empty.conserved) == (0, (), (), True)


def test_tracing_needs_no_numba(chain, open_ledger, output_of):
    funding, _ = three_mix(chain)
    reader = open_ledger(chain)
    program = f"""
import sys
sys.modules["numba"] = None
from pathlib import Path
from cointrail.ledger.reader import Reader
from cointrail.trace.backward import trace_backward
from cointrail.trace.forward import trace_forward
from cointrail.trace.limits import Limits
from cointrail.trace.policies import POLICIES
with Reader(Path({str(reader.folder)!r})) as reader:
    for policy in POLICIES.values():
        for trace in (trace_forward, trace_backward):
            assert trace(reader, [{output_of(reader, funding, 0)}], policy, Limits(None, 0)).conserved
"""
    subprocess.run([sys.executable, "-c", program], check=True)
