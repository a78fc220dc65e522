"""A tag: somebody states something about an address, a transaction, an output or a key.

What is stated is kept apart from what it is stated about: a list of a million addresses makes one statement.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SubjectKind(StrEnum):
    """What a tag is about."""

    ADDRESS = "address"
    TRANSACTION = "transaction"
    OUTPUT = "output"
    PUBKEY = "pubkey"
    XPUB = "xpub"
    COINBASE = "coinbase"
    """A text that a miner writes into its coinbase transactions."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a tag is about; `text` is as it was written, and may be of another chain than Bitcoin."""

    kind: SubjectKind
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What is stated, and by whom. Empty texts were not said.

    Attributes:
        label: what the subject is called.
        source: where that stands; every tag has one.
        confidence: of `confidence.CONFIDENCE`.
        actor: identifier of who is said to be behind it; may be empty where `label` names nobody in particular.
        category: `exchange` and the like; `concepts`: further ones; `abuse`: kind of crime it is connected with.
        tag_type: `actor`, `event`, `attribute` or `mention`.
        is_cluster_definer: whether it speaks for the whole cluster of the address; None if not said.
        context: anything else its author wrote, as text.
        lastmod: day of the statement, ISO 8601.
        valid_from, valid_to: from when to when it holds, ISO 8601 day or time in UTC, first included, last not.
        author: who made the statement, if the pack says so for single tags.
        currency, network: as written.
        extra: fields that are not known here, each as canonical JSON, ascending by name.
    """

    label: str
    source: str
    confidence: str
    actor: str = ""
    category: str = ""
    concepts: tuple[str, ...] = ()
    abuse: str = ""
    tag_type: str = ""
    is_cluster_definer: bool | None = None
    context: str = ""
    lastmod: str = ""
    valid_from: str = ""
    valid_to: str = ""
    author: str = ""
    currency: str = ""
    network: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag.

    Attributes:
        subject: what it is about.
        statement: what it says.
        line: where it begins in its file, from 1; 0 if it has no file.
        graded: False if a table gives no confidence for it, and `unknown` was written in its place.
    """

    subject: Subject
    statement: Statement
    line: int = 0
    graded: bool = True


@dataclass(frozen=True, slots=True)
class Actor:
    """A real person or organisation that somebody describes: an entry of an ActorPack.

    `id` is what tags name; `uri`, `label`, `lastmod` and `categories` are always said; `extra` as in `Statement`.
    """

    id: str
    uri: str
    label: str
    lastmod: str
    categories: tuple[str, ...]
    jurisdictions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    context: str = ""
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """A file of tags or actors, as one of `formats` reads it.

    Attributes:
        name: of the file, without its folder.
        sha256: of its bytes, in hex, taken before it was read.
        format: which reader, `tagpack` and the like.
        version: of the reader: another one may read another thing from the same bytes.
        header: what it says of itself, plain JSON values; header fields that hold for every tag are in the tags too.
        tags: read as they are iterated, once; a fault in the file is raised then.
        actors: of an ActorPack.
        skipped: how many entries were left out, by reason; complete after `tags` were read.
    """

    name: str
    sha256: str
    format: str
    version: int
    header: Mapping[str, Any]
    tags: Iterable[Tag]
    actors: tuple[Actor, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
