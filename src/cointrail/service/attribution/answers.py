"""Answers about imported tags: plain frozen values. Every tag is an assertion of whoever made it."""

from dataclasses import dataclass
from typing import Any, Literal

from cointrail.service.answers import SnapshotName

Basis = Literal["assertion"]
ASSERTION: Basis = "assertion"


@dataclass(frozen=True, slots=True)
class RetractionAnswer:
    """That somebody here took a tag back: when, who, why; and when and by whom that was undone."""

    retracted_utc: str
    retracted_by: str
    reason: str
    lifted_utc: str | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class TagAnswer:
    """A tag: who says what about which subject, in which list, since when.

    `attributed` says it in a sentence; `line` is that of the file that first brought it. `withdrawn_utc` is when its
    list dropped it, None while it stands there.
    """

    kind: str
    subject: str
    attributed: str
    label: str
    actor: str
    category: str
    concepts: tuple[str, ...]
    abuse: str
    source: str
    confidence: str
    level: int
    is_cluster_definer: bool | None
    tag_type: str
    context: str
    lastmod: str
    valid_from: str
    valid_to: str
    author: str
    currency: str
    network: str
    collection: str
    file: str
    line: int
    imported_utc: str
    withdrawn_utc: str | None
    retractions: tuple[RetractionAnswer, ...]
    holds: bool
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    """Tags that were asked for; `total` counts those beyond the page too. `tag_set` names all that was known."""

    tags: tuple[TagAnswer, ...]
    total: int
    first: int
    known_at: str | None
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A version of a collection: the file, how it was read, and what changed with it."""

    collection: str
    file: str
    sha256: str
    format: str
    reader_version: int
    options: dict[str, str]
    title: str
    imported_utc: str
    imported_by: str
    tags: int
    added: int
    withdrawn: int
    skipped: dict[str, int]
    content: str


@dataclass(frozen=True, slots=True)
class CollectionsAnswer:
    """Every collection at its version; `tag_set` is the digest of all of it."""

    database: str
    collections: tuple[VersionAnswer, ...]
    known_at: str | None
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """What an import of one file did. `unchanged`: this version was there already, and nothing was written.

    `retracted` tags of the version do not hold, since they were taken back here; `first_retraction` is the oldest of
    the retractions that keep them out.
    """

    version: VersionAnswer
    unchanged: bool
    doubtful_names: tuple[str, ...]
    retracted: int
    first_retraction: RetractionAnswer | None
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class ImportsAnswer:
    """What an import of several files did, in their order."""

    database: str
    imports: tuple[ImportAnswer, ...]
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class PoolConflictAnswer:
    """A coinbase whose text is one pool's while a list gives what it pays to another; nothing was decided."""

    height: int
    txid: str
    text: str
    by_text: str
    address: str
    by_address: str


@dataclass(frozen=True, slots=True)
class PoolsAnswer:
    """What naming pools from coinbases did: the import of their tags, and coinbases that contradict the list."""

    imported: ImportAnswer
    conflicts: tuple[PoolConflictAnswer, ...]
    snapshot: SnapshotName
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """Something that happened: `imported`, `withdrawn`, `retracted` or `lifted`; by whom, from which file, why.

    `kept out`: an import brought a tag that had been taken back before, and so it does not hold.
    """

    utc: str
    what: str
    by: str
    collection: str
    file: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """What happened to the tags about a subject, or to a collection, oldest first."""

    asked: str
    about: Literal["subject", "collection"]
    events: tuple[EventAnswer, ...]
    tags: tuple[TagAnswer, ...]
    versions: tuple[VersionAnswer, ...]
    known_at: str | None
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class TakenAnswer:
    """What a retraction did: how many tags, from when on; the digest of what holds now."""

    what: Literal["retracted", "lifted"]
    tags: int
    utc: str
    by: str
    reason: str
    tag_set: str
    basis: Basis = ASSERTION


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """A collection that was written: how many tags and actors, and what the form had no place for, by reason."""

    collection: str
    file: str
    format: str
    tags: int
    actors: int
    left_out: dict[str, int]
    known_at: str | None
    tag_set: str
    basis: Basis = ASSERTION


def title_of(header: Any) -> str:
    """What a file calls itself, or an empty text."""
    title = header.get("title", "") if isinstance(header, dict) else ""
    return title if isinstance(title, str) else ""
