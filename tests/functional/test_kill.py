"""kill -9 at every write, at every line that undoes links, and at random moments (RELIABILITY S1, G1, G2).

What is left always opens at a published height and reads there as a ledger nobody disturbed; the next run goes on by
itself and ends in the same bytes. The killing is done by `kill_worker` in a process without threads.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import kill_worker
import pytest
from ingest_runs import build, lay_out
from regtest import RegtestChain, extend_randomly, forked_chain, random_chain
from twin_coinbases import TWIN, coinbase, fill, mine, spend

from cointrail.ingest.report import Options

pytestmark = pytest.mark.slow

WRITING = ["/ledger/writer.py", "/ledger/indexes.py", "/ledger/manifest.py", "/ledger/columns.py"]
UNDOING = ["/ledger/recovery.py"]


def kills(folder: Path, *tasks: dict[str, Any], warm: Path) -> list[dict[str, int]]:
    """Let the worker do tasks; returns the counts of each."""
    done = subprocess.run(
        [sys.executable, kill_worker.__file__, warm, folder / "work", json.dumps(tasks, default=str)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts: list[dict[str, int]] = json.loads(done.stdout)
    print(counts)
    return counts


class Small:
    """Files and clean ledgers: `a` has one branch, `ab` both, of which the second is longer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        chain, a, b = small_chain()
        assert build(folder / "a", chain.serialized(a)).refused == []
        assert build(folder / "b", chain.serialized(b)).refused == []
        first = chain.serialized(a)
        lay_out(folder / "ab", first + [raw for raw in chain.serialized(b) if raw not in first])
        self.ledger, self.a, self.ab = folder / "a" / "ledger", folder / "a" / "files", folder / "ab"
        # Two batches, each published: the second writes links into the rows of the first.
        self.options = Options(batch_bytes=(self.a / "blk00000.dat").stat().st_size * 9 // 10, publish_bytes=1)

    def kills(self, *tasks: dict[str, Any]) -> list[dict[str, int]]:
        shared = {"clean": [self.ledger, self.folder / "b" / "ledger"], "options": asdict(self.options)}
        return kills(self.folder, *({**shared, **task} for task in tasks), warm=self.a)

    def build_of_a(self, task: str, **more: Any) -> dict[str, Any]:
        return {"task": task, "source": self.a, "ends_as": 0, **more}

    def reorg_to_b(self, task: str, **more: Any) -> dict[str, Any]:
        return {"task": task, "source": self.ab, "ends_as": 1, "template": self.ledger, **more}


def small_chain() -> tuple[RegtestChain, bytes, bytes]:
    """Two branches, each with what is written apart: new and known scripts, spends, a coinbase that comes again."""
    chain = RegtestChain()
    mine(chain, TWIN)
    fill(chain, 2)
    mine(chain, coinbase(b"four"))
    fill(chain, 99)
    mine(chain, coinbase(b"cash"), [spend(chain, TWIN, 0), spend(chain, coinbase(b"four"), 0, 2)])
    fork = chain.tip
    tips = []
    for tag, length in ((b"a", 2), (b"b", 3)):
        chain.tip = fork
        fill(chain, 1, tag)
        mine(chain, TWIN)
        mine(chain, coinbase(b"four"))
        fill(chain, length - 1, tag)
        tips.append(chain.tip)
    return chain, tips[0], tips[1]


@pytest.fixture
def small(tmp_path) -> Small:
    return Small(tmp_path)


# Every n-th point in `make test`, each one in `make check-full`.
STEP = pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.wide)])


def test_kill_at_every_call_of_a_build(small):
    """Every open, write (torn in two), fsync, rename and unlink of two publications."""
    (counts,) = small.kills(small.build_of_a("calls"))
    assert counts["kills"] > 150
    assert 0 < counts["unpublished"] < counts["kills"]


