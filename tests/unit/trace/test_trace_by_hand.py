"""Walks over real ledgers whose transactions are made one by one; the expected amounts are worked out in the tests."""

from regtest import mine_many_outputs
from trace_cases import BTC, UNLIMITED, created, each_policy, ends, pays

from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput
from cointrail.trace.backward import trace_backward
from cointrail.trace.flow import Direction, Endpoint, Reason
from cointrail.trace.forward import trace_forward
from cointrail.trace.policies import FIFO, HAIRCUT, POLICIES


def spend_two_coinbases(chain):
    """50 + 50 BTC pay 30 and 60 BTC and a fee of 10."""
    tx = chain.spend(chain.spendable()[:2], pays(30 * BTC, 60 * BTC))
    chain.mine([tx])
    return tx


def test_fifo_forward_by_hand(chain, coinbases, open_ledger, output_of):
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    first, second = (output_of(reader, each, 0) for each in coinbases[:2])
    left, right = (output_of(reader, tx, vout) for vout in (0, 1))
    flow = trace_forward(reader, [first], FIFO, UNLIMITED)
    assert flow.endpoints == (
        Endpoint(left, 30 * BTC, 30 * BTC, Reason.UNSPENT, 1, ((0, 30 * BTC),)),
        Endpoint(right, 60 * BTC, 20 * BTC, Reason.UNSPENT, 1, ((0, 20 * BTC),)),
    )
    assert (flow.direction, flow.policy, flow.version) == (Direction.FORWARD, "fifo", 1)
    assert (flow.seeds, flow.traced_sat, flow.fees_sat) == (((first, 50 * BTC),), 50 * BTC, 0)
    assert flow.complete
    assert flow.conserved
    flow = trace_forward(reader, [second], FIFO, UNLIMITED)
    assert [end.segments for end in flow.endpoints] == [((20 * BTC, 40 * BTC),)]
    assert flow.fees_sat == 10 * BTC  # the last satoshis are the fee
    (step,) = flow.steps
    assert (step.traced_in_sat, step.traced_out_sat, step.fee_sat) == (50 * BTC, 40 * BTC, 10 * BTC)
    assert (step.inputs, step.outputs) == (((second, 50 * BTC),), ((right, 40 * BTC),))
    assert flow.conserved


def test_haircut_forward_by_hand(chain, coinbases, open_ledger, output_of):
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    flow = trace_forward(reader, [output_of(reader, coinbases[0], 0)], HAIRCUT, UNLIMITED)
    left, right = (output_of(reader, tx, vout) for vout in (0, 1))
    assert ends(flow) == [(left, 15 * BTC, Reason.UNSPENT, 1), (right, 30 * BTC, Reason.UNSPENT, 1)]
    assert flow.fees_sat == 5 * BTC
    assert flow.conserved


def test_backward_by_hand(chain, coinbases, open_ledger, output_of):
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    first, second = (output_of(reader, each, 0) for each in coinbases[:2])
    right = output_of(reader, tx, 1)
    flow = trace_backward(reader, [right], FIFO, UNLIMITED)
    assert flow.endpoints == (
        Endpoint(first, 50 * BTC, 20 * BTC, Reason.COINBASE, 1, ((30 * BTC, 20 * BTC),)),
        Endpoint(second, 50 * BTC, 40 * BTC, Reason.COINBASE, 1, ((0, 40 * BTC),)),
    )
    assert (flow.direction, flow.fees_sat, flow.steps[0].fee_sat) == (Direction.BACKWARD, 0, 0)
    flow = trace_backward(reader, [right], HAIRCUT, UNLIMITED)
    assert ends(flow) == [(first, 30 * BTC, Reason.COINBASE, 1), (second, 30 * BTC, Reason.COINBASE, 1)]
    assert flow.steps[0].inputs == ((first, 30 * BTC), (second, 30 * BTC))
    assert flow.conserved


def test_a_seed_without_value_goes_nowhere(chain, coinbases, open_ledger, output_of):
    tx = chain.spend(chain.spendable()[:1], pays(50 * BTC, 0, 0))
    chain.mine([tx, chain.spend([created(tx, 1)], pays(0))])
    reader = open_ledger(chain)
    spent, unspent = output_of(reader, tx, 1), output_of(reader, tx, 2)
    flow = trace_forward(reader, [spent, unspent], FIFO, UNLIMITED)
    assert flow.endpoints == (
        Endpoint(spent, 0, 0, Reason.MINIMUM, 0),
        Endpoint(unspent, 0, 0, Reason.UNSPENT, 0),
    )
    assert flow.conserved


