"""A private PostgreSQL server for tests: a cluster in a temporary folder, reached by a socket in it, gone afterwards.

The server refuses to run as root: then it runs as an unprivileged account. Where none is installed, whoever asks for
it skips, visibly. Nothing of a server that runs already is touched.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PLACES = "/usr/lib/postgresql/*/bin"
_ACCOUNTS = ("postgres", "nobody")
_SETTINGS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=20"
)


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, or None."""
    if found := shutil.which("pg_ctl"):
        # The programs look for their neighbours beside the real file.
        return Path(found).resolve().parent
    folders = sorted(Path("/").glob(_PLACES.lstrip("/")), key=lambda path: path.parent.name)
    return folders[-1] if folders else None


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as; None for whoever runs the tests."""
    if os.geteuid():
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next((known[name] for name in _ACCOUNTS if name in known), None)


def _run(*command: str | Path) -> None:
    account = _account()
    as_account = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", timeout=120, check=False, **as_account
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")


class Server:
    """A server that runs.

    Attributes:
        folder: where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def new_database(self) -> str:
        """Make an empty database; returns its URL."""
        import psycopg

        self._made += 1
        name = f"tags{self._made}"
        with psycopg.connect(host=str(self.folder), user="tester", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return f"postgresql://tester@/{name}?host={self.folder}"


@contextmanager
def server(settings: str = _SETTINGS, locale: str = "C.UTF-8") -> Iterator[Server]:
    """Start a server for the time of a block; skip the test if none is installed."""
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed")
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    work = Path(tempfile.mkdtemp(prefix="cointrail-pg-"))  # short: a socket's path is limited
    if account := _account():
        os.chown(work, account.pw_uid, account.pw_gid)
    data, log = work / "data", work / "log"
    try:
        _run(folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", f"--locale={locale}", "-N")
        _run(folder / "pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-k {work} {settings}", "start")
        try:
            yield Server(work)
        finally:
            _run(folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(work, ignore_errors=True)
