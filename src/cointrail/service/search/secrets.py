"""Private keys and seed words by their shape, so that a mistyped one is kept back, too. They are evidence, not tools.

What is said of one is its kind, its length and the first four bytes of its SHA-256: enough to recognise it again in an
exhibit, too little to find it.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SHAPES: Final = (
    (re.compile(r"[5KL9c][0-9A-Za-z]{50,51}"), "a private key in wallet import format"),
    (re.compile(r"[a-zA-Z]prv[0-9A-Za-z]{8,}"), "an extended private key"),
    (re.compile(r"6P[0-9A-Za-z]{54,58}"), "an encrypted private key (BIP38)"),
    (re.compile(r"S[0-9A-Za-z]{29}"), "a private key in mini form"),
    (re.compile(r"(?:nsec1|NSEC1)[0-9A-Za-z]{20,}"), "a private key of another system (nsec)"),
    (re.compile(r"(?:ms1|MS1)[0-9A-Za-z]{40,}"), "a share of a seed (codex32)"),
)
_MINI: Final = re.compile(r"S[1-9A-HJ-NP-Za-km-z]{21}(?:[1-9A-HJ-NP-Za-km-z]{4})?")
_SEED_WORD: Final = re.compile(r"[a-z]{3,8}|[A-Z]{3,8}|[A-Z][a-z]{2,7}")
_LEAST_WORDS: Final = 12
_PIECES: Final = re.compile(r"[0-9A-Za-z]++")
_BETWEEN: Final = re.compile(r"[\s,\"'-]{0,9}+(?:[0-9]{1,2}[.):]?[\s\"']{0,4}+)?")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands and what is said of it."""

    offset: int
    length: int
    says: str


def secret_kind(word: str) -> str | None:
    """What a run of letters and digits may be the secret of, or None."""
    for shape, kind in _SHAPES:
        if shape.fullmatch(word):
            return kind
    # The mini forms of 22 and 26 characters look like names, so their own check decides.
    if _MINI.fullmatch(word) and hashlib.sha256(f"{word}?".encode()).digest()[0] == 0:
        return "a private key in mini form"
    return None


def described(kind: str, text: str) -> str:
    """The sentence about a secret."""
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return (
        f"{kind}, {len(text)} characters, SHA-256 begins {mark}: a secret, not repeated here; record it as evidence, "
        "and look for the addresses it stands for"
    )


def secrets_in(text: str) -> Iterator[Secret]:
    """All that may be a secret in a text, in time linear in its length."""
    begin = end = words = 0
    for piece in _PIECES.finditer(text):
        word = piece[0]
        if word.isdigit() and len(word) <= 2:
            continue  # the number before a word of a written list
        if _SEED_WORD.fullmatch(word):
            joined = words > 0 and _BETWEEN.fullmatch(text, end, piece.start()) is not None
            if not joined:
                yield from _seed(text, begin, end, words)
                begin, words = piece.start(), 0
            words, end = words + 1, piece.end()
            continue
        yield from _seed(text, begin, end, words)
        words = 0
        if kind := secret_kind(word):
            yield Secret(piece.start(), len(word), described(kind, word))
    yield from _seed(text, begin, end, words)


def _seed(text: str, begin: int, end: int, words: int) -> Iterator[Secret]:
    if words >= _LEAST_WORDS:
        yield Secret(begin, end - begin, described(f"{words} words in a row that may be seed words", text[begin:end]))
