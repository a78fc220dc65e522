"""`cointrail prices`: imports, lists and asks; words on stderr, data on stdout."""

import json

import pytest
from command_lines import run_command

from cointrail.cli import prices
from cointrail.errors import InputRefused, NotFound, UsageError


@pytest.fixture
def ask(tmp_path, monkeypatch):
    for name in ("COINTRAIL_DATABASE", "COINTRAIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))
    return lambda *words: run_command(prices, *words)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("day,last\n2024-01-01,42000.125\n2024-01-04,43000\n")
    return path


def imported(ask, table, *more):
    return ask("import", table, "--currency", "USD", "--source", "S", "--column", "close=last", *more)


def test_import_list_and_ask(ask, table):
    first = imported(ask, table, "--json")
    assert [each["new"] for each in first.json["series"]] == [True]
    assert first.json["series"][0]["columns"] == {"time": "day", "close": "last"}
    again = imported(ask, table)
    assert again.error is None
    assert "nothing was changed" in again.err
    listed = ask("list")
    assert "2 price(s): 2024-01-02T00:00:00Z to 2024-01-03T00:00:00Z (2)" in listed.out
    assert ask("list", "--json").json["series"][0]["gaps"] == [
        {"first_utc": "2024-01-02T00:00:00Z", "last_utc": "2024-01-03T00:00:00Z", "steps": 2}
    ]
    answer = ask("at", "2024-01-01T09:00:00Z", "--value-sat", "300000000")
    assert "126,000.38 USD" in answer.out
    assert "price.daily_close/1" in answer.out
    gap = ask("at", "2024-01-02", "--json").json["fiat"]
    assert (gap["minor"], gap["gap"]) == (None, "no price is known for the UTC day 2024-01-02")


def test_the_newest_import_is_said(ask, table):
    imported(ask, table)
    ask("import", table, "--currency", "USD", "--source", "T", "--column", "close=last")
    answer = ask("at", "2024-01-01")
    assert "no source was named; this is the newest of 2 sources, by T" in answer.err
    assert ask("at", "2024-01-01", "--source", "S").err == ""


@pytest.mark.parametrize("stated", ["close", "=x", "close=", "", "open=last", "close=x\0"])
def test_a_wrong_mapping_is_refused(ask, table, stated):
    done = ask("import", table, "--currency", "USD", "--source", "S", "--column", stated)
    assert isinstance(done.error, UsageError | InputRefused)
    assert done.out == ""


def test_nothing_there_is_said(ask, table):
    imported(ask, table)
    assert isinstance(ask("at", "2024-01-01", "--currency", "EUR").error, NotFound)
    assert ask("list", "--currency", "EUR", "--json").json["series"] == []
    assert isinstance(ask("list", "--currency", "euro").error, InputRefused)


def test_another_database_is_another_database(ask, table, tmp_path):
    imported(ask, table, "--database", str(tmp_path / "other.sqlite"))
    assert json.loads(ask("list", "--database", str(tmp_path / "other.sqlite"), "--json").out)["series"]
    assert ask("list").error is not None
