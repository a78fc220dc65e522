"""Scratch folders in memory: a publication waits for the disk forty times, which these tests are not about."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 2 << 30


@contextmanager
def scratch(fallback: Path) -> Iterator[Path]:
    """A folder in memory that is removed at the end, or the given one where there is no memory disk of some size."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        yield fallback
        return
    folder = Path(tempfile.mkdtemp(prefix="cointrail-test-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
