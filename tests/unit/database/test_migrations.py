"""Migrations on both servers: from any revision to the newest, whole or not at all, and never backwards."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, select, text
from tag_packs import locate, pack, tag

from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.tables import COLLECTION
from cointrail.database import HEAD, METADATA, Database
from cointrail.database.address import Address
from cointrail.database.migrate import upgrade
from cointrail.errors import Unavailable


def made_at(where: str, revision: str) -> None:
    """A database as an older program left it."""
    engine = create_engine(Address.of(where).url)
    with engine.begin() as connection:
        upgrade(connection, revision)
    engine.dispose()


def state(where: str) -> tuple[str | None, set[str]]:
    engine = create_engine(Address.of(where).url)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        revision = None
        if "alembic_version" in tables:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    engine.dispose()
    return revision, tables


def test_the_history_makes_what_the_rooms_declare(database):
    with database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


def test_an_older_database_is_brought_up_with_what_it_holds(where):
    made_at(where, "0001")
    assert state(where)[0] == "0001"
    engine = create_engine(Address.of(where).url)
    with engine.begin() as connection:
        connection.execute(COLLECTION.insert().values(collection_id=7, name="kept"))
    engine.dispose()
    with Database(where) as database, database.read() as connection:
        assert [tuple(row) for row in connection.execute(select(COLLECTION))] == [(7, "kept")]
        assert inspect(connection).has_table("price")
    assert state(where)[0] == HEAD


def test_the_newest_database_is_not_touched(where):
    with Database(where, create=True) as database:
        import_pack(database, pack([tag("x")]), "list.yaml", by="x", locate=locate)
        with open_tags(database) as store:
            digest = store.digest
    with Database(where) as database, open_tags(database) as store:
        assert store.digest == digest


def test_a_newer_database_is_refused_and_left_alone(where):
    with Database(where, create=True) as database, database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = state(where)
    with pytest.raises(Unavailable, match="9999") as caught:
        Database(where)
    assert "newer cointrail" in caught.value.hint
    assert state(where) == before


@pytest.mark.parametrize("begun", [None, "0001"])
@pytest.mark.parametrize("failing", ["CREATE TABLE price (", "price_series", "UPDATE alembic_version"])
def test_an_interrupted_migration_leaves_what_was_there(where, begun, failing):
    if Address.of(where).file is not None:
        Address.of(where).file.touch()
    if begun is not None:
        made_at(where, begun)
    before = state(where)

    def interrupt(_connection, _cursor, statement, *_rest):
        if failing in statement:
            raise KeyboardInterrupt

    from sqlalchemy.engine import Engine

    event.listen(Engine, "before_cursor_execute", interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            Database(where, create=True)
    finally:
        event.remove(Engine, "before_cursor_execute", interrupt)
    assert state(where) == before
    Database(where).close()
    assert state(where)[0] == HEAD
