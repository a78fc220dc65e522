"""A Berkeley DB B-tree file as a legacy wallet is one: version 9, 4,096-byte pages, one database named `main`.

Page 0 is the file's metadata, page 1 the directory of databases, page 2 the metadata of `main`, page 3 its root; the
LSNs say that no log is needed. Layout: Berkeley DB `dbinc/db_page.h`, Core `src/wallet/migrate.cpp`, which reads it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

PAGE_SIZE = 4_096
LARGEST_ITEM = 1_000
"""Longer items would need overflow pages, which are not written."""

_MAGIC, _VERSION = 0x00053162, 9
_SUBDATABASES = 0x20
_INTERNAL, _LEAF, _METADATA = 3, 5, 9
_KEYDATA = 1
_HEADER = struct.Struct("<8sIIIHHBB")
_LSN = struct.pack("<II", 0, 1)
_DIRECTORY, _MAIN, _ROOT = 1, 2, 3

Record = tuple[bytes, bytes]


@dataclass(slots=True)
class _Page:
    """A page being filled: items grow downwards from its end, their offsets upwards after the header."""

    kind: int
    level: int
    first_key: bytes
    items: list[bytes] = field(default_factory=list)
    used: int = _HEADER.size

    def fits(self, *items: bytes) -> bool:
        return self.used + sum(2 + _aligned(len(item)) for item in items) <= PAGE_SIZE

    def add(self, *items: bytes) -> None:
        self.items += items
        self.used += sum(2 + _aligned(len(item)) for item in items)

    def raw(self, number: int, previous: int, following: int) -> bytes:
        page, top, offsets = bytearray(PAGE_SIZE), PAGE_SIZE, []
        for item in self.items:
            top -= _aligned(len(item))
            page[top : top + len(item)] = item
            offsets.append(top)
        _HEADER.pack_into(page, 0, _LSN, number, previous, following, len(offsets), top, self.level, self.kind)
        struct.pack_into(f"<{len(offsets)}H", page, _HEADER.size, *offsets)
        return bytes(page)


def btree_file(records: Sequence[Record], file_id: bytes) -> bytes:
    """The whole file.

    Args:
        records: (key, value), keys distinct, in any order; none longer than `LARGEST_ITEM`.
        file_id: 20 bytes.
    """
    levels = [_leaves(sorted(records))]
    while len(levels[-1]) > 1:
        levels.append(_internal(levels[-1], len(levels) + 1, _first_number(levels)))
    # The root stands on page 3; below it every level lies in key order, leaves first.
    pages = [levels[-1][0].raw(_ROOT, 0, 0)]
    for level in levels[:-1]:
        start = _ROOT + len(pages)
        last = start + len(level) - 1
        for number, page in enumerate(level, start=start):
            following = number + 1 if number < last else 0
            pages.append(page.raw(number, number - 1 if number > start else 0, following))
    directory = _Page(_LEAF, 1, b"")
    directory.add(_data(b"main"), _data(_MAIN.to_bytes(4, "big")))
    head = [
        _metadata(0, _ROOT + len(pages) - 1, _DIRECTORY, file_id),
        directory.raw(_DIRECTORY, 0, 0),
        _metadata(_MAIN, _MAIN, _ROOT, file_id),
    ]
    return b"".join((*head, *pages))


def _first_number(levels: Sequence[Sequence[_Page]]) -> int:
    """Page number of the first page of the topmost level so far."""
    return _ROOT + 1 + sum(len(level) for level in levels[:-1])


def _leaves(records: Sequence[Record]) -> list[_Page]:
    pages: list[_Page] = [_Page(_LEAF, 1, b"")]
    for key, value in records:
        assert max(len(key), len(value)) <= LARGEST_ITEM, "an item needs an overflow page"
        items = _data(key), _data(value)
        if not pages[-1].fits(*items):
            pages.append(_Page(_LEAF, 1, key))
        pages[-1].add(*items)
    return pages


def _internal(below: Sequence[_Page], level: int, first_number: int) -> list[_Page]:
    pages: list[_Page] = []
    for number, child in enumerate(below, start=first_number):
        key = child.first_key
        item = struct.pack("<HBBII", len(key), _KEYDATA, 0, number, 0) + key
        if not pages or not pages[-1].fits(item):
            # The first key of an internal page is never compared, and is left empty.
            pages.append(_Page(_INTERNAL, level, key))
            item = struct.pack("<HBBII", 0, _KEYDATA, 0, number, 0)
        pages[-1].add(item)
    return pages


def _data(content: bytes) -> bytes:
    return struct.pack("<HB", len(content), _KEYDATA) + content


def _aligned(length: int) -> int:
    return (length + 3) // 4 * 4


def _metadata(number: int, last_page: int, root: int, file_id: bytes) -> bytes:
    page = bytearray(PAGE_SIZE)
    struct.pack_into(
        "<8sIIIIBBBBIIIIII20s",
        page,
        0,
        _LSN,
        number,
        _MAGIC,
        _VERSION,
        PAGE_SIZE,
        0,  # no encryption
        _METADATA,
        0,
        0,
        0,  # no free pages
        last_page,
        0,
        0,
        0,
        _SUBDATABASES,
        file_id,
    )
    minimum_keys, pad = 2, 0x20
    struct.pack_into("<IIIII", page, 72, 0, minimum_keys, 0, pad, root)
    return bytes(page)
