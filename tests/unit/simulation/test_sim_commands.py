"""`cointrail simulate` and `cointrail score`: good, bad and hostile command lines, and their exit codes."""

import csv
import json
import os
import re
import shutil
from typing import NamedTuple

import duckdb
import pytest

from cointrail.cli.main import run
from cointrail.service.maintenance import ingest


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Runs a command line; nothing of it may be a fault, a traceback or something a terminal obeys."""
    for name in ("COINTRAIL_LEDGER", "COINTRAIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))

    def ask(*arguments):
        capsys.readouterr()
        answer = Answer(run([str(each) for each in arguments]), *capsys.readouterr())
        assert answer.code != 1, answer.err
        assert "Traceback" not in answer.err
        assert "\x1b" not in answer.out + answer.err
        assert answer.code == 0 or answer.err.startswith("error: ")
        return answer

    return ask


# simulate


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A chain of some hundred transactions."""
    folder = tmp_path_factory.mktemp("bench") / "world"
    assert run(["simulate", str(folder), "--scale", "bench", "--transactions", "500"]) == 0
    return folder


def test_simulate_says_what_it_wrote(cli, bench, tmp_path):
    done = cli("simulate", tmp_path / "again", "--scale", "bench", "--transactions", 500, "--json")
    answer = json.loads(done.out)
    assert (answer["scale"], answer["seed"], answer["made"], answer["holdout"]) == ("bench", 1, True, False)
    assert answer["tables"] == {}
    assert done.err == ""
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (bench / "manifest.json").read_bytes()
    text = cli("simulate", tmp_path / "text", "--scale", "bench", "--transactions", 500)
    for word in ("scale         bench, seed 1", "truth         -", answer["block_hash"], answer["manifest_digest"]):
        assert word in text.out


def test_the_same_world_again_is_left_alone(cli, bench):
    before = {path: path.stat().st_mtime_ns for path in bench.rglob("*")}
    done = cli("simulate", bench, "--scale", "bench", "--transactions", 500)
    assert (done.code, done.err) == (0, f"note: {bench} held this world already; nothing was done\n")
    assert "time " not in done.out
    assert not json.loads(cli("simulate", bench, "--scale", "bench", "--transactions", 500, "--json").out)["made"]
    assert {path: path.stat().st_mtime_ns for path in bench.rglob("*")} == before


@pytest.mark.parametrize("options", [("--seed", 2), ("--holdout",), ("--transactions", 501)])
def test_another_world_in_the_place_is_refused(cli, bench, options):
    if "--transactions" not in options:
        options = ("--transactions", 500, *options)
    done = cli("simulate", bench, "--scale", "bench", *options)
    assert done.code == 4
    assert "holds another world" in done.err


@pytest.mark.parametrize(
    "options",
    [
        ("--seed", "-1"),
        ("--seed", "one"),
        ("--seed", "1.5"),
        ("--scale", "huge"),
        ("--scale", "bench"),
        ("--transactions", "5"),
        ("--scale", "bench", "--transactions", "0"),
        ("--scale", "bench", "--transactions", "-5"),
        ("--unknown",),
        ("one-more",),
    ],
    ids=" ".join,
)
def test_simulate_refuses_senseless_options(cli, tmp_path, options):
    assert cli("simulate", tmp_path / "world", *options).code == 2
    assert not (tmp_path / "world").exists()


def test_simulate_needs_a_folder_of_its_own(cli, tmp_path):
    assert cli("simulate").code == 2
    (tmp_path / "file").write_text("here")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("here")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "far")
    small = ("--scale", "bench", "--transactions", 5)
    assert cli("simulate", tmp_path / "file", *small).code == 4
    assert cli("simulate", tmp_path / "full", *small).code == 4
    assert cli("simulate", tmp_path / "file" / "below", *small).code in (4, 6)
    assert cli("simulate", "/proc/world", *small).code == 6
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "precious").read_text() == "here"


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"parameters": 7}', "\x00\x01", "{" * 100_000])
def test_a_strange_manifest_in_the_place_is_refused(cli, tmp_path, content):
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "manifest.json").write_text(content)
    done = cli("simulate", tmp_path / "world", "--scale", "bench", "--transactions", 5)
    assert done.code == 4
    assert (tmp_path / "world" / "manifest.json").read_text() == content


def test_a_changed_world_is_not_taken_for_whole(cli, bench, tmp_path):
    shutil.copytree(bench, tmp_path / "world")
    (tmp_path / "world" / "chain" / "headers.bin").unlink()
    done = cli("simulate", tmp_path / "world", "--scale", "bench", "--transactions", 500)
    assert done.code == 4
    assert "headers.bin was changed or is missing" in done.err


