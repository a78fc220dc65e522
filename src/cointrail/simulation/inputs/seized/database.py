"""The market's database as a compressed SQL dump, written row by row: users, all derived addresses, paid orders."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cointrail.simulation.inputs.formats.archives import GzipWriter
from cointrail.simulation.inputs.seized.exhibit import Exhibit, Find
from cointrail.simulation.inputs.tables import utc
from cointrail.simulation.plot.records import Order, User
from cointrail.simulation.truth import MarketAddressRow

_ROWS_IN_STATEMENT = 500
_PER_SECOND = 50
"""Addresses the market's server derived in a second."""

_TABLES = """\
-- dump of database bazaar
CREATE TABLE users (user_id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_utc TEXT NOT NULL);
CREATE TABLE addresses (address TEXT PRIMARY KEY, user_id INTEGER, position INTEGER NOT NULL, \
created_utc TEXT NOT NULL);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, address TEXT NOT NULL, \
amount_sat INTEGER NOT NULL, created_utc TEXT NOT NULL);
"""


def write_database(
    folder: Path,
    path: str,
    users: Iterable[User],
    addresses: Iterable[MarketAddressRow],
    orders: Iterable[Order],
    *,
    derived: int,
) -> Exhibit:
    """Write the dump. Its finds are the dump itself and every used address where the table `addresses` has it.

    Args:
        folder: where the seized media go.
        path: of the file below it.
        users: rows of the table `users`.
        addresses: rows of the table `addresses`.
        orders: rows of the table `orders`.
        derived: when the market began to derive addresses, seconds since 1970.
    """
    finds: list[Find] = []
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        dump = _Dump(file.write)
        dump.feed(_TABLES)
        dump.insert("users", (f"({each.user_id},'{each.name}','{utc(each.created)}')" for each in users))
        dump.insert("addresses", _address_rows(addresses, derived, dump, finds))
        dump.insert(
            "orders",
            (
                f"({each.order_id},{each.user_id},'{each.address}',{each.amount_sat},'{utc(each.created)}')"
                for each in orders
            ),
        )
        length, digest = dump.finish()
    whole = Find(0, length, "database", digest)
    return Exhibit(path, [find.inside("gzip") for find in (whole, *finds)])


def _address_rows(
    addresses: Iterable[MarketAddressRow], derived: int, dump: "_Dump", finds: list[Find]
) -> Iterator[str]:
    for number, each in enumerate(addresses):
        if each.used:
            digest = hashlib.sha256(each.address.encode()).digest()
            offset = dump.next_row + 2
            finds.append(Find(offset, len(each.address), "address", digest, script_hash=each.script_hash))
        user = "NULL" if each.user_id < 0 else str(each.user_id)
        yield f"('{each.address}',{user},{each.position},'{utc(derived + number // _PER_SECOND)}')"


class _Dump:
    """Text going into a gzip file, in large pieces, with its digest."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._gzip = GzipWriter(write)
        self._hash = hashlib.sha256()
        self._waiting: list[str] = []
        self._length = 0
        self.next_row = 0
        """Where in the dump the next row of `insert` will begin."""

    def feed(self, text: str) -> None:
        """Add text."""
        self._waiting.append(text)
        self._length += len(text)
        if len(self._waiting) >= _ROWS_IN_STATEMENT:
            self._flush()

    def insert(self, table: str, rows: Iterable[str]) -> None:
        """Add INSERT statements. A row is asked for when `next_row` tells where it will stand."""
        head = f"INSERT INTO {table} VALUES\n"
        iterator, number = iter(rows), 0
        while True:
            before = head if number % _ROWS_IN_STATEMENT == 0 else ",\n"
            if number and number % _ROWS_IN_STATEMENT == 0:
                before = ";\n" + before
            self.next_row = self._length + len(before)
            row = next(iterator, None)
            if row is None:
                break
            self.feed(before)
            self.feed(row)
            number += 1
        if number:
            self.feed(";\n")

    def finish(self) -> tuple[int, bytes]:
        """End the file; length and SHA-256 of the text."""
        self._flush()
        self._gzip.finish()
        return self._gzip.length, self._hash.digest()

    def _flush(self) -> None:
        piece = "".join(self._waiting).encode("ascii")
        self._waiting.clear()
        self._hash.update(piece)
        if piece:
            self._gzip.feed(piece)
