"""A small SQLite database: one table `main(key, value)` and its index, as a descriptor wallet is kept.

Written byte by byte, because a file made by SQLite itself carries the number of the version that wrote it. Layout:
https://sqlite.org/fileformat2.html. Pages: 1 the schema, 2 the table's root, 3 the index's root, then the leaves.
"""

import struct
from collections.abc import Sequence

PAGE_SIZE = 4_096
LARGEST_RECORD = 1_000
"""Longer records would spill to overflow pages, which are not written."""

_TABLE_INTERIOR, _TABLE_LEAF, _INDEX_INTERIOR, _INDEX_LEAF = 5, 13, 2, 10
_FILE_HEADER = 100
_SCHEMA = "CREATE TABLE main(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)"
_INDEX = "sqlite_autoindex_main_1"
_WRITTEN_BY = 3_045_001
_TABLE_ROOT, _INDEX_ROOT = 2, 3

Value = str | bytes | int | None


def key_value_file(records: Sequence[tuple[bytes, bytes]], application_id: int) -> bytes:
    """The whole file.

    Args:
        records: (key, value) in order of insertion, keys distinct.
        application_id: what `PRAGMA application_id` answers.
    """
    next_page = _INDEX_ROOT + 1
    table = [(number, _record([key, value])) for number, (key, value) in enumerate(records, start=1)]
    table_pages = _table(table, next_page)
    next_page += len(table_pages) - 1
    index = [_record([key, rowid]) for key, rowid in sorted((key, row) for row, (key, _) in enumerate(records, 1))]
    index_pages = _index(index, next_page)
    pages = [table_pages[0], index_pages[0], *table_pages[1:], *index_pages[1:]]
    schema = (
        _record(["table", "main", "main", _TABLE_ROOT, _SCHEMA]),
        _record(["index", _INDEX, "main", _INDEX_ROOT, None]),
    )
    cells = [_table_cell(rowid, record) for rowid, record in enumerate(schema, start=1)]
    first = bytearray(_page(_TABLE_LEAF, cells, before=_FILE_HEADER))
    first[:_FILE_HEADER] = _file_header(1 + len(pages), application_id)
    return bytes(first) + b"".join(pages)


def _file_header(pages: int, application_id: int) -> bytes:
    numbers = (
        1,  # change counter
        pages,
        0,  # no free pages
        0,
        1,  # schema cookie
        4,  # schema format
        0,
        0,
        1,  # UTF-8
        0,
        0,
        application_id,
    )
    head = b"SQLite format 3\x00" + struct.pack(">HBBBBBB", PAGE_SIZE, 1, 1, 0, 64, 32, 32)
    return head + struct.pack(">12I", *numbers) + bytes(20) + struct.pack(">II", 1, _WRITTEN_BY)


def _table(rows: Sequence[tuple[int, bytes]], next_page: int) -> list[bytes]:
    """The table's root page and, if it does not suffice, its leaves."""
    leaves: list[list[bytes]] = [[]]
    last: list[int] = [0]
    for rowid, record in rows:
        cell = _table_cell(rowid, record)
        if not _fits([*leaves[-1], cell], 8):
            leaves.append([])
            last.append(0)
        leaves[-1].append(cell)
        last[-1] = rowid
    if len(leaves) == 1:
        return [_page(_TABLE_LEAF, leaves[0])]
    children = [struct.pack(">I", next_page + place) + _varint(rowid) for place, rowid in enumerate(last[:-1])]
    assert _fits(children, 12), "the table needs a third level"
    root = _page(_TABLE_INTERIOR, children, right=next_page + len(leaves) - 1)
    return [root, *(_page(_TABLE_LEAF, cells) for cells in leaves)]


def _index(records: Sequence[bytes], next_page: int) -> list[bytes]:
    """The index's root page and, if it does not suffice, its leaves; what divides two leaves stands in the root."""
    leaves: list[list[bytes]] = [[]]
    dividers: list[bytes] = []
    for place, record in enumerate(records):
        cell = _varint(len(record)) + record
        if _fits([*leaves[-1], cell], 8):
            leaves[-1].append(cell)
        elif place == len(records) - 1:
            # Nothing would be left for the last leaf: the divider is the entry before this one.
            dividers.append(leaves[-1].pop())
            leaves.append([cell])
        else:
            dividers.append(cell)
            leaves.append([])
    if len(leaves) == 1:
        return [_page(_INDEX_LEAF, leaves[0])]
    children = [struct.pack(">I", next_page + place) + cell for place, cell in enumerate(dividers)]
    assert _fits(children, 12), "the index needs a third level"
    root = _page(_INDEX_INTERIOR, children, right=next_page + len(leaves) - 1)
    return [root, *(_page(_INDEX_LEAF, cells) for cells in leaves)]


def _fits(cells: Sequence[bytes], header: int) -> bool:
    return header + sum(2 + len(cell) for cell in cells) <= PAGE_SIZE


def _page(kind: int, cells: Sequence[bytes], *, right: int | None = None, before: int = 0) -> bytes:
    page, top, offsets = bytearray(PAGE_SIZE), PAGE_SIZE, []
    for cell in cells:
        top -= len(cell)
        page[top : top + len(cell)] = cell
        offsets.append(top)
    header = struct.pack(">BHHHB", kind, 0, len(cells), top, 0)
    if right is not None:
        header += struct.pack(">I", right)
    header += struct.pack(f">{len(offsets)}H", *offsets)
    page[before : before + len(header)] = header
    return bytes(page)


def _table_cell(rowid: int, record: bytes) -> bytes:
    return _varint(len(record)) + _varint(rowid) + record


def _record(values: Sequence[Value]) -> bytes:
    types, body = b"", b""
    for value in values:
        kind, content = _serial(value)
        types += _varint(kind)
        body += content
    record = bytes((len(types) + 1,)) + types + body
    assert len(types) < 127, "a record has too many columns"
    assert len(record) <= LARGEST_RECORD, "a record needs an overflow page"
    return record


def _serial(value: Value) -> tuple[int, bytes]:
    if value is None:
        return 0, b""
    if isinstance(value, int):
        if value in (0, 1):
            return 8 + value, b""
        size = next(size for size in (1, 2, 4) if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1)
        return {1: 1, 2: 2, 4: 4}[size], value.to_bytes(size, "big", signed=True)
    if isinstance(value, str):
        return 13 + 2 * len(value.encode()), value.encode()
    return 12 + 2 * len(value), value


def _varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))
