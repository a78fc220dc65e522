"""Sizes, colours and kinds of lines, in one place. Lengths in tenths of a pixel.

A kind of statement is told by the kind of line, a kind of node by its shape and its words: nothing by colour alone, so
a copy in black and white says the same. Labels have colours that people who see few of them tell apart (Okabe, Ito).
"""

from typing import Final

BOX, HOP = 1_780, 860  # width of a box, and of the room between two columns
PADDING, LINE = 70, 150
GAP, LANE_GAP = 160, 60
MARGIN = 240
HEAD, HEADING = 620, 320  # of the title, and of the column headings
WIDEST_BAND, MOST_IN_COLUMN = 900, 4_000
HAIRLINE, SLOT, WRITTEN = 12, 50, 130  # thinnest band; room for one at a box, and for one with its amount on it
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 180, 120, 110
NARROWEST = 9_400

LABEL_COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
OTHER_LABELS: Final = "#8c959f"

_DASHES: Final = {"fact": "", "inference": "stroke-dasharray:7 4;", "assertion": "stroke-dasharray:1.6 3.2;"}
_LIGHT: Final = {
    "ground": "#ffffff", "ink": "#1b1f24", "soft": "#57606a", "rule": "#d0d7de", "band": "#6ea8dc",
    "transaction": "#ffffff", "seed": "#dff3e4", "output": "#f6f8fa", "service": "#fff3d6", "more": "#eef0f2",
}  # fmt: skip
_DARK: Final = {
    "ground": "#0d1117", "ink": "#e6edf3", "soft": "#9da7b3", "rule": "#30363d", "band": "#3b78b5",
    "transaction": "#161b22", "seed": "#12351f", "output": "#21262d", "service": "#3d2f0a", "more": "#2d333b",
}  # fmt: skip
_FILLS: Final = {name: name for name in ("transaction", "seed", "output", "service", "more")} | {"fee": "output"}


def css() -> str:
    """The style sheet: one palette, and another where a screen asks for dark; paper is never dark."""
    lines = [
        ".ct-drawing text{font-family:'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:11px}",
        ".ct-drawing .ct-title{font-size:18px;font-weight:bold}.ct-drawing .ct-first{font-size:12px;font-weight:bold}",
        ".ct-drawing .ct-amount{font-size:10px}",
        *(f".ct-line.ct-{basis}{{fill:none;stroke-width:1.3;{dash}}}" for basis, dash in _DASHES.items()),
        *(f".ct-box.ct-{basis}{{stroke-width:1.3;{dash}}}" for basis, dash in _DASHES.items()),
        ".ct-band{fill-opacity:.55}.ct-band.ct-named{fill-opacity:.28}",
        ".ct-box.ct-assertion,.ct-line.ct-assertion{stroke-width:1.8;stroke-linecap:round}",
        *(f".ct-label-{number}{{fill:{colour}}}" for number, colour in enumerate(LABEL_COLOURS)),
        f".ct-label{{fill:{OTHER_LABELS}}}",
        *_palette(_LIGHT),
        f"@media screen and (prefers-color-scheme:dark){{{''.join(_palette(_DARK))}}}",
    ]
    return "\n".join(lines)


def _palette(colours: dict[str, str]) -> list[str]:
    return [
        f".ct-ground{{fill:{colours['ground']}}}",
        f".ct-drawing text,.ct-tip{{fill:{colours['ink']}}}.ct-drawing .ct-soft{{fill:{colours['soft']}}}",
        f".ct-line,.ct-box{{stroke:{colours['ink']}}}.ct-rule{{stroke:{colours['rule']}}}",
        f".ct-plain{{fill:{colours['band']}}}",
        *(f".ct-box.ct-{kind}{{fill:{colours[fill]}}}" for kind, fill in _FILLS.items()),
    ]


def corner(kind: str) -> int:
    """How round the corners of a kind of node are."""
    return {"transaction": 0, "seed": 160, "more": 30}.get(kind, 70)
