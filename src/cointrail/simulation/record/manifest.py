"""manifest.json: what a world is, and the SHA-256 of every file in it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cointrail.errors import InputRefused
from cointrail.simulation.record.hashed import Digest, digest_of
from cointrail.simulation.record.tables import TableSummary

NAME = "manifest.json"
MARK = ".being-simulated"
"""Stands in a folder while a world is written into it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """From what a world follows, to the byte: equal parameters, equal world.

    Attributes:
        generator_version: of the simulator; scale: its name; transactions: aimed at; seed; holdout; signed: False
            outside tests.
    """

    generator_version: int
    scale: str
    transactions: int
    seed: int
    holdout: bool
    signed: bool


@dataclass(frozen=True, slots=True)
class ChainSummary:
    """The chain of a world: the tip and what the files hold.

    Attributes:
        height, block_hash, time_utc: of the tip; hash as it is displayed.
        transactions: on the best chain, the genesis coinbase included.
        records, stale, duplicates: in each set of block files.
    """

    height: int
    block_hash: str
    time_utc: str
    transactions: int
    records: int
    stale: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A world as it lies on disk.

    Attributes:
        parameters, chain: see there.
        tables: rows and digest of each truth table; empty at scale bench.
        files: size and SHA-256 by path inside the world, the manifest itself left out.
    """

    parameters: Parameters
    chain: ChainSummary
    tables: dict[str, TableSummary]
    files: dict[str, tuple[int, str]]

    def write(self, folder: Path) -> None:
        """Write it into a world's folder."""
        document = asdict(self)
        document["files"] = {path: {"bytes": size, "sha256": sha256} for path, (size, sha256) in self.files.items()}
        (folder / NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read it from a world's folder.

        Raises:
            InputRefused: there is none, or it is not one of ours.
        """
        path = folder / NAME
        try:
            document = json.loads(path.read_bytes())
            return cls._from(document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputRefused(f"{path} is not the manifest of a simulated world: {error}") from error

    @classmethod
    def _from(cls, document: dict[str, Any]) -> "Manifest":
        return cls(
            Parameters(**document["parameters"]),
            ChainSummary(**document["chain"]),
            {name: TableSummary(**summary) for name, summary in document["tables"].items()},
            {path: (entry["bytes"], entry["sha256"]) for path, entry in document["files"].items()},
        )


def list_files(folder: Path, known: Iterable[Digest]) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file below a folder, in order of their paths.

    Args:
        folder: the world's folder.
        known: files that were hashed while they were written.
    """
    digests = {digest.path: digest for digest in known}
    paths = sorted(
        (path for path in folder.rglob("*") if path.is_file() and path.name != MARK), key=lambda path: path.as_posix()
    )
    found = {}
    for path in paths:
        digest = digests.get(path) or digest_of(path)
        found[path.relative_to(folder).as_posix()] = (digest.size, digest.sha256)
    return found
