"""Importing tags, as a user does: `cointrail tags import` in a process of its own, into a new database.

On SQLite, and on PostgreSQL where a server is installed (a private one, with its usual care for the disk). What is
measured is the whole command: reading, finding scripts, comparing with the version that is there, and keeping it. Each
import is made once. The second version of the table lacks one row of a hundred.
"""

import importlib.util
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ingest
import tag_files

ADDRESSES = 1_000_000
TAGS = 500_000
WARM_UP = 100
LOOKUPS = 200

LAUNCHER = """
import json, resource, subprocess, sys, time
begin = time.perf_counter()
status = subprocess.call(sys.argv[2:])
seconds = time.perf_counter() - begin
peak = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file:
    json.dump({"seconds": seconds, "peak_resident_bytes": peak}, file)
sys.exit(status)
"""
"""Runs a command and writes down what it took. The system counts memory of whoever starts a process as its own, so
whoever starts it must be small."""


def measure(work: Path, addresses: int = ADDRESSES, tags: int = TAGS) -> dict[str, Any]:
    """Seconds and peak memory of each import, bytes a tag on disk, and the time of one look-up, by server."""
    with tempfile.TemporaryDirectory(prefix="tags-", dir=work) as name:
        folder = Path(name)
        files = _files(folder, addresses, tags)
        with _databases(folder) as places:
            return {server: ingest.attempt(lambda each=where: _of_server(each, files)) for server, where in places}


def _files(folder: Path, addresses: int, tags: int) -> dict[str, Path]:
    files = {
        "warm up": folder / "few.csv",
        "table": folder / "list.csv",
        "table again": folder / "again" / "list.csv",
        "pack": folder / "pack.yaml",
    }
    tag_files.write_table(files["warm up"], tag_files.some_addresses(WARM_UP, 3))
    tag_files.write_table(files["table"], tag_files.some_addresses(addresses, 1))
    tag_files.write_pack(files["pack"], tag_files.some_addresses(tags, 2))
    files["table again"].parent.mkdir()
    lines = files["table"].read_text("utf-8").splitlines(keepends=True)
    files["table again"].write_text("".join([*lines[:1], *lines[1 + addresses // 100 :]]), "utf-8")
    return files


@contextmanager
def _databases(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """(server, where) of a new database on each server that there is."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
    from postgres import programs, server

    places = [("sqlite", str(folder / "tags.sqlite"))]
    if programs() is None or importlib.util.find_spec("psycopg") is None:
        yield places
        return
    with server("-c listen_addresses='' -c shared_buffers=256MB -c max_wal_size=4GB") as running:
        yield [*places, ("postgresql", running.new_database())]


def _of_server(where: str, files: dict[str, Path]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, path in files.items():
        before = 0 if name == "warm up" else _size(where)
        found[name] = import_file(where, path)
        found[name]["bytes_a_tag"] = (_size(where) - before) / found[name]["tags"]
        if name == "table":
            found |= _look_ups(where, path)
    del found["warm up"]
    return found


def import_file(where: str, path: Path) -> dict[str, Any]:
    """Import one file by the command line; what it says, and what the operating system saw.

    Args:
        where: the database.
        path: the file; the collection has its name.
    """
    command = [sys.executable, "-m", "cointrail", "tags", "import", str(path), "--database", where, "--json"]
    with tempfile.NamedTemporaryFile("r", suffix=".json") as taken:
        launched = [sys.executable, "-S", "-c", LAUNCHER, taken.name, *command]
        process = subprocess.run(launched, capture_output=True, text=True, check=False)
        if process.returncode:
            last = process.stderr.strip().splitlines()[-1:] or ["no message"]
            raise ingest.NotMeasured(f"`cointrail tags import` ended with {process.returncode}: {last[0][:200]}")
        measured: dict[str, Any] = json.load(taken)
    version = json.loads(process.stdout)["imports"][0]["version"]
    kept = {name: version[name] for name in ("tags", "added", "withdrawn")}
    return kept | measured | {"file_bytes": path.stat().st_size}


def _size(where: str) -> int:
    """Bytes of a database."""
    from sqlalchemy import text

    from cointrail.database import Database

    with Database(where) as database, database.engine.connect() as connection:
        if database.is_sqlite:
            asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            asked = "SELECT pg_database_size(current_database())"
        return int(connection.execute(text(asked)).scalar() or 0)


def _look_ups(where: str, path: Path) -> dict[str, float]:
    """Median time of the tags of one address in an open store, and seconds to stream the scripts of all."""
    from cointrail.attribution.store.reader import open_tags
    from cointrail.database import Database

    with path.open(encoding="utf-8") as file:
        next(file)
        addresses = [line.split(",")[0] for line in file]
    times = []
    with Database(where) as database, open_tags(database) as store:
        for address in random.Random(3).sample(addresses, min(LOOKUPS, len(addresses))):
            begin = time.perf_counter()
            if not store.tags_of_subject(address):
                raise ValueError(f"{address} was imported and is not found")
            times.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        rows = sum(len(chunk.tag_id) for chunk in store.all_scripts())
        streamed = time.perf_counter() - begin
    if rows < len(addresses):
        raise ValueError(f"{len(addresses)} addresses were imported, and {rows} scripts are there")
    return {"lookup_us": statistics.median(times) * 1e6, "stream_seconds": streamed}


def main() -> None:
    """Print what was measured as JSON: WORK [ADDRESSES TAGS]."""
    ingest.share_source()
    print(json.dumps(measure(Path(sys.argv[1]), *(int(each) for each in sys.argv[2:4])), indent=2))


if __name__ == "__main__":
    main()
