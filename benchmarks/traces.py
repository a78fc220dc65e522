"""Tracing on a large ledger: what each policy costs, how that grows, and the same haircut beside plain networkx.

Seeds are random outputs of the middle of the chain, so flows run through a busy economy. The networkx contestant gets
the transactions that our trace passed as a graph, with their outputs as edges, and divides by the same rule in Python
integers; both must end with the same satoshi on every output, which is compared outside the clock. Making the graph is
part of a trace with networkx, and stands apart.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 5
FIFO_TRANSACTIONS, POISON_TRANSACTIONS, PEER_TRANSACTIONS = 100_000, 1_000_000, 100_000
SEEDS = 20_000  # so many that a flow of few outputs touches enough


def measure(ledger: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Policies, growth with what is touched, and the ratio to networkx."""
    import numpy as np

    from cointrail.ledger.reader import Reader

    with Reader(ledger) as reader:
        random = np.random.default_rng(seed)
        low, high = reader.counts.output // 4, reader.counts.output // 2
        outputs = random.integers(low, high, SEEDS)
        return {
            "transactions": reader.counts.transaction,
            "policies": _policies(reader, outputs, rounds),
            "growth": _growth(reader, outputs, rounds),
            "networkx": _beside_networkx(reader, outputs[:1], rounds),
        }


def _timed(ask: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        found = ask()
        seconds.append(time.perf_counter() - began)
    return found, statistics.median(seconds)


def _trace(reader: Any, outputs: Any, name: str, transactions: int) -> Any:
    from cointrail.trace.limits import Limits
    from cointrail.trace.policy import POLICIES
    from cointrail.trace.seeds import Seeds
    from cointrail.trace.walk import trace

    limits = Limits(through_coinjoins=True, transactions=transactions, megabytes=None)
    return trace(reader, Seeds.of(outputs), POLICIES[name], limits=limits)


def _policies(reader: Any, outputs: Any, rounds: int) -> dict[str, Any]:
    asked = {
        "fifo": (outputs, FIFO_TRANSACTIONS),
        "lifo": (outputs, FIFO_TRANSACTIONS),
        "tiho": (outputs, FIFO_TRANSACTIONS),
        "haircut": (outputs[:1], POISON_TRANSACTIONS),
        "poison": (outputs[:1], POISON_TRANSACTIONS),
    }
    found = {}
    for name, (seeds, most) in asked.items():
        flow, seconds = _timed(lambda name=name, seeds=seeds, most=most: _trace(reader, seeds, name, most), rounds)
        found[name] = {
            "seeds": len(seeds),
            "transactions": len(flow.tx),
            "outputs": len(flow.output),
            "pieces": len(flow.label),
            "seconds": seconds,
        }
    return found


def _growth(reader: Any, outputs: Any, rounds: int) -> list[dict[str, Any]]:
    rows = []
    for most in (1_000, 10_000, 100_000):
        flow, seconds = _timed(lambda most=most: _trace(reader, outputs[:1], "haircut", most), rounds)
        rows.append({"transactions": len(flow.tx), "seconds": seconds})
    return rows


def _beside_networkx(reader: Any, outputs: Any, rounds: int) -> dict[str, Any]:
    flow, ours = _timed(lambda: _trace(reader, outputs, "haircut", PEER_TRANSACTIONS), rounds)
    began = time.perf_counter()
    graph = _graph_of(reader, flow)
    built = time.perf_counter() - began
    parts, theirs = _timed(lambda: _haircut(graph, _whole(reader, outputs)), max(rounds // 2, 1))
    ended = flow.reason > 0
    held = {output: sat for output, sat in parts.items() if sat}
    mine = {
        int(output): int(sat)
        for output, sat in zip(flow.output[ended], flow.sat[ended], strict=True)
        if output >= 0 and sat
    }
    if mine != held:
        raise AssertionError("the contestants disagree")
    return {
        "transactions": len(flow.tx),
        "seconds": ours,
        "networkx_build_seconds": built,
        "networkx_seconds": theirs,
        "ratio": theirs / ours,
        "ratio_with_build": (built + theirs) / ours,
    }


def _whole(reader: Any, outputs: Any) -> dict[int, int]:
    values = reader.column("output", "value_sat")
    return {int(output): int(values[output]) for output in outputs}


def _graph_of(reader: Any, flow: Any) -> Any:
    """The passed transactions as nodes, every output that they take or make as an edge with its value."""
    import networkx as nx

    graph = nx.MultiDiGraph()
    value, spent = (reader.column(*name) for name in (("output", "value_sat"), ("input", "output")))
    passed = sorted(flow.tx.tolist())
    maker: dict[int, int] = {}
    for tx in passed:
        maker |= dict.fromkeys(reader.outputs_of(tx), tx)
    unspent = set(maker)
    for tx in passed:
        inputs = reader.inputs_of(tx)
        for output in map(int, spent[inputs.start : inputs.stop]):
            source = maker.get(output, ("from", output))
            graph.add_edge(source, tx, output=output, value=int(value[output]), traced=0)
            unspent.discard(output)
    for output in unspent:
        graph.add_edge(maker[output], ("at", output), output=output, value=int(value[output]), traced=0)
    return graph


def _haircut(graph: Any, seeds: dict[int, int]) -> dict[int, int]:
    """METHODS.md 4.2 over the graph in topological order, in Python integers; what the outputs at its end hold."""
    import networkx as nx

    for _, _, edge in graph.edges(data=True):
        edge["traced"] = seeds.get(edge["output"], 0)
    for tx in nx.topological_sort(graph):
        taken = [edge for _, _, edge in graph.in_edges(tx, data=True)]
        arrived = sum(edge["traced"] for edge in taken)
        if not arrived or isinstance(tx, tuple):
            continue
        whole = sum(edge["value"] for edge in taken)
        made = sorted((edge for _, _, edge in graph.out_edges(tx, data=True)), key=lambda edge: edge["output"])
        values = [edge["value"] for edge in made]
        shares = [divmod(arrived * each, whole) for each in (*values, whole - sum(values))]
        missing = arrived - sum(share for share, _ in shares)
        more = sorted(range(len(shares)), key=lambda place: -shares[place][1])[:missing]
        for place, edge in enumerate(made):
            edge["traced"] = shares[place][0] + (place in more)
    return {edge["output"]: edge["traced"] for _, node, edge in graph.edges(data=True) if isinstance(node, tuple)}
