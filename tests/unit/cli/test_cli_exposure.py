"""`cointrail exposure`: answers, files, and what it refuses."""

import csv

import pytest
from exposure_town import FEE, ExposureTown
from finder_cases import BTC


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return ExposureTown(tmp_path_factory.mktemp("exposure"))


@pytest.fixture
def command(town):
    return ("exposure", town.address["market"], "--ledger", str(town.ledger), "--tags", str(town.tags()))


def test_json_and_text(cli, town, command):
    answer = cli(*command, "--json").json
    assert (answer["received"]["gross_sat"], answer["sent"]["gross_sat"]) == (9 * BTC, 2 * BTC)
    assert answer["sent"]["rest_sat"] == {"fee": FEE}
    assert answer["basis"] == "inference"
    text = cli(*command)
    assert text.code == 0
    for word in (
        "received: 9.00000000 BTC", "sanction", "attributed to Evil by tags.csv", "66.6666 %", "33.3333 %",
        f"sanctioned since {town.listed_utc}", "2.00000000 BTC before, 4.00000000 BTC after",
    ):  # fmt: skip
        assert word in text.out
    assert "no hit is no clearance" in text.err
    cluster = cli("exposure", f"cluster:{town.address['market']}", *command[2:], "--json").json
    assert cluster["received"] == answer["received"]


def test_a_file_has_every_way(cli, command, tmp_path):
    path = tmp_path / "ways.csv"
    text = cli(*command, "--ways", "1", "--csv", str(path))
    assert text.code == 0
    assert "2 way(s) in all" in text.out
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["sat"]) for row in rows if row["side"] == "received") == 9 * BTC
    assert cli(*command, "--csv", str(path)).code == 2
    assert cli(*command, "--csv", str(path), "--overwrite").code == 0
    assert cli(*command, "--csv", str(tmp_path / "no" / "x.csv")).code == 2


def test_money_stands_beside(cli, town, command, monkeypatch, tmp_path):
    monkeypatch.delenv("COINTRAIL_DATABASE", raising=False)
    (tmp_path / "p.csv").write_text(f"unix,close\n{town.listed - 600 * 60},1\n{town.listed},100\n")
    done = cli("prices", "import", str(tmp_path / "p.csv"), "--currency", "EUR", "--source", "S", "--step", "600")
    assert done.code == 0, done.err
    text = cli(*command, "--fiat", "EUR", "--csv", str(tmp_path / "w.csv"))
    assert text.code == 0
    assert "4.00000000 BTC = 400.00 EUR by" in text.out, "of a way"
    assert "6.00000000 BTC = 400.00 EUR without 1 of 2 amounts (gap), 1 to half at 2 hop(s)" in text.out
    assert "received: 9.00000000 BTC = - (gap in all 3 amounts) by 4 output(s)" in text.out
    assert "note: EUR as S says by price.last_before/1" in text.err
    answer = cli(*command, "--fiat", "EUR", "--json").json
    assert (answer["received"]["gross_fiat"]["missing"], answer["prices"]["source"]) == (3, "S")
    assert "worth" not in cli(*command).out


def test_a_budget_is_told(cli, command):
    done = cli(*command, "--transactions", "1")
    assert done.code == 0
    assert "cut off" in done.err
    assert cli(*command, "--transactions", "1", "--require-complete").code == 7


def test_options_change_the_answer(cli, command):
    near = cli(*command, "--hops", "1", "--no-bounds", "--ways", "0", "--json").json
    (sanction,) = [each for each in near["received"]["categories"] if each["category"] == "sanction"]
    assert sanction["total"]["value_sat"] == 2 * BTC
    assert sanction["bounds"] is None
    assert sanction["entities"][0]["ways_total"] is None
    assert cli("exposure", command[1], *command[2:4], "--tags", "none", "--json").json["tags"] is None


def test_what_is_refused(cli, town, command, tmp_path):
    at = ("--ledger", str(town.ledger))
    assert cli("exposure").code == 2
    assert cli("exposure", "nobody", *at).code == 4
    assert cli("exposure", "cluster:nobody", *at).code == 4
    assert cli(*command, "--hops", "-1").code == 2
    assert cli(*command, "--min-share", "1000001").code == 2
    assert cli(*command, "--overlay", str(tmp_path / "none.json")).code == 2
    assert cli("exposure", command[1], *at, "--tags", str(tmp_path / "none.yaml")).code in (4, 6)
    assert cli("exposure", command[1], "--ledger", str(tmp_path / "none")).code == 6
