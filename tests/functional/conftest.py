from collections.abc import Iterator
from pathlib import Path

import pytest
from both_databases import postgres, where
from memory_disk import scratch

__all__ = ["postgres", "tmp_path", "where"]


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Like pytest's own, in memory where there is room: hundreds of small ledgers are published here."""
    with scratch(tmp_path) as folder:
        yield folder
