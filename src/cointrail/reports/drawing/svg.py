"""A graph as SVG: one document that needs nothing else, for a page, a report or a browser.

Everything drawn has a title; the whole has a description and its provenance as metadata. Class names begin with `ct-`,
so several drawings may stand in one page. Bytes depend on the graph alone.
"""

import hashlib
from collections.abc import Iterator

from cointrail.reports.drawing import style
from cointrail.reports.drawing.layout import Band, Box, Layout, layout_of
from cointrail.reports.drawing.marks import element, number, rect, text, titled
from cointrail.reports.drawing.panel import description, panel_of
from cointrail.reports.drawing.text import broken, escaped
from cointrail.reports.graph import Basis, Graph, NodeKind

_TIP = 60
_MOST_TITLES = 5


def render(graph: Graph) -> str:
    """Draw a graph.

    Args:
        graph: edges lead from earlier to later.

    Returns:
        A whole SVG document.

    Raises:
        UsageError: an edge leads back in time.
    """
    layout = layout_of(graph)
    width = max(layout.width + 2 * style.MARGIN, style.NARROWEST)
    head = list(_head(graph, width))
    top = style.HEAD + 230 * (len(head) - 1) + (style.HEADING if layout.headings else 0)
    panel, height = panel_of(graph, top + layout.height + 240, width)
    body = "\n".join([*head, *_body(graph, layout, top), *panel])
    return f"{_frame(graph, body, width, height)}\n{body}\n</svg>\n"


def _frame(graph: Graph, body: str, width: int, height: int) -> str:
    # Ids are global in a page, so they are made of the content.
    name = f"ct-{hashlib.sha256(f'{graph.title}{graph.provenance.text}{body}'.encode()).hexdigest()[:12]}"
    size = f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ct-drawing" role="graphics-document" {size} '
            f'aria-labelledby="{name}-title" aria-describedby="{name}-description">',
            f'<title id="{name}-title">{escaped(graph.title)}</title>',
            f'<desc id="{name}-description">{escaped(description(graph))}</desc>',
            f'<metadata><provenance xmlns="urn:cointrail:provenance">{escaped(graph.provenance.text)}</provenance>'
            "</metadata>",
            f"<style>\n{style.css()}\n</style>",
            rect(0, 0, width, height, "ct-ground"),
        ]
    )


def _head(graph: Graph, width: int) -> Iterator[str]:
    lines = broken(graph.title, style.TITLE_SIZE * 11 // 10, width - 2 * style.MARGIN)
    for row, words in enumerate(lines):
        yield text(style.MARGIN, 380 + 230 * row, words, "ct-title")


def _body(graph: Graph, layout: Layout, top: int) -> Iterator[str]:
    left = style.MARGIN
    for x, words in layout.headings:
        yield text(left + x, top - 180, words, "ct-soft")
    for band in layout.bands:
        yield _band(band, left, top, len(graph.labels))
    for box in layout.boxes:
        yield _box(box, left, top)
    for band in layout.bands:
        if band.amount:
            y = top + band.y - band.width // 2 - 20
            yield text(left + band.x + 60, y, band.amount, "ct-amount")


def _band(band: Band, left: int, top: int, labels: int) -> str:
    """The amount as a band, one a label; in its middle the line that says what kind of statement joins both ends."""
    stretch = band.stretch
    named = "" if stretch.basis is Basis.FACT else " ct-named"
    inner, edge = "", -(band.width // 2)
    for kind, width in _stripes(band, labels):
        inner += element("path", _ribbon(band, left, top, edge, edge + width), f"ct-band {kind}{named}")
        edge += width
    end = band.to_x - (_TIP if band.ends else 0)
    inner += element("path", _way(band, left, top, end), f"ct-line ct-{stretch.basis}")
    if band.ends:
        x, y = left + band.to_x, top + band.to_y
        tip = f"M{number(x - _TIP)} {number(y - 35)}L{number(x)} {number(y)}L{number(x - _TIP)} {number(y + 35)}z"
        inner += element("path", tip, "ct-tip")
    titles = stretch.titles[:_MOST_TITLES]
    if len(stretch.titles) > _MOST_TITLES:
        titles.append(f"and {len(stretch.titles) - _MOST_TITLES:,} more")
    return titled("ct-edge", "; ".join(titles), inner)


def _way(band: Band, left: int, top: int, to_x: int) -> str:
    """Straight through a lane, then over to the next column, level at both ends."""
    y, to_y, middle = top + band.y, top + band.to_y, left + (band.x + band.to_x) // 2
    straight = f"H{number(left + band.x)}" if band.start != band.x else ""
    return (
        f"M{number(left + band.start)} {number(y)}{straight}C{number(middle)} {number(y)} {number(middle)} "
        f"{number(to_y)} {number(left + to_x)} {number(to_y)}"
    )


def _ribbon(band: Band, left: int, top: int, upper: int, lower: int) -> str:
    """The area between two such ways, above and below the middle: as high everywhere as the amount says."""
    y, to_y, middle = top + band.y, top + band.to_y, left + (band.x + band.to_x) // 2
    x, to_x = left + band.x, left + band.to_x
    straight = band.start != band.x
    return (
        f"M{number(left + band.start)} {number(y + upper)}{f'H{number(x)}' if straight else ''}"
        f"C{number(middle)} {number(y + upper)} {number(middle)} {number(to_y + upper)} {number(to_x)} "
        f"{number(to_y + upper)}V{number(to_y + lower)}"
        f"C{number(middle)} {number(to_y + lower)} {number(middle)} {number(y + lower)} {number(x)} {number(y + lower)}"
        f"{f'H{number(left + band.start)}' if straight else ''}z"
    )


def _stripes(band: Band, labels: int) -> Iterator[tuple[str, int]]:
    """(class, width) of each label's stripe in a band, from above; together as wide as the band."""
    shares = band.stretch.shares
    whole = sum(shares.values())
    if labels < 2 or not whole:
        yield "ct-plain", band.width
        return
    known = len(style.LABEL_COLOURS)
    amounts = [(f"ct-label-{label}", shares[label]) for label in range(known)]
    amounts.append(("ct-label", sum(sat for label, sat in shares.items() if label >= known)))
    done = drawn = 0
    for kind, sat in amounts:
        done += sat
        width = band.width * done // whole - drawn
        drawn += width
        if width:
            yield kind, width


def _box(box: Box, left: int, top: int) -> str:
    node, x, y = box.node, left + box.x, top + box.y
    kind, corner = f"ct-box ct-{node.kind} ct-{node.basis}", style.corner(node.kind)
    inner = rect(x, y, style.BOX, box.height, kind, corner)
    if node.kind is NodeKind.MORE:
        inner = rect(x + 40, y - 40, style.BOX, box.height, kind, corner) + inner
    first = y + (box.height - len(box.lines) * style.LINE) // 2 + 110
    for row, words in enumerate(box.lines):
        inner += text(x + style.PADDING, first + row * style.LINE, words, "ct-first" if not row else "")
    return titled("ct-node", node.title, inner, data_id=node.id)
