"""Text in a drawing: how wide it may become, cut to a width, broken into lines, and safe to write into XML.

No font is shipped, so widths are those of DejaVu Sans, the widest that stands in for a sans serif, a little rounded up:
what fits here fits elsewhere.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

from cointrail.reports.wording import readable

_NARROW: Final = frozenset("ijlI.,:;|!'`()[]ft /\\")
_WIDE: Final = frozenset("mwMWOQGD@%—…&")
_PER_EM: Final = {"narrow": 400, "wide": 980, "upper": 720, "other": 640, "east": 1_030}


def width(text: str, size: int) -> int:
    """Tenths of a pixel that a text needs at most.

    Args:
        text: one line.
        size: of the font, in tenths of a pixel.
    """
    return sum(_per_em(each) for each in text) * size // 1_000


def fitted(text: str, size: int, room: int) -> str:
    """The text, cut so that it fits, with a sign that it was."""
    shown = readable(text)
    if width(shown, size) <= room:
        return shown
    left = room - width("…", size)
    for at, each in enumerate(shown):
        left -= _per_em(each) * size // 1_000 + 1
        if left < 0:
            return f"{shown[:at].rstrip()}…"
    return shown


def broken(text: str, size: int, room: int) -> Iterator[str]:
    """The text in lines that fit; a word that is too long for one is cut into several."""
    line = ""
    for word in readable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size) <= room:
            line = longer
            continue
        if line:
            yield line
        line = word
        while width(line, size) > room:
            most = max(1, len(line) * room // width(line, size) * 9 // 10)
            yield line[:most]
            line = line[most:]
    if line:
        yield line


def escaped(text: str) -> str:
    """The text for XML, in an element or between double quotes; no character that cannot be seen is left."""
    return (
        readable(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
    )  # fmt: skip


def _per_em(character: str) -> int:
    if character in _NARROW:
        return _PER_EM["narrow"]
    if character in _WIDE:
        return _PER_EM["wide"]
    if character.isupper():
        return _PER_EM["upper"]
    if not character.isascii() and unicodedata.east_asian_width(character) in "WF":
        return _PER_EM["east"]
    return _PER_EM["other"]
