"""Where everything of a drawing stands, in integers: boxes, the bands between them, and what is above the columns."""

from dataclasses import dataclass

from cointrail.reports.drawing import style
from cointrail.reports.drawing.columns import columns_of
from cointrail.reports.drawing.crossings import ordered
from cointrail.reports.drawing.lanes import Lanes, Stretch, lanes_of
from cointrail.reports.drawing.places import placed
from cointrail.reports.drawing.text import broken, fitted
from cointrail.reports.graph import Basis, Graph, Node, NodeKind
from cointrail.reports.wording import btc

_ROOM = style.BOX - 2 * style.PADDING
_BOLD = 112  # per cent of the width of plain letters
_MOST_LINES = 2  # that one line of a node may become


@dataclass(frozen=True, slots=True)
class Box:
    """A node: left, top, height, and its text as it fits; all boxes are equally wide."""

    node: Node
    x: int
    y: int
    height: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch.

    Attributes:
        start: where it begins; further left than `x` if it runs straight through a lane first.
        x, y, to_x, to_y: the curve.
        width: of the band, true to the amount but for the thinnest.
        stretch: what runs in it.
        ends: True if a box stands at its end.
        amount: what is written on it; empty where a box says the same.
    """

    start: int
    x: int
    y: int
    to_x: int
    to_y: int
    width: int
    stretch: Stretch
    ends: bool
    amount: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The drawing without its frame: width and height, boxes, bands, and (left, text) of column headings."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    bands: tuple[Band, ...]
    headings: tuple[tuple[int, str], ...]


def layout_of(graph: Graph) -> Layout:
    """Lay a graph out.

    Raises:
        UsageError: an edge leads back in time.
    """
    columns = columns_of(graph)
    drawing = _Drawing(graph, lanes_of(graph, columns))
    last = max(columns, default=-1)
    bottom = max((y + height for y, height in zip(drawing.tops, drawing.heights, strict=True)), default=0)
    return Layout(
        width=(last + 1) * style.BOX + max(last, 0) * style.HOP,
        height=bottom,
        boxes=tuple(drawing.boxes()),
        bands=tuple(drawing.bands()),
        headings=tuple(_headings(graph, columns)),
    )


def left_of(column: int) -> int:
    """Left edge of a column."""
    return column * (style.BOX + style.HOP)


class _Drawing:
    def __init__(self, graph: Graph, lanes: Lanes) -> None:
        self.graph, self.lanes = graph, lanes
        self.widths = _widths(graph, lanes)
        self.texts = [_text(node) for node in graph.nodes]
        self.amounts = [self._amount(stretch) for stretch in lanes.stretches]
        self.heights = [self._height(number) for number in range(len(lanes.items))]
        self.middles = placed(lanes, ordered(lanes), self.heights)
        self.tops = [middle - height // 2 for middle, height in zip(self.middles, self.heights, strict=True)]
        self.leaves = [0] * len(lanes.stretches)
        self.arrives = [0] * len(lanes.stretches)
        for item in range(len(lanes.items)):
            self._dock(item, lanes.leaving.get(item, []), self.leaves)
            self._dock(item, lanes.arriving.get(item, []), self.arrives)

    def _height(self, item: int) -> int:
        sides = (self.lanes.arriving.get(item, []), self.lanes.leaving.get(item, []))
        docks = max(sum(self._slot(item, each) for each in side) for side in sides)
        if self.lanes.items[item].is_lane:
            return docks
        return max(len(self.texts[item]) * style.LINE + 2 * style.PADDING, docks + style.PADDING)

    def _slot(self, item: int, stretch: int) -> int:
        """Room along an item for one stretch: lanes have no gaps, so that they look like one."""
        width = self.widths[stretch]
        if self.lanes.items[item].is_lane:
            return width
        written = self.lanes.stretches[stretch].left == item and self.amounts[stretch]
        return max(width + 10, style.SLOT) if not written else width + style.WRITTEN

    def _dock(self, item: int, stretches: list[int], places: list[int]) -> None:
        """Give each stretch at one side of an item its height, in the order of their other ends."""

        def other(number: int) -> tuple[int, int]:
            stretch = self.lanes.stretches[number]
            return self.middles[stretch.right if stretch.left == item else stretch.left], number

        at = self.middles[item] - sum(self._slot(item, each) for each in stretches) // 2
        for number in sorted(stretches, key=other):
            slot = self._slot(item, number)
            places[number] = at + slot // 2
            at += slot

    def boxes(self) -> list[Box]:
        """Every node's."""
        return [
            Box(node, left_of(self.lanes.items[number].column), self.tops[number], self.heights[number], lines)
            for number, (node, lines) in enumerate(zip(self.graph.nodes, self.texts, strict=True))
        ]

    def bands(self) -> list[Band]:
        """Every stretch's, the widest first, so that none hides a thinner one."""
        found = []
        for number, stretch in enumerate(self.lanes.stretches):
            left, right = self.lanes.items[stretch.left], self.lanes.items[stretch.right]
            begins = left_of(left.column)
            found.append(
                Band(
                    start=begins if left.is_lane else begins + style.BOX,
                    x=begins + style.BOX,
                    y=self.leaves[number],
                    to_x=left_of(right.column),
                    to_y=self.arrives[number],
                    width=self.widths[number],
                    stretch=stretch,
                    ends=not right.is_lane,
                    amount=self.amounts[number],
                )
            )
        return sorted(found, key=lambda band: -band.width)

    def _amount(self, stretch: Stretch) -> str:
        """Written where a payment leaves a box and no box says how much it is."""
        items, lanes = self.lanes.items, self.lanes
        if items[stretch.left].is_lane or stretch.basis is not Basis.FACT:
            return ""
        source = self.graph.nodes[items[stretch.left].node]
        told = not items[stretch.right].is_lane and len(lanes.arriving[stretch.right]) == 1
        if told or source.traced_sat == stretch.sat:
            return ""
        return btc(stretch.sat).removesuffix(" BTC")


