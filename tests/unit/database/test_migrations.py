"""Migrations on both servers: from any revision to the newest, whole or not at all, and never backwards."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, select, text
from tag_packs import at, locate, pack, statement, tag

from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.records import Retracted
from cointrail.attribution.store.rows import statement_digest, statement_row
from cointrail.attribution.store.tables import COLLECTION, IMPORT, STATEMENT, TAG
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


def insert_without_claim(connection, said, number):
    row = dict(zip(STATEMENT.c.keys(), statement_row(said, number, statement_digest(said)), strict=True))
    del row["claim"]
    connection.execute(STATEMENT.insert().values(row))


def test_a_retraction_of_an_older_database_holds_for_the_tag_that_its_list_wrote_anew(where):
    """Earlier programs bound it to the whole statement, so that it lapsed with a new `lastmod`."""
    made_at(where, "0002")
    first, anew, other = statement(1), statement(1, lastmod="2024-02-02"), statement(2)
    key = 5
    engine = create_engine(Address.of(where).url)
    with engine.begin() as connection:
        connection.execute(COLLECTION.insert().values(collection_id=7, name="list"))
        version = dict.fromkeys(IMPORT.c.keys(), "") | {"options": "{}", "header": "{}", "skipped": "{}"}
        numbers = {"reader_version": 1, "tags": 1, "added": 1, "withdrawn": 1, "collection_id": 7, "content": b""}
        for number in (1, 2, 3):
            when = {"import_id": number, "imported_utc": at(number)}
            connection.execute(IMPORT.insert().values(version | numbers | when))
        for number, said in enumerate((first, anew, other), 1):
            insert_without_claim(connection, said, number)
            row = {
                "tag_id": number, "collection_id": 7, "statement_id": number, "kind": 0, "subject": "x", "key": key,
                "occurrence": 1, "networks": 1, "position": 0, "line": 1, "first_import": number,
                "withdrawn_by": 2 if number == 1 else None,
            }  # fmt: skip
            connection.execute(TAG.insert().values(row))
        values = "1, 7, 1, 0, 'x', :key, :when, 'me', 'wrong', NULL, NULL"
        connection.execute(text(f"INSERT INTO tag_retraction VALUES ({values})"), {"key": key, "when": at(1)})
    engine.dispose()
    with Database(where) as database, open_tags(database) as store:
        assert [each.statement for each in store.tags_in("list")] == [other]
        assert store.kept_out("list") == (1, Retracted(at(1), "me", "wrong"))


def test_dates_that_older_readers_kept_as_written_get_one_spelling(where):
    written = (
        "20120601",
        "2012-06-01T00:00:00+02:00",
        "2012-06-01T12:00:00.250000Z",
        "2012-06-01T12:00Z",
        "2012-06-01",
    )
    kept = ("", "some day", "0001-01-01T00:00:00+14:00")
    made_at(where, "0002")
    engine = create_engine(Address.of(where).url)
    with engine.begin() as connection:
        for number, text in enumerate((*written, *kept)):
            said = statement(number, valid_from=text, lastmod=text)
            insert_without_claim(connection, said, number)
    engine.dispose()
    with Database(where) as database, database.read() as connection:
        rows = connection.execute(select(STATEMENT).order_by(STATEMENT.c.statement_id)).all()
    spelled = ("2012-06-01", "2012-05-31T22:00:00Z", "2012-06-01T12:00:00Z", "2012-06-01T12:00:00Z", "2012-06-01")
    assert [row.valid_from for row in rows] == [*spelled, *kept]
    assert [row.lastmod for row in rows] == [*spelled, *kept]
    asked = [statement(number, valid_from=text, lastmod=text) for number, text in enumerate((*written, *kept))]
    assert [row.digest for row in rows] == [statement_digest(said) for said in asked]


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
