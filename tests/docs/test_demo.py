"""`make demo`: from any folder, twice, with what it claims."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import cointrail

ROOT = Path(__file__).resolve().parents[2]
TIMES = re.compile(r"\d+\.\d s|\([\d,]+ transactions/s\)")


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "demo" / "run.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The demo in a folder of its own, with a relative workdir."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder, "--workdir", "work")


def test_it_tells_the_story(played):
    _, done = played
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "241 blocks, 258 transactions",
        "1 stale and 0 duplicate blocks",
        "size      6 scripts",
        "1 collaborative left out",
        "2.00000000    1.19999600  unspent",
        "2.00000000    2.00000000  together",
        "coinjoin ",
        "work/ledger: everything agrees",
    ):
        assert words in done.stdout, words
    steps = re.findall(r"^\d+\. .*$", done.stdout, re.MULTILINE)
    assert len(steps) == done.stdout.count("It says: ") == done.stdout.count("It does not prove: ") == 9
    assert done.stdout.count("\n$ cointrail ") == 10
    assert "/work" not in done.stdout.replace("work/ledger", "").replace("work/node", "")


def test_what_it_says_is_in_the_ledger(played):
    """The commands it prints at the end work, and the strangers were not merged."""
    folder, done = played
    seed = re.search(r"cointrail trace (\S+:0) --policy fifo", done.stdout)[1]
    with cointrail.open(folder / "work" / "ledger") as ledger:
        for policy in ("fifo", "haircut"):
            answer = ledger.trace(seed, policy=policy)
            assert answer.conserved
            assert answer.traced_sat == 200_000_000
        collected, wage = (
            re.search(rf"^  cointrail {name} (\S+) --ledger work/ledger$", done.stdout, re.MULTILINE)[1]
            for name in ("trace", "cluster")
        )
        assert ledger.trace(collected).conserved
        assert ledger.cluster(wage).size == 2
        clusters = [ledger.cluster(member) for member in re.findall(r"cointrail cluster (\S+)", done.stdout)[:2]]
        assert [each.size for each in clusters] == [6, 2]
        assert not set(clusters[0].members) & set(clusters[1].members)


def test_it_runs_again_from_elsewhere_with_the_same_answers(played, tmp_path):
    folder, first = played
    second = demo(tmp_path, "--workdir", str(folder / "work"))
    assert (second.returncode, second.stderr) == (0, "")
    shown = TIMES.sub("", second.stdout.replace(f"{folder}/", ""))
    assert shown.split() == TIMES.sub("", first.stdout).split()


def test_it_empties_no_folder_of_others(tmp_path):
    (tmp_path / "precious").write_text("here")
    (tmp_path / "ledger").mkdir()
    for workdir in (".", str(tmp_path), str(tmp_path / "precious")):
        done = demo(tmp_path, "--workdir", workdir)
        assert done.returncode == 1
        assert "was not made by the demo" in done.stderr
    assert (tmp_path / "precious").read_text() == "here"
    assert (tmp_path / "ledger").is_dir()


def test_the_makefile_runs_it():
    assert "$(BIN)/python demo/run.py --workdir .demo\n" in (ROOT / "Makefile").read_text("utf-8")