def test_what_a_killed_run_left_is_taken_away(cli, bench, tmp_path):
    partial = tmp_path / "world.partial"
    partial.mkdir()
    (partial / "junk").write_text("not ours")
    small = ("simulate", tmp_path / "world", "--scale", "bench", "--transactions", 500)
    assert cli(*small).code == 4
    assert (partial / "junk").read_text() == "not ours"
    (partial / ".being-simulated").touch()
    assert cli(*small).code == 0
    assert not partial.exists()
    assert (tmp_path / "world" / "manifest.json").read_bytes() == (bench / "manifest.json").read_bytes()


def test_strange_names_of_worlds(cli, tmp_path):
    for name in ("o'brien; DROP TABLE", "a b", "g[1]*", "ü\N{SNOWMAN}"):
        assert cli("simulate", tmp_path / name, "--scale", "bench", "--transactions", 5).code == 0
    (tmp_path / "red\x1b[31m").write_text("a file")
    assert cli("simulate", tmp_path / "red\x1b[31m", "--scale", "bench", "--transactions", 5).code == 4


# score


@pytest.fixture
def world(bazaar, tmp_path):
    """A copy of the world whose files are links, so that one can be put in place of another."""
    for path in bazaar.world.rglob("*"):
        if path.is_file() and path.relative_to(bazaar.world).parts[0] in ("truth", "inputs", "chain", "manifest.json"):
            target = tmp_path / "world" / path.relative_to(bazaar.world)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    return tmp_path / "world"


def test_score_prints_a_table_and_json(cli, bazaar, tmp_path):
    text = cli("score", bazaar.world, "--ledger", bazaar.ledger)
    done = cli("score", bazaar.world, "--ledger", bazaar.ledger, "--json", "--results", tmp_path / "kept" / "here")
    answer = json.loads(done.out)
    assert list(answer) == ["snapshot", "manifest_digest", "rows"]
    failed = [row["id"] for row in answer["rows"] if row["status"] == "fail"]
    assert text.code == done.code == (5 if failed else 0)
    lines = text.out.splitlines()
    assert lines[0].split()[:3] == ["row", "status", "value"]
    assert [line.split()[0] for line in lines[1:]] == [row["id"] for row in answer["rows"]]
    assert sum("not built yet" in line for line in lines) == sum(row["status"] == "not_built" for row in answer["rows"])
    for name in failed:
        assert name in text.err
    for path in bazaar.results.rglob("*.*"):
        assert (tmp_path / "kept" / "here" / path.relative_to(bazaar.results)).read_bytes() == path.read_bytes()


def test_score_is_the_same_again(cli, bazaar):
    first, second = (cli("score", bazaar.world, "--ledger", bazaar.ledger, "--json") for _ in range(2))
    assert first == second


def test_a_ledger_that_ends_early_fails(cli, bazaar, tmp_path):
    source = bazaar.world / "chain" / "plain"
    assert cli("ingest", source, "--ledger", tmp_path / "ledger", "--until", 900).code == 0
    done = cli("score", bazaar.world, "--ledger", tmp_path / "ledger")
    assert done.code == 5
    names = ("ledger.blocks", "ledger.transactions", "ledger.outputs", "ledger.spenders", "criterion.1.recall")
    for name in names:
        assert name in done.err.splitlines()[0]


def test_a_ledger_of_genesis_alone_finds_nothing(cli, bazaar, tmp_path):
    """No result file has a row about the market, and nothing found is no pass."""
    assert cli("ingest", bazaar.world / "chain" / "plain", "--ledger", tmp_path / "ledger", "--until", 0).code == 0
    done = cli("score", bazaar.world, "--ledger", tmp_path / "ledger", "--json")
    assert done.code == 5
    status = {row["id"]: row["status"] for row in json.loads(done.out)["rows"]}
    failing = {name for name, each in status.items() if each == "fail"}
    assert {name for name in status if name.startswith("criterion.1.")} | {"criterion.1"} <= failing | {
        name for name in status if re.fullmatch(r"criterion\.1\d", name)
    }
    assert "change.precision" in failing


def test_a_ledger_of_another_chain_is_refused(cli, bazaar, bench, tmp_path):
    ingest(bench / "chain" / "plain", tmp_path / "ledger")
    done = cli("score", bazaar.world, "--ledger", tmp_path / "ledger")
    assert (done.code, done.out) == (4, "")
    assert "they differ at height" in done.err


def test_a_chain_alone_has_no_truth(cli, bazaar, bench):
    done = cli("score", bench, "--ledger", bazaar.ledger)
    assert done.code == 4
    assert "without truth" in done.err


