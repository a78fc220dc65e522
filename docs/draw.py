"""Draw docs/images/trace.svg, the picture in README.md: the demo's purchase 1, and what kind of statement a line is.

make demo && python docs/draw.py

Every number is read from the demo's ledger, so the same world gives the same picture.
"""

import argparse
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "demo"))

from leads import OVERLAY, Leads  # noqa: E402  (the demo is a folder of scripts)

TARGET = ROOT / "docs" / "images" / "trace.svg"
WIDTH, HEIGHT = 980, 476
BOX, TALL = 150, 46
STYLE = """
text{font-family:Helvetica,Arial,sans-serif;font-size:13px;fill:#1b1f24}
.small{font-size:11.5px;fill:#57606a}.title{font-size:17px;font-weight:bold}.red{font-size:11.5px;fill:#a40e26}
.place{fill:#ffffff;stroke:#1b1f24;stroke-width:1.2}.fact{fill:none;stroke:#1b1f24;stroke-width:1.4}
.inference{fill:#ddf4ff;stroke:#0969da;stroke-width:1.8;stroke-dasharray:8 5}
.assertion{fill:none;stroke:#9a6700;stroke-width:2;stroke-dasharray:2 4}
.doubt{fill:none;stroke:#cf222e;stroke-width:2.2;stroke-dasharray:8 5}
"""
# Where each place stands: left and top.
PLACES = {
    "payer": (24, 92), "others": (24, 178), "purchase": (210, 92), "deposits": (210, 178), "sweep": (400, 134),
    "collected": (574, 92), "change": (574, 178), "account": (806, 74), "rest": (806, 148), "next": (806, 222),
    "stranger": (210, 312),
}  # fmt: skip
FACTS = [
    ("payer", "purchase"), ("others", "deposits"), ("purchase", "sweep"), ("deposits", "sweep"), ("sweep", "collected"),
    ("sweep", "change"), ("collected", "account"), ("collected", "rest"), ("change", "next"),
]  # fmt: skip


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """A line of text."""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{style}>{escape(words)}</text>'


