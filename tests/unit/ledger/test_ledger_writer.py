"""The one writer: any history of appends, rewinds and restarts ends in the same bytes; refusals change nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from chain_model import ChainModel
from effort import examples
from failing_calls import REFUSALS, failing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ledgers import (
    branches,
    bring_to,
    common_height,
    content,
    content_of,
    copy_of,
    follow,
    small_chain,
    tiny_chain,
    write_model,
    write_source,
)
from open_files import open_files

from cointrail.errors import SnapshotGone, Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.manifest import Refused
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import FORMAT
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SUPPORT = Path(__file__).parents[2] / "support"


@cache
def clean(branch: int, height: int) -> dict[str, object]:
    """What a ledger says that was built in one go up to a height."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        write_model(Path(folder), branches()[branch], end=height + 1, step=100)
        return content(Path(folder))


# Rewind then append is the identity.


class AnyHistory(RuleBasedStateMachine):
    """A ledger that follows branches there and back; `chain` and `published` are (branch, height)."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="history-", dir=MEMORY))
        self.writer = Writer(self.folder, "regtest")
        self.branch, self.height = 0, -1
        self.published = (0, -1)
        self.readers: list[tuple[Reader, tuple[int, int]]] = []
        self.append(5)
        self.publish()

    def teardown(self) -> None:
        for reader, _ in self.readers:
            reader.close()
        self.writer.close()
        shutil.rmtree(self.folder)

    @rule(blocks=st.integers(1, 6))
    def append(self, blocks: int) -> None:
        model = branches()[self.branch]
        end = min(self.height + 1 + blocks, len(model.blocks))
        if end > self.height + 1:
            self.writer.append(model.batch(self.height + 1, end))
            self.height = end - 1

    @rule()
    def publish(self) -> None:
        manifest = self.writer.publish()
        self.published = (self.branch, self.height)
        assert manifest == manifests.read(self.folder) == self.writer.manifest
        files = {path.name for path in (self.folder / "index").iterdir()}
        assert files == {run.file for runs in manifest.indexes.values() for run in runs}, "old runs are deleted"
        assert self.height < 0 or verify(self.folder) == []

    @rule(share=st.floats(0, 1))
    def rewind(self, share: float) -> None:
        self._rewind(int(share * (self.height + 2)) - 1)

    @rule(branch=st.integers(0, 2))
    def turn(self, branch: int) -> None:
        common = common_height(branches()[self.branch], branches()[branch])
        if self.height > common:
            self._rewind(common)
        self.branch = branch
        self.append(3)

    @rule()
    def restart(self) -> None:
        self.writer.close()
        self.writer = Writer(self.folder, "regtest")
        self.branch, self.height = self.published

    @rule()
    def discard(self) -> None:
        self.writer.discard()
        self.branch, self.height = self.published

    @rule()
    def hold_a_reader(self) -> None:
        if len(self.readers) < 3 and self.published[1] >= 0:
            self.readers.append((Reader(self.folder), self.published))

    def _rewind(self, height: int) -> None:
        if height < self.height:
            self.writer.rewind(height)
            self.height = height
            self.published = (self.branch, height)

    @invariant()
    def the_writer_knows_its_digest(self) -> None:
        assert self.writer.height == self.height
        blocks = branches()[self.branch].blocks
        assert self.writer.digest() == (blocks[self.height].digest if self.height >= 0 else bytes(32))

    @invariant()
    def readers_see_what_is_published(self) -> None:
        if self.published[1] >= 0:
            assert content(self.folder) == clean(*self.published)

    @invariant()
    def held_readers_see_their_snapshot_or_know_that_it_is_gone(self) -> None:
        for reader, seen in list(self.readers):
            try:
                found = content_of(reader)
                reader.check_current()
            except (SnapshotGone, Unavailable, IndexError):
                with pytest.raises(SnapshotGone):
                    reader.check_current()
                reader.close()
                self.readers.remove((reader, seen))
            else:
                assert found == clean(*seen)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(examples(25), stateful_step_count=20)


def test_ingest_after_a_rewind_gives_the_same_bytes(place):
    source = write_source(place / "blocks", small_chain("rewind", 12, 10).serialized())
    follow(source, place / "ledger", batch=3_000)
    before = content(place / "ledger")
    for height in (111, 105, 101, 100, 40, 0, -1):
        with Writer(place / "ledger", "regtest") as writer:
            writer.rewind(height)
        assert follow(source, place / "ledger", batch=2_000).blocks == 112 - height
        assert content(place / "ledger") == before
    assert verify(place / "ledger") == []


def test_a_rewind_to_where_it_is_changes_nothing(place):
    write_model(place, branches()[0])
    with Writer(place, "regtest") as writer:
        before = writer.manifest
        writer.rewind(writer.height)
        writer.rewind(10**6)
        assert writer.manifest == manifests.read(place) == before
        assert before.rewinds == 0


def test_a_rewind_of_what_was_never_published_withdraws_nothing(place):
    model = branches()[0]
    write_model(place, model, end=5)
    with Reader(place) as reader, Writer(place, "regtest") as writer:
        writer.append(model.batch(5, 9))
        writer.rewind(4)
        reader.check_current()
        assert writer.manifest.rewinds == 0
        writer.append(model.batch(5, 8))
        writer.rewind(3)
        assert (writer.manifest.rewinds, writer.manifest.rewound_to) == (1, (3,))
        with pytest.raises(SnapshotGone):
            reader.check_current()


def test_source_and_refused_blocks_are_kept(place):
    refused = (Refused("ab" * 32, 3, "block ... refused: bad-cb-amount"),)
    with Writer(place, "regtest") as writer:
        writer.append(branches()[0].batch(0, 5))
        assert writer.publish(source="/blocks", refused=refused).generation == 1
        assert writer.publish().source == "/blocks"
        writer.rewind(2)
    found = manifests.read(place)
    assert (found.source, found.refused, found.generation, found.height) == ("/blocks", refused, 3, 2)


# Who may write.


def test_a_second_writer_is_refused_and_readers_are_not(place):
    write_model(place, branches()[0])
    with Writer(place, "regtest"):
        with pytest.raises(Unavailable, match="another program is writing to") as raised:
            Writer(place, "regtest")
        assert raised.value.exit_code == 6
        assert "wait until it has finished" in raised.value.hint
        assert content(place) == clean(0, 15)
    Writer(place, "regtest").close()


WAIT = """
import sys, time
from pathlib import Path
from cointrail.ledger.writer import Writer
writer = Writer(Path(sys.argv[1]), "regtest")
print("locked", flush=True)
time.sleep(600)
"""


def test_a_writer_in_another_process_holds_the_lock_until_it_is_killed(place):
    write_model(place, branches()[0])
    with subprocess.Popen([sys.executable, "-c", WAIT, str(place)], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(Unavailable, match="another program is writing"):
                Writer(place, "regtest")
        finally:
            other.send_signal(signal.SIGKILL)
    assert other.returncode == -signal.SIGKILL
    with Writer(place, "regtest") as writer:
        assert writer.height == 15


KILLED_INGEST = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options
left = int(sys.argv[4])
def watch(progress):
    global left
    if progress.stage == "ingest":
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
options = Options(batch_bytes=2_000, publish_bytes=int(sys.argv[5]))
ingest(Path(sys.argv[1]), Path(sys.argv[2]), options=options, watch=watch, cluster=bring_up)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("batches", "publish"), [(1, 10**9), (7, 10**9), (6, 4_000)])
def test_a_killed_ingest_leaves_a_sound_ledger_and_is_finished_by_the_next(place, batches, publish):
    source = write_source(place / "blocks", small_chain("rewind", 12, 10).serialized())
    follow(source, place / "clean")
    follow(source, place / "ledger", until=103)
    before = content(place / "ledger")
    command = [sys.executable, "-c", KILLED_INGEST, source, place / "ledger", SUPPORT, batches, publish]
    killed = subprocess.run([str(each) for each in command], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert verify(place / "ledger") == []
    with Reader(place / "ledger") as reader:
        published = reader.height
    assert content(place / "ledger") == (before if published == 103 else content(place / "clean", published))
    follow(source, place / "ledger")
    assert content(place / "ledger") == content(place / "clean")
    assert verify(place / "ledger") == []


def test_a_ledger_of_another_network_is_refused(place):
    write_model(place, branches()[0])
    with pytest.raises(Unavailable, match="is a ledger of regtest, not of signet") as raised:
        Writer(place, "signet")
    assert "another --ledger folder" in raised.value.hint
    Writer(place, "regtest").close()


def test_a_ledger_of_another_format_is_refused(place):
    write_model(place, branches()[0])
    document = json.loads((place / manifests.NAME).read_bytes())
    (place / manifests.NAME).write_text(json.dumps(document | {"format": FORMAT + 1}))
    with pytest.raises(Unavailable, match=f"store format {FORMAT + 1}"):
        Writer(place, "regtest")


def test_a_place_that_cannot_be_a_ledger_is_refused(place):
    (place / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot write"):
        Writer(place / "file", "regtest")
    (place / "ledger" / "LOCK").mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot write"):
        Writer(place / "ledger", "regtest")


@pytest.mark.parametrize("damage", ["run", "cut", "manifest", "network"])
def test_a_writer_that_cannot_be_made_leaves_nothing_open_and_no_lock(place, damage):
    write_model(place, branches()[0])
    if damage == "run":
        next((place / "index").glob("*.run")).unlink()
    elif damage == "manifest":
        (place / manifests.NAME).write_bytes(b"{}")
    elif damage == "cut":
        with Writer(place, "regtest") as writer:
            writer.rewind(9)
        os.truncate(place / "script" / "last_output.col", 8)

    def open_and_fail() -> None:
        with pytest.raises(Unavailable):
            Writer(place, "signet" if damage == "network" else "regtest")

    open_and_fail()
    before = open_files()
    for _ in range(3):
        open_and_fail()
    assert open_files() == before


# A disk that refuses.


def attempt(folder: Path, target: int, kind: str, number: int) -> tuple[bool, Unavailable | None]:
    """Bring a ledger to a branch while the n-th call of a kind fails: (was it hit, what was raised)."""
    names, make_error = REFUSALS[kind]
    with failing(names, number, make_error) as countdown:
        try:
            bring_to(folder, branches()[target], step=8)
        except Unavailable as error:
            assert countdown.hit
            return True, error
    return countdown.hit, None


@pytest.mark.parametrize("target", [0, 1], ids=["growing", "another branch"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_at_any_call_leaves_a_published_snapshot(place, kind, target):
    write_model(place / "base", branches()[0], end=9)
    common = common_height(branches()[0], branches()[target])
    allowed = [clean(0, 8), clean(0, min(8, common)), clean(target, len(branches()[target].blocks) - 1)]
    seen, number = set(), 0
    while True:
        number += 1
        folder = copy_of(place / "base", place / "ledger")
        hit, error = attempt(folder, target, kind, number)
        if not hit:
            break
        assert error is not None, "a refusal is never ignored"
        assert error.exit_code == 6
        assert "cannot write" in str(error)
        assert "run the same command again" in error.hint
        found = content(folder)
        assert found in allowed
        seen.add(allowed.index(found))
        assert verify(folder) == []
        bring_to(folder, branches()[target], step=100)
        assert content(folder) == allowed[-1]
    assert number > {"fsync fails": 30, "write fails": 30, "rename fails": 1}[kind]
    assert seen & {0, 1}, "until something else is published, the old snapshot stays"


@pytest.mark.parametrize(("kind", "number"), [("fsync fails", 10), ("rename fails", 1)])
def test_after_a_refusal_the_writer_stops(place, kind, number):
    # A disk may say yes to the second fsync although the pages of the first are lost.
    model = branches()[0]
    write_model(place, model, end=5)
    names, make_error = REFUSALS[kind]
    with Writer(place, "regtest") as writer:
        writer.append(model.batch(5, 8))
        with failing(names, number, make_error), pytest.raises(Unavailable, match="cannot write"):
            writer.publish()
        assert writer.manifest == manifests.read(place)
        for again in (
            writer.publish,
            writer.discard,
            lambda: writer.append(model.batch(8, 9)),
            lambda: writer.rewind(2),
        ):
            with pytest.raises(Unavailable, match="has failed before") as raised:
                again()
            assert raised.value.exit_code == 6
            assert "run the command again" in raised.value.hint
    assert content(place) == clean(0, 4)
    bring_to(place, model)
    assert content(place) == clean(0, 15)


@pytest.mark.slow
def test_a_full_disk_at_any_size(place):
    source = write_source(place / "blocks", small_chain("full", 5, 60).serialized())
    follow(source, place / "ledger", until=102)
    follow(source, place / "whole")
    before, after = ({p.stat().st_size for p in (place / name).rglob("*.*")} for name in ("ledger", "whole"))
    limits = {0, 1, 100, *before, *(size - 1 for size in after if size)}
    limits |= {(one + other) // 2 for one in sorted(after)[-9:] for other in sorted(before)[-9:]}
    chosen = sorted(limits)[:: max(1, len(limits) // 25)] + sorted(after)[-9:]
    (place / "work").mkdir()
    command = [sys.executable, SUPPORT / "limited_disk.py", source, place / "ledger", place / "work", *chosen]
    run = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=True)
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(outcomes) == len(chosen)
    refused = [outcome for outcome in outcomes if outcome["error"]]
    for outcome in outcomes:
        assert outcome["completed"], outcome
        assert outcome["sound"], outcome
    for outcome in refused:
        assert outcome["exit_code"] == 6, outcome
        assert outcome["error"].startswith("Unavailable: cannot write"), outcome
        assert "make room" in outcome["hint"], outcome
        assert outcome["unchanged"], outcome
    assert len(refused) > 15
    assert len({outcome["error"].split(":")[1] for outcome in refused}) > 3, "several files hit the limit first"


def test_appending_many_small_batches_and_one_large_is_the_same(place):
    model = ChainModel(tiny_chain(30, "batches"))
    write_model(place / "small", model, step=1)
    with Writer(place / "large", "regtest") as writer:
        writer.append(model.batch(0, 30))
        writer.publish()
    assert content(place / "small") == content(place / "large")
    assert np.fromfile(place / "small" / "output" / "spender.col", "<i8").tolist() == (
        np.fromfile(place / "large" / "output" / "spender.col", "<i8").tolist()
    )
