"""Overlay files on disk: read with a bound on their size, made without overwriting, replaced whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cointrail.cluster.overlay.document import MOST_BYTES, decode, encode
from cointrail.cluster.overlay.entries import Overlay
from cointrail.errors import InputRefused, UsageError
from cointrail.ledger.columns import disk_error
from cointrail.ledger.manifest import sync_folder


def read(path: Path) -> Overlay:
    """Read an overlay file.

    Raises:
        InputRefused: there is no such file, or it is not an overlay.
    """
    return decode(_content(path))


def create(path: Path, overlay: Overlay) -> None:
    """Write a new file; one that exists stays as it is.

    Raises:
        UsageError: there is something of that name.
        Unavailable: the disk refuses.
    """
    with _Written(path, overlay) as written:
        try:
            path.hardlink_to(written)
        except FileExistsError:
            raise UsageError(
                f"{path} exists already", hint="choose another name; entries are added to it by the other commands"
            ) from None
        except OSError as error:
            raise disk_error(error, path) from error
    sync_folder(path.parent)


def update(path: Path, change: Callable[[Overlay], Overlay]) -> Overlay:
    """Change an overlay file and give what it holds now.

    Args:
        path: of the file.
        change: makes the new content of the old.

    Raises:
        InputRefused: there is no such file, or it is not an overlay, before or after the change.
        UsageError: somebody else changed the file meanwhile.
        Unavailable: the disk refuses; the file is as it was.
    """
    before = _content(path)
    after = change(decode(before))
    decode(encode(after))  # what is written can be read again, limits included
    target = path.resolve()
    with _Written(target, after) as written:
        if _content(path) != before:
            raise UsageError(f"{path} was changed by somebody else meanwhile", hint="look at it and run this again")
        try:
            written.chmod(stat.S_IMODE(target.stat().st_mode))
            written.replace(target)
        except OSError as error:
            raise disk_error(error, path) from error
    sync_folder(target.parent)
    return after


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputRefused(f"there is no overlay file {path}", hint="make one with `cointrail overlay new`")
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputRefused(f"cannot read the overlay file {path}: {error}") from error


class _Written:
    """The new content beside the target, complete and on stable storage; gone at the end unless it was moved."""

    def __init__(self, path: Path, overlay: Overlay) -> None:
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".new", dir=path.parent)
        except (OSError, ValueError) as error:
            raise _no_room(error, path) from error
        self.path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encode(overlay))
                file.flush()
                os.fsync(file.fileno())
            self.path.chmod(0o666 & ~_mask())
        except OSError as error:
            self._remove()
            raise disk_error(error, path) from error

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _remove(self) -> None:
        with suppress(FileNotFoundError):
            self.path.unlink()


def _no_room(error: OSError | ValueError, path: Path) -> Exception:
    if isinstance(error, OSError):
        return disk_error(error, path)
    return UsageError(f"{path} cannot be the name of a file")


def _mask() -> int:
    """The bits that new files of this process do not get."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
