"""Where compiled code is kept, and that bounds are really checked when numba is asked to."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cointrail.kernels.parse import classify

PRINT_FOLDER = "import cointrail.kernels, os; print(os.environ['NUMBA_CACHE_DIR'], end='')"


def cache_folder(**settings: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
    run = subprocess.run(
        [sys.executable, "-c", PRINT_FOLDER], env=kept | settings, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout


def test_the_cache_is_private_and_apart_for_checked_code(tmp_path):
    usual = cache_folder(XDG_CACHE_HOME=str(tmp_path))
    checked = cache_folder(XDG_CACHE_HOME=str(tmp_path), NUMBA_BOUNDSCHECK="1")
    assert usual.startswith(str(tmp_path))
    assert checked.startswith(str(tmp_path))
    assert usual != checked
    assert cache_folder(XDG_CACHE_HOME=str(tmp_path), NUMBA_BOUNDSCHECK="0") == usual
    assert stat.S_IMODE(Path(usual).stat().st_mode) == 0o700


def test_the_users_choice_counts(tmp_path):
    assert cache_folder(NUMBA_CACHE_DIR=str(tmp_path / "mine")) == str(tmp_path / "mine")


def test_without_a_place_to_write_a_temporary_one_is_used(tmp_path):
    (tmp_path / "cointrail").write_text("a file where the folder should be")
    folder = cache_folder(XDG_CACHE_HOME=str(tmp_path), TMPDIR=str(tmp_path))
    assert folder.startswith(str(tmp_path / "cointrail-kernels-"))
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700


@pytest.mark.skipif(os.environ.get("NUMBA_BOUNDSCHECK") != "1", reason="bounds are checked in `make check-full`")
def test_bounds_are_checked():
    with pytest.raises(IndexError):
        classify(np.full(1, 0x76, np.uint8), 0, 25)