def _widths(graph: Graph, lanes: Lanes) -> list[int]:
    """Width of each stretch, in proportion to its amount: one scale for the whole drawing."""
    most = max((node.traced_sat for node in graph.nodes), default=0)
    columns: dict[int, int] = {}
    for stretch in lanes.stretches:
        column = lanes.items[stretch.left].column
        columns[column] = columns.get(column, 0) + stretch.sat
    fullest = max(columns.values(), default=0)
    if not most or not fullest:
        return [style.HAIRLINE] * len(lanes.stretches)
    if style.WIDEST_BAND * fullest > style.MOST_IN_COLUMN * most:
        room, whole = style.MOST_IN_COLUMN, fullest
    else:
        room, whole = style.WIDEST_BAND, most
    return [max(style.HAIRLINE, stretch.sat * room // whole) for stretch in lanes.stretches]


def _text(node: Node) -> tuple[str, ...]:
    """The lines of a node as they fit into its box; an amount that is too long goes on in a second line."""
    found = []
    for number, line in enumerate(node.lines):
        size = style.TEXT_SIZE * _BOLD // 100 if not number else style.SMALL_SIZE
        pieces = list(broken(line, size, _ROOM))
        kept, rest = pieces[: _MOST_LINES - 1], " ".join(pieces[_MOST_LINES - 1 :])
        found += [*kept, fitted(rest, size, _ROOM)] if rest else kept
    return tuple(found)


def _headings(graph: Graph, columns: list[int]) -> list[tuple[int, str]]:
    """The days of each column's transactions."""
    days: dict[int, list[str]] = {}
    for node, column in zip(graph.nodes, columns, strict=True):
        if node.kind is NodeKind.TRANSACTION and node.time_utc:
            days.setdefault(column, []).append(node.time_utc[:10])
    found = []
    for column, each in sorted(days.items()):
        first, last = min(each), max(each)
        found.append((left_of(column), first if first == last else f"{first} to {last}"))
    return found
