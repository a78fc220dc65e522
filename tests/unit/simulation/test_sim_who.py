"""Who may be behind an address of a simulated economy: the page that a person reads, against who it truly is."""

import csv
import json
import re

import pytest

from cointrail.cli.main import run
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagChoice
from cointrail.service.attribution.imports import import_files
from cointrail.service.profiles.who import who
from cointrail.service.search.names import finder


@pytest.fixture(scope="module")
def tagged(bazaar):
    """Label by tagged address, of the pack of those who know the services."""
    pack = (bazaar.world / "inputs" / "tags" / "services.yaml").read_text()
    return {label: address for address, label in re.findall(r"address: '(\w+)'\n +label: (\w+)", pack)}


@pytest.fixture(scope="module")
def database(bazaar, tmp_path_factory):
    """Both packs, imported."""
    path = str(tmp_path_factory.mktemp("tags") / "tags.sqlite")
    import_files(path, [bazaar.world / "inputs" / "tags"], by="tester")
    return path


def test_the_double_of_the_market_has_two_names_and_neither_may_be_used(bazaar, tagged, database):
    """Those who know call it gambling, a crawler a market: both stand there, each against the other."""
    with Reader(bazaar.ledger) as reader:
        found = who(reader, tagged["LuckyDice"], TagChoice(database=database)).identity
    names = {each.name: each for each in found.hypotheses}
    assert set(names) == {"luckydice", "LuckyDice Market"}
    assert {each.standing for each in names.values()} == {"lead only"}
    market = names["LuckyDice Market"]
    assert [claim.source for claim in market.for_claims] == ["https://lantern.invalid/labels"]
    assert [claim.name for claim in market.against_claims] == ["luckydice"]
    assert "contradict" in found.note


def test_a_service_that_behaves_like_one_is_shown_with_who_says_so(bazaar, tagged, database):
    """Alpha's tag is one basis and its behaviour none; a script that its cluster alone names says so."""
    with Reader(bazaar.ledger) as reader:
        asked = who(reader, f"cluster:{tagged['Alpha']}", TagChoice(database=database))
        members = [row.address for row in asked.roles.segments if row.segment == "deposit"]
        inside = who(reader, members[0], TagChoice(database=database))
    (alpha,) = asked.identity.hypotheses
    assert (alpha.name, alpha.standing, alpha.bases) == ("alpha", "lead only", ("statistics.invalid",))
    assert [each.partition(" (")[0] for each in alpha.fits] == ["behaves like a service"]
    (claim,) = inside.identity.hypotheses[0].for_claims
    assert (claim.reach, claim.basis, claim.example) == (
        "cluster", "inference resting on an assertion", tagged["Alpha"],
    )  # fmt: skip
    assert claim.statement == "attributed to alpha by https://statistics.invalid/services"
    assert {each.kind for each in inside.identity.structural} == {"wallet", "segment"}


def test_nobody_is_named_by_one_source_alone(bazaar, database):
    with (bazaar.world / "inputs" / "undercover.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    with Reader(bazaar.ledger) as reader:
        tx_index = reader.find_transactions(bytes.fromhex(row["txid"])[::-1])[0]
        output = reader.outputs_of(tx_index)[int(row["vout"])]
        script = reader.script_pubkey(int(reader.column("output", "script")[output]))
        paid, tags = f"script:{script.hex()}", TagChoice(database=database)
        # By a wrong merge a merchant stands in the market's cluster: a lead, with one source.
        assert {(each.name, each.standing) for each in who(reader, paid, tags).identity.hypotheses} == {
            ("heron", "lead only")
        }
        assert who(reader, paid).identity is None
        before = who(reader, paid, TagChoice(database=database, known_at="2001-01-01")).identity
        assert (before.hypotheses, before.lists, before.known_at) == ((), "", "2001-01-01T23:59:59Z")


def test_the_page_says_what_the_answer_says(bazaar, tagged, database, monkeypatch, capsys):
    monkeypatch.setenv("COINTRAIL_DATABASE", database)
    monkeypatch.setenv("COINTRAIL_LEDGER", str(bazaar.ledger))
    asked = ["profile", f"cluster:{tagged['Alpha']}"]
    assert run([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["who"]["identity"]["hypotheses"][0]["name"] == "alpha"
    assert run(asked) == 0
    page = capsys.readouterr().out
    assert "alpha (exchange): lead only" in page
    assert "attributed to alpha by https://statistics.invalid/services" in page
    assert "behaves like a service" in page
    assert run([*asked, "--facts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["who"] is None
    for command in ("roles", "counterparties", "exposure", "risk"):
        assert run([command, f"cluster:{tagged['Beta']}", "--json"]) == 0
        json.loads(capsys.readouterr().out)
    assert run(["deposits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] > 0


def test_names_are_found_by_how_they_begin(database, tmp_path):
    find = finder(TagChoice(database=database))
    assert [each.name for each in find("luckyd", 10)] == ["LuckyDice", "LuckyDice Market"]
    assert [(each.kind, each.name) for each in find("servi", 10)] == [("collection", "services.yaml")]
    assert find("nobody", 10) == []
    assert finder(TagChoice(database=str(tmp_path / "none.sqlite")))("lucky", 10) == []
