"""Cutting a text into pieces that may name something, in time linear in its length.

A piece is a run of ASCII letters and digits, or one of the forms that join several: an outpoint, `script:HEX`, a
descriptor, a date or time, `block 170`. What a piece is, `recognise` decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cointrail.bitcoin.bech32 import CHARSET
from cointrail.bitcoin.descriptor import FUNCTIONS, MAX_LENGTH


class Form(StrEnum):
    """How a piece is written."""

    WORD = "word"
    OUTPOINT = "outpoint"
    SCRIPT = "script"
    CLUSTER = "cluster"
    DESCRIPTOR = "descriptor"
    TIME = "time"
    HEIGHT = "height"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text and where it begins, in characters from 0."""

    text: str
    offset: int
    form: Form


_PIECE: Final = re.compile(
    rf"""
    (?<![0-9A-Za-z_])(?:
        (?P<descriptor>(?:{"|".join(FUNCTIONS)})\()
      | script:(?P<script>[0-9a-fA-F]++)
      | cluster:(?P<cluster>[0-9A-Za-z]++)
      | (?P<outpoint>[0-9a-fA-F]{{64}}:[0-9]++)(?![A-Za-z])
      | (?P<time>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}
            (?:[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,9}})?)?
               (?:Z|[ ]?UTC|[+-][0-9]{{2}}:?[0-9]{{2}})?)?)(?![0-9A-Za-z])
      | (?i:block|height)[ ]?[\#:]?[ ]?(?P<height>[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,3}}|[0-9]{{1,9}})(?![0-9A-Za-z])
    )
  | (?P<word>[0-9A-Za-z]++)
    """,
    re.VERBOSE,
)
_PARENTHESES: Final = re.compile(r"[()]")
_CHECKSUM: Final = re.compile(rf"\#[{CHARSET}]{{8}}(?![0-9A-Za-z])")


def tokens_of(text: str) -> Iterator[Token]:
    """The pieces of a text in its order; a descriptor's own pieces follow it, for a caller that did not take it."""
    closing = _closing(text)
    position, closed = 0, -1
    while piece := _PIECE.search(text, position):
        form = Form(piece.lastgroup or "word")
        position = piece.end()
        if form is not Form.DESCRIPTOR:
            yield Token(piece[form], piece.start(form), form)
            continue
        # Pieces inside one that was tried are not tried again: nesting would cost the square of its depth.
        end = closing.get(position - 1, -1)
        if end < 0 or end <= closed or end - piece.start() > MAX_LENGTH:
            continue
        closed = end
        checksum = _CHECKSUM.match(text, end + 1)
        yield Token(text[piece.start() : checksum.end() if checksum else end + 1], piece.start(), form)


def _closing(text: str) -> dict[int, int]:
    """Where each opening parenthesis closes."""
    found, waiting = {}, []
    for match in _PARENTHESES.finditer(text):
        if match[0] == "(":
            waiting.append(match.start())
        elif waiting:
            found[waiting.pop()] = match.start()
    return found
