from collections.abc import Iterator
from pathlib import Path

import pytest
from memory_disk import scratch


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Like pytest's own, in memory where there is room: hundreds of small ledgers are published here."""
    with scratch(tmp_path) as folder:
        yield folder
