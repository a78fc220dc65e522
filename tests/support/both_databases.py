"""Fixtures: a fresh database on SQLite and on a real PostgreSQL server. Import them into a `conftest.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Server, server
from sqlalchemy import delete

from cointrail.attribution.store import tables as tag_tables
from cointrail.database import METADATA, Database
from cointrail.ingest.prices import tables as price_tables

assert tag_tables, price_tables  # they declare their tables as they are imported


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new database may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "tags.sqlite")
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def database(where: str) -> Iterator[Database]:
    with Database(where, create=True) as opened:
        yield opened


def emptied(database: Database) -> Database:
    """The same database without a row."""
    with database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))
    return database
