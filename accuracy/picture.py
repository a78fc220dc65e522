"""ROC curves by script type as a small SVG, drawn by hand; the false positive rate is on a logarithmic axis."""

from math import log10

import numpy as np

from judged import Curve

LEFT, TOP, SIDE, GAP = 56, 54, 330, 84
LEAST = 1e-4
_POINTS = 49
_COLOURS = ("#1b1f24", "#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#57606a")
_STYLE = (
    "text{font-family:Helvetica,Arial,sans-serif;font-size:12px;fill:#1b1f24}.title{font-size:14px;font-weight:bold}"
    ".grid{stroke:#d0d7de;stroke-width:1}.curve{fill:none;stroke-width:1.8}.frame{fill:none;stroke:#1b1f24}"
)


def draw(panels: dict[str, dict[str, Curve]]) -> str:
    """An SVG with one panel for each title; a panel holds curves by name."""
    width, height = LEFT + len(panels) * (SIDE + GAP), TOP + SIDE + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>ROC of the change model</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (title, curves) in enumerate(panels.items()):
        parts += _panel(LEFT + number * (SIDE + GAP), title, curves)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: int, title: str, curves: dict[str, Curve]) -> list[str]:
    bottom = TOP + SIDE
    found = [f'<text class="title" x="{left}" y="{TOP - 22}">{title}</text>']
    for power in range(round(log10(LEAST)), 1):
        x = _x(left, 10.0**power)
        found.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        found.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{100 * 10.0**power:g} %</text>')
    for share in range(0, 101, 20):
        y = bottom - SIDE * share / 100
        found.append(f'<path class="grid" d="M{left} {y:.1f}H{left + SIDE}"/>')
        found.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{share} %</text>')
    found.append(f'<rect class="frame" x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>')
    found.append(f'<text x="{left + SIDE / 2}" y="{bottom + 38}" text-anchor="middle">payments taken for change</text>')
    found.append(f'<text x="{left}" y="{TOP - 6}">change that is found</text>')
    drawn = [(name, each) for name, each in curves.items() if each.points]
    for place, (_, each) in enumerate(drawn):
        found.append(f'<path class="curve" stroke="{_COLOURS[place % len(_COLOURS)]}" d="{_path(left, each)}"/>')
    top = bottom - 16 * len(drawn) - 12
    box = f'x="{left + SIDE - 232}" y="{top}" width="226" height="{16 * len(drawn) + 6}"'
    found.append(f'<rect {box} fill="#ffffff" fill-opacity="0.85"/>')
    for place, (name, each) in enumerate(drawn):
        colour = _COLOURS[place % len(_COLOURS)]
        y = bottom - 14 - 16 * (len(drawn) - 1 - place)
        words = f"{name}: area {each.area:.4f}, {each.n:,} outputs"
        found.append(f'<text x="{left + SIDE - 10}" y="{y}" text-anchor="end" style="fill:{colour}">{words}</text>')
    return found


def _path(left: int, curve: Curve) -> str:
    x, y = (np.array(column) for column in zip(*curve.points, strict=True))
    rates = np.logspace(log10(LEAST), 0, _POINTS)
    found = np.interp(rates, x, y)
    steps = [f"{_x(left, rate):.1f} {TOP + SIDE * (1 - share):.1f}" for rate, share in zip(rates, found, strict=True)]
    return "M" + "L".join(steps)


def _x(left: int, rate: float) -> float:
    return left + SIDE * (1 - log10(rate) / log10(LEAST))
