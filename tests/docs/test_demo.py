"""`make demo`: from any folder, twice, with what it claims; and the page and the picture that are made of it.

COINTRAIL_REFRESH=1 pytest tests/docs/test_demo.py    writes page and picture instead, as `make docs`: read the diff.
"""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cointrail
from cointrail.bitcoin.hashes import parse_hash
from cointrail.service.proofs import check_proof, read_proof

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "bazaar.md"
PICTURE = ROOT / "docs" / "images" / "trace.svg"
# Durations, the note of a first run, and the moment that an overlay file was made at, which its digest covers.
TIMES = re.compile(
    r"\d+\.\d s|\([\d,]+ transactions/s\)|A\. Analyst, \S+Z"
    r"|(?<=overlay     )\w{6}…\w{6}|(?<=digest   )\w{64}| *first run here: [^\n]*\n"
)
REFRESH = bool(os.environ.get("COINTRAIL_REFRESH"))


def demo(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "demo" / "run.py"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False,
        timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The demo in a folder of its own, with a relative workdir."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder, "--workdir", "work", "--page", "page.md")


def joined(text: str) -> str:
    """Every command on one line."""
    return re.sub(r" \\\n +", " ", text)


def commands(text: str) -> list[str]:
    return re.findall(r"^ *\$ (cointrail .*)$", joined(text), re.MULTILINE)


def test_it_tells_the_case(played):
    _, done = played
    assert (done.returncode, done.stderr) == (0, "")
    steps = re.findall(r"^(\d+)\. .*\n-+$", done.stdout, re.MULTILINE)
    assert list(map(int, steps)) == list(range(1, len(steps) + 1))
    # Every step but the last says what it shows and what it does not.
    assert done.stdout.count("\nIt says: ") == done.stdout.count("\nIt does not prove: ") == len(steps) - 1 == 16
    asked = {line.split()[1] for line in commands(done.stdout)}
    assert asked == {
        "simulate", "ingest", "status", "tags", "tx", "address", "profile", "cluster", "explain", "overlay", "exposure",
        "trace", "verify", "score",
    }  # fmt: skip
    for words in ("everything agrees", "spread", "not built yet", "  <- Alpha", "(exit code 5)"):
        assert words in done.stdout, words
    assert "{" not in done.stdout
    assert "\x1b" not in done.stdout
    seconds = float(re.search(r"^Done in ([\d.]+) s", done.stdout, re.MULTILINE)[1])
    assert seconds < 240  # some twenty on an idle machine, more where it is compiled first


def test_no_line_is_too_wide(played):
    assert [line for line in played[1].stdout.splitlines() if len(line) > 119] == []


def test_what_it_says_is_in_the_ledger(played):
    """The numbers of its prose follow from commands that are asked here again."""
    folder, done = played
    text = " ".join(joined(done.stdout).split())
    with cointrail.open(folder / "work" / "ledger") as ledger:
        paid = re.search(r"cointrail address (\S+) --history", text)[1]
        now = ledger.cluster(paid)
        assert f"{now.size} scripts have one controller" in text
        assert re.search(rf"cluster\.largest_wrong_merge fail {now.size} ", text)
        seed = re.search(r"cointrail trace (\S+) --policy fifo --policy haircut", text)[1]
        deposit = re.search(r"cointrail cluster (\S+) --limit 500", text)[1]
        tags = folder / "work" / "world" / "inputs" / "tags" / "services.yaml"
        answer = ledger.trace(seed, policies=("fifo", "haircut", "lifo", "tiho"), services=tags)
        assert all(policy.conserved for policy in answer.policies)
        reached = [end.traced_sat for end in answer.endpoints if end.address == deposit]
        arrived = {name: sum(each[name] for each in reached) for name in ("fifo", "haircut")}
        assert answer.traced_sat >= arrived["fifo"] > 0 < arrived["haircut"]
        assert f"sends {arrived['fifo'] / 1e8:.8f} of {answer.traced_sat / 1e8:.8f} BTC" in text
        assert f"haircut {arrived['haircut'] / 1e8:.8f};" in text
        assert f"It received {ledger.address(deposit).received_sat / 1e8:.8f} BTC in all" in text
    assert (right := re.search(r"(\d+) of (\d+) are right", text))[1] == right[2]
    assert f"with the overlay {right[1]} payments came straight from an exchange" in text


def test_the_merge_that_it_leaves_out_was_found_and_is_the_payjoin(played):
    """Ranked first, a step of the proof, the only one at its height; the truth of the world has the last word."""
    folder, done = played
    text, work = " ".join(joined(done.stdout).split()), folder / "work"
    a, b = re.search(r"cointrail explain (\S+) (\S+) --check", text).groups()
    bridge = re.search(r"cointrail overlay exclude \S+ (\w{64}) ", text)[1]
    with (work / "world" / "truth" / "transactions.csv").open(encoding="utf-8", newline="") as file:
        kinds = {row["label"]: row["txid"] for row in csv.DictReader(file) if row["label"]}
    assert kinds["payjoin-merchant"] == parse_hash(bridge).hex()
    assert "left out was a payjoin (`payjoin-merchant`)" in text
    height = int(re.search(r"One transaction at height ([\d,]+) ", text)[1].replace(",", ""))
    with cointrail.open(work / "ledger") as ledger:
        steps = [step.txid for step in ledger.explain(a, b).steps]
        assert bridge in steps
        assert f"{len(steps)} co-spends lead from" in text
        assert ledger.transaction(bridge).height == height
        now, mine, theirs = (
            ledger.cluster(a),
            ledger.cluster(a, overlay=work / "overlay.json"),
            ledger.cluster(b, overlay=work / "overlay.json"),
        )
        ranked = ledger.cluster(a, show=("suspicious",), tagged=work / "tags.csv").suspicious
    assert ranked[0].txid == bridge
    assert {frozenset(each) for each in ranked[0].actors if each} == {
        frozenset({"test purchases"}),
        frozenset({"Heron"}),
    }
    assert sorted(now.members) == sorted(mine.members + theirs.members)
    assert f"{mine.size} scripts stay with the test payment and {theirs.size} go with Heron" in text
    assert f"{mine.size} of {mine.size} scripts are the market's" in text
    with cointrail.open(work / "ledger", height - 1) as before:
        first = set(before.cluster(a).members)
        assert first < set(mine.members)
        assert b not in first
    with cointrail.open(work / "ledger", height) as after:
        assert b in after.cluster(a).members


def test_its_proof_stands_without_the_ledger_and_falls_without_a_step(played, tmp_path):
    made = played[0] / "work" / "proof.json"
    assert check_proof(read_proof(made)).valid
    document = json.loads(made.read_text("utf-8"))
    for place in range(len(document["steps"])):
        cut = tmp_path / f"{place}.json"
        steps = [*document["steps"][:place], *document["steps"][place + 1 :]]
        cut.write_text(json.dumps(document | {"steps": steps}), "utf-8")
        assert not check_proof(read_proof(cut)).valid


def test_it_runs_again_from_elsewhere_with_the_same_answers(played, tmp_path):
    folder, first = played
    (tmp_path / "cointrail").mkdir()
    second = demo(tmp_path, "--workdir", str(folder / "work"), LC_ALL="C", COINTRAIL_LEDGER="nowhere")
    assert (second.returncode, second.stderr) == (0, "")
    # A line that names the folder is wrapped at another place if the name is longer: the words are compared.
    ours, theirs = (TIMES.sub("", joined(text)) for text in (second.stdout.replace(f"{folder}/", ""), first.stdout))
    assert ours.split() == theirs.split()
    assert {path.name for path in tmp_path.iterdir()} == {"cointrail"}


def test_it_empties_no_folder_of_others(tmp_path):
    (tmp_path / "precious").write_text("here")
    (tmp_path / "ledger").mkdir()
    for workdir in (".", str(tmp_path), str(tmp_path / "precious")):
        done = demo(tmp_path, "--workdir", workdir)
        assert done.returncode == 1
        assert "was not made by the demo" in done.stderr
    assert (tmp_path / "precious").read_text() == "here"
    assert (tmp_path / "ledger").is_dir()


def test_the_tutorial_is_what_the_demo_gives(played):
    folder, done = played
    fresh = (folder / "page.md").read_text("utf-8")
    if REFRESH:
        PAGE.write_text(fresh, "utf-8")
        pytest.skip("page rewritten")
    assert TIMES.sub("", fresh) == TIMES.sub("", PAGE.read_text("utf-8")), "run `make docs` and read the diff"
    assert commands(fresh) == commands(done.stdout.replace("work/", ""))
    assert str(folder) not in fresh


def test_the_picture_is_drawn_from_the_demo_s_ledger(played):
    path = ROOT / "docs" / "draw.py"
    spec = importlib.util.spec_from_file_location("docs_draw", path)
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    fresh = draw.picture(played[0] / "work" / "world", played[0] / "work" / "ledger")
    if REFRESH:
        PICTURE.write_text(fresh, "utf-8")
        pytest.skip("picture redrawn")
    assert fresh == PICTURE.read_text("utf-8"), "run `make docs` and look at it"


def test_the_makefile_runs_it():
    assert "$(BIN)/python demo/run.py --workdir .demo\n" in (ROOT / "Makefile").read_text("utf-8")
