"""What is no database, cannot be reached or must not be told: words, and never a hang."""

import os
import stat

import pytest

from cointrail.database import Database
from cointrail.database.address import Address
from cointrail.errors import Unavailable, UsageError


def test_a_new_file_is_for_its_maker_alone(tmp_path):
    Database(str(tmp_path / "folders" / "on" / "the way" / "tags.sqlite"), create=True).close()
    made = tmp_path / "folders" / "on" / "the way" / "tags.sqlite"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_a_database_that_is_not_there_is_not_made_by_a_question(tmp_path):
    with pytest.raises(Unavailable, match="there is no database") as caught:
        Database(str(tmp_path / "tags.sqlite"))
    assert "tags import" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def pipe(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        pipe,
        lambda path: path.symlink_to("/dev/null"),
        lambda path: path.symlink_to(path),
        lambda path: path.write_text("address,actor\n" * 100),
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40),
    ],
    ids=["folder", "pipe", "device", "loop", "text", "damaged"],
)
@pytest.mark.parametrize("create", [True, False])
def test_what_is_no_database_is_said_so(tmp_path, make, create):
    make(tmp_path / "tags.sqlite")
    with pytest.raises(Unavailable) as caught:
        Database(str(tmp_path / "tags.sqlite"), create=create)
    assert str(tmp_path / "tags.sqlite") in str(caught.value)
    assert caught.value.hint or "levels of symbolic links" in str(caught.value)


def test_a_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Database(str(tmp_path / "file" / "tags.sqlite"), create=True)


@pytest.mark.parametrize("text", ["a\0b", "x" * 5_000, "\udcff"])
def test_impossible_names_are_refused(tmp_path, text):
    with pytest.raises((UsageError, Unavailable)):
        Database(f"{tmp_path}/{text}" if len(text) < 9 else text)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user@host/name", "http://host", "postgresql://user@host:port/name", "://", "postgresql://[::1/name",
        "x://" + "y" * 9_000,
    ],
)  # fmt: skip
def test_other_urls_are_usage_errors(url):
    with pytest.raises(UsageError):
        Database(url)


def test_a_server_that_is_not_there_is_said_so_without_the_password():
    with pytest.raises(Unavailable) as caught:
        Database("postgresql://somebody:hunter2@127.0.0.1:9/tags?password=hunter3")
    assert "127.0.0.1" in str(caught.value)
    for secret in ("hunter2", "hunter3"):
        assert secret not in str(caught.value)
        assert secret not in repr(Address.of(f"postgresql://somebody:{secret}@127.0.0.1:9/tags"))


def test_a_server_database_of_another_encoding_is_refused(postgres):
    import psycopg

    with psycopg.connect(host=str(postgres.folder), user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(Unavailable, match="LATIN1") as caught:
        Database(f"postgresql://tester@/latin?host={postgres.folder}")
    assert "UTF8" in caught.value.hint


def test_a_question_cannot_write(database):
    from sqlalchemy import delete, exc

    from cointrail.attribution.store.tables import COLLECTION

    with pytest.raises((exc.DatabaseError, Unavailable)), database.read() as connection:
        connection.execute(delete(COLLECTION))