@each_policy
def test_seeds_that_descend_from_one_another_start_anew(policy, chain, coinbases, open_ledger, output_of):
    """An address whose change returns to it: both outputs are seeds."""
    payment = chain.spend(chain.spendable()[:1], pays(20 * BTC, 30 * BTC))
    again = chain.spend([created(payment, 1), chain.spendable()[1]], pays(80 * BTC))
    chain.mine([payment, again])
    reader = open_ledger(chain)
    first, paid, change = (
        output_of(reader, coinbases[0], 0),
        output_of(reader, payment, 0),
        output_of(reader, payment, 1),
    )
    last = output_of(reader, again, 0)
    flow = trace_forward(reader, [change, first, change], policy, UNLIMITED)
    assert flow.seeds == ((first, 50 * BTC), (change, 30 * BTC))
    assert ends(flow) == [
        (paid, 20 * BTC, Reason.UNSPENT, 1),
        (change, 30 * BTC, Reason.SEED, 1),
        (last, 30 * BTC, Reason.UNSPENT, 1),
    ]
    assert flow.traced_sat == 80 * BTC
    assert flow.conserved
    back = trace_backward(reader, [last, change], policy, UNLIMITED)
    assert ends(back) == [
        (first, 30 * BTC, Reason.COINBASE, 1),
        (output_of(reader, coinbases[1], 0), 50 * BTC, Reason.COINBASE, 1),
        (change, 30 * BTC, Reason.SEED, 1),
    ]
    assert back.traced_sat == 110 * BTC
    assert back.conserved


@each_policy
def test_transactions_of_seventy_thousand_outputs(policy, chain, coinbases, open_ledger, output_of):
    outputs, gathered = 70_000, 20_000
    fan_out = chain.spend(chain.spendable()[:1], pays(*[1_000] * outputs))
    chain.mine([fan_out])
    txid = fan_out.txid
    inputs = tuple(TransactionInput(Outpoint(txid, vout), b"", 0xFFFFFFFF) for vout in range(gathered))
    gather = Transaction(2, inputs, tuple(pays(1_000 * gathered)), 0)
    chain.mine([gather])
    reader = open_ledger(chain)
    coinbase, last = output_of(reader, coinbases[0], 0), output_of(reader, gather, 0)
    one = trace_forward(reader, [output_of(reader, fan_out, 7)], policy, UNLIMITED)
    assert ends(one) == [(last, 1_000, Reason.UNSPENT, 1)]
    back = trace_backward(reader, [last], policy, UNLIMITED)
    assert [sat for _, sat in back.steps[0].inputs] == [1_000] * gathered
    assert ends(back) == [(coinbase, 1_000 * gathered, Reason.COINBASE, 2)]
    flow = trace_forward(reader, [coinbase], policy, UNLIMITED)
    assert flow.conserved
    assert len(flow.endpoints) == outputs - gathered + 1
    assert all(end.traced_sat == end.value_sat for end in flow.endpoints)
    assert flow.fees_sat == 50 * BTC - 1_000 * outputs


def test_outputs_without_value_take_nothing(chain, open_ledger):
    block = mine_many_outputs(chain)
    reader = open_ledger(chain)
    (tx_index,) = reader.find_transactions(block.transactions[1].txid)
    seed = int(reader.column("input", "output")[reader.inputs_of(tx_index).start])
    for policy in POLICIES.values():
        flow = trace_forward(reader, [seed], policy, UNLIMITED)
        assert ends(flow) == [(reader.outputs_of(tx_index)[-1], 50 * BTC, Reason.UNSPENT, 1)]


def test_a_snapshot_does_not_know_later_spends(chain, coinbases, open_ledger, output_of):
    spend_two_coinbases(chain)
    reader = open_ledger(chain, height=chain.height_of(chain.tip) - 1)
    seed = output_of(reader, coinbases[0], 0)
    assert ends(trace_forward(reader, [seed], FIFO, UNLIMITED)) == [(seed, 50 * BTC, Reason.UNSPENT, 0)]
