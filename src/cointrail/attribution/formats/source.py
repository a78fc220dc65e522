"""A file of tags as the readers see it: a regular file of bounded size, hashed before anything of it is believed.

Folders, pipes and devices are refused before they are opened: a pipe would keep the reader waiting for ever. A file
that changes between its hash and its last line is refused at the end, since the hash would name other bytes.
"""

import codecs
import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from cointrail.errors import InputRefused, Unavailable

LONGEST_LINE: Final = 1 << 20
"""Bytes of one line; a longer one is no line of a list."""

_CHUNK = 1 << 20
_BOM = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was looked at once.

    Attributes:
        path: as given.
        sha256: of its bytes, in hex.
        size: in bytes.
        modified: nanoseconds since 1970, as the file system says.
    """

    path: Path
    sha256: str
    size: int
    modified: int

    def refused(self, line: int, what: str, hint: str = "") -> InputRefused:
        """The error to raise about a line; 0 if it is about no line in particular."""
        place = f"line {line} of {self.path}" if line else f"{self.path}"
        return InputRefused(f"{place}: {what}", hint=hint)

    def head(self, most: int) -> bytes:
        """The first bytes, without a byte order mark."""
        with self._opened() as file:
            return file.read(most).removeprefix(_BOM)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, a mebibyte at a time."""
        with self._opened() as file:
            while chunk := file.read(_CHUNK):
                yield chunk
        self._check_same()

    def text(self) -> str:
        """The whole text.

        Raises:
            InputRefused: it is no UTF-8, or has a NUL character; with the line.
        """
        return "".join(self.lines(longest=self.size))

    def lines(self, longest: int = LONGEST_LINE) -> Generator[str, None, None]:
        """Lines of UTF-8, with their ends, without a byte order mark; memory does not grow with the file.

        Raises:
            InputRefused: a line is too long, no UTF-8, or has a NUL character; with its number.
        """
        with self._opened() as file:
            number = 0
            while raw := file.readline(longest + 1):
                number += 1
                if len(raw) > longest:
                    raise self.refused(number, f"it has more than {longest:,} bytes", "give a list with lines")
                try:
                    text = (raw.removeprefix(_BOM) if number == 1 else raw).decode("utf-8")
                except UnicodeDecodeError as error:
                    raise self.refused(number, f"it is not UTF-8: {error.reason}", "save it as UTF-8") from error
                if "\0" in text:
                    raise self.refused(number, "it holds a NUL character", "give plain text")
                yield text
        self._check_same()

    def _opened(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _check_same(self) -> None:
        try:
            status = self.path.stat()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified):
            raise self.refused(0, "it changed while it was read", "try again when nobody writes to it")


def open_source(path: Path, most: int) -> SourceFile:
    """Look at a file and hash it.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        Unavailable: there is no such file, or it cannot be read.
        InputRefused: it is no regular file, or larger.
    """
    try:
        status = path.stat()
        if not path.is_file():
            raise InputRefused(f"{path} is no regular file", hint="give a file with a list of tags")
        if status.st_size > most:
            raise InputRefused(f"{path} is larger than {most >> 20:,} MiB", hint="split it")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, error) from error
    return SourceFile(path, digest, status.st_size, status.st_mtime_ns)


def _unreadable(path: Path, error: Exception) -> Unavailable:
    reason = (getattr(error, "strerror", None) or str(error) or "input/output error").lower()
    return Unavailable(f"cannot read {path}: {reason}", hint="correct the path, or who may read the file")