def place(name: str, first: str, second: str) -> str:
    """A box with two lines."""
    x, y = PLACES[name]
    box = f'<rect class="place" x="{x}" y="{y}" width="{BOX}" height="{TALL}" rx="6"/>'
    return box + text(x + BOX // 2, y + 20, first) + text(x + BOX // 2, y + 37, second, "small")


def frame(kind: str, names: tuple[str, ...], margin: int) -> str:
    """A rounded frame around places."""
    xs, ys = zip(*(PLACES[name] for name in names), strict=True)
    x, y = min(xs) - margin, min(ys) - margin
    width, height = max(xs) + BOX + margin - x, max(ys) + TALL + margin - y
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="14"/>'


def arrow(start: str, end: str) -> str:
    """A spend."""
    (x, y), (to_x, to_y) = PLACES[start], PLACES[end]
    left, right = x + BOX, to_x - 8
    middle = (left + right) // 2
    path = f"M{left} {y + 23}C{middle} {y + 23} {middle} {to_y + 23} {right} {to_y + 23}"
    return f'<path class="fact" marker-end="url(#arrow)" d="{path}"/>'


def btc(value_sat: int) -> str:
    """An amount, rounded."""
    return f"{value_sat / 1e8:.4f}".rstrip("0").rstrip(".")


def words(leads: Leads) -> dict[str, tuple[str, str]]:
    """The two lines of each place."""
    spent = [each.value_sat or 0 for each in leads.swept.inputs]
    test = leads.traces[0].traced_sat
    change = sum(each.value_sat for each in leads.swept.outputs) - leads.collection.value_sat

    def shares(where: str) -> str:
        found = []
        for answer in leads.traces:
            total = 0
            for end in answer.endpoints:
                here = "next" if not end.outpoint.startswith(leads.onward) else "rest"
                here = "account" if here == "rest" and end.address == leads.deposit else here
                total += end.traced_sat * (here == where)
            found.append(f"{answer.policy} {btc(total)}")
        return ", ".join(found)

    return {
        "payer": (f"{leads.receipt['funding'].split()[-1]} pays out", "the agency's account"),
        "others": ("other payers", "exchanges and others"),
        "purchase": ("purchase 1", f"{btc(test)} BTC"),
        "deposits": (f"{len(spent) - 1} more outputs", f"{btc(sum(spent) - test)} BTC"),
        "sweep": ("spent together", f"{len(spent)} inputs"),
        "collected": ("collected", f"{btc(leads.collection.value_sat)} BTC"),
        "change": ("the rest", f"{btc(change)} BTC"),
        "account": (f"an account at {leads.exchange}", shares("account")),
        "rest": ("another address", shares("rest")),
        "next": ("into the next sweep", shares("next")),
        "stranger": (f"{len(leads.others)} other scripts", f"{leads.tags[leads.stranger]}'s, says a tag"),
    }


def legend() -> list[str]:
    """What the lines mean."""
    y = 408
    return [
        f'<line class="fact" x1="24" y1="{y}" x2="84" y2="{y}"/>',
        text(94, y + 4, "fact: follows from the chain", "", "start"),
        f'<rect class="inference" x="300" y="{y - 12}" width="60" height="24" rx="8"/>',
        text(370, y + 4, "inference: a named rule", "", "start"),
        f'<rect class="assertion" x="545" y="{y - 12}" width="60" height="24" rx="8"/>',
        text(615, y + 4, "assertion: somebody says so", "", "start"),
        text(24, 442, "Fifo and haircut are conventions about mixed money; with fees each adds up to what was paid. "
             "Neither says whose the satoshis are.", "small", "start"),
        text(24, 460, "The cluster is a lower bound. Amounts in BTC, rounded; the demo prints them whole.", "small",
             "start"),
    ]  # fmt: skip


def picture(world: Path, ledger: Path) -> str:
    """The whole picture."""
    leads = Leads(world, ledger)
    x, y = PLACES["deposits"]
    doubt = PLACES["stranger"][1] - 6
    where = f"height {leads.suspect.height:,}: one transaction spends from both; an overlay leaves it out."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-label="A test payment to a market, followed to an account at an exchange">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" markerWidth="9" markerHeight="8" refX="2" refY="4" orient="auto">'
        '<path d="M0 0L9 4L0 8z" fill="#1b1f24"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f6f8fa"/>',
        text(24, 34, "Where did a test payment to the market go?", "title", "start"),
        text(956, 34, f"regtest, height {leads.tip:,}; a simulated economy: make demo", "small", "end"),
        frame("inference", ("purchase", "deposits"), 14),
        text(x + BOX // 2, y + TALL + 30, f"one cluster (co-spend, L1): {len(leads.members[OVERLAY])} scripts",
             "small"),
        frame("assertion", ("payer",), 8),
        frame("assertion", ("account",), 8),
        *(arrow(start, end) for start, end in FACTS),
        *(place(name, *lines) for name, lines in words(leads).items()),
        frame("assertion", ("stranger",), 8),
        f'<line class="doubt" x1="{x + BOX // 2}" y1="{y + TALL + 38}" x2="{x + BOX // 2}" y2="{doubt - 4}"/>',
        text(x + BOX + 24, doubt + 18, where, "red", "start"),
        text(x + BOX + 24, doubt + 34, "One wallet, or a PayJoin of two? The chain does not say.", "red", "start"),
        *legend(),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def main() -> None:
    """Draw from the demo's folder."""
    parser = argparse.ArgumentParser(description="Draw the picture of README.md from the demo's ledger.")
    parser.add_argument("--workdir", type=Path, default=ROOT / ".demo", help="the demo's folder")
    workdir = parser.parse_args().workdir
    TARGET.write_text(picture(workdir / "world", workdir / "ledger"), encoding="utf-8")


if __name__ == "__main__":
    main()
