"""How the store learns which script a subject has: from `attribution.subject`, or from a test."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cointrail.attribution.tag import Subject, SubjectKind


class Place(Protocol):
    """Where a subject is on chains: the script's SHA-256 if it has one, and networks as bits."""

    @property
    def script_hash(self) -> bytes | None:
        """32 bytes."""

    @property
    def networks(self) -> int:
        """Bit n: it is an address of the n-th of `NETWORKS`."""


Locate = Callable[[Subject], Place]


def key_of_hash(digest: bytes) -> int:
    """The key of a script hash: its first 8 bytes as a signed integer, the first byte being the highest."""
    return int.from_bytes(digest[:8], "big", signed=True)


def key_of_text(text: str) -> int:
    """The key of a subject without a script."""
    return key_of_hash(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def key_of(subject: Subject, place: Place) -> int:
    """The key a subject is kept under, whoever located it."""
    return key_of_text(subject.text) if place.script_hash is None else key_of_hash(place.script_hash)


def default_locate() -> Locate:
    """The one definition of where a subject is."""
    from cointrail.attribution.subject import locate

    return locate


@dataclass(frozen=True, slots=True)
class Spellings:
    """Every way in which tags may be about what a person wrote.

    Attributes:
        texts: as it is, and in small letters.
        keys: under which subjects of every kind would be kept, ascending.
        hashes: of the scripts it stands for, as an address or a key.
    """

    texts: tuple[str, ...]
    keys: tuple[int, ...]
    hashes: tuple[bytes, ...]

    @classmethod
    def of(cls, text: str, locate: Locate) -> "Spellings":
        """Find them."""
        texts = sorted({text, text.lower()})
        places = [
            (subject, locate(subject)) for each in texts for kind in SubjectKind for subject in [Subject(kind, each)]
        ]
        keys = sorted({key_of(subject, place) for subject, place in places} | {key_of_text(each) for each in texts})
        hashes = sorted({place.script_hash for _, place in places if place.script_hash is not None})
        return cls(tuple(texts), tuple(keys), tuple(hashes))

    def condition(self, table: Any) -> Any:
        """Whether a row of `tag` or `tag_retraction` is about it."""
        by_hash = table.c.key.in_([key_of_hash(digest) for digest in self.hashes])
        if "script_hash" in table.c:
            by_hash = table.c.script_hash.in_(self.hashes)
        return table.c.key.in_(self.keys) & (table.c.subject.in_(self.texts) | by_hash)
