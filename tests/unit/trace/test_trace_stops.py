"""Where a walk ends and why: every reason on a real ledger made for it."""

import pytest
from chain_tree import BITS, BLOCK_INTERVAL, Node, grind
from regtest import Form, anyone_can_spend
from trace_cases import (
    BTC,
    created,
    each_two_way_policy,
    ends,
    fees_sat,
    pays,
    reasons,
    trace_backward,
    trace_forward,
)

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate import kinds
from cointrail.errors import NotFound, UsageError
from cointrail.trace.limits import COURT, LEAD, Limits, chosen
from cointrail.trace.policy import FIFO, HAIRCUT, POLICIES, named
from cointrail.trace.reason import Reason
from cointrail.trace.services import Services, services_of


@each_two_way_policy
def test_coinbase_seed_ends_backward_at_once(policy, chain, coinbases, open_ledger, output_of):
    reader = open_ledger(chain)
    for seed in (output_of(reader, coinbases[0], 0), 0):
        flow = trace_backward(reader, [seed], policy)
        assert ends(flow) == [(seed, 50 * BTC, Reason.COINBASE, 0)]
        assert not len(flow.tx)


@each_two_way_policy
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
    flow = trace_forward(reader, [earlier, later], FIFO)
    assert ends(flow) == [(earlier, 50 * BTC, Reason.OVERWRITTEN, 0), (later, 50 * BTC, Reason.UNSPENT, 0)]
    before = open_ledger(chain, height=tip.height)
    assert ends(trace_forward(before, [earlier], FIFO)) == [(earlier, 50 * BTC, Reason.UNSPENT, 0)]


def ladder(chain, rungs):
    """Transactions that each spend the only output of the one before, in one block."""
    txs, prevout = [], chain.spendable()[0]
    for _ in range(rungs):
        txs.append(chain.spend([prevout], pays(prevout.value_sat)))
        prevout = created(txs[-1])
    chain.mine(txs)
    return txs


@each_two_way_policy
@pytest.mark.parametrize("hops", range(6))
def test_hops_count_transactions_and_true_ends_win(policy, hops, chain, coinbases, open_ledger, output_of):
    txs = ladder(chain, 4)
    reader = open_ledger(chain)
    outputs = [output_of(reader, coinbases[0], 0), *(output_of(reader, tx, 0) for tx in txs)]
    reached = min(hops, 4)
    flow = trace_forward(reader, [outputs[0]], policy, Limits(hops=hops))
    reason = Reason.UNSPENT if reached == 4 else Reason.HOPS
    assert ends(flow) == [(outputs[reached], 50 * BTC, reason, reached)]
    flow = trace_backward(reader, [outputs[4]], policy, Limits(hops=hops))
    reason = Reason.COINBASE if reached == 4 else Reason.HOPS
    assert ends(flow) == [(outputs[4 - reached], 50 * BTC, reason, reached)]
    assert flow.complete


def test_the_nearest_input_counts_the_hops(chain, coinbases, open_ledger, output_of):
    far = ladder(chain, 3)
    joined = chain.spend([created(far[-1]), chain.spendable()[0]], pays(100 * BTC))
    chain.mine([joined])
    reader = open_ledger(chain)
    seeds = [output_of(reader, coinbases[0], 0), output_of(reader, coinbases[1], 0)]
    flow = trace_forward(reader, seeds, FIFO)
    assert ends(flow) == [(output_of(reader, joined, 0), 100 * BTC, Reason.UNSPENT, 1)]
    # With two hops only, what went the long way stops on it; the other half arrives.
    flow = trace_forward(reader, seeds, FIFO, Limits(hops=2))
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
    flow = trace_forward(reader, [seed], FIFO, Limits(min_sat=BTC + 1))
    assert ends(flow) == [
        (output_of(reader, tx, 1), BTC, Reason.MINIMUM, 1),
        (output_of(reader, onward[0], 0), 49 * BTC, Reason.UNSPENT, 2),
    ]
    assert reasons(trace_forward(reader, [seed], FIFO, Limits(min_sat=BTC))) == {Reason.UNSPENT}
    flow = trace_backward(reader, [output_of(reader, onward[1], 0)], FIFO, Limits(min_sat=BTC + 1))
    assert ends(flow) == [(output_of(reader, onward[1], 0), BTC, Reason.MINIMUM, 0)]


def test_the_search_limit_is_told(chain, coinbases, open_ledger, output_of):
    txs = ladder(chain, 3)
    reader = open_ledger(chain)
    seeds = [output_of(reader, coinbases[0], 0), output_of(reader, coinbases[60], 0)]
    flow = trace_forward(reader, seeds, FIFO, Limits(transactions=2))
    assert not flow.complete
    assert ends(flow) == [
        (seeds[1], 50 * BTC, Reason.UNSPENT, 0),
        (output_of(reader, txs[1], 0), 50 * BTC, Reason.TRANSACTIONS, 2),
    ]
    assert len(flow.tx) == 2
    assert flow.conserved
    assert trace_forward(reader, seeds, FIFO, Limits(transactions=3)).complete
    back = trace_backward(reader, [output_of(reader, txs[2], 0)], FIFO, Limits(transactions=0))
    assert (ends(back)[0][2], back.complete) == (Reason.TRANSACTIONS, False)


