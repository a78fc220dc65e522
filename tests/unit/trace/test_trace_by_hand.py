"""Walks over real ledgers whose transactions are made one by one; the expected amounts are worked out in the tests."""

from regtest import mine_many_outputs
from trace_cases import (
    BTC,
    created,
    each_two_way_policy,
    ends,
    fees_sat,
    pays,
    segments,
    step_outputs,
    trace_backward,
    trace_forward,
)

from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput
from cointrail.trace.policy import FIFO, HAIRCUT, LIFO, POISON, POLICIES, PURITY, SENIORITY, TIHO
from cointrail.trace.reason import Reason


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
    flow = trace_forward(reader, [first], FIFO)
    assert ends(flow) == [(left, 30 * BTC, Reason.UNSPENT, 1), (right, 20 * BTC, Reason.UNSPENT, 1)]
    assert (segments(flow, left), segments(flow, right)) == ([(0, 30 * BTC)], [(0, 20 * BTC)])
    assert (flow.traced_sat, fees_sat(flow)) == (50 * BTC, 0)
    assert flow.complete
    assert flow.conserved
    flow = trace_forward(reader, [second], FIFO)
    assert segments(flow, right) == [(20 * BTC, 40 * BTC)]
    assert fees_sat(flow) == 10 * BTC  # the last satoshis are the fee
    assert step_outputs(flow, 0) == [(right, 40 * BTC)]
    assert flow.conserved


def test_every_policy_by_hand(chain, coinbases, open_ledger, output_of):
    """50 traced and 50 other BTC, in this order, pay 30 and 60 BTC and a fee of 10."""
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    first, second = (output_of(reader, each, 0) for each in coinbases[:2])
    expected = {
        (FIFO, first): (30, 20, 0),
        (FIFO, second): (0, 40, 10),
        (LIFO, first): (0, 40, 10),
        (LIFO, second): (30, 20, 0),
        (HAIRCUT, first): (15, 30, 5),
        (TIHO, first): (0, 50, 0),
        (SENIORITY, first): (30, 20, 0),
        (PURITY, first): (0, 40, 10),
        (POISON, first): (30, 60, 10),
    }
    for (policy, seed), amounts in expected.items():
        flow = trace_forward(reader, [seed], policy)
        found = {output: sat for output, sat, *_ in ends(flow)}
        parts = (*(found.get(output_of(reader, tx, vout), 0) for vout in (0, 1)), fees_sat(flow))
        assert parts == tuple(amount * BTC for amount in amounts), policy.name
        assert flow.conserved is (policy is not POISON)


def test_lifo_knows_its_satoshis(chain, coinbases, open_ledger, output_of):
    """The last input is taken first, each from its end: what is left of the first are its first satoshis."""
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    right = output_of(reader, tx, 1)
    # Of the 60, the 20 that came first out of the second input are its last; then 40 of the first.
    assert segments(trace_forward(reader, [output_of(reader, coinbases[1], 0)], LIFO), right) == [(40 * BTC, 20 * BTC)]
    assert segments(trace_forward(reader, [output_of(reader, coinbases[0], 0)], LIFO), right) == [(0, 40 * BTC)]


def test_backward_by_hand(chain, coinbases, open_ledger, output_of):
    tx = spend_two_coinbases(chain)
    reader = open_ledger(chain)
    first, second = (output_of(reader, each, 0) for each in coinbases[:2])
    right = output_of(reader, tx, 1)
    flow = trace_backward(reader, [right], FIFO)
    assert ends(flow) == [(first, 20 * BTC, Reason.COINBASE, 1), (second, 40 * BTC, Reason.COINBASE, 1)]
    assert (segments(flow, first), segments(flow, second)) == ([(30 * BTC, 20 * BTC)], [(0, 40 * BTC)])
    assert fees_sat(flow) == 0
    flow = trace_backward(reader, [right], HAIRCUT)
    assert ends(flow) == [(first, 30 * BTC, Reason.COINBASE, 1), (second, 30 * BTC, Reason.COINBASE, 1)]
    assert step_outputs(flow, 0) == [(first, 30 * BTC), (second, 30 * BTC)]
    assert flow.conserved


def test_a_seed_without_value_goes_nowhere_but_poison_marks_it(chain, coinbases, open_ledger, output_of):
    tx = chain.spend(chain.spendable()[:1], pays(50 * BTC, 0, 0))
    onward = chain.spend([created(tx, 1)], pays(0))
    chain.mine([tx, onward])
    reader = open_ledger(chain)
    spent, unspent = output_of(reader, tx, 1), output_of(reader, tx, 2)
    flow = trace_forward(reader, [spent, unspent], FIFO)
    assert ends(flow) == [(spent, 0, Reason.MINIMUM, 0), (unspent, 0, Reason.UNSPENT, 0)]
    assert flow.conserved
    assert ends(trace_forward(reader, [spent], POISON)) == [(output_of(reader, onward, 0), 0, Reason.UNSPENT, 1)]


@each_two_way_policy
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
    flow = trace_forward(reader, [change, first, change], policy)
    assert flow.seeds.outputs.tolist() == [first, change]
    assert ends(flow) == [
        (paid, 20 * BTC, Reason.UNSPENT, 1),
        (change, 30 * BTC, Reason.SEED, 1),
        (last, 30 * BTC, Reason.UNSPENT, 1),
    ]
    assert flow.traced_sat == 80 * BTC
    assert flow.conserved
    back = trace_backward(reader, [last, change], policy)
    assert ends(back) == [
        (first, 30 * BTC, Reason.COINBASE, 1),
        (output_of(reader, coinbases[1], 0), 50 * BTC, Reason.COINBASE, 1),
        (change, 30 * BTC, Reason.SEED, 1),
    ]
    assert back.traced_sat == 110 * BTC
    assert back.conserved


@each_two_way_policy
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
    one = trace_forward(reader, [output_of(reader, fan_out, 7)], policy)
    assert ends(one) == [(last, 1_000, Reason.UNSPENT, 1)]
    back = trace_backward(reader, [last], policy)
    assert [sat for _, sat in step_outputs(back, 0)] == [1_000] * gathered
    assert ends(back) == [(coinbase, 1_000 * gathered, Reason.COINBASE, 2)]
    flow = trace_forward(reader, [coinbase], policy)
    assert flow.conserved
    assert len(ends(flow)) == outputs - gathered + 1
    assert {sat for output, sat, *_ in ends(flow) if output != last} == {1_000}
    assert fees_sat(flow) == 50 * BTC - 1_000 * outputs


def test_outputs_without_value_take_nothing(chain, open_ledger):
    block = mine_many_outputs(chain)
    reader = open_ledger(chain)
    (tx_index,) = reader.find_transactions(block.transactions[1].txid)
    seed = int(reader.column("input", "output")[reader.inputs_of(tx_index).start])
    for policy in (each for each in POLICIES.values() if each.conserves):
        flow = trace_forward(reader, [seed], policy)
        assert ends(flow) == [(reader.outputs_of(tx_index)[-1], 50 * BTC, Reason.UNSPENT, 1)]


def test_a_snapshot_does_not_know_later_spends(chain, coinbases, open_ledger, output_of):
    spend_two_coinbases(chain)
    reader = open_ledger(chain, height=chain.height_of(chain.tip) - 1)
    seed = output_of(reader, coinbases[0], 0)
    assert ends(trace_forward(reader, [seed], FIFO)) == [(seed, 50 * BTC, Reason.UNSPENT, 0)]
