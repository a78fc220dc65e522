"""The command line on a real PostgreSQL server: the same answers as on SQLite, and words when the server goes away."""

import json

import pytest
from postgres import server
from vectors import shared_data

from cointrail.cli.main import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres():
    with server() as running:
        yield running


@pytest.fixture
def ask(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))

    def asked(where, *words):
        capsys.readouterr()
        code = run(["tags", *words, "--database", where, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if code == 0 else err

    return asked


def without(document, *names):
    """A document without what differs from day to day."""
    if isinstance(document, dict):
        return {name: without(value, *names) for name, value in document.items() if name not in names}
    return [without(each, *names) for each in document] if isinstance(document, list) else document


def test_both_servers_give_the_same_answers(ask, postgres, tmp_path):
    packs = shared_data() / "tags"
    places = [str(tmp_path / "tags.sqlite"), postgres.new_database()]
    for words in (
        ("import", str(packs), "--by", "x"),
        ("import", str(packs), "--by", "x"),
        ("collections",),
        ("list", "bin", "--limit", "50"),
        ("list", "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"),
        ("list", "--category", "exchange", "--limit", "1000"),
        ("retract", "--collection", "hydra.yaml", "--reason", "test", "--by", "x"),
        ("list", "hydra"),
        ("history", "hydra.yaml"),
        ("retract", "--collection", "hydra.yaml", "--undo", "--by", "x"),
        ("collections",),
    ):
        answers = [ask(where, *words) for where in places]
        assert [code for code, _ in answers] == [0, 0], answers
        one, other = (
            without(answer, "database", "imported_utc", "known_at", "utc", "retracted_utc") for _, answer in answers
        )
        assert one == other, words


def test_a_server_that_stops_is_said_so(ask):
    with server() as running:
        where = running.new_database()
        assert ask(where, "collections")[0] == 0
    code, said = ask(where, "collections")
    assert code == 6
    assert said.startswith("error: the database postgresql://tester@/")
    assert "fault" not in said
