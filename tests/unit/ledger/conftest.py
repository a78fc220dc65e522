"""Ledgers of these tests lie in memory where the machine has a place for it: forcing data to disk is then cheap."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, gone after the test."""
    if not _MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="cointrail-test-", dir=_MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder for all tests of a file."""
    if not _MEMORY.is_dir():
        yield tmp_path_factory.mktemp("shared")
        return
    folder = Path(tempfile.mkdtemp(prefix="cointrail-test-", dir=_MEMORY))
    yield folder
    shutil.rmtree(folder)
