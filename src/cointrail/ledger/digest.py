"""The canonical digest: one number that names everything up to a height.

    digest[h] = SHA-256(digest[h - 1] || rows of block h)        digest[-1] = 32 zero bytes

The rows of a block are its cells of every fixed, non-local column, table by table and column by column in the order of
`ledger.schema`, little-endian. Links are not hashed: they follow from the rows, and `verify` recomputes them. Where
the source lay on this host is not hashed either, so a ledger from shuffled or obfuscated files has the same digest.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.ledger.schema import TABLES, Column, Table

Fetch = Callable[[Table, Column], npt.NDArray[Any]]

START = bytes(32)


def hashed_columns() -> list[tuple[Table, Column]]:
    """The columns a digest covers, in order."""
    return [(table, column) for table in TABLES for column in table.columns if not (column.link or column.local)]


def block_digests(previous: bytes, fetch: Fetch, bounds: npt.NDArray[np.int64]) -> Iterator[bytes]:
    """Digests of consecutive blocks.

    Args:
        previous: digest of the block before.
        fetch: gives the cells of a column, first cell first, for the rows the bounds count from.
        bounds: int64 (b + 1, tables): for each table in schema order, where each block's rows begin in those cells.

    Yields:
        The 32-byte digest of each block.
    """
    number = {table.name: position for position, table in enumerate(TABLES)}
    parts = []
    for table, column in hashed_columns():
        cells = np.ascontiguousarray(fetch(table, column), column.dtype)
        view = cells.reshape(-1).view(np.uint8).data
        parts.append((view, [int(x) * column.row_bytes for x in bounds[:, number[table.name]]]))
    for block in range(len(bounds) - 1):
        state = hashlib.sha256(previous)
        for view, offsets in parts:
            state.update(view[offsets[block] : offsets[block + 1]])
        previous = state.digest()
        yield previous
