"""What the store gives: frozen rows of its tables, with names instead of row numbers where people read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.attribution.tag import Actor, Statement, Subject


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A version of a collection.

    Attributes:
        import_id: later ones are greater.
        collection: its name.
        file_name, sha256: the file, without its folder, and the hash of its bytes.
        format, reader_version: which reader read it.
        options: what the reader was told beside the file, ascending by name.
        imported_utc, imported_by: when and by whom.
        header: what the file said of itself.
        tags: how many tags and actors it holds; `added`: new ones; `withdrawn`: those that are no longer in it.
        skipped: entries the reader left out, by reason.
        content: SHA-256 of the tags and actors that were read, in hex.
    """

    import_id: int
    collection: str
    file_name: str
    sha256: str
    format: str
    reader_version: int
    options: tuple[tuple[str, str], ...]
    imported_utc: str
    imported_by: str
    header: Mapping[str, Any]
    tags: int
    added: int
    withdrawn: int
    skipped: Mapping[str, int]
    content: str


@dataclass(frozen=True, slots=True)
class Retracted:
    """A tag that somebody here took back: when, who, why; and when and by whom that was undone, or None."""

    retracted_utc: str
    retracted_by: str
    reason: str
    lifted_utc: str | None = None
    lifted_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTag:
    """A tag of a collection.

    Attributes:
        tag_id: of its row.
        subject, script_hash, networks: what it is about; the SHA-256 of the script if it has one, and bit n if it is an
            address of the n-th of `NETWORKS`.
        statement_id, statement: what it says.
        since: the import that brought it.
        line: where it began in that import's file.
        until: the import that withdrew it, if that is known at the time asked about.
        retracted: every time it was taken back here, oldest first; as far as known at the time asked about.
    """

    tag_id: int
    subject: Subject
    script_hash: bytes | None
    networks: int
    statement_id: int
    statement: Statement
    since: ImportRecord
    line: int
    until: ImportRecord | None = None
    retracted: tuple[Retracted, ...] = ()

    @property
    def collection(self) -> str:
        """The list it stands in."""
        return self.since.collection

    @property
    def holds(self) -> bool:
        """Whether it is neither withdrawn nor retracted."""
        return self.until is None and all(each.lifted_utc is not None for each in self.retracted)


@dataclass(frozen=True, slots=True)
class StoredActor:
    """An entry of an ActorPack, and the import that brought it."""

    actor: Actor
    since: ImportRecord

    @property
    def collection(self) -> str:
        """The list it stands in."""
        return self.since.collection


@dataclass(frozen=True, slots=True, eq=False)
class ScriptChunk:
    """Tags of addresses and keys as columns, to be looked up in a ledger.

    Attributes:
        script_hash: uint8 (n, 32), SHA-256 of the scriptPubKey.
        networks: int16 (n,), bit k if it is an address of the k-th of `NETWORKS`.
        statement_id, tag_id, import_id: int64 (n,); `import_id` is the one that brought the tag.
    """

    script_hash: npt.NDArray[np.uint8]
    networks: npt.NDArray[np.int16]
    statement_id: npt.NDArray[np.int64]
    tag_id: npt.NDArray[np.int64]
    import_id: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name that tags hold, found by its begin.

    Attributes:
        label, actor, category, source, confidence: of one of the statements with this label.
        collection: where a tag with it stands.
        subject: what that tag is about.
    """

    label: str
    actor: str
    category: str
    source: str
    confidence: str
    collection: str
    subject: Subject