def three_mix(chain):
    """Three owners with 10 BTC each make three equal outputs and pay a fee."""
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, tag)) for tag in (b"one", b"two", b"three")]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(10 * BTC, lock.script_pubkey) for lock in locks] + pays(20 * BTC)
    )
    mix = chain.spend([created(funding, vout) for vout in range(3)], pays(9 * BTC, 9 * BTC, 9 * BTC))
    chain.mine([funding, mix])
    return funding, mix


@each_two_way_policy
def test_coinjoins_stop_a_trace_unless_asked(policy, chain, open_ledger, output_of):
    funding, mix = three_mix(chain)
    reader = open_ledger(chain)
    entering = [output_of(reader, funding, vout) for vout in range(3)]
    leaving = [output_of(reader, mix, vout) for vout in range(3)]
    flow = trace_forward(reader, entering[:1], policy)
    assert ends(flow) == [(entering[0], 10 * BTC, Reason.COINJOIN, 0)]
    assert flow.asked.gate == kinds.RULES
    assert flow.complete
    back = trace_backward(reader, leaving[:1], policy)
    assert ends(back) == [(leaving[0], 9 * BTC, Reason.COINJOIN, 0)]
    through = Limits(through_coinjoins=True)
    flow = trace_forward(reader, entering, policy, through)
    assert ends(flow) == [(output, 9 * BTC, Reason.UNSPENT, 1) for output in leaving]
    assert (fees_sat(flow), flow.asked.gate) == (3 * BTC, ())
    assert reasons(trace_backward(reader, leaving, policy, through)) == {Reason.COINBASE}


def test_unknown_outputs_and_negative_limits_are_refused(chain, open_ledger):
    reader = open_ledger(chain)
    for seed in (-1, reader.counts.output):
        with pytest.raises(NotFound, match=f"output {seed} "):
            trace_forward(reader, [0, seed], FIFO)
        with pytest.raises(NotFound, match=f"output {seed} "):
            trace_backward(reader, [seed], FIFO)
    for limits in ({"hops": -1}, {"min_sat": -1}, {"transactions": -1}, {"min_share_ppm": 1_000_001}):
        with pytest.raises(UsageError, match=r"limit cannot be negative|nothing holds more than all"):
            Limits(**limits)
    with pytest.raises(UsageError, match="nothing to trace"):
        trace_forward(reader, [], FIFO)


def test_policies_and_presets_that_do_not_exist_are_refused():
    with pytest.raises(UsageError, match="there is no policy 'fif0'"):
        named(["fifo", "fif0"])
    for name, policy in POLICIES.items():
        if policy.backward:
            assert named([name, name], backward=True) == (policy,)
        else:
            with pytest.raises(UsageError, match=f"policy {name} cannot be read backward"):
                named([name], backward=True)
    with pytest.raises(UsageError, match="there are no limits 'judge'"):
        chosen("judge")
    assert chosen("court") == COURT
    assert chosen("lead", hops=3, min_sat=0).hops == 3
    assert (LEAD.hops, chosen("lead", min_sat=0).min_sat) == (100, 0)


def two_owners(chain):
    """A coinbase pays 20 and 30 BTC to two scripts; each is spent on."""
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, tag)) for tag in (b"shop", b"home")]
    tx = chain.spend(
        chain.spendable()[:1],
        [TransactionOutput(value * BTC, lock.script_pubkey) for value, lock in zip((20, 30), locks, strict=True)],
    )
    onward = [chain.spend([created(tx, vout)], pays(tx.outputs[vout].value_sat)) for vout in (0, 1)]
    chain.mine([tx, *onward])
    return tx, onward


@each_two_way_policy
def test_services_end_a_trace_by_script_and_by_cluster(policy, chain, coinbases, open_ledger, output_of):
    tx, onward = two_owners(chain)
    reader = open_ledger(chain)
    seed, shop, home = output_of(reader, coinbases[0], 0), *(output_of(reader, tx, vout) for vout in (0, 1))
    scripts = reader.column("output", "script")[[shop, home]].tolist()
    forest = Forest(reader)
    services = services_of(forest, [scripts[0]], [0], ["Shop"], kinds=["exchange"], digest="d")
    flow = trace_forward(reader, [seed], policy, services=services)
    assert ends(flow) == [
        (shop, 20 * BTC, Reason.SERVICE, 1),
        (output_of(reader, onward[1], 0), 30 * BTC, Reason.UNSPENT, 2),
    ]
    back = trace_backward(reader, [output_of(reader, onward[0], 0)], policy, services=services)
    assert ends(back) == [(shop, 20 * BTC, Reason.SERVICE, 1)]
    assert services.of(forest, scripts).tolist() == [0, -1]


