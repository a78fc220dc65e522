"""A graph as GraphML, for Gephi, yEd, Maltego, NetworkX and the like: every node and edge with all it says.

Amounts are `long`. What the graph is bound to and what stands around a drawing of it are data of the graph itself.
Specification: GraphML 1.0 (Brandes, Eiglsperger, Lerner 2001).
"""

from collections.abc import Iterator, Mapping
from typing import Final, TextIO

from cointrail.reports.drawing.text import escaped
from cointrail.reports.graph import Edge, Graph, Node

_NAMESPACE: Final = "http://graphml.graphdrawing.org/xmlns"
_NODE: Final[Mapping[str, str]] = {
    "kind": "string",
    "label": "string",
    "title": "string",
    "name": "string",
    "address": "string",
    "height": "long",
    "time_utc": "string",
    "order": "long",
    "value_sat": "long",
    "traced_sat": "long",
    "fee_sat": "long",
    "reason": "string",
    "basis": "string",
    "count": "long",
}
_EDGE: Final[Mapping[str, str]] = {
    "name": "string",
    "title": "string",
    "value_sat": "long",
    "traced_sat": "long",
    "basis": "string",
    "count": "long",
    "shares": "string",
}
_GRAPH: Final = ("title", "caption", "labels", "provenance")


def write_graphml(graph: Graph, file: TextIO) -> None:
    """Write a graph; the file is opened as UTF-8."""
    file.writelines(f"{line}\n" for line in _lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<graphml xmlns="{_NAMESPACE}">'
    for domain, keys in (("graph", dict.fromkeys(_GRAPH, "string")), ("node", _NODE), ("edge", _EDGE)):
        for name, kind in keys.items():
            yield f'<key id="{domain}_{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>'
    yield '<graph edgedefault="directed">'
    around = {
        "title": graph.title,
        "caption": "\n".join(graph.caption),
        "labels": "\n".join(graph.labels),
        "provenance": graph.provenance.text,
    }
    yield from (_datum("graph", name, value) for name, value in around.items() if value)
    for node in graph.nodes:
        yield f'<node id="{escaped(node.id)}">{_data("node", _of_node(node))}</node>'
    for number, edge in enumerate(graph.edges):
        ends = f'source="{escaped(edge.source)}" target="{escaped(edge.target)}"'
        yield f'<edge id="e{number}" {ends}>{_data("edge", _of_edge(edge))}</edge>'
    yield "</graph>"
    yield "</graphml>"


def _of_node(node: Node) -> dict[str, str | int | None]:
    found = {name: getattr(node, name) for name in _NODE if name != "label"}
    return found | {"label": " · ".join(node.lines)}


def _of_edge(edge: Edge) -> dict[str, str | int | None]:
    found = {name: getattr(edge, name) for name in _EDGE if name != "shares"}
    return found | {"shares": " ".join(f"{label}:{sat}" for label, sat in edge.shares)}


def _data(domain: str, values: Mapping[str, str | int | None]) -> str:
    """Values that there are."""
    return "".join(_datum(domain, name, value) for name, value in values.items() if value not in (None, ""))


def _datum(domain: str, name: str, value: str | int | None) -> str:
    # Lines of a caption are the one place where a control character is meant.
    text = "\n".join(map(escaped, str(value).split("\n")))
    return f'<data key="{domain}_{name}">{text}</data>'
