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
        f"listed since {town.listed_utc}", "2.00000000 BTC before, 4.00000000 BTC after",
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