def test_a_cluster_defined_by_two_services_inherits_nothing(chain, open_ledger, output_of):
    locks = [chain.learn(anyone_can_spend(Form.P2WSH, tag)) for tag in (b"one", b"two", b"three")]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(16 * BTC, lock.script_pubkey) for lock in locks] + pays(2 * BTC)
    )
    joined = chain.spend([created(funding, vout) for vout in range(3)], pays(48 * BTC))
    chain.mine([funding, joined])
    reader = open_ledger(chain)
    scripts = [int(reader.column("output", "script")[output_of(reader, funding, vout)]) for vout in range(3)]
    forest = Forest(reader)
    assert len(set(forest.roots(scripts).tolist())) == 1
    one = services_of(forest, scripts[:1], [0], ["A"])
    assert one.of(forest, scripts).tolist() == [0, 0, 0]
    assert services_of(forest, scripts[:1], [0], ["A"], definers=[False]).of(forest, scripts).tolist() == [0, -1, -1]
    both = services_of(forest, scripts[:2], [0, 1], ["A", "B"])
    assert both.of(forest, scripts).tolist() == [0, 1, -1]
    assert (both.mixed, one.mixed) == (1, 0)


def test_large_clusters_wide_transactions_and_time_end_a_trace(chain, coinbases, open_ledger, output_of):
    tx, onward = two_owners(chain)
    later = chain.spend([created(onward[1])], pays(*[BTC] * 30))
    chain.mine([later])
    reader = open_ledger(chain)
    seed, shop, home = output_of(reader, coinbases[0], 0), *(output_of(reader, tx, vout) for vout in (0, 1))
    height = int(reader.height_of_transactions(reader.transaction_of_outputs(home)))
    middle = output_of(reader, onward[1], 0)
    flow = trace_forward(reader, [seed], FIFO, Limits(outputs=29))
    assert (middle, 30 * BTC, Reason.MANY_OUTPUTS, 2) in ends(flow)
    assert Reason.MANY_OUTPUTS not in reasons(trace_forward(reader, [seed], FIFO, Limits(outputs=30)))
    # A large cluster is not entered, and the seed's is where the question begins.
    flow = trace_forward(reader, [seed], FIFO, Limits(cluster=0))
    values = reader.column("output", "value_sat")
    assert ends(flow) == [(each, int(values[each]), Reason.LARGE_CLUSTER, 1) for each in (shop, home)]
    resumed = trace_forward(reader, [seed, shop], FIFO, Limits(cluster=0))
    assert shop not in {output for output, _, reason, _ in ends(resumed) if reason is Reason.LARGE_CLUSTER}
    assert Reason.LARGE_CLUSTER not in reasons(trace_forward(reader, [seed], FIFO, Limits(cluster=1)))
    flow = trace_forward(reader, [seed], FIFO, Limits(to_height=height - 1))
    assert {(output, reason) for output, _, reason, _ in ends(flow)} == {(shop, Reason.TIME), (home, Reason.TIME)}
    back = trace_backward(reader, [output_of(reader, later, 0)], FIFO, Limits(from_height=height))
    assert ends(back) == [(middle, BTC, Reason.COINBASE, 1)] or reasons(back) == {Reason.COINBASE}
    back = trace_backward(reader, [output_of(reader, later, 0)], FIFO, Limits(from_height=height + 1))
    assert ends(back) == [(middle, BTC, Reason.TIME, 1)]


def test_backward_a_transaction_of_many_inputs_can_end_it(chain, open_ledger):
    prevouts = chain.spendable()[:3]
    tx = chain.spend(prevouts, pays(150 * BTC))
    chain.mine([tx])
    reader = open_ledger(chain)
    last = reader.outputs_of(reader.find_transactions(tx.txid)[0])[0]
    assert ends(trace_backward(reader, [last], HAIRCUT, Limits(inputs=2))) == [(last, 150 * BTC, Reason.MANY_INPUTS, 0)]
    assert reasons(trace_backward(reader, [last], HAIRCUT, Limits(inputs=3))) == {Reason.COINBASE}


def test_budgets_of_memory_time_and_patience_leave_a_balanced_answer(chain, coinbases, open_ledger, output_of):
    ladder(chain, 5)
    reader = open_ledger(chain)
    seed = output_of(reader, coinbases[0], 0)
    flow = trace_forward(reader, [seed], FIFO, Limits(megabytes=0))
    assert (reasons(flow), flow.complete, flow.conserved) == ({Reason.MEMORY}, False, True)
    flow = trace_forward(reader, [seed], FIFO, Limits(transactions=2))
    assert (reasons(flow), flow.complete, flow.conserved) == ({Reason.TRANSACTIONS}, False, True)


def test_no_services_are_no_services(chain, open_ledger):
    reader = open_ledger(chain)
    assert Services().of(Forest(reader), [0, 1]).tolist() == [-1, -1]
