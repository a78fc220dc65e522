"""Draw docs/images/trace.svg, the picture in README.md: the demo's money, and what kind of statement each line is.

python docs/draw.py
"""

from html import escape
from pathlib import Path

WIDTH, HEIGHT = 980, 430
TARGET = Path(__file__).resolve().parent / "images" / "trace.svg"
BOX = 140
# x, y, first line, second line; a place is BOX wide and 46 high.
PLACES = {
    "ada": (12, 90, "Ada", "2.0 BTC"),
    "others": (12, 190, "Ben, Cleo, Dov", "5.5 BTC"),
    "first": (176, 90, "deposit 1", ""),
    "deposits": (176, 190, "deposits 2, 3, 4", ""),
    "swept": (340, 140, "swept together", "7.4999 BTC"),
    "wage": (340, 250, "a wage", "2.5 BTC"),
    "mixed": (504, 170, "one transaction", "mixes both"),
    "kestrel": (828, 66, "Kestrel", "fifo 2.0, haircut 1.2"),
    "change": (664, 226, "change", "fifo 0, haircut 0.8"),
    "joined": (828, 180, "CoinJoin", "the trace stops here"),
    "rest": (828, 262, "Kestrel, savings", "fifo 0, haircut 0.6"),
}
FACTS = [
    ("ada", "first"), ("others", "deposits"), ("first", "swept"), ("deposits", "swept"), ("swept", "mixed"),
    ("wage", "mixed"), ("mixed", "kestrel"), ("mixed", "change"), ("change", "joined"), ("change", "rest"),
]  # fmt: skip
STYLE = """
text{font-family:Helvetica,Arial,sans-serif;font-size:13px;fill:#1b1f24}
.small{font-size:11.5px;fill:#57606a}.title{font-size:17px;font-weight:bold}
.place{fill:#ffffff;stroke:#1b1f24;stroke-width:1.2}.fact{fill:none;stroke:#1b1f24;stroke-width:1.4}
.inference{fill:#ddf4ff;stroke:#0969da;stroke-width:1.8;stroke-dasharray:8 5}
.assertion{fill:none;stroke:#9a6700;stroke-width:2;stroke-dasharray:2 4}
.stop{stroke:#cf222e;stroke-width:4}
"""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """A line of text."""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{style}>{escape(words)}</text>'


def place(x: int, y: int, first: str, second: str) -> list[str]:
    """A box with one or two lines."""
    box = f'<rect class="place" x="{x}" y="{y}" width="{BOX}" height="46" rx="6"/>'
    if not second:
        return [box, text(x + BOX // 2, y + 28, first)]
    return [box, text(x + BOX // 2, y + 20, first), text(x + BOX // 2, y + 37, second, "small")]


def arrow(start: str, end: str) -> str:
    """A spend."""
    (x, y, *_), (to_x, to_y, *_) = PLACES[start], PLACES[end]
    left, right = x + BOX, to_x - 7
    middle = (left + right) // 2
    path = f"M{left} {y + 23}C{middle} {y + 23} {middle} {to_y + 23} {right} {to_y + 23}"
    return f'<path class="fact" marker-end="url(#arrow)" d="{path}"/>'


def picture() -> str:
    """The whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-label="Money of the demo, followed forward from Ada">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" markerWidth="9" markerHeight="8" refX="2" refY="4" orient="auto">'
        '<path d="M0 0L9 4L0 8z" fill="#1b1f24"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f6f8fa"/>',
        text(20, 32, "Where did Ada's 2 BTC go?", "title", "start"),
        text(960, 32, "regtest, height 240; an invented market: make demo", "small", "end"),
        '<rect class="inference" x="166" y="70" width="160" height="182" rx="14"/>',
        text(246, 270, "one cluster (co-spend, L1)", "small"),
        '<rect class="assertion" x="818" y="56" width="158" height="66" rx="14"/>',
        *(arrow(start, end) for start, end in FACTS),
        *(line for each in PLACES.values() for line in place(*each)),
        '<line class="stop" x1="973" y1="180" x2="973" y2="226"/>',
    ]
    y = 345
    parts += [
        f'<line class="fact" x1="30" y1="{y}" x2="100" y2="{y}"/>',
        text(112, y + 4, "fact: follows from the chain", "", "start"),
        f'<rect class="inference" x="330" y="{y - 12}" width="70" height="24" rx="8"/>',
        text(412, y + 4, "inference: a named rule", "", "start"),
        f'<rect class="assertion" x="620" y="{y - 12}" width="70" height="24" rx="8"/>',
        text(702, y + 4, "assertion: somebody says so", "", "start"),
        text(
            30,
            390,
            "Fifo and haircut are conventions about mixed money. Both add up to 2 BTC with fees; neither says",
            "small",
            "start",
        ),
        text(
            30,
            408,
            "whose the satoshis are. The cluster is a lower bound. Amounts rounded; the demo prints them whole.",
            "small",
            "start",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(picture(), encoding="utf-8")
