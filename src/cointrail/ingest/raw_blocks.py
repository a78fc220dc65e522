"""Reading the bytes of consecutive blocks into one buffer."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from cointrail.errors import Unavailable
from cointrail.ingest.block_files import BlockFolder, Record, deobfuscate

_PADDING = 64  # the hash kernel reads whole words; keep it inside the buffer
_OPEN_FILES = 16


@dataclass(frozen=True, slots=True, eq=False)
class RawBlocks:
    """Blocks in one buffer.

    Attributes:
        raw: uint8, the blocks one after another.
        start, end: int64 (b,), extent of each.
        records: where each came from.
        first_height: height of the first.
    """

    raw: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    records: Sequence[Record]
    first_height: int


class BlockSource:
    """The block files, opened as needed. A context manager."""

    def __init__(self, folder: BlockFolder) -> None:
        self._folder = folder
        self._handles: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()

    def read(self, records: Sequence[Record], first_height: int) -> RawBlocks:
        """Read and de-obfuscate blocks.

        Raises:
            Unavailable: a file cannot be read or has become shorter.
        """
        sizes = np.array([record.size for record in records], np.int64)
        end = np.cumsum(sizes)
        start = end - sizes
        raw = np.empty(int(sizes.sum()) + _PADDING, np.uint8)
        for record, low, high in zip(records, start.tolist(), end.tolist(), strict=True):
            self._fill(raw[low:high], record)
        return RawBlocks(raw, start, end, records, first_height)

    def _fill(self, part: npt.NDArray[np.uint8], record: Record) -> None:
        handle = self._handle(record.file_number)
        view, position = part.data, record.offset
        while view:
            try:
                got = os.preadv(handle, [view], position)
            except OSError as error:
                path = self._folder.path_of(record.file_number)
                raise Unavailable(f"cannot read {path} at byte {position}: {error.strerror}") from error
            if got == 0:
                path = self._folder.path_of(record.file_number)
                raise Unavailable(
                    f"{path} ends at byte {position}, inside a block that was there before",
                    hint="the node has rewritten its files: run the command again",
                )
            view, position = view[got:], position + got
        deobfuscate(part, record.offset, self._folder.key)

    def _handle(self, number: int) -> int:
        if number not in self._handles:
            if len(self._handles) >= _OPEN_FILES:
                os.close(self._handles.pop(next(iter(self._handles))))
            path = self._folder.path_of(number)
            try:
                self._handles[number] = os.open(path, os.O_RDONLY)
            except OSError as error:
                raise Unavailable(f"cannot read {path}: {error.strerror}") from error
        return self._handles[number]
