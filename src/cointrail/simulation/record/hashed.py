"""Files whose digest is taken while they are written."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Digest:
    """A file that was written: its size and SHA-256 in hex."""

    path: Path
    size: int
    sha256: str


class HashedFile:
    """A new file, for appending bytes.

    Args:
        path: where; its folder is made if need be.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.size = path, 0
        self._file = path.open("xb", buffering=_CHUNK)
        self._hash = hashlib.sha256()

    def write(self, raw: bytes | bytearray) -> None:
        """Append bytes."""
        self._file.write(raw)
        self._hash.update(raw)
        self.size += len(raw)

    def close(self) -> Digest:
        """Close it, as often as wanted."""
        self._file.close()
        return Digest(self.path, self.size, self._hash.hexdigest())


def digest_of(path: Path) -> Digest:
    """Read a file that is there."""
    with path.open("rb") as file:
        return Digest(path, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
