"""Compiled loops: arrays in, arrays out. No I/O, no objects, no clock.

Importing this package imports nothing heavy; its modules import numba. They may assume little-endian hosts and
C-contiguous arrays. Integers only: the same bytes come out on any machine and for any number of threads.

Compiled code is cached per user and per source digest: numba itself looks at the file of a function only and would
keep what was compiled from another file before that changed. The cache files are pickles, so the folder is private
(mode 0700) and never lies inside a ledger or case.
"""

import hashlib
import os
import tempfile
from pathlib import Path


def _source_digest() -> str:
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def _choose_cache() -> None:
    """Point numba at a private, writable cache folder unless the user has chosen one."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    # numba keys its cache without the bounds checks: checked code needs a place of its own, or is never used.
    checked = "-boundscheck" if os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0") else ""
    folder = base / "cointrail" / f"kernels-{_source_digest()}{checked}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        # Nowhere to write: numba would fail at import when asked to cache, so give it a throw-away place.
        folder = Path(tempfile.mkdtemp(prefix="cointrail-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)


_choose_cache()


def are_compiled(function: str = "parse.parse_blocks") -> bool:
    """False if work that needs a function, named with its module, has to compile first: some twenty seconds, once."""
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob(f"{function}*.nbi"))
