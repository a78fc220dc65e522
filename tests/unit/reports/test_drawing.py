"""Drawings: valid, complete, true to the amounts, in time from left to right, and harmless whatever names they show."""

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cointrail.errors import UsageError
from cointrail.reports.drawing import style
from cointrail.reports.drawing.layout import layout_of
from cointrail.reports.drawing.svg import render
from cointrail.reports.flow_graph import Bounds, graph_of
from cointrail.reports.graph import Basis, Edge, Graph, LegendEntry, Node, NodeKind
from cointrail.reports.provenance import Provenance
from cointrail.trace.flow import Direction
from cointrail.trace.policy import FIFO, HAIRCUT, POISON
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import trace

SVG = "{http://www.w3.org/2000/svg}"
PROVENANCE = Provenance("cointrail 0", "regtest", 7, "00" * 32, "11" * 32, (), {}, {})
CASES = {
    "one payment": {"count": 1, "hops": 1},
    "several hops": {"count": 3, "hops": 5},
    "many seeds": {"count": 60, "hops": 2},
    "backward": {"count": 3, "hops": 4, "direction": Direction.BACKWARD},
    "labels": {"count": 12, "hops": 4, "labels": 9},
    "no hop": {"count": 3, "hops": 0},
    "poison": {"count": 3, "hops": 4, "policy": POISON},
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
AMOUNTS = st.integers(0, 10**12)


def drawn(nodes, edges, labels=("",)):
    return Graph(
        "title", tuple(nodes), tuple(edges), (), ("caption",), (LegendEntry("fact", "fact"),), labels, PROVENANCE
    )


def box(name, order=None, sat=100, kind=NodeKind.TRANSACTION, **more):
    return Node(name, kind, (name,), f"title of {name}", order, sat, **more)


def way(source, target, sat=100, basis=Basis.FACT, **more):
    return Edge(source, target, sat, sat, basis, f"{source} to {target}", **more)


@st.composite
def graphs(draw):
    """Any graph whose edges lead forward in time."""
    count = draw(st.integers(1, 14))
    timed = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    sats = draw(st.lists(AMOUNTS, min_size=count, max_size=count))
    nodes = [
        box(f"n{at}", at if with_time else None, sat, NodeKind.TRANSACTION if with_time else NodeKind.OUTPUT)
        for at, (with_time, sat) in enumerate(zip(timed, sats, strict=True))
    ]
    # What has no place in time is a source or an end of something that has.
    pairs = [(a, b) for a, b in combinations(range(count), 2) if timed[a] and (timed[b] or b % 2)]
    pairs += [(a, b) for a, b in combinations(range(count), 2) if timed[b] and not timed[a] and not a % 2]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []
    edges = [way(f"n{a}", f"n{b}", draw(AMOUNTS), draw(st.sampled_from(Basis))) for a, b in chosen]
    return drawn(nodes, edges)


def overlap(one, other):
    """Whether two rectangles (left, top, right, bottom) share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def check_layout(graph):
    layout = layout_of(graph)
    boxes = {each.node.id: each for each in layout.boxes}
    assert len(boxes) == len(graph.nodes)
    areas = {name: (b.x, b.y, b.x + style.BOX, b.y + b.height) for name, b in boxes.items()}
    assert not [pair for pair in combinations(areas.values(), 2) if overlap(*pair)]
    assert all(left >= 0 and top >= 0 and right <= layout.width and bottom <= layout.height
               for left, top, right, bottom in areas.values())  # fmt: skip
    # Straight pieces of lanes stand clear of all boxes, and of one another.
    lanes = {(b.start, b.y - b.width // 2, b.x, b.y - b.width // 2 + b.width) for b in layout.bands if b.start != b.x}
    assert not [1 for lane in lanes for area in areas.values() if overlap(lane, area)]
    assert not [pair for pair in combinations(sorted(lanes), 2) if overlap(*pair)]
    for edge in graph.edges:
        assert boxes[edge.source].x < boxes[edge.target].x
    columns = defaultdict(list)
    for node in graph.nodes:
        if node.order is not None:
            columns[boxes[node.id].x].append(node.order)
    ordered = [columns[x] for x in sorted(columns)]
    for before, after in pairwise(ordered):
        assert max(before) < min(after)
    return layout


@settings(max_examples=150)
@given(graphs())
def test_nothing_lies_over_anything_else_and_time_runs_to_the_right(graph):
    layout = check_layout(graph)
    # Width is amount, on one scale, but for the thinnest.
    wide = [band for band in layout.bands if band.width > style.HAIRLINE]
    for one, other in pairwise(wide):
        assert abs(one.width * other.stretch.sat - other.width * one.stretch.sat) <= max(
            one.stretch.sat, other.stretch.sat
        )
    root = ET.fromstring(render(graph))
    assert len(root.findall(f".//{SVG}g[@class='ct-node']")) == len(graph.nodes)


@settings(max_examples=60)
@given(graphs())
def test_stretches_carry_what_the_edges_carry(graph):
    layout = layout_of(graph)
    out, into = defaultdict(int), defaultdict(int)
    for band in layout.bands:
        if band.start == band.x:
            out[band.x] += band.stretch.sat
        if band.ends:
            into[band.to_x] += band.stretch.sat
    boxes = {each.node.id: each.x for each in layout.boxes}
    expected_out, expected_in = defaultdict(int), defaultdict(int)
    for edge in graph.edges:
        expected_out[boxes[edge.source] + style.BOX] += edge.traced_sat
        expected_in[boxes[edge.target]] += edge.traced_sat
    assert {x: sat for x, sat in out.items() if sat} == {x: sat for x, sat in expected_out.items() if sat}
    assert {x: sat for x, sat in into.items() if sat} == {x: sat for x, sat in expected_in.items() if sat}


@each_case
def test_a_trace_is_drawn_whole(case, flow_of, reader):
    flow = flow_of(21, **{"policy": HAIRCUT, **case})
    graph = graph_of(flow, reader, bounds=Bounds(40, 4))
    check_layout(graph)
    text = render(graph)
    assert text == render(graph_of(flow, reader, bounds=Bounds(40, 4)))
    root = ET.fromstring(text)
    assert root.find(f"{SVG}title").text == graph.title
    assert all(line in root.find(f"{SVG}desc").text for line in graph.caption)
    titles = {group.find(f"{SVG}title").text for group in root.findall(f".//{SVG}g[@class='ct-node']")}
    assert titles == {node.title for node in graph.nodes}
    assert {g.get("data-id") for g in root.findall(f".//{SVG}g[@class='ct-node']")} == {node.id for node in graph.nodes}
    words = "".join(each.text for each in root.iter(f"{SVG}text")).replace(" ", "")
    for line in (*graph.caption, *(total.words for total in graph.totals)):
        assert line.replace(" ", "") in words, line  # broken into lines, and nothing of it left out
    assert root.find(f"{SVG}metadata")[0].text == graph.provenance.text
    # Nothing from elsewhere, nothing that runs; every coordinate is a short decimal.
    assert not re.search(r"(?:href|src|url\(|@import|@font-face|<script|<image|<foreignObject|\son\w+=)", text)
    numbers = re.findall(r'\b(?:x|y|width|height|rx|d)="([^"]*)"', text)
    assert all(re.fullmatch(r"[MLHVCz\d. -]*", each) and not re.search(r"\.\d\d", each) for each in numbers)


def test_kinds_of_statement_are_kinds_of_lines(flow_of, reader):
    graph = graph_of(flow_of(4, count=200, hops=3), reader, bounds=Bounds(80, 3))
    root = ET.fromstring(render(graph))
    found = {each.get("class") for each in root.iter(f"{SVG}path")}
    assert {f"ct-line ct-{basis}" for basis in Basis} <= found
    sheet = root.find(f"{SVG}style").text
    assert re.search(r"\.ct-line\.ct-fact\{[^}]*\}", sheet)[0].count("dash") == 0
    dashes = [
        re.search(rf"\.ct-line\.ct-{kind}\{{[^}}]*dasharray:([^;]+)", sheet)[1] for kind in ("inference", "assertion")
    ]
    assert dashes[0] != dashes[1]
    assert {entry.key for entry in graph.legend} >= set(Basis)


HOSTILE = (
    "<script>alert(1)</script>",
    '"/><a href="http://x">',
    "]]>&amp;&#0;",
    "a\x00b\x07c\ud800\uffff",
    "\u202egnp.exe\u2066",
    "שלום 15",
    "x" * 5_000,
    "",
)


def test_hostile_names_are_only_text(flow_of, reader):
    at = flow_of(9, count=len(HOSTILE), hops=1)
    scripts = np.asarray(reader.column("output", "script")[at.seeds.outputs], np.int64)
    order = np.argsort(scripts)
    stops = Services(
        names=HOSTILE, kinds=HOSTILE, scripts=scripts[order], script_service=order.astype(np.int64), digest="ab" * 32
    )
    seeds = Seeds.by_name({name: [output] for name, output in zip(HOSTILE, at.seeds.outputs, strict=True)})
    sources = {name: name for name in HOSTILE}
    text = render(graph_of(trace(reader, seeds, FIFO, services=stops), reader, sources=sources))
    root = ET.fromstring(text)
    assert {each.tag for each in root.iter()} == {
        *(f"{SVG}{name}" for name in ("svg", "title", "desc", "metadata", "style", "rect", "path", "text", "g")),
        "{urn:cointrail:provenance}provenance",
    }
    assert not re.search("[\x00-\x09\x0b-\x1f\u200e\u200f\u202a-\u202e\u2066\u2067\ufffe\uffff]", text)
    shown = "".join(each.text for each in root.iter(f"{SVG}text"))
    assert "<script>alert(1)</script>" in shown.replace(" ", "").replace("…", "") or "<script>alert" in shown
    assert "<U+202E>gnp.exe" in shown
    text.encode("utf-8")


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_document(one, other):
    nodes = [box("a", 0), Node("b", NodeKind.SERVICE, (one, other), one, None, 5, reason=other, name=one)]
    text = render(drawn(nodes, [Edge("a", "b", 5, 5, Basis.ASSERTION, other)], labels=(one, other)))
    root = ET.fromstring(text)
    text.encode("utf-8")
    assert len(root.findall(f".//{SVG}g[@class='ct-node']")) == 2


def test_text_stays_inside_its_box():
    long = "W" * 400
    graph = drawn(
        [Node("a", NodeKind.OUTPUT, (long, f"{long} {long}", "1,234.12345678 BTC traced"), long, None, 1)], []
    )
    (only,) = layout_of(graph).boxes
    assert " ".join(only.lines).endswith("1,234.12345678 BTC traced")
    assert all(len(line) * style.SMALL_SIZE * 9 // 10 < style.BOX for line in only.lines if "W" in line)
    assert only.height >= len(only.lines) * style.LINE


def test_amounts_are_written_where_no_box_says_them():
    nodes = [box("a", 0, 300), box("b", 1, 200), box("c", 2, 300)]
    text = render(drawn(nodes, [way("a", "b", 200), way("a", "c", 100), way("b", "c", 200)]))
    labels = re.findall(r'class="ct-amount">([^<]*)<', text)
    assert labels == ["0.000001"]


def test_a_graph_that_leads_back_is_refused_by_name():
    with pytest.raises(UsageError, match="from b to a leads back in time"):
        render(drawn([box("a", 0), box("b", 1)], [way("b", "a")]))


def test_a_graph_of_nothing_is_drawn():
    ET.fromstring(render(drawn([], [])))


def test_labels_divide_a_band_by_their_amounts():
    shares = ((0, 30), (1, 60), (8, 10))
    nodes = [box("a", 0), box("b", 1)]
    text = render(drawn(nodes, [way("a", "b", shares=shares)], labels=tuple("abcdefghi")))
    tops = re.findall(r'class="ct-band (ct-label(?:-\d)?)" d="M[\d.]+ ([\d.]+)C[^V]*V([\d.]+)', text)
    heights = {kind: round(float(bottom) - float(top), 1) for kind, top, bottom in tops}
    assert heights == {"ct-label-0": 27.0, "ct-label-1": 54.0, "ct-label": 9.0}


def test_screens_may_be_dark_and_paper_is_not(flow_of, reader):
    text = render(graph_of(flow_of(21), reader))
    assert "@media screen and (prefers-color-scheme:dark)" in text
    assert "@media print" not in text
