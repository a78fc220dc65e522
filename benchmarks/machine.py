"""What a benchmark ran on, and what else the machine did meanwhile."""

import importlib.metadata
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _memory_bytes() -> int:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return int(line.split()[1]) * 1024
    return 0


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _filesystem(folder: Path) -> str:
    """Type of the filesystem that holds the folder."""
    best = ("", "unknown")
    for line in _lines("/proc/self/mounts"):
        _, mount, kind, *_ = line.split(" ")
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _program_version() -> str:
    """The version of the code that is imported, installed or not."""
    import cointrail

    return cointrail.__version__


def load() -> float:
    """Runnable processes, mean of the last minute."""
    return round(os.getloadavg()[0], 2)


def without_folders(command: str) -> str:
    """A command as it may be published: of a path of this machine only the last part."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command.split())


def describe(work: Path) -> dict[str, Any]:
    """Date, machine and versions; `work` is where ledgers are written."""
    return {
        "date_utc": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "command": without_folders(" ".join(["python", *sys.argv])),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": _memory_bytes(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "filesystem": _filesystem(work),
        "load_before": load(),
        "python": platform.python_version(),
        "cointrail": _program_version(),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
    }
