"""Column files: fixed-width cells, appended with `pwrite`, read through a memory map.

A file is never shortened: a reader may hold a map of rows that a reorganisation has withdrawn, and touching a map
beyond the end of its file kills a process. Rows beyond the published counts do not exist.
"""

import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.errors import Unavailable
from cointrail.ledger.schema import ALL_TABLES, Column, Table

Array = npt.NDArray[Any]


def read_only(array: Array) -> Array:
    """The same cells, not to be written: kernels are compiled for such arrays, and once is enough."""
    view = array.view()
    view.flags.writeable = False
    return view


def _shape(column: Column, rows: int) -> int | tuple[int, int]:
    return rows if column.width == 1 else (rows, column.width)


class ColumnFile:
    """One column on disk.

    Args:
        folder: the ledger's folder.
        table: the table it belongs to.
        column: its definition.
        writable: True for the one writer.
    """

    def __init__(self, folder: Path, table: Table, column: Column, *, writable: bool) -> None:
        self.path = folder / table.name / f"{column.name}.col"
        self.column = column
        self.writable = writable
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self._fd = os.open(self.path, flags | getattr(os, "O_BINARY", 0), 0o644)
        self._map: Array | None = None
        self.dirty = False

    def close(self) -> None:
        """Release the file; maps that are still referenced stay valid."""
        self._map = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def rows_on_disk(self) -> int:
        """Whole cells in the file, published or not."""
        return os.fstat(self._fd).st_size // self.column.row_bytes

    def map(self, rows: int) -> Array:
        """The first `rows` cells, shape (rows,) or (rows, width), as a memory map (read-only unless writable).

        Raises:
            Unavailable: the file is shorter than that.
        """
        if self._map is not None and len(self._map) >= rows:
            return self._map[:rows]
        if rows == 0:
            return np.empty(_shape(self.column, 0), self.column.dtype)
        if self.rows_on_disk() < rows:
            raise Unavailable(
                f"{self.path} holds {self.rows_on_disk()} of {rows} rows: the ledger is damaged",
                hint="restore it from a copy, or build it again from the block files",
            )
        access = mmap.ACCESS_WRITE if self.writable else mmap.ACCESS_READ
        buffer = mmap.mmap(self._fd, rows * self.column.row_bytes, access=access)
        self._map = np.frombuffer(buffer, self.column.dtype).reshape(_shape(self.column, rows))
        return self._map

    def peek(self, row: int) -> int | None:
        """One number that may lie beyond the mapped rows, or None beyond the end of the file."""
        cell = self.cell(row)
        return int(np.frombuffer(cell, self.column.dtype)[0]) if len(cell) == self.column.row_bytes else None

    def cell(self, row: int) -> bytes:
        """The bytes of one cell as they are on disk now; empty where the file has no such cell."""
        if not 0 <= row < self.rows_on_disk():
            return b""  # a damaged link may ask for any row
        return os.pread(self._fd, self.column.row_bytes, row * self.column.row_bytes)

    def append(self, row: int, cells: Array) -> None:
        """Write cells from `row` on.

        Raises:
            Unavailable: the disk is full or refuses.
        """
        view = np.ascontiguousarray(cells, self.column.dtype).reshape(-1).view(np.uint8).data
        position = row * self.column.row_bytes
        self.dirty = True
        while view:
            try:
                written = os.pwrite(self._fd, view, position)
            except OSError as error:
                raise disk_error(error, self.path) from error
            view, position = view[written:], position + written

    def sync(self) -> None:
        """Wait until what was written, through the map too, is on stable storage.

        Raises:
            Unavailable: the disk refuses; what was not published is lost, nothing else is.
        """
        if not self.dirty:
            return
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.dirty = False


def disk_error(error: OSError, path: Path) -> Unavailable:
    """The error a person reads when the disk says no."""
    reason = (
        "no space left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or "input/output error")
    )
    return Unavailable(
        f"cannot write {path}: {reason.lower()}",
        hint="what was published is safe; make room or repair the disk, then run the same command again",
    )


class ColumnSet:
    """All column files of one ledger."""

    def __init__(self, folder: Path, *, writable: bool) -> None:
        self.folder = folder
        self._files: dict[tuple[str, str], ColumnFile] = {}
        for table in ALL_TABLES:
            if writable:
                (folder / table.name).mkdir(parents=True, exist_ok=True)
            for column in table.columns:
                try:
                    self._files[table.name, column.name] = ColumnFile(folder, table, column, writable=writable)
                except OSError as error:
                    self.close()
                    raise Unavailable(
                        f"cannot open column {table.name}/{column.name} of {folder}: {error.strerror}",
                        hint="the ledger is damaged or not readable by you",
                    ) from error

    def __getitem__(self, key: tuple[str, str]) -> ColumnFile:
        return self._files[key]

    def __iter__(self) -> Iterator[ColumnFile]:
        return iter(self._files.values())

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()
