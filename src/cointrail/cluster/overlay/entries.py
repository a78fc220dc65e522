"""An overlay: the corrections of one case, each with its author and reason.

Four kinds of entries. The first three take away links that rules made; the last adds one, by assertion. None of them
touches the ledger, and none of them is a fact. The digest names what an overlay says: two files with one digest give
the same clusters on the same snapshot. It covers format, network and entries, not the name or the time of the file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

FORMAT = 1


class Kind(StrEnum):
    """What an entry does."""

    EXCLUDE_TRANSACTION = "exclude_transaction"
    RULE_OFF = "rule_off"
    SPLIT = "split"
    MERGE = "merge"


FIELDS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.EXCLUDE_TRANSACTION: ("txid",),
        Kind.RULE_OFF: ("rule",),
        Kind.SPLIT: ("scripts",),
        Kind.MERGE: ("a", "b"),
    }
)
"""The fields of the file that hold an entry's subjects; `scripts` is a list, all others are texts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One correction.

    Attributes:
        kind: what it does.
        subjects: what it is about, in canonical spelling: one txid as displayed, one rule id, scripts (at least one),
            or two scripts. A script is spelled as its address, or as `script:HEX` if it has none.
        author, reason: who says so, and why; never empty.
        at_utc: when it was written, ISO 8601 in UTC with Z.
    """

    kind: Kind
    subjects: tuple[str, ...]
    author: str
    reason: str
    at_utc: str


@dataclass(frozen=True, slots=True)
class MadeAt:
    """The snapshot its author looked at; it informs and decides nothing.

    Attributes:
        height: of its last block.
        block_hash, digest: as answers print them.
    """

    height: int
    block_hash: str
    digest: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """All corrections of one file.

    Attributes:
        name, author: of the file.
        network: its network; it fits ledgers of this network only.
        created_utc: when it was made.
        made_at: the snapshot it was made at, None if that was not stated.
        entries: in the order they were written.
    """

    name: str
    network: str
    author: str
    created_utc: str
    made_at: MadeAt | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256, hex, over the canonical JSON of format, network and entries."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """What the digest covers: keys sorted, no spaces, UTF-8.

        Method: RFC 8785, of which texts and one small number need no more than this.
        """
        content = {"format": FORMAT, "network": self.network, "entries": [content_of(each) for each in self.entries]}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def with_entry(self, entry: Entry) -> "Overlay":
        """The overlay with one more entry at its end."""
        return replace(self, entries=(*self.entries, entry))


def content_of(entry: Entry) -> dict[str, Any]:
    """An entry as it stands in the file."""
    names = FIELDS[entry.kind]
    stated: dict[str, Any] = {"scripts": list(entry.subjects)}
    if entry.kind is not Kind.SPLIT:
        stated = dict(zip(names, entry.subjects, strict=True))
    return {"kind": str(entry.kind), **stated, "author": entry.author, "reason": entry.reason, "at_utc": entry.at_utc}
