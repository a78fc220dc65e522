"""What the search box answers. Nothing that may be a secret stands in it; what was not recognised is not repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cointrail.service.answers import SnapshotName


class Kind(StrEnum):
    """What a text is."""

    TRANSACTION = "transaction"
    BLOCK = "block"
    HASH = "hash"
    HEIGHT = "height"
    TIME = "time"
    ADDRESS = "address"
    PUBLIC_KEY = "public_key"
    OUTPOINT = "outpoint"
    SCRIPT = "script"
    CLUSTER = "cluster"
    EXTENDED_KEY = "extended_key"
    DESCRIPTOR = "descriptor"
    INVOICE = "invoice"
    SECRET = "secret"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What is known of it."""

    FOUND = "found"
    """In this snapshot."""
    ABSENT = "absent"
    """Well-formed, but not in this snapshot."""
    ELSEWHERE = "elsewhere"
    """Of another network."""
    UNCHECKED = "unchecked"
    """No ledger was asked."""
    RECOGNISED = "recognised"
    """Names nothing that could be looked up as it is."""
    REFUSED = "refused"
    """Not what it seems to be; `says` tells why."""
    SECRET = "secret"
    """May be a private key or seed words, and is not repeated."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something in the text.

    Attributes:
        kind: what it is.
        state: what is known of it.
        text: it, without blanks and prefixes; shortened for keys and for hashes that nothing is known of, empty for a
            secret and for what was not recognised.
        offset: where it begins in the text, in characters from 0; `length` how many it has.
        says: a sentence about it.
        networks: those it can belong to; empty if it does not say.
        next: commands to go on with.
        basis: `fact`: what is said of it follows from the chain, or from the text's own checksum.
    """

    kind: Kind
    state: State
    text: str
    offset: int
    length: int
    says: str
    networks: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    basis: Literal["fact"] = "fact"


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody's name that begins like the text: a tag's label, an actor or entity, or a collection of tags.

    Attributes:
        kind: which.
        name: the name.
        about: an address or other subject it is said of, or an empty text.
        source: who says so.
        confidence: in the source's own words, or an empty text.
        category: `exchange` and the like, or an empty text.
        next: commands to go on with.
        basis: a name is its source's assertion.
    """

    kind: Literal["tag", "actor", "entity", "collection"]
    name: str
    about: str
    source: str
    confidence: str = ""
    category: str = ""
    next: tuple[str, ...] = ()
    basis: Literal["assertion"] = "assertion"


FindTags = Callable[[str, int], Sequence[Named]]
"""Names that begin with a text, at most so many."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What a text holds.

    Attributes:
        characters: length of the text.
        hits: in the order of the text.
        names: that begin like it; looked for only if the text is short and holds no secret.
        names_asked: whether there was a store of tags to ask.
        limits: what was left out, and why.
        snapshot: of the ledger that was asked, or None.
    """

    characters: int
    hits: tuple[Hit, ...]
    names: tuple[Named, ...]
    names_asked: bool
    limits: tuple[str, ...]
    snapshot: SnapshotName | None

    @property
    def has_secret(self) -> bool:
        """Whether the text may hold a private key or seed words."""
        return any(hit.state is State.SECRET for hit in self.hits)
