"""The engine: opening, migrating, transactions, and what goes wrong in words for people.

SQLite runs in WAL with full synchronisation and foreign keys. Its transactions are begun by us, since Python's driver
leaves schema changes outside of them: a migration that is killed leaves the database as it was.

Writers come one after another on both servers, so that whoever comes second sees what the first one left and numbers of
rows are not given twice. Ctrl-C is heard inside long statements; the transaction is then undone.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from sqlalchemy import Connection, MetaData, create_engine, event, exc, func, inspect, literal, select, text

from cointrail.database.address import Address
from cointrail.database.revision import HEAD
from cointrail.errors import Unavailable, UsageError

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of every room."""

PATIENCE_SECONDS: Final = 10
"""How long a writer waits for another one, and a client for a server."""

WRITERS: Final = 0x636F696E
"""The lock that writers of a database on a server take; any number nobody else uses."""

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-131072")  # KiB, at most
_WRITES = "cointrail_writes"
_BUSY: Final = frozenset({"55P03", "40001", "40P01"})
"""What PostgreSQL says, in whatever language, when others are in the way: a lock, a serialization, a deadlock."""
_STEPS: Final = 100_000
"""Steps of SQLite's machine between two looks for a signal: some thousandths of a second."""


class Database:
    """A database that is open and migrated. A context manager.

    Args:
        where: file or URL; see `Address.of`.
        create: make a file that is not there; else it must be.
        patience: seconds that a writer waits for another one.

    Raises:
        UsageError: a URL of another kind, or one that cannot be read.
        Unavailable: it is not there, cannot be reached, is locked, or is of a newer program.
    """

    def __init__(self, where: str | Address, *, create: bool = False, patience: int = PATIENCE_SECONDS) -> None:
        self.address = where if isinstance(where, Address) else Address.of(where)
        self._patience_ms = max(1, 1000 * patience)  # to PostgreSQL, 0 is for ever
        self._make_file(create=create)
        # The keywords of a driver: sqlite3 waits by `timeout`, psycopg for a connection by `connect_timeout`.
        waiting = {"timeout": patience} if self.is_sqlite else {"connect_timeout": PATIENCE_SECONDS}
        try:
            self.engine = create_engine(self.address.url, hide_parameters=True, connect_args=waiting)
        except ImportError as error:
            raise self._unreachable(error) from None
        except (exc.ArgumentError, ValueError):
            raise UsageError(
                f"{self.address} cannot be read as the URL of a database", hint="such as postgresql://USER@HOST/NAME"
            ) from None
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up)
            event.listen(self.engine, "begin", _begin)
        try:
            if not self.is_sqlite:
                self._check_encoding()
            self._migrate()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release connections."""
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.address.file is not None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with self._explained(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is kept whole or not at all; writers wait for one another, though not for ever."""
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            if not self.is_sqlite:
                # Whatever the server's default: a stricter one would show the state from before the lock was had.
                connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                if not self.is_sqlite:
                    patience = func.set_config("lock_timeout", f"{self._patience_ms}ms", literal(value=True))
                    connection.execute(select(patience))
                    connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
                yield connection

    # Opening.

    def _make_file(self, *, create: bool) -> None:
        file = self.address.file
        if file is None:
            return
        try:
            if file.exists():
                if not file.is_file():  # a pipe would never answer
                    raise Unavailable(f"the database {file} is no regular file", hint="name another file")
                return
            if not create:
                raise Unavailable(
                    f"there is no database {file}", hint="import something first: cointrail tags import FILE"
                )
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))  # whose leads these are is nobody else's business
        except OSError as error:
            raise Unavailable(f"the database {file} cannot be used: {error.strerror}") from error
        except ValueError:
            raise UsageError(f"{str(file)[:100]!a} cannot be the name of a file", hint="name another one") from None

    def _check_encoding(self) -> None:
        with self.read() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise Unavailable(
                f"the database {self.address} keeps text as {encoding}, and not every name can be written so",
                hint="make one with createdb --encoding=UTF8 --template=template0",
            )

    def _migrate(self) -> None:
        with self._explained():
            found = self._revision()
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise Unavailable(
                    f"the database {self.address} has format {found}, newer than this program's {HEAD}",
                    hint="use a newer cointrail, or another database",
                )
            from cointrail.database.migrate import upgrade

            with self.write() as connection:
                upgrade(connection)

    def _revision(self) -> str | None:
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    # What goes wrong.

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.DatabaseError, exc.InterfaceError) as error:
            if isinstance(error, (exc.IntegrityError, exc.ProgrammingError, exc.DataError)):
                raise  # a fault of ours: input is checked before it comes here
            if _code(error) == sqlite3.SQLITE_INTERRUPT:
                raise KeyboardInterrupt from None  # SQLite swallowed it, see `_listen`
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> Unavailable:
        if isinstance(error, ImportError):
            return Unavailable("the driver of PostgreSQL is not installed", hint="pip install 'cointrail[postgres]'")
        code = _code(error)
        if code in _BUSY or code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Unavailable(
                f"somebody else is writing to the database {self.address}",
                hint="try again when that has ended",
            )
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        known = {"file is not a database": "name another file, or move this one away"}
        hint = known.get(reason, "check the address, the rights and the space")
        return Unavailable(f"the database {self.address} cannot be used: {reason}", hint=hint)


def _code(error: Exception) -> int | str | None:
    """What the driver calls an error: a number of SQLite without its details, a SQLSTATE of PostgreSQL, or None."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)  # errors of the driver itself have none
        return None if code is None else code & 0xFF
    return getattr(cause, "sqlstate", None)


def _listen() -> int:
    """Called by SQLite on the way: Python runs handlers of signals here, and SQLite stops if one raises."""
    return 0


def _set_up(connection: Any, _record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # we say when a transaction begins
    connection.set_progress_handler(_listen, _STEPS)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
