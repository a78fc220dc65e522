"""What an ingest is asked for, how far it is, and what it did."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from cointrail.ledger.writer import Writer


@dataclass(frozen=True, slots=True)
class Options:
    """How to ingest.

    Attributes:
        until: last height to take, or None for the tip.
        batch_bytes: block bytes processed at once.
        publish_bytes: block bytes between two publications.
        bulk: True or False to force one of the two resolvers, None to choose by size.
    """

    until: int | None = None
    batch_bytes: int = 16 << 20
    publish_bytes: int = 512 << 20
    bulk: bool | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ingest is."""

    stage: str
    height: int
    target_height: int
    transactions: int
    bytes_done: int
    bytes_total: int
    seconds: float


@dataclass(slots=True)
class Report:
    """What an ingest did.

    Attributes:
        network, height, block_hash, digest: of the published ledger.
        source: the folder that was read.
        blocks, transactions, bytes: what was added.
        rewound: blocks that a reorganisation withdrew.
        seconds: all in all; stages: by stage, which run side by side.
        files, records, duplicates, stale: what lay in the source.
        rivals: other tips with as much work as the chosen one.
        gaps: bytes that are no complete record.
        failed: records without valid proof of work.
        refused: invalid blocks, by name; damaged: blocks whose bytes do not fit their header.
        orphans: blocks whose parent is not in the files.
    """

    network: str = ""
    height: int = -1
    block_hash: str = ""
    digest: str = ""
    source: str = ""
    blocks: int = 0
    transactions: int = 0
    bytes: int = 0
    rewound: int = 0
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    files: int = 0
    records: int = 0
    duplicates: int = 0
    stale: int = 0
    rivals: int = 0
    gaps: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """False if the files may hold more of the chain than could be read."""
        return not (self.damaged or self.orphans or self.failed)


Watch = Callable[[Progress], None]
Stop = Callable[[], bool]


class Cluster(Protocol):
    """Brings the clusters up to a writer's last block."""

    def __call__(self, writer: Writer, *, measure: Callable[[str], AbstractContextManager[None]]) -> None:
        """Do it; `measure` gives the clock of a named stage."""
        ...
