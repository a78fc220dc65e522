"""`cointrail risk`: points with all that they are made of, rules from files, re-screening."""

import pytest
from exposure_town import ExposureTown


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return ExposureTown(tmp_path_factory.mktemp("risk"))


@pytest.fixture
def command(town):
    return ("risk", town.address["market"], "--ledger", str(town.ledger), "--tags", str(town.tags()))


def test_json_and_text(cli, command):
    answer = cli(*command, "--json").json
    assert answer["score"] == sum(each["points"] for each in answer["components"]) == 107
    text = cli(*command)
    assert text.code == 0
    for word in (
        "107 of at most",
        "27 + 80 = 107",
        "received/sanction/Evil/indirect",
        "informative",
        "rounded down (17)",
    ):
        assert word in text.out
    assert "no finding about a person" in text.err
    for word in ("illicit", "criminal", "guilty", "owner is"):
        assert word not in text.out.lower()


def test_rules_can_be_taken_changed_and_given(cli, town, command, tmp_path):
    shown = cli("risk", "--show-rules")
    path = tmp_path / "rules.yaml"
    path.write_text(shown.out)
    assert cli(*command, "--rules", str(path), "--json").json["score"] == 107
    path.write_text(shown.out.replace("fixed: 60", "fixed: 61"))
    answer = cli(*command, "--rules", str(path), "--json").json
    assert answer["score"] == 108
    assert answer["rule_set"]["text"] == path.read_text()
    path.write_text(shown.out.replace("side: sent", "side: both", 1))
    refused = cli(*command, "--rules", str(path))
    assert refused.code == 4
    assert "rules.yaml, line " in refused.err


def test_rescreening(cli, town, command, tmp_path):
    earlier = tmp_path / "earlier.json"
    earlier.write_text(cli(*command, "--json", "--as-of", str(town.before)).out)
    text = cli(*command, "--since", str(earlier))
    assert text.code == 0
    assert f"since height {town.before}: 0 -> 107 points" in text.out
    assert "snapshot: funds moved, or the cluster grew: +107" in text.out
    assert "received/sanction/Evil/indirect: - -> 4.00000000 BTC" in text.out
    earlier.write_text(cli(*command, "--json").out)
    assert "nothing moved" in cli(*command, "--since", str(earlier)).out


def test_without_tags_there_is_no_score(cli, command):
    text = cli(*command[:4], "--tags", "none")
    assert text.code == 0
    assert "none: no tag was used" in text.out
    assert "nothing to score" in text.err


def test_what_is_refused(cli, town, command, tmp_path):
    assert cli("risk", "--ledger", str(town.ledger)).code == 2
    assert cli("risk", "nobody", "--ledger", str(town.ledger)).code == 4
    assert cli(*command, "--rules", str(tmp_path / "none.yaml")).code == 4
    assert cli(*command, "--since", str(tmp_path / "none.json")).code == 4
    assert cli(*command, "--since", str(town.tags())).code == 4
    assert cli(*command, "--transactions", "1", "--require-complete").code == 7
