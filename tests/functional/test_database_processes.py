"""Several processes at one database, and Ctrl-C inside a statement: real command lines on SQLite and PostgreSQL."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cointrail.attribution.store.reader import open_tags
from cointrail.database import Database
from cointrail.database.engine import WRITERS

pytestmark = pytest.mark.slow

SECONDS = 120
"""Within which everything here must end on the slowest machine; it takes a few."""


def command(where: str, *words: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COINTRAIL_")}
    line = [sys.executable, "-m", "cointrail", *words, "--database", where]
    return subprocess.Popen(
        line,
        env={**kept, "COINTRAIL_HOME": "/nonexistent"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test that runs in the background hands down that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def importing(kind: str, folder: Path, where: str) -> subprocess.Popen[str]:
    if kind == "prices":
        file = folder / "closes.csv"
        file.write_text("date,close\n2024-01-01,42000.5\n2024-01-02,43000\n")
        return command(where, "prices", "import", str(file), "--currency", "USD", "--source", "s", "--json")
    file = folder / "list.csv"
    file.write_text("address,label,source\n1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2,One,https://example.org\n")
    return command(where, "tags", "import", str(file), "--by", "x", "--json")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, output and words of a process, which is killed if it does not end."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, out, err


def is_new(answer: dict[str, Any]) -> bool:
    return answer["series"][0]["new"] if "series" in answer else not answer["imports"][0]["unchanged"]


def wait_until(reached: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Until it is so, or for so long: what follows must hold either way."""
    until = time.monotonic() + seconds
    while not reached() and time.monotonic() < until:
        time.sleep(0.05)


@contextmanager
def turn_of_writers(where: str) -> Iterator[Callable[[], int]]:
    """Hold the lock of writers on a server; gives how many wait for it. On SQLite nothing is held."""
    if "://" not in where:
        yield lambda: 2
        return
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (WRITERS,))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = ("
        waiting += "SELECT oid FROM pg_database WHERE datname = current_database())"
        yield lambda: connection.execute(waiting).fetchone()[0]


# Whoever comes second.


@pytest.mark.parametrize("begun", [True, False], ids=["migrated", "new"])
@pytest.mark.parametrize("kind", ["prices", "tags"])
def test_whoever_comes_second_finds_it_there(where, tmp_path, kind, begun):
    """Both have looked at the database before either may write, and the server shows each what it saw first."""
    if "://" in where:
        with psycopg.connect(where, autocommit=True) as connection:
            strict = f"ALTER DATABASE {connection.info.dbname} SET default_transaction_isolation = 'serializable'"
            connection.execute(strict)
    if begun:
        Database(where, create=True).close()
    with turn_of_writers(where) as waiting:
        processes = [importing(kind, tmp_path, where) for _ in range(2)]
        # One that waits long gives up, and that is no fault: it is let on if the other is very late.
        wait_until(lambda: waiting() > 0)
        wait_until(lambda: waiting() > 1, seconds=6)
    done = [ended(process) for process in processes]
    assert [code for code, _, _ in done] == [0, 0], done
    assert sorted(is_new(json.loads(out)) for _, out, _ in done) == [False, True]


# Ctrl-C inside a statement.

ENDLESS = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n)"


def make_endless(where: str) -> None:
    """From now on the first row of an import takes for ever to write."""
    with ExitStack() as stack:
        if "://" not in where:
            connection: Any = stack.enter_context(sqlite3.connect(where))
            connection.execute(f"CREATE TRIGGER endless BEFORE INSERT ON tag_import BEGIN {ENDLESS}; END")
            return
        connection = stack.enter_context(psycopg.connect(where, autocommit=True))
        body = f"BEGIN PERFORM * FROM ({ENDLESS} AS e) AS all_of_it; RETURN NEW; END"
        connection.execute(f"CREATE FUNCTION endless() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        connection.execute("CREATE TRIGGER endless BEFORE INSERT ON tag_import FOR EACH ROW EXECUTE FUNCTION endless()")


def is_being_written(where: str) -> bool:
    if "://" in where:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO tag_import%' AND state = 'active'"
        with psycopg.connect(where) as connection:
            return connection.execute(asked).fetchone()[0] == 1
    connection = sqlite3.connect(where, timeout=0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


def test_ctrl_c_is_heard_inside_a_statement(where, tmp_path):
    Database(where, create=True).close()
    make_endless(where)
    process = importing("tags", tmp_path, where)
    wait_until(lambda: is_being_written(where) or process.poll() is not None)
    time.sleep(1)  # from the lock to the statement
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "", "interrupted; what was published stays\n")
    assert not is_being_written(where)
    with Database(where) as database, open_tags(database) as store:
        assert store.collections == {}
