"""GraphSense's own tools judge what is written: its validator, and its loader for what a pack says.

They are installed into an environment of their own, `.venv-graphsense` beside the project's, from
`requirements/graphsense.txt`: `echo 'graphsense-lib[tagpacks]==2.18.1' | uv pip compile -`, with the options of
`make lock`. Where that cannot be installed, the tests skip and say why.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from vectors import shared_data

from cointrail.attribution.formats.actorpack import read_actorpack, write_actorpack
from cointrail.attribution.formats.tagpack import NO_CURRENCY, read_tagpack, write_tagpack
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.cli.main import run as run_command

pytestmark = pytest.mark.wide

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-graphsense"
REQUIREMENTS = ROOT / "requirements" / "graphsense.txt"
PASSED = re.compile(r"PASSED: (\S+\.yaml)")

ONE, OTHER = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
DATED = f"""title: Dated
creator: somebody
currency: BTC
source: https://example.org/list
confidence: service_data
lastmod: 2024-01-15
author: a desk
tags:
- address: {ONE}
  label: Boat
  valid_from: 2020-01-01
  valid_to: 2021-01-01
- address: {OTHER}
  label: Raft
  colour: red
"""

SAYS = """
import json, sys
from graphsenselib.tagpack.tagpack import TagPack
from graphsenselib.tagpack.tagpack_schema import TagPackSchema
pack = TagPack.load_from_file("", sys.argv[1], TagPackSchema(), {})
header = {name: value for name, value in pack.contents.items() if name != "tags"}
print(json.dumps([header, [tag.all_fields for tag in pack.tags]], sort_keys=True, default=repr))
"""
"""What GraphSense reads in a pack, with everything that it fills in."""


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder of programs of GraphSense's environment, which is made if it is not there or not of this list."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (Path(tempfile.gettempdir()) / "cointrail-graphsense.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = FOLDER / "installed"
        if not (stamp.exists() and stamp.read_text() == wanted):
            shutil.rmtree(FOLDER, ignore_errors=True)
            install = [
                FOLDER / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "-r",
                REQUIREMENTS,
            ]
            for command in ([sys.executable, "-m", "venv", FOLDER], install):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"GraphSense's tools cannot be installed: {done.stderr.strip()[-300:]}")
            (FOLDER / ".gitignore").write_text("*\n")
            stamp.write_text(wanted)
    return FOLDER / "bin"


def valid(tools: Path, folder: Path) -> set[str]:
    """The names of the TagPacks of a folder that pass; the validator's exit code says whether all do."""
    options = ["-j", "2", "--no-strict-actor-references"]
    done = run(tools / "graphsense-cli", "-vv", "tagpack-tool", "tagpack", "validate", *options, folder, cwd=folder)
    output = done.stdout + done.stderr
    passed = {Path(each).name for each in PASSED.findall(output)}
    packs = {each.name for each in folder.glob("*.yaml")}
    assert f"{len(passed)}/{len(packs)} TagPacks passed" in output, output
    assert (done.returncode == 0) == (passed == packs), output
    return passed


