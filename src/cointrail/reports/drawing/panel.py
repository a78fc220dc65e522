"""What stands below the drawing: the account of the money, what the signs mean, and the caption."""

from collections.abc import Iterator

from cointrail.reports.drawing import style
from cointrail.reports.drawing.marks import line, rect, text
from cointrail.reports.drawing.text import broken, fitted
from cointrail.reports.graph import Graph
from cointrail.reports.wording import btc, counted

_ROW = 170
_ACCOUNT = 4_300  # width of the account
_SAMPLE = 420  # width of a sample in the legend
_HALF = 50


def panel_of(graph: Graph, top: int, width: int) -> tuple[list[str], int]:
    """The elements, and where they end.

    Args:
        graph: what is drawn.
        top: where they begin.
        width: of the whole drawing.
    """
    marks = [line(style.MARGIN, top, width - style.MARGIN, top, "ct-rule")]
    first = top + 260
    account = list(_account(graph, first))
    legend = list(_legend(graph, first, style.MARGIN + _ACCOUNT + 400 if graph.totals else style.MARGIN, width))
    rows = max(len(graph.totals) + 1, len(graph.legend) + 1)
    bottom = first + rows * _ROW + 60
    caption = []
    for paragraph in graph.caption:
        for words in broken(paragraph, style.SMALL_SIZE, width - 2 * style.MARGIN):
            caption.append(text(style.MARGIN, bottom, words, "ct-soft"))
            bottom += _ROW
        bottom += 20
    return [*marks, *account, *legend, *caption], bottom


def _account(graph: Graph, top: int) -> Iterator[str]:
    if not graph.totals:
        return
    yield text(style.MARGIN, top, "Account of the traced money", "ct-first")
    right = style.MARGIN + _ACCOUNT
    for row, total in enumerate(graph.totals, 1):
        y = top + row * _ROW + 20
        if total.words == "together":
            yield line(style.MARGIN, y - 125, right, y - 125, "ct-rule")
        amount = text(right, y, btc(total.sat), anchor="end")
        parts = text(right - 1_350, y, f"{total.count:,}", "ct-soft", anchor="end")
        yield from (text(style.MARGIN, y, fitted(total.words, style.SMALL_SIZE, _ACCOUNT - 1_900)), parts, amount)


def _legend(graph: Graph, top: int, left: int, width: int) -> Iterator[str]:
    yield text(left, top, "What the signs mean", "ct-first")
    for row, entry in enumerate(graph.legend, 1):
        y = top + row * _ROW + 20
        yield _sample(entry.key, left, y - 40)
        yield text(left + _SAMPLE + 100, y, fitted(entry.words, style.SMALL_SIZE, width - left - _SAMPLE - 340))


def _sample(key: str, left: int, middle: int) -> str:
    if key in ("fact", "inference", "assertion"):
        return line(left, middle, left + _SAMPLE, middle, f"ct-line ct-{key}")
    if key == "band" or key.startswith("label"):
        kind = "ct-plain" if key == "band" else f"ct-{key.replace(' ', '-')}"
        return rect(left, middle - 45, _SAMPLE, 90, f"ct-band {kind}")
    corner = style.corner(key)
    box = rect(left, middle - _HALF, _SAMPLE, 2 * _HALF, f"ct-box ct-fact ct-{key}", min(corner, _HALF))
    if key != "more":
        return box.replace("ct-fact", "ct-assertion") if key == "service" else box
    return rect(left + 25, middle - _HALF - 25, _SAMPLE, 2 * _HALF, f"ct-box ct-fact ct-{key}", corner) + box


def description(graph: Graph) -> str:
    """The drawing in words, for who cannot see it."""
    totals = "; ".join(f"{each.words}: {counted(each.count, 'part')}, {btc(each.sat)}" for each in graph.totals)
    what = f"{counted(len(graph.nodes), 'node')} and {counted(len(graph.edges), 'edge')}, left to right in time."
    return " ".join([what, f"Account of the traced money: {totals}." if totals else "", *graph.caption])
