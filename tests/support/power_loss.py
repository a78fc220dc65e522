"""A disk that forgets: what was not forced to it may be lost, in any part and any order, when the power goes.

Watches a folder while a program writes into it. Only `fsync` makes things last: of a file its bytes, of a folder its
names. `lose` then makes the folder that may be found after a power loss: each page of 512 or 4,096 bytes is either the
forced one or the one that was only in memory, each size either of both, each name either as it was forced or as it was.
Files are told apart by their inode, which memory file systems do not use twice.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from failing_calls import Killed

_CALLS = ("fsync", "pwrite", "replace", "unlink")


class PowerLoss:
    """Watches a folder from now on; what lies there already is safe.

    Attributes:
        calls: system calls seen so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0
        self._safe: dict[int, bytes] = {}
        self._names: dict[Path, dict[str, int]] = {folder: {}}
        for path in folder.rglob("*"):
            if path.is_dir():
                self._names.setdefault(path, {})
            else:
                self._safe[path.stat().st_ino] = path.read_bytes()
        for place in self._names:
            self._names[place] = _names_in(place)

    @contextmanager
    def watching(self, last_call: int) -> Iterator[None]:
        """Follow the system calls of the enclosed code, and kill it at one of them."""
        with pytest.MonkeyPatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, self._counted(name, getattr(os, name), last_call))
            yield

    def _counted(self, name: str, call: Callable[..., Any], last_call: int) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == last_call:
                raise Killed
            result = call(*args, **options)
            if name == "fsync":
                self._force(args[0])
            return result

        return counted

    def _force(self, handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            self._names[path] = _names_in(path)
        else:
            self._safe[os.fstat(handle).st_ino] = path.read_bytes()

    def lose(self, target: Path, random: Random) -> None:
        """Make the folder that is found after the power came back."""
        page = random.choice((512, 4_096))
        share = random.choice((0.0, 0.1, 0.5, 0.9, 1.0))  # of the changes that reached the disk
        self._lose_names(self.folder, target, random, page, share)

    def _lose_names(self, source: Path, target: Path, random: Random, page: int, share: float) -> None:
        target.mkdir()
        safe, now = self._names.get(source, {}), _names_in(source)
        for name in sorted(safe.keys() | now.keys()):
            inode = now.get(name) if random.random() < share else safe.get(name)
            if inode is None:
                continue
            if (source / name).is_dir():
                self._lose_names(source / name, target / name, random, page, share)
                continue
            forced = self._safe.get(inode, b"")
            current = (source / name).read_bytes() if now.get(name) == inode else forced
            (target / name).write_bytes(_mixed(forced, current, random, page, share))


def _names_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def _mixed(forced: bytes, current: bytes, random: Random, page: int, share: float) -> bytes:
    """A file of which some pages reached the disk."""
    if forced == current:
        return current
    size = len(current) if random.random() < share else len(forced)
    parts = []
    for start in range(0, size, page):
        end = min(start + page, size)
        part = (current if random.random() < share else forced)[start:end]
        parts.append(part + bytes(end - start - len(part)))
    return b"".join(parts)
