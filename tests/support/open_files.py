"""How many files this process has open."""

import gc
from pathlib import Path


def open_files() -> int:
    """Count them, without what earlier tests left for the collector."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))