def export(path: Path, folder: Path) -> None:
    pack = read_tagpack(path)
    with (folder / path.name).open("w", encoding="utf-8", newline="\n") as file:
        write_tagpack(pack, pack.tags, file)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Copies of the real packs, and what is written of them."""
    originals, exports = tmp_path / "originals", tmp_path / "exports"
    exports.mkdir()
    shutil.copytree(shared_data() / "tags", originals, ignore=shutil.ignore_patterns("*.json", "*.txt", "LICENSE*"))
    for path in originals.glob("*.yaml"):
        export(path, exports)
    return originals, exports


def test_exports_of_real_packs_are_as_valid_as_the_packs(tools, folders):
    originals, exports = folders
    for folder in folders:
        (folder / "broken.yaml").write_text("title: t\ncreator: c\ntags:\n- address: 1a\n  label: l\n")
    assert len(valid(tools, originals)) == 10
    assert valid(tools, exports) == valid(tools, originals)


def test_graphsense_reads_the_same_in_a_pack_and_in_its_export(tools, folders):
    for path in sorted(folders[0].glob("*.yaml")):
        said = [run(tools / "python", "-c", SAYS, folder / path.name, cwd=folder) for folder in folders]
        assert all(each.returncode == 0 for each in said), said
        header, tags = json.loads(said[0].stdout)
        assert header["title"]
        assert len(tags) == sum(1 for _ in read_tagpack(path).tags)
        assert json.loads(said[1].stdout) == [header, tags]


def test_tags_of_other_formats_are_valid_without_the_fields_that_graphsense_does_not_know(tools, tmp_path):
    statement = Statement(
        label="<b>yes</b>: #1",
        source="https://example.org/list?a=b#c",
        confidence="authority_data",
        category="exchange",
        concepts=("exchange", "wallet_service"),
        is_cluster_definer=False,
        context='{"note": "two\\nlines"}',
        lastmod="2024-01-15",
        valid_from="2020-01-01",
        author="somebody",
        currency="BTC",
        network="BTC",
    )
    tag = Tag(Subject(SubjectKind.ADDRESS, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), statement)
    pack = Pack("list.csv", "00", "table", 1, {"kind": "a list"}, ())
    for name, own_fields in (("without.yaml", False), ("with.yaml", True)):
        with (tmp_path / name).open("w", encoding="utf-8") as file:
            write_tagpack(pack, [tag], file, own_fields=own_fields)
    assert valid(tools, tmp_path) == {"without.yaml"}


ACTORS = """\
title: Actors
creator: somebody
lastmod: 2023-05-10
categories: [exchange]
actors:
- id: boat
  uri: https://boat.example.org
  label: Boat
  jurisdictions: [SC, AT]
  aliases: [boat exchange]
  context: '{"uris": ["https://boat.example.org"], "twitter_handle": "boat", "aliases": ["boatexchange"]}'
- id: raft
  uri: https://raft.example.org
  label: Raft
  lastmod: 2023-05-11
  categories:
  - mixing_service
  - organization
  context:
    legal_name: Raft Ltd
    related_actors: [boat]
"""


def test_an_exported_actorpack_is_valid(tools, tmp_path):
    original, exported, broken = (tmp_path / name for name in ("original", "exported", "broken"))
    for folder in (original, exported, broken):
        folder.mkdir()
    (original / "actorpack.yaml").write_text(ACTORS, encoding="utf-8")
    pack = read_actorpack(original / "actorpack.yaml")
    with (exported / "actorpack.yaml").open("w", encoding="utf-8") as file:
        write_actorpack(pack, pack.actors, file)
    (broken / "actorpack.yaml").write_text(ACTORS.replace("label: Raft", "label: 12"), encoding="utf-8")
    for folder, is_valid in ((original, True), (exported, True), (broken, False)):
        done = run(tools / "graphsense-cli", "tagpack-tool", "actorpack", "validate", folder, cwd=folder)
        assert (done.returncode == 0) == is_valid, done.stderr


def test_a_collection_is_accepted_as_it_is_exported_for_graphsense(tools, tmp_path, monkeypatch, capsys):
    """With fields of ours in the header and in a tag, and one of a stranger; what nobody said is told, not made up."""
    monkeypatch.setenv("COINTRAIL_HOME", str(tmp_path / "home"))
    source, folder = tmp_path / "dated.yaml", tmp_path / "exports"
    folder.mkdir()
    source.write_text(DATED)
    for name, option in (("ours.yaml", ()), ("theirs.yaml", ("--for-graphsense",))):
        assert run_command(["tags", "import", str(source), "--by", "x"]) == 0
        assert run_command(["tags", "export", "dated.yaml", "-o", str(folder / name), *option]) == 0
    (tmp_path / "table.csv").write_text(f"address,label,source,confidence\n{ONE},Boat,https://x,service_data\n")
    assert run_command(["tags", "import", str(tmp_path / "table.csv"), "--by", "x"]) == 0
    capsys.readouterr()
    unsaid = str(folder / "unsaid.yaml")
    assert run_command(["tags", "export", "table.csv", "-o", unsaid, "--for-graphsense"]) == 0
    assert f"left out: 1 {NO_CURRENCY}" in capsys.readouterr().err
    assert valid(tools, folder) == {"theirs.yaml"}
    said = run(tools / "python", "-c", SAYS, folder / "theirs.yaml", cwd=folder)
    _, tags = json.loads(said.stdout)
    assert [(tag["address"], tag["label"]) for tag in tags] == [(ONE, "Boat"), (OTHER, "Raft")]
