"""Elements of SVG as text. Numbers are integers in tenths of a pixel and written in pixels."""

from cointrail.reports.drawing.text import escaped


def number(tenths: int) -> str:
    """A length in pixels, with one decimal if it has one."""
    whole, rest = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}{f'.{rest}' if rest else ''}"


def text(x: int, y: int, words: str, kind: str = "", *, anchor: str = "start") -> str:
    """A line of text; x is where it begins, or ends."""
    style = f' class="{kind}"' if kind else ""
    at = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{number(x)}" y="{number(y)}"{style}{at}>{escaped(words)}</text>'


def line(x: int, y: int, to_x: int, to_y: int, kind: str) -> str:
    """A straight line."""
    return f'<path class="{kind}" d="M{number(x)} {number(y)}L{number(to_x)} {number(to_y)}"/>'


def rect(x: int, y: int, width: int, height: int, kind: str, corner: int = 0) -> str:
    """A rectangle, its corners rounded if asked."""
    rounded = f' rx="{number(corner)}"' if corner else ""
    return (
        f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
        f"{rounded}/>"
    )


def element(name: str, path: str, kind: str, **attributes: str) -> str:
    """An element with a path."""
    more = "".join(f' {key.replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    return f'<{name} class="{kind}" d="{path}"{more}/>'


def titled(group: str, words: str, inner: str, **attributes: str) -> str:
    """A group that says what it is, to the mouse and to a screen reader."""
    more = "".join(f' {key.replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    return f'<g class="{group}"{more}><title>{escaped(words)}</title>{inner}</g>'
