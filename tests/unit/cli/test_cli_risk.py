"""`cointrail risk`: points with all that they are made of, rules from files, re-screening."""

import csv

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


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_has_every_rule_and_input_and_what_they_rest_on(cli, command, tmp_path):
    path = tmp_path / "risk.csv"
    done = cli(*command, "--csv", str(path), "--json")
    answer, rows = done.json, read(path)
    assert f"written: {path}" in done.err
    rules = {row["rule"]: row for row in rows if row["kind"] == "rule"}
    assert sum(int(row["points"]) for row in rules.values()) == answer["score"] == 107
    assert list(rules) == [each["rule"] for each in answer["components"]]
    for each in answer["components"]:
        beneath = [row for row in rows if row["rule"] == each["rule"]]
        inputs = {row["name"]: int(row["sat"]) for row in beneath if row["kind"] == "input"}
        assert inputs == {one["row"]: one["sat"] for one in each["inputs"]}
        assert sum(inputs.values()) == each["sat"] == int(rules[each["rule"]]["sat"])
        asked = [(row["name"], row["text"]) for row in beneath if row["kind"] == "condition"]
        assert asked == [(one["name"], "met" if one["met"] else "not met") for one in each["conditions"]]
    said = {row["name"]: row["text"] for row in rows if row["kind"] == "provenance"}
    for name, part in {
        "snapshot": answer["snapshot"]["block_hash"], "digest": answer["snapshot"]["digest"],
        "tags": answer["tags"]["digest"], "rule set": answer["rule_set"]["sha256"], "wallet": answer["wallet"],
        "score": answer["arithmetic"], "limits": "hops 20",
    }.items():  # fmt: skip
        assert part in said[name]
    assert not any(row["kind"].startswith("moved") for row in rows)
    assert cli(*command, "--csv", str(path)).code == 2
    assert cli(*command, "--csv", str(path), "--overwrite").code == 0
    assert cli(*command, "--csv", str(tmp_path / "no" / "x.csv")).code == 2


def test_a_file_has_what_moved_since(cli, town, command, tmp_path):
    earlier, path = tmp_path / "earlier.json", tmp_path / "moved.csv"
    earlier.write_text(cli(*command, "--json", "--as-of", str(town.before)).out)
    found = cli(*command, "--since", str(earlier), "--csv", str(path), "--json").json["rescreen"]
    rows = read(path)
    by_cause = {row["rule"]: int(row["after"]) - int(row["before"]) for row in rows if row["kind"] == "moved score"}
    assert sum(by_cause.values()) == found["score_after"] - found["score_before"] == 107
    assert list(by_cause) == [each["cause"] for each in found["movements"]]
    funds = [row for row in rows if row["kind"] == "moved row" and row["name"] == "received/sanction/Evil/indirect"]
    assert [(row["before"], row["after"]) for row in funds] == [("", "400000000")]
    said = {row["name"]: row["text"] for row in rows if row["kind"] == "provenance"}
    assert found["earlier_snapshot"]["block_hash"] in said["earlier snapshot"]
    assert found["earlier_tags"] in said["earlier tags"]


def test_no_cell_of_a_file_is_a_formula(cli, command, tmp_path):
    path, rules = tmp_path / "risk.csv", tmp_path / "rules.yaml"
    shown = cli("risk", "--show-rules").out
    first = next(line for line in shown.splitlines() if line.strip().startswith("reason:"))
    rules.write_text(shown.replace(first, f"{first[: first.index('reason:')]}reason: '=1+1'"))
    assert cli(*command, "--rules", str(rules), "--csv", str(path)).code == 0
    assert any(row["text"].startswith("'=1+1 Selects") for row in read(path))
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in read(path) for cell in row.values())


def test_without_tags_there_is_no_score(cli, command, tmp_path):
    text = cli(*command[:4], "--tags", "none")
    assert text.code == 0
    assert "none: no tag was used" in text.out
    assert "nothing to score" in text.err
    path = tmp_path / "risk.csv"
    assert cli(*command[:4], "--tags", "none", "--csv", str(path)).code == 0
    (score,) = [row["text"] for row in read(path) if row["name"] == "score"]
    assert score.startswith("none: ")


def test_what_is_refused(cli, town, command, tmp_path):
    assert cli("risk", "--ledger", str(town.ledger)).code == 2
    assert cli("risk", "nobody", "--ledger", str(town.ledger)).code == 4
    assert cli(*command, "--rules", str(tmp_path / "none.yaml")).code == 4
    assert cli(*command, "--since", str(tmp_path / "none.json")).code == 4
    assert cli(*command, "--since", str(town.tags())).code == 4
    assert cli(*command, "--transactions", "1", "--require-complete").code == 7
