"""The graph of a trace says what the trace says: to the satoshi, whatever is shown one by one."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from chain_tree import BITS, BLOCK_INTERVAL, Node, RegtestChain, grind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.merkle import merkle_root
from cointrail.reports.flow_graph import EVERYTHING, Bounds, graph_of
from cointrail.reports.graph import Basis, NodeKind
from cointrail.trace.fees import FeeMode, Fees
from cointrail.trace.flow import Direction
from cointrail.trace.policy import FIFO, HAIRCUT, LIFO, POISON, POLICIES
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import NONE
from cointrail.trace.walk import trace

QUIET = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
BOUNDS = st.builds(
    Bounds,
    nodes=st.one_of(st.none(), st.integers(1, 60)),
    fan=st.one_of(st.none(), st.integers(1, 6)),
)
QUESTIONS = st.fixed_dictionaries(
    {
        "policy": st.sampled_from([HAIRCUT, FIFO, LIFO]),
        "count": st.integers(1, 40),
        "labels": st.integers(1, 4),
        "direction": st.sampled_from(Direction),
        "hops": st.integers(0, 6),
        "min_sat": st.sampled_from([0, 100_000]),
        "through_coinjoins": st.booleans(),
        "transactions": st.sampled_from([None, 5]),
        "fees": st.sampled_from([Fees(), Fees(FeeMode.PROPAGATE)]),
    }
)


def sides(graph):
    """Traced satoshis that come into and go out of each node."""
    into, out = Counter(), Counter()
    for edge in graph.edges:
        into[edge.target] += edge.traced_sat
        out[edge.source] += edge.traced_sat
    return into, out


@QUIET
@given(st.integers(0, 5), QUESTIONS, BOUNDS)
def test_what_comes_in_goes_out_and_every_end_is_there(flow_of, reader, seed, question, bounds):
    flow = flow_of(seed, **question)
    assert flow.conserved
    graph = graph_of(flow, reader, bounds=bounds)
    into, out = sides(graph)
    forward = flow.asked.direction is Direction.FORWARD
    known = {node.id for node in graph.nodes}
    assert len(known) == len(graph.nodes)
    assert {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges} <= known
    for node in graph.nodes:
        at_service = any(each.basis is not Basis.FACT for each in graph.edges if node.id in (each.source, each.target))
        if node.kind is NodeKind.TRANSACTION or node.id == "more:transactions":
            assert into[node.id] == out[node.id] + node.fee_sat
            assert node.traced_sat == (into if forward else out)[node.id]
        elif node.reason and not node.id.startswith(("seed:", "more:seeds:")):
            assert (into if forward else out)[node.id] == node.traced_sat
            assert (out if forward else into)[node.id] == (node.traced_sat if at_service else 0)
    ended = Counter()
    for node in graph.nodes:
        ended[node.reason] += node.traced_sat
        ended["fees"] += node.fee_sat
    booked = sum(sat for reason, sat in flow.ended_sat.items() if reason in (Reason.FEE, Reason.UNCLAIMED))
    others = {str(reason): sat for reason, sat in flow.ended_sat.items() if sat}
    assert ended["fees"] == booked
    drop = ("", "fees", "fee", "unclaimed reward")
    assert {key: sat for key, sat in ended.items() if key not in drop and sat} == {
        key: sat for key, sat in others.items() if key not in drop
    }
    # Parts, too, are all there: none is dropped, and none counted twice.
    counts = Counter()
    for node in graph.nodes:
        counts[node.reason] += node.count if node.reason else 0
    drawn = [REASONS[code] for code in flow.reason if code and REASONS[code] not in (Reason.FEE, Reason.UNCLAIMED)]
    assert +counts == Counter(str(reason) for reason in drawn)
    seeds = [node for node in graph.nodes if node.id.startswith(("seed:", "more:seeds:"))]
    assert sum(node.count for node in seeds) == len(flow.seeds.outputs)
    assert sum(node.traced_sat for node in seeds) == flow.traced_sat
    assert sum(total.sat for total in graph.totals[:-1]) == graph.totals[-1].sat == flow.traced_sat


@QUIET
@given(st.integers(0, 5), QUESTIONS, st.integers(4, 60), st.integers(1, 6))
def test_what_is_shown_one_by_one_is_bounded(flow_of, reader, seed, question, nodes, fan):
    flow = flow_of(seed, **question)
    graph = graph_of(flow, reader, bounds=Bounds(nodes, fan))
    ended = np.flatnonzero(flow.reason)
    kinds = len(
        set(
            zip(
                flow.reason[ended].tolist(), flow.detail[ended].tolist(), (flow.output[ended] < 0).tolist(), strict=True
            )
        )
    )
    # The first transaction is always shown, with `fan` seeds and ends, and a node for each kind of the others; so are
    # seeds that went nowhere. What stands for the rest is one node, its seeds one, its ends one a kind.
    first, ended_seeds, rest = 2 + 2 * fan + 2 * kinds, fan + kinds, 2 + 2 * kinds
    assert len(graph.nodes) <= max(nodes, first) + ended_seeds + rest
    if len(graph.nodes) > nodes + ended_seeds + rest:
        assert sum(node.kind is NodeKind.TRANSACTION for node in graph.nodes) == 1
    # In time and without a way back: what is not shown comes after, or before, all that is.
    orders = {node.id: node.order for node in graph.nodes if node.order is not None}
    assert len(set(orders.values())) == len(orders)
    for edge in graph.edges:
        if edge.source in orders and edge.target in orders:
            assert orders[edge.source] < orders[edge.target]


@pytest.mark.parametrize("direction", Direction)
def test_edges_between_transactions_are_spends_of_the_chain(flow_of, reader, economy, direction):
    flow = flow_of(1, count=10, direction=direction, hops=6, stops=NONE)
    graph, transactions = graph_of(flow, reader, bounds=EVERYTHING), economy[1]
    between = [edge for edge in graph.edges if edge.source.startswith("tx:") and edge.target.startswith("tx:")]
    assert len(between) > 10
    for edge in between:
        txid, _, vout = edge.name.partition(":")
        assert edge.basis is Basis.FACT
        assert edge.source == f"tx:{txid}"
        assert (txid, int(vout)) in transactions[edge.target.removeprefix("tx:")].spends
        assert edge.value_sat == transactions[txid].values[int(vout)]
        assert 0 < edge.traced_sat <= edge.value_sat
    for node in graph.nodes:
        if node.kind is NodeKind.TRANSACTION:
            assert node.height == transactions[node.name].height


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_everything_shows_every_part_once(flow_of, reader, policy):
    flow = flow_of(2, policy, count=12, labels=2, hops=5)
    graph = graph_of(flow, reader, bounds=EVERYTHING)
    assert not [node for node in graph.nodes if node.kind is NodeKind.MORE]
    assert sum(node.kind is NodeKind.TRANSACTION for node in graph.nodes) == len(flow.tx)
    joined = Counter((edge.name, edge.traced_sat) for edge in graph.edges if edge.basis is Basis.FACT)
    idle = Counter((node.name, node.traced_sat) for node in graph.nodes if node.id.startswith("seed:") and node.reason)
    real = np.flatnonzero(flow.output >= 0)
    assert (joined + idle).total() == len(real)
    assert sum(sat for _, sat in (joined + idle).elements()) == int(flow.sat[real].sum())


def test_under_poison_nothing_is_added_up(flow_of, reader):
    graph = graph_of(flow_of(3, POISON), reader)
    assert "together" not in {total.words for total in graph.totals}
    assert any("do not add up" in line for line in graph.caption)


def test_who_names_the_script_asserts_and_who_names_its_cluster_infers(flow_of, reader, services):
    flow = flow_of(4, count=200, hops=3)
    graph = graph_of(flow, reader, bounds=EVERYTHING, sources={"Alpha": "TagPack X"})
    attributions = [edge for edge in graph.edges if edge.basis is not Basis.FACT]
    assert {edge.basis for edge in attributions} == {Basis.ASSERTION, Basis.INFERENCE}
    tagged = {bytes(reader.script_pubkey(int(script))) for script in services.scripts}
    outputs = {}
    for part in np.flatnonzero(flow.reason == Reason.SERVICE.code).tolist():
        output = int(flow.output[part])
        tx = int(reader.transaction_of_outputs(output))
        txid = bytes(reader.column("transaction", "txid")[tx])[::-1].hex()
        script = reader.script_pubkey(int(reader.column("output", "script")[output]))
        outputs[f"{txid}:{output - reader.outputs_of(tx).start}"] = script
    received = defaultdict(int)
    for edge in attributions:
        assert edge.basis is (Basis.ASSERTION if outputs[edge.name] in tagged else Basis.INFERENCE)
        received[edge.target] += edge.traced_sat
    assert {edge.name for edge in attributions} == set(outputs)
    found = [node for node in graph.nodes if node.kind is NodeKind.SERVICE]
    assert {node.id: node.traced_sat for node in found} == received
    for node in found:
        by = "TagPack X" if node.name == "Alpha" else "list abababab"
        assert node.lines[0] == f"attributed to {node.name}"
        assert node.lines[1].startswith(f"by {by}")
        assert node.basis is Basis.ASSERTION
    assert not any("owned" in node.title for node in graph.nodes)


def test_coinjoins_are_named_by_an_inference(flow_of, reader):
    graph = graph_of(flow_of(6, count=600, hops=3, stops=NONE), reader, bounds=EVERYTHING)
    stopped = [node for node in graph.nodes if node.reason == "coinjoin"]
    assert stopped
    assert {node.basis for node in stopped} == {Basis.INFERENCE}
    assert all("into CoinJoin: " in node.title for node in stopped)


def test_labels_divide_every_edge(flow_of, reader):
    flow = flow_of(5, count=20, labels=3, hops=5)
    graph = graph_of(flow, reader, bounds=Bounds(30, 2))
    assert all(sum(sat for _, sat in edge.shares) == edge.traced_sat for edge in graph.edges)
    assert any(len(edge.shares) > 1 for edge in graph.edges)
    seeds = Counter()
    for edge in graph.edges:
        if edge.source.startswith(("seed:", "more:seeds:")) and edge.basis is Basis.FACT:
            seeds.update(dict(edge.shares))
    given = Counter()
    gone = flow.next_step[: len(flow.seeds.outputs)] >= 0
    for label, sat in zip(flow.seeds.labels[gone].tolist(), flow.seed_sat[gone].tolist(), strict=True):
        given[label] += sat
    assert +seeds == +given


def test_an_unfinished_trace_says_so(flow_of, reader):
    flow = flow_of(2, count=12, hops=6, transactions=3)
    assert not flow.complete
    assert any(
        line.startswith("NOT COMPLETE: the walk was ended by: transaction budget")
        for line in graph_of(flow, reader).caption
    )


def test_provenance_names_the_rules_that_spoke(flow_of, reader):
    def rules(**question):
        return {name for name, _ in graph_of(flow_of(2, **question), reader).provenance.rules}

    assert rules(stops=NONE, through_coinjoins=True) == {"taint.haircut"}
    assert {"taint.haircut", "coinjoin.whirlpool"} < rules(stops=NONE)
    assert "cospend" not in rules(stops=NONE)
    # Clusters of level L1 rest on the gate even if the trace itself goes through.
    assert {"same_key", "cospend", "coinjoin.whirlpool"} < rules(through_coinjoins=True)


def test_two_coinbases_of_one_txid_are_two_nodes(open_ledger):
    chain = RegtestChain()
    chain.mine_empty(102)
    repeated = chain.branch()[-1].block.transactions[0]
    header = chain.nodes[chain.tip].block.header
    header = BlockHeader(1, chain.tip, merkle_root([repeated.txid])[0], header.time + BLOCK_INTERVAL, BITS, 0)
    block = Block(grind(header), (repeated,))
    node = Node(block, block.header.block_hash, chain.tip, 103, (repeated.txid,))
    chain.nodes[node.block_hash], chain.tip = node, node.block_hash
    reader = open_ledger(chain)
    outputs = [reader.outputs_of(tx)[0] for tx in reader.find_transactions(repeated.txid)]
    graph = graph_of(trace(reader, Seeds.of(outputs), FIFO), reader)
    txid = repeated.txid[::-1].hex()
    assert [(node.id, node.reason) for node in graph.nodes] == [
        (f"seed:{txid}@102:0", "overwritten"),
        (f"seed:{txid}:0", "unspent"),
    ]
