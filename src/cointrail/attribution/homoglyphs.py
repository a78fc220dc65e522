"""Names that look like other names, or hide something: what an import refuses, and what it warns of.

A pack can name a service with letters of another alphabet, or turn the rest of a line around (RELIABILITY.md H13).
`forbidden` finds characters that nobody sees: no name needs them. `doubt` finds what may be honest and may be a
disguise. `skeleton` is equal for names that look alike; it is compared and never shown.

Method: Unicode's general categories and normal forms, scripts by the characters' names, and a small table of our own
of Cyrillic, Greek and Armenian letters that look Latin. Unicode TS 39 knows many more.
"""

# ruff: noqa: RUF001 - the letters that look Latin are the content of this file

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control, format (zero-width, bidi), surrogate, private use, line and paragraph separators."""

_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters and marks that leave nothing on paper, though their category says otherwise."""

_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"})
"""Scripts that share shapes: one word is written in one of them."""

_MOST_MARKS: Final = 2  # combining marks on one letter; Vietnamese needs two

_LOOKS_LATIN: Final = {
    **dict(zip("аеорсухіјѕһԁԛԝӏ", "aeopcyxijshdqwl", strict=True)),
    **dict(zip("АВЕКМНОРСТУХІЈЅԌԚԜӀ", "abekmhopctyxijsgqwl", strict=True)),
    **dict(zip("ονρυϲϳ", "ovpucj", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),
    **dict(zip("օսոհցք", "ounhgp", strict=True)),
}
_RESEMBLES: Final = {
    **_LOOKS_LATIN,
    **dict(zip("гкмнптвьзαικτχγω", "rkmhntbb3aiktxyw", strict=True)),
    **dict(zip("ıɡɑ", "iga", strict=True)),
}
_ONE_STROKE: Final = str.maketrans({"i": "l", "1": "l", "|": "l", "!": "l", "0": "o", "5": "s", "$": "s", "@": "a"})
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


def forbidden(name: str) -> str | None:
    """Say which character of a name nobody sees, or None if all are seen."""
    if name.isascii() and name.isprintable():
        return None
    for position, character in enumerate(name, start=1):
        if unicodedata.category(character) in _UNSEEN or character in _BLANK:
            called = unicodedata.name(character, "control character")
            return f"U+{ord(character):04X} {called} at position {position}, which nobody sees"
    return None


def escaped(text: str) -> str:
    """A text in which every character that nobody sees is written as its number, a backslash before it."""
    if forbidden(text) is None:
        return text
    return "".join(f"{letter!a}"[1:-1] if forbidden(letter) else letter for letter in text)


def doubt(name: str) -> str | None:
    """Say why a name may not be what it looks like, or None.

    Args:
        name: of an actor, or a label.

    Returns:
        A reason in words, fit to stand after the name and a colon. Honest names can have one.
    """
    if name.isascii() and name.isprintable():
        return None
    if hidden := forbidden(name):
        return f"it holds {hidden}"
    for word in _words(name):
        scripts = sorted({script for script in map(_script, word) if script in _ALIKE})
        if len(scripts) > 1:
            return f"{word!a} mixes letters of {' and '.join(script.capitalize() for script in scripts)}"
        if scripts and scripts != ["LATIN"] and all(letter in _LOOKS_LATIN for letter in word if letter.isalpha()):
            return f"every letter of {word!a} is {scripts[0].capitalize()} and looks Latin"
    if _piled(name):
        return f"more than {_MOST_MARKS} marks stand on one letter"
    if unicodedata.normalize("NFKC", name) != name:
        return "it has a plainer spelling (Unicode NFKC)"
    return None


def skeleton(name: str) -> str:
    """A text that is equal for names that look alike, such as `Binance` and its spelling with a Cyrillic a."""
    plain = "".join(_RESEMBLES.get(letter, letter) for letter in unicodedata.normalize("NFKC", name))
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", plain.casefold())
        if unicodedata.category(letter) not in {*_UNSEEN, "Mn", "Zs"} and letter not in _BLANK
    )
    bare = "".join(_RESEMBLES.get(letter, letter) for letter in bare)
    for pair, letter in _PAIRS:
        bare = bare.replace(pair, letter)
    return bare.translate(_ONE_STROKE)


def _words(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() or unicodedata.combining(letter) else " " for letter in name).split()


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0] if letter.isalpha() else ""


def _piled(name: str) -> bool:
    run = 0
    for letter in unicodedata.normalize("NFD", name):
        run = run + 1 if unicodedata.combining(letter) else 0
        if run > _MOST_MARKS:
            return True
    return False
