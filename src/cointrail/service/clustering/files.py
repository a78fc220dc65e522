"""Files that a person names: regular files only, and no more of them than fits.

A named pipe would keep the reader waiting for a writer that never comes, a device never ends: both are refused before
anything is read.
"""

from pathlib import Path

from cointrail.errors import InputRefused, Unavailable


def read_file(path: Path, most: int, hint: str) -> bytes:
    """The whole content of a file.

    Args:
        path: of the file.
        most: bytes that it may have.
        hint: what to give instead, if it is refused.

    Raises:
        Unavailable: there is no such file, or it cannot be read.
        InputRefused: it is no regular file, or larger.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputRefused(f"{path} is no regular file", hint=hint)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise Unavailable(f"cannot read {path}: {reason}", hint="correct the path, or who may read the file") from error
    if len(content) > most:
        raise InputRefused(f"{path} has more than the {most:,} bytes that are read", hint=hint)
    return content
