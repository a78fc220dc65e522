"""Text that a database can keep: NUL is refused by servers, and half a surrogate pair is no text at all."""

from collections.abc import Iterable

from cointrail.errors import InputRefused


def refuse_unstorable(texts: Iterable[str], where: str) -> None:
    """Refuse text that is none.

    Raises:
        InputRefused: NUL, or half of a surrogate pair; `where` says in which line.
    """
    for text in texts:
        if "\0" in text:
            raise InputRefused(f"{where}: {text[:60]!r} holds a NUL character", hint="remove it; it is no text")
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                raise InputRefused(f"{where}: {text[:60]!a} is no valid Unicode text") from None


def is_storable(text: str) -> bool:
    """Whether a database could hold it; what cannot be there need not be looked for."""
    try:
        refuse_unstorable((text,), "")
    except InputRefused:
        return False
    return True
