"""`accuracy/run.py --quick`: one small world of each kind, all rows, both models; without the public sets too."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from memory_disk import scratch

from book import Book
from change_rows import change_rows
from cluster_rows import level_one_without, link_rows
from cointrail.bitcoin.fingerprint import InputFlag
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.learned.model import load
from cointrail.ledger.reader import Reader
from gate_rows import gate_rows, joined_pairs
from truth import OtherChain, read_truth
from worlds import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
RUN = [sys.executable, str(ROOT / "accuracy" / "run.py"), "--quick", "--seeds", "1"]


class Run(NamedTuple):
    """What a run left: its folder, table and words."""

    folder: Path
    table: dict
    printed: str
    said: str

    def row(self, rule: str, models: str, stratum: str = "all") -> dict:
        (found,) = (
            row for row in self.table["rows"] if (row["rule"], row["models"], row["stratum"]) == (rule, models, stratum)
        )
        return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with scratch(tmp_path_factory.mktemp("accuracy")) as folder:
        method = folder / "out" / "docs" / "methods" / "change-model.md"
        method.parent.mkdir(parents=True)
        method.write_text((ROOT / "docs" / "methods" / "change-model.md").read_text("utf-8"), "utf-8")
        yield _run(folder)


def _run(folder: Path) -> Run:
    places = ["--work", str(folder / "work"), "--out", str(folder / "out"), "--real", str(folder / "nothing")]
    done = subprocess.run([*RUN, *places], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = json.loads((folder / "out" / "src" / "cointrail" / "cluster" / "accuracy.json").read_text("utf-8"))
    return Run(folder, table, done.stdout, done.stderr)


def _world(run: Run, models: str = "training", seed: int = 1) -> World:
    name = f"small-{seed}-{models}"
    return World(models, "small", seed, run.folder / "work" / name, run.folder / "work" / f"{name}-ledger", "", 0)


def spent_together(reader: Reader, tx_index: int) -> list[int]:
    """The scripts that a transaction joins, by the page of the rule."""
    inputs = reader.inputs_of(tx_index)
    if len(inputs) < 2 or collaborative(reader, tx_index).signs & VETO:
        return []
    spent, flags = (reader.column("input", name)[inputs.start : inputs.stop] for name in ("output", "flags"))
    owned = spent[flags.astype(int) & int(InputFlag.ANYONECANPAY) == 0]
    return sorted({int(each) for each in reader.column("output", "script")[owned]})


def test_targets_are_printed_with_their_result(run):
    lines = run.printed.splitlines()
    assert all(line.split()[0] in ("pass", "fail", "not") for line in lines)
    assert any("two agreeing families" in line for line in lines)


def test_sets_that_are_not_there_are_named(run):
    assert run.said.count("skipped: there is no") == 4
    assert run.table["real"] == []
    assert any(line.startswith("not checked") and "real sets" in line for line in run.printed.splitlines())
    assert "public sets were not there" in (run.folder / "out" / "docs" / "accuracy.md").read_text("utf-8")


def test_the_same_run_writes_the_same_bytes(run):
    def files() -> dict[str, bytes]:
        folder = run.folder / "out"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    before = files()
    assert len(before) == 7
    _run(run.folder)
    assert files() == before


def test_its_models_load(run):
    for labels, digest in run.table["models"]:
        model = load(run.folder / "out" / "accuracy" / "models" / f"{digest}.npz")
        assert model.about["labels"] == labels
        assert all("seed 1" in world for world in model.about["trained_on"])


def test_the_vote_is_right_on_models_it_never_saw(run):
    row = run.row("change_vote", "holdout")
    assert row["n"] > 5_000
    assert row["precision"] >= 0.99


def test_each_link_is_counted_as_a_plain_loop_counts(run):
    world = _world(run)
    with Reader(world.ledger) as reader:
        truth = read_truth(world.folder, reader)
        pairs = wrong = payjoins = 0
        for tx_index in range(reader.counts.transaction):
            scripts = spent_together(reader, tx_index)
            owners = [int(truth.controller[each]) for each in scripts]
            strange = sum(a != b for place, a in enumerate(owners) for b in owners[:place])
            pairs += len(owners) * (len(owners) - 1) // 2
            wrong += strange
            payjoins += strange * (truth.kind[tx_index] == "payjoin")
    row = run.row("cospend", "training")
    assert (row["n"], row["errors"]) == (pairs, wrong)
    assert run.row("cospend", "training", "without PayJoins")["errors"] == wrong - payjoins
    assert payjoins > 0


def test_a_wrong_truth_shows(run):
    """Mutation: with change and payment exchanged no rule is right, with one controller nobody is a stranger."""
    world = _world(run)
    with Reader(world.ledger) as reader:
        truth = read_truth(world.folder, reader)
        alone = truth.controller * 0
        flipped = np.where(truth.change < 0, truth.change, 1 - truth.change).astype(np.int8)
        fields = (truth.entity, flipped, truth.kind, truth.protocol, truth.names)
        book = Book()
        wrong = type(truth)(alone, *fields)
        change_rows(book, world, reader, wrong)
        gate_rows(book, world, reader, wrong)
        link_rows(book, world, reader, wrong)
    assert book.line("change.C4", "training").precision < 0.01
    assert book.line("change_vote", "training").precision < 0.01
    assert book.line("cospend", "training").errors == 0
    assert book.line("gate", "training").precision == 0


def test_l1_joined_anew_loses_exactly_what_is_left_out(run):
    world = _world(run)
    with Reader(world.ledger) as reader:
        truth, forest = read_truth(world.folder, reader), Forest(reader)
        without = level_one_without(reader, ~truth.is_kind("payjoin"))
        payjoins = np.flatnonzero(truth.is_kind("payjoin"))
        _, strangers = joined_pairs(reader, truth, payjoins)
        assert (strangers > 0).all()
        whole = forest.partition()
        assert (whole <= without).all()
        parted = np.flatnonzero(whole != without)
        inputs = {script for tx in payjoins.tolist() for script in spent_together(reader, tx)}
        assert len(parted)
        assert set(whole[parted].tolist()) <= {int(whole[script]) for script in inputs}


def test_the_truth_of_another_world_is_refused(run):
    world, other = _world(run), _world(run, "holdout", 101)
    with Reader(world.ledger) as reader, pytest.raises(OtherChain):
        read_truth(other.folder, reader)