def test_score_needs_a_world_and_a_ledger(cli, bazaar, tmp_path):
    assert cli("score").code == 2
    assert cli("score", bazaar.world).code == 2
    assert cli("score", bazaar.world, "--ledger", tmp_path / "none").code == 6
    assert cli("score", bazaar.world, "--ledger", bazaar.world).code == 6
    for place in (tmp_path / "none", tmp_path, bazaar.world / "manifest.json", tmp_path / "red\x1b[31m", "/dev/null"):
        done = cli("score", place, "--ledger", bazaar.ledger)
        assert (done.code, done.out) == (4, ""), place
        assert "is not a world" in done.err


@pytest.mark.parametrize("name", ["entities", "scripts", "transactions", "inputs", "outputs", "mix_links"])
def test_half_a_world_is_refused(cli, bazaar, world, name):
    (world / "truth" / f"{name}.parquet").unlink()
    done = cli("score", world, "--ledger", bazaar.ledger)
    assert (done.code, done.out) == (4, "")
    assert f"{name}.parquet is missing" in done.err


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("truth/scripts.parquet", b""),
        ("truth/scripts.parquet", b"PAR1 and then something else PAR1"),
        ("truth/scripts.parquet", os.urandom(5_000)),
        ("manifest.json", b""),
        ("manifest.json", b"[1, 2]"),
        ("manifest.json", b"\xff\xfe"),
        ("manifest.json", b"{" * 100_000),
        ("chain/headers.bin", b""),
        ("chain/headers.bin", b"\0" * 200),
    ],
)
def test_an_unreadable_file_is_refused(cli, bazaar, world, path, content):
    (world / path).unlink()
    (world / path).write_bytes(content)
    done = cli("score", world, "--ledger", bazaar.ledger)
    assert (done.code, done.out) == (4, "")


@pytest.mark.parametrize("path", ["truth/outputs.parquet", "chain/headers.bin", "manifest.json"])
def test_a_folder_or_a_gap_instead_of_a_file_is_refused(cli, bazaar, world, path):
    (world / path).unlink()
    (world / path).symlink_to(world / "nowhere")
    assert cli("score", world, "--ledger", bazaar.ledger).code == 4
    (world / path).unlink()
    (world / path).mkdir()
    assert cli("score", world, "--ledger", bazaar.ledger).code == 4


UNDERCOVER = "purchase_no,txid,vout,value_sat\n"
ANY_TXID = "00" * 32


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("undercover.csv", None, "cannot be read"),
        ("undercover.csv", "purchase_no,txid\n1,2\n", "lacks one of the columns"),
        ("undercover.csv", UNDERCOVER + f"one,{ANY_TXID},0,5\n", "lacks a number"),
        ("undercover.csv", UNDERCOVER + "1,00ff,0,5\n", "00ff"),
        ("undercover.csv", "\xff", "lacks|cannot be read"),
        ("tags", None, "there is no tag pack"),
        ("tags/services.yaml", "title: t\ncreator: c\nsource: s\ntags:\n- label: x\n", "line 5: .*address"),
        ("tags/services.yaml", "confidence: service_data\ntags:\n  label: x\n", "line 3: `tags` is no list"),
        ("tags/services.yaml", "tags: [a, b]\n- address: x\n", "line 2: no YAML"),
        ("tags/services.yaml", "confidence: {service_data\n- x\n", "line 3: no YAML"),
    ],
)
def test_what_an_investigator_gets_is_checked(cli, bazaar, world, path, content, message):
    place = world / "inputs" / path
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    if content is not None:
        place.write_text(content, encoding="latin-1")
    done = cli("score", world, "--ledger", bazaar.ledger)
    assert (done.code, done.out) == (4, "")
    assert re.search(message, done.err)


def test_a_receipt_that_contradicts_the_chain_is_refused(cli, bazaar, world):
    place = world / "inputs" / "undercover.csv"
    text = place.read_text()
    value = next(csv.DictReader(text.splitlines()))["value_sat"]
    place.unlink()
    place.write_text(text.replace(f",{value},", f",{int(value) + 1},", 1))
    done = cli("score", world, "--ledger", bazaar.ledger)
    assert done.code == 4
    assert "compare the receipt with the chain" in done.err


def test_a_table_of_other_columns_is_refused(cli, bazaar, world):
    path = world / "truth" / "entities.parquet"
    path.unlink()
    duckdb.execute(f"""COPY (SELECT 1 AS "odd"" name", 'x' AS "select") TO '{path}' (FORMAT parquet)""")
    done = cli("score", world, "--ledger", bazaar.ledger)
    assert (done.code, done.out) == (4, "")
    assert "not those of a world" in done.err


def test_results_that_cannot_be_kept(cli, bazaar, tmp_path):
    (tmp_path / "file").write_text("here")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        done = cli("score", bazaar.world, "--ledger", bazaar.ledger, "--results", place)
        assert (done.code, done.out) == (6, "")
    assert (tmp_path / "file").read_text() == "here"
