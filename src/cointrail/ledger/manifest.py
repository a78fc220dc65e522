"""The manifest: the one small file whose atomic replacement publishes everything written before it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cointrail.errors import Unavailable
from cointrail.ledger.columns import disk_error
from cointrail.ledger.schema import FORMAT, Counts
from cointrail.version import VERSION

NAME = "MANIFEST.json"
PROGRAM = f"cointrail {VERSION}"

_REWINDS_KEPT = 100


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One sorted run of an index, as the manifest names it (see `ledger.indexes`).

    Attributes:
        file: file name inside `index/`.
        first, end: the ids it answers for, `first <= id < end`; entries beyond `end` were withdrawn by a rewind.
        rows: entries in the file.
        sha256: of the file.
    """

    file: str
    first: int
    end: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A block that the value checks refused for good; its descendants go with it."""

    block_hash: str
    height: int
    reason: str


@dataclass(frozen=True, slots=True)
class ListName:
    """A list of transactions that the clusters were built with, kept in `lists/`."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Clustering:
    """What the clusters are a function of, beside the chain.

    Attributes:
        blocks: they take in the blocks below this height.
        rules: (rule, version) of everything that decided.
        lists: lists of transactions in force.
        builds: how often they were begun anew; whoever has read clusters of an earlier build may have read a mixture.
    """

    blocks: int = 0
    rules: tuple[tuple[str, int], ...] = ()
    lists: tuple[ListName, ...] = ()
    builds: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is published.

    Attributes:
        network: name of the network.
        height: of the tip; -1 for an empty ledger.
        block_hash: of the tip, as displayed.
        counts: rows of each table.
        digest: hex digest of the tip's block row: names the whole content.
        generation: grows with every publication.
        rewinds: how often published blocks were withdrawn, since the ledger began.
        rewound_to: heights that the last of these rewinds went back to, oldest first.
        indexes: sorted runs by index name.
        refused: invalid blocks found in the files.
        clustering: how the clusters were built.
        source: folder of the block files last read.
        program: what wrote it.
    """

    network: str
    height: int = -1
    block_hash: str = ""
    counts: Counts = field(default_factory=Counts)
    digest: str = ""
    generation: int = 0
    rewinds: int = 0
    rewound_to: tuple[int, ...] = ()
    indexes: dict[str, tuple[RunEntry, ...]] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    clustering: Clustering = field(default_factory=Clustering)
    source: str = ""
    program: str = PROGRAM

    def kept(self, height: int, since: int) -> bool:
        """True if no rewind after the first `since` has withdrawn the block at `height`, not even for a while."""
        missed = self.rewinds - since
        if not 0 <= missed <= len(self.rewound_to):
            return False
        return all(to >= height for to in self.rewound_to[len(self.rewound_to) - missed :])


def with_rewind(rewound_to: tuple[int, ...], height: int) -> tuple[int, ...]:
    """The record of rewinds with one more; only the last ones are kept."""
    return (*rewound_to, height)[-_REWINDS_KEPT:]


def _clustering(document: dict[str, Any]) -> Clustering:
    return Clustering(
        blocks=document["blocks"],
        rules=tuple((rule, version) for rule, version in document["rules"]),
        lists=tuple(ListName(**entry) for entry in document["lists"]),
        builds=document["builds"],
    )


def _checksum(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def encode(manifest: Manifest) -> bytes:
    """The manifest's file content, checksum included."""
    document: dict[str, Any] = {"format": FORMAT, **asdict(manifest)}
    document["checksum"] = _checksum(document)
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest atomically: data first, pointer last.

    Raises:
        Unavailable: the disk refuses; the previous manifest stays.
    """
    temporary = folder / f"{NAME}.new"
    try:
        with temporary.open("wb") as file:
            file.write(encode(manifest))
            file.flush()
            _make_later(file.fileno(), folder)
            os.fsync(file.fileno())
        temporary.replace(folder / NAME)
        sync_folder(folder)
    except OSError as error:
        raise disk_error(error, folder / NAME) from error


def _make_later(handle: int, folder: Path) -> None:
    """Give the new manifest a later time than the old one: inodes come again, and clocks are coarse or set back."""
    before = version(folder)[1]
    if os.fstat(handle).st_mtime_ns <= before:
        os.utime(handle, ns=(before + 1, before + 1))


def sync_folder(folder: Path) -> None:
    """Make names in the folder durable.

    Raises:
        Unavailable: the disk refuses.
    """
    if os.name == "nt":
        return  # Windows has no handle on a folder to flush
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise disk_error(error, folder) from error


def exists(folder: Path) -> bool:
    """True if the folder holds a published ledger."""
    return (folder / NAME).is_file()


def version(folder: Path) -> tuple[int, int]:
    """Something that changes whenever the manifest is replaced; (0, 0) if there is none."""
    try:
        facts = (folder / NAME).stat()
    except OSError:
        return 0, 0
    return facts.st_ino, facts.st_mtime_ns


def read(folder: Path) -> Manifest:
    """Read and check the manifest.

    Raises:
        Unavailable: there is none, it is damaged, or it has another format number.
    """
    path = folder / NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise Unavailable(
            f"there is no ledger in {folder}", hint="make one with `cointrail ingest SOURCE --ledger DIR`"
        ) from None
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
    damaged = Unavailable(f"{path} is damaged", hint="restore the ledger from a copy, or build it again")
    try:
        document = json.loads(raw)
        found = document["format"]
        if found == FORMAT and document.pop("checksum") != _checksum(document):
            raise damaged
        if found != FORMAT:
            raise Unavailable(
                f"{folder} has store format {found}; this program reads format {FORMAT}",
                hint="build the ledger again from the block files, or use the program version that wrote it: "
                f"{document.get('program', 'unknown')}",
            )
        manifest = Manifest(
            network=document["network"],
            height=document["height"],
            block_hash=document["block_hash"],
            counts=Counts(**document["counts"]),
            digest=document["digest"],
            generation=document["generation"],
            rewinds=document["rewinds"],
            rewound_to=tuple(document["rewound_to"]),
            indexes={name: tuple(RunEntry(**run) for run in runs) for name, runs in document["indexes"].items()},
            refused=tuple(Refused(**entry) for entry in document["refused"]),
            clustering=_clustering(document["clustering"]),
            source=document["source"],
            program=document["program"],
        )
        if encode(manifest) != raw:  # nor anything that JSON takes for the same, such as an escape in capitals
            raise damaged
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    return manifest
