"""The rows of a CSV file that may be hostile: sizes are capped before anything is split."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from cointrail.errors import InputRefused, Unavailable

_MOST_BYTES: Final = 512 << 20
_LONGEST_LINE: Final = 4_096
_DELIMITERS: Final = ",;\t"
_HINT: Final = "give a CSV table with a header: date,close or time,close, one price a line"


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex, before anything in it is read.

    Raises:
        InputRefused: it is no regular file, or larger than 512 MiB.
        Unavailable: it cannot be read.
    """
    if not path.is_file():
        raise InputRefused(f"{path} is no file" if not path.exists() else f"{path} is no regular file", hint=_HINT)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint="split it by years")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def rows_of(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and cells of every row that is not empty, the header first; as many cells as the header has.

    Raises:
        InputRefused: no UTF-8, NUL, a line or cell without end, quotes that do not close, a row of another width.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            lines = _lines(file, path)
            first = next(lines, "").removeprefix("\ufeff")
            yield from _cells(first, lines, path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def _cells(first: str, rest: Iterator[str], path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    delimiter = max(_DELIMITERS, key=first.count)
    width = 0

    def lines() -> Iterator[str]:
        yield first
        yield from rest

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise InputRefused(f"line {reader.line_num} of {path} is no CSV: {error}", hint=_HINT) from error
        if row is None:
            return
        if not row or not any(cell.strip() for cell in row):
            continue
        width = width or len(row)
        if len(row) != width:
            raise InputRefused(
                f"line {reader.line_num} of {path} has {len(row)} cell(s), the header has {width}",
                hint="a decimal comma or a thousands separator makes a cell too many" if len(row) > width else _HINT,
            )
        yield reader.line_num, row


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    number = 0
    while raw := file.readline(_LONGEST_LINE):
        number += 1
        if len(raw) == _LONGEST_LINE and not raw.endswith(b"\n"):
            raise InputRefused(f"line {number} of {path} is longer than {_LONGEST_LINE:,} bytes", hint=_HINT)
        if b"\0" in raw:
            raise InputRefused(f"line {number} of {path} holds NUL", hint=_HINT)
        try:
            yield raw.decode()
        except UnicodeDecodeError as error:
            raise InputRefused(f"line {number} of {path} is not UTF-8: {error.reason}", hint=_HINT) from error
