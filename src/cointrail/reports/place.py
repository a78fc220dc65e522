"""Where a file may be written: one rule for all that leaves the program."""

import os
from pathlib import Path

from cointrail.errors import UsageError

_OVERWRITE = "choose another name, or --overwrite"


def place_for(path: Path, *, overwrite: bool) -> Path:
    """The file to be written: `path`, or what it links to if that is to be replaced.

    Raises:
        UsageError: there is no such folder, it is no name of a file, it exists and is not to be replaced, or it is
            something that a file must never take the place of, such as a folder or a pipe.
    """
    try:
        if not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent}", hint="make it first, or choose another")
        present = path.exists() or path.is_symlink()
        name = os.fsencode(path)
    except (OSError, ValueError) as error:
        raise _no_name(path) from error
    if b"\0" in name:
        raise _no_name(path)
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file, and is not replaced", hint="choose another name")
    if present and not overwrite:
        raise exists(path)
    return path.resolve() if present else path


def exists(path: Path) -> UsageError:
    """That a file is there already."""
    return UsageError(f"{path} exists already", hint=_OVERWRITE)


def _no_name(path: Path) -> UsageError:
    return UsageError(f"{str(path)[:100]!a} cannot be the name of a file", hint="choose another name")
