"""Words and amounts as people read them, and foreign words made harmless.

Names of services and labels come from files of strangers. A character that shows nothing, or turns what stands beside
it around, is written as its number, so that what is read is what is there.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from cointrail.bitcoin.amounts import format_btc

_FIRST_STRONG, _END = "\u2068", "\u2069"  # isolates: what stands between them turns nothing around outside (UAX 9)
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN"))
_LONGEST: Final = 200


def btc(sat: int) -> str:
    """An amount in BTC, exact, without zeros at its end, with separators."""
    whole, _, fraction = format_btc(abs(sat)).partition(".")
    fraction = fraction.rstrip("0")
    return f"{'-' if sat < 0 else ''}{int(whole):,}{'.' if fraction else ''}{fraction} BTC"


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(text: str, head: int = 8, tail: int = 4) -> str:
    """A txid or an address by its beginning and its end."""
    return text if len(text) <= head + tail + 1 else f"{text[:head]}…{text[-tail:]}"


def readable(text: str) -> str:
    """The text with every character that cannot be seen written as its number; isolates of `foreign` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(each) if each not in (_FIRST_STRONG, _END) else each for each in text)


def plain(text: str) -> str:
    """A foreign text for data: the same, and nothing is left out."""
    return "".join(map(_seen, text))


def foreign(text: str) -> str:
    """A foreign text that stands among other words: readable, of bounded length, and it turns nothing around."""
    shown = plain(text)
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 1]}…"
    turned = any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in shown)
    return f"{_FIRST_STRONG}{shown}{_END}" if turned else shown


def listed(words: Iterable[str], most: int = 6) -> str:
    """Words with commas between them; how many more there are if there are many."""
    all_words = list(words)
    rest = [] if len(all_words) <= most else [f"{len(all_words) - most:,} more"]
    return ", ".join([*all_words[:most], *rest])


def _seen(character: str) -> str:
    return f"<U+{ord(character):04X}>" if unicodedata.category(character) in _UNSEEN else character
