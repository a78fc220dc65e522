"""GraphML as NetworkX reads it equals the flow."""

import json
from collections import Counter

import networkx
import numpy as np
import pytest

from cointrail.reports.export import export
from cointrail.reports.flow_graph import Bounds, graph_of
from cointrail.reports.graphml import write_graphml
from cointrail.trace.flow import Direction
from cointrail.trace.policy import FIFO, HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("policy", [FIFO, HAIRCUT], ids=["fifo", "haircut"])
def test_networkx_reads_the_whole_flow(policy, direction, flow_of, reader, tmp_path):
    flow = flow_of(11, policy, count=25, labels=2, hops=5, direction=direction)
    (path,) = export(flow, reader, tmp_path / "trace.graphml")
    graph = networkx.read_graphml(path)
    assert graph.is_directed()
    assert networkx.is_directed_acyclic_graph(graph)
    kinds = Counter(kind for _, kind in graph.nodes(data="kind"))
    assert kinds["transaction"] == len(flow.tx)
    assert kinds["seed"] == len(flow.seeds.outputs)
    assert kinds["more"] == 0
    for node, data in graph.nodes(data=True):
        if data["kind"] == "transaction":
            into = sum(edge["traced_sat"] for *_, edge in graph.in_edges(node, data=True))
            out = sum(edge["traced_sat"] for *_, edge in graph.out_edges(node, data=True))
            assert into == out + data.get("fee_sat", 0)
    real = np.flatnonzero(flow.output >= 0)
    facts = [data for *_, data in graph.edges(data=True) if data["basis"] == "fact"]
    idle = [data for _, data in graph.nodes(data=True) if data["kind"] == "seed" and data.get("reason")]
    found = Counter(each["traced_sat"] for each in facts) + Counter(each["traced_sat"] for each in idle)
    assert found == Counter(flow.sat[real].tolist())
    ended = Counter()
    for _, data in graph.nodes(data=True):
        if data.get("reason"):
            ended[data["reason"]] += data["traced_sat"]
    fees = (Reason.FEE, Reason.UNCLAIMED)
    assert +ended == {str(reason): sat for reason, sat in flow.ended_sat.items() if reason not in fees and sat}
    provenance = json.loads(graph.graph["provenance"])
    assert provenance["snapshot"]["block_hash"] == reader.snapshot.block_hash
    assert "Policy" in graph.graph["caption"]


def test_hostile_labels_are_text_again_when_read(flow_of, reader, tmp_path):
    outputs = flow_of(9, count=3).seeds.outputs
    labels = ('"><script>alert(1)</script>', "a & b <c>", "tab\tzero\x00turn\u202e")
    flow = trace(reader, Seeds.by_name(dict(zip(labels, ([each] for each in outputs), strict=True))), FIFO)
    path = tmp_path / "hostile.graphml"
    with path.open("w", encoding="utf-8") as file:
        write_graphml(graph_of(flow, reader, bounds=Bounds(20, 2)), file)
    read = networkx.read_graphml(path)
    assert read.graph["labels"].split("\n") == [labels[0], labels[1], "tab<U+0009>zero<U+0000>turn<U+202E>"]