def test_kill_at_every_call_of_a_reorg(small):
    (counts,) = small.kills(small.reorg_to_b("calls"))
    assert counts["kills"] > 100
    assert counts["unpublished"] == 0


@STEP
def test_kill_at_every_line_of_recovery(small, step):
    """A killed writer left rows, links and marks of twins; its successor is killed while it undoes them."""
    tasks = []
    for publication in (1, 2):
        left = small.folder / f"left {publication}"
        tasks.append(small.build_of_a("leave", publication=publication, into=left))
        tasks.append(small.build_of_a("lines", template=left, files=UNDOING, step=step))
    first, _, second, counts = small.kills(*tasks)
    assert first["kills"] == second["kills"] == 1
    assert (first["unpublished"], second["unpublished"]) == (1, 0)
    assert counts["unpublished"] == 0
    assert counts["kills"] > 50 // step


@STEP
def test_kill_at_every_line_of_the_undoing_of_a_reorg(small, step):
    (counts,) = small.kills(small.reorg_to_b("lines", files=UNDOING, step=step))
    assert counts["kills"] > 50 // step


@STEP
def test_kill_in_the_recovery_of_an_interrupted_reorg(small, step):
    """Killed when the longer branch was written and not published; its successor is killed while it undoes that."""
    left = small.folder / "left"
    _, counts = small.kills(
        small.reorg_to_b("leave", publication=2, into=left),  # the first publication is that of the smaller counts
        small.reorg_to_b("lines", files=UNDOING, step=step) | {"template": left},
    )
    assert counts["kills"] > 50 // step


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.wide)])
def test_kill_at_lines_of_the_writer(small, step):
    """Between the calls too: links and index runs are written through maps, where no call can be counted."""
    tasks = [small.build_of_a("lines", files=WRITING, step=step), small.reorg_to_b("lines", files=WRITING, step=step)]
    for counts in small.kills(*tasks):
        assert counts["kills"] > 2_000 // step


@pytest.mark.parametrize("wanted", [100, pytest.param(1_000, marks=pytest.mark.wide)])
def test_kill_at_random(tmp_path, wanted):
    """A chain of some thousand transactions, then a reorg of 40 blocks, then one back: killed all the time."""
    chain, a, b = forked_chain(Random("kill"), 15, 40, 41, 30)
    extend_randomly(chain, Random("back"), 2, 30, parent=a)
    branches = [chain.serialized(tip) for tip in (a, b, chain.tip)]
    assert sum(len(node.txids) for node in chain.nodes.values()) > 2_000
    clean, files, sources = [], [], []
    for number, branch in enumerate(branches):
        build(tmp_path / str(number), branch)
        clean.append(tmp_path / str(number) / "ledger")
        known = set(files)
        files += [raw for raw in branch if raw not in known]
        lay_out(tmp_path / f"files {number}", files, per_file=50)
        sources.append(tmp_path / f"files {number}")
    options = asdict(Options(batch_bytes=40_000, publish_bytes=100_000))
    task = {"task": "random", "options": options, "seed": "kill", "kills": wanted, "clean": clean, "sources": sources}
    (counts,) = kills(tmp_path, task, warm=sources[0])
    assert counts["kills"] >= wanted
    assert counts["kills_in_recovery"] > 0
    assert counts["kills_in_rewind"] > 0
    assert counts["finished"] >= len(sources)


def test_worker_notices_a_wrong_ledger(small):
    """The comparison can fail: a ledger of the other branch is not taken for the clean one."""
    with pytest.raises(AssertionError, match="block/hash"):
        small.kills(small.build_of_a("calls", ends_as=1, step=100))


def test_chain_has_what_is_to_be_killed():
    chain, a, b = small_chain()
    for tip in (a, b):
        heights = [node.height for node in chain.branch(tip) if TWIN.txid in node.txids]
        assert len(heights) == 2
    assert chain.height_of(b) == chain.height_of(a) + 1
    assert len(random_chain(Random(1), 1, 1).branch()) == 102
