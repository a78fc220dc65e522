"""The name of a set of tags: the same files and the same retractions have the same digest, on every machine.

It depends on what was read and with which reader, never on when, by whom, in which order, or on row numbers.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class CollectionState:
    """What a collection holds: a file's SHA-256 in hex, and what read it."""

    name: str
    format: str
    reader_version: int
    sha256: str


def tag_set_digest(states: Iterable[CollectionState], retractions: Iterable[tuple[str, str, str]] = ()) -> str:
    """SHA-256, in hex.

    Args:
        states: of every collection in use.
        retractions: (collection, subject, digest of the statement in hex) of each tag that was taken back.
    """
    document = {
        "collections": sorted([each.name, each.format, each.reader_version, each.sha256] for each in states),
        "retractions": sorted(list(each) for each in retractions),
    }
    return hashlib.sha256(json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
