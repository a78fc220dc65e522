"""Kills ingests with SIGKILL, at chosen points and at random, and looks at what is left. Run as a program.

    python kill_worker.py WARM WORK '[{"task": "calls", ...}, ...]'      prints the counts of each task as JSON

It is a process of its own, so that it forks without threads: each victim begins with compiled kernels. What a victim
leaves must open at a published height and read there as the clean ledger does; the next run must end, without any
manual step, in the same bytes as the clean build.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from ledger_view import fixed_bytes

from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options
from cointrail.ledger import manifest as manifests
from cointrail.ledger import recovery
from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import Counts
from cointrail.ledger.verify import verify

COUNTED = ("open", "pwrite", "fsync", "replace", "unlink")
SCRIPTS_LOOKED_AT = 40
UNDOING = ("/ledger/recovery.py", "/ledger/merges.py")
MOST_LINES = 60


class Clean(NamedTuple):
    """A ledger that was built without any kill: the height of each block, and the bytes of its fixed columns."""

    folder: Path
    heights: dict[str, int]
    fixed: dict[str, bytes]


def die() -> None:
    """End this process as the kernel ends it."""
    os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], None]) -> int:
    """Run in a child; returns its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def was_killed(pid: int) -> bool:
    """Wait for a child; True if it was killed, False if it came to its end.

    Raises:
        RuntimeError: it ended in another way.
    """
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise RuntimeError(f"the child ended with status {status}")
    return False


def killed_within(pid: int, seconds: float) -> bool:
    """Kill a child after that time; True if it was killed, by itself or by us, False if it came to its end before."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    return was_killed(pid)


def kill_at_call(number: int) -> None:
    """Let this process die at its n-th write, fsync, rename ...; a write is torn in two, the others do not happen."""
    left = number

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if name == "pwrite":
                    handle, data, offset = args
                    real(handle, memoryview(data).cast("B")[: len(data) // 2], offset)
                die()
            return real(*args, **options)

        return call

    for name in COUNTED:
        setattr(os, name, counted(name, getattr(os, name)))


def kill_at_line(number: int, files: tuple[str, ...]) -> None:
    """Let this process die before the n-th line that it executes in these files of the ledger."""
    left = number

    def on_line(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                die()
        return on_line

    def on_call(frame: Any, event: str, _: Any) -> Any:
        return on_line if frame.f_code.co_filename.endswith(files) else None

    sys.settrace(on_call)


class Killer:
    """One task's folders and counts."""

    def __init__(self, task: dict[str, Any], work: Path) -> None:
        self.task, self.work = task, work
        self.options = Options(**task["options"])
        self.random = Random(task.get("seed", 0))
        self.clean = [self._clean(folder) for folder in task["clean"]]
        self.counts = {"kills": 0, "kills_in_recovery": 0, "kills_in_rewind": 0, "unpublished": 0, "finished": 0}

    def _clean(self, folder: str) -> Clean:
        with Reader(Path(folder)) as reader:
            hashes = [bytes(row)[::-1].hex() for row in reader.column("block", "hash")]
        heights = {block_hash: height for height, block_hash in enumerate(hashes)}
        return Clean(Path(folder), heights, fixed_bytes(Path(folder)))

    def copy(self, template: str | None) -> Path:
        """A fresh ledger folder, empty or like the template."""
        ledger = self.work / "ledger"
        shutil.rmtree(ledger, ignore_errors=True)
        if template is not None:
            shutil.copytree(template, ledger)
        return ledger

    def run(self, source: str, ledger: Path) -> None:
        """Ingest to the end."""
        ingest(Path(source), ledger, options=self.options, cluster=bring_up)

    def look(self, ledger: Path) -> None:
        """What a killed writer left reads, at its published height, as the clean ledger does there."""
        if not manifests.exists(ledger):
            self.counts["unpublished"] += 1
            return
        with Reader(ledger) as left:
            clean = next(c for c in self.clean if c.heights.get(left.snapshot.block_hash) == left.height)
            with Reader(clean.folder, left.height) as right:
                assert left.snapshot == right.snapshot
                outputs = np.arange(left.counts.output)
                assert np.array_equal(left.unspent(outputs), right.unspent(outputs))
                assert np.array_equal(left.spenders(outputs), right.spenders(outputs))
                assert np.array_equal(left.overwritten(outputs), right.overwritten(outputs))
                assert np.array_equal(Forest(left).partition(), Forest(right).partition())
                scripts = range(0, left.counts.script, left.counts.script // SCRIPTS_LOOKED_AT + 1)
                histories = [list(reader.outputs_of_script(s)) for s in scripts for reader in (left, right)]
                assert histories[::2] == histories[1::2]
                txid = bytes(right.column("transaction", "txid")[left.counts.transaction // 2])
                assert left.find_transactions(txid) == right.find_transactions(txid) != []
            left.check_current()

    def compare(self, ledger: Path, clean: Clean) -> None:
        """Sound, and byte by byte what was built without a kill."""
        damages = verify(ledger)
        assert damages == [], damages
        ours = fixed_bytes(ledger)
        different = [name for name in clean.fixed if ours[name] != clean.fixed[name]]
        assert different == [], different

    def calls(self) -> None:
        """Kill at the n-th call, n = 1, 2, 3, ... until the run comes to its end before."""
        self._every(lambda n: kill_at_call(n))

    def lines(self) -> None:
        """Kill at every line that undoes links."""
        self._every(lambda n: kill_at_line(n, tuple(self.task["files"])))

    def _every(self, arm: Callable[[int], None]) -> None:
        number, step = 1, self.task.get("step", 1)
        while True:
            ledger = self.copy(self.task.get("template"))

            def victim(number: int = number, ledger: Path = ledger) -> None:
                arm(number)
                self.run(self.task["source"], ledger)

            if not was_killed(forked(victim)):
                break
            self.counts["kills"] += 1
            self.look(ledger)
            self.run(self.task["source"], ledger)
            self.compare(ledger, self.clean[self.task["ends_as"]])
            number += step
        self.compare(ledger, self.clean[self.task["ends_as"]])

    def leave(self) -> None:
        """Leave a ledger whose writer died just before a publication, with all links written."""
        ledger = self.copy(self.task.get("template"))
        left = self.task["publication"]

        def victim() -> None:
            nonlocal left
            real = os.replace

            def replace(*args: Any) -> None:
                nonlocal left
                left -= 1
                die() if left == 0 else real(*args)

            os.replace = replace
            self.run(self.task["source"], ledger)

        assert was_killed(forked(victim))
        self.counts["kills"] += 1
        self.look(ledger)
        shutil.copytree(ledger, self.task["into"])

    def at_random(self) -> None:
        """Kill at random moments, over and over, while the ledger follows the sources in turn."""
        sources, phase = self.task["sources"], _shared_phase()
        seconds = self._seconds(sources)
        ledger, turn, runs = self.copy(None), 0, 0
        while self.counts["kills"] < self.task["kills"] or turn:
            source, runs = sources[turn], runs + 1
            # The undoing of links is short: some victims die in it at a random line, the others at a random time.
            aims = (runs == 1 and turn) or self.random.random() < 0.2
            line = self.random.randint(1, MOST_LINES) if aims else 0

            def victim(source: str = source, ledger: Path = ledger, line: int = line) -> None:
                _tell_phases(phase, line)
                self.run(source, ledger)

            phase[0] = 0
            pid = forked(victim)
            if killed_within(pid, 2 * seconds[turn] if aims else self.random.uniform(0, seconds[turn])):
                self.counts["kills"] += 1
                self.counts["kills_in_recovery"] += phase[0] == 1
                self.counts["kills_in_rewind"] += phase[0] == 2
                self.look(ledger)
                continue
            self.compare(ledger, self.clean[turn])
            self.counts["finished"] += 1
            turn, runs = turn + 1, 0
            if turn == len(sources):
                ledger, turn = self.copy(None), 0

    def _seconds(self, sources: list[str]) -> list[float]:
        """How long a run over each source takes when nobody disturbs it."""
        ledger, seconds = self.copy(None), []
        for source in sources:
            began = time.perf_counter()
            assert not was_killed(forked(lambda source=source: self.run(source, ledger)))
            seconds.append(time.perf_counter() - began)
        return seconds


def _shared_phase() -> Any:
    """One byte that parent and child both see: 1 in recovery, 2 in the undoing of a rewind."""
    import mmap

    return mmap.mmap(-1, 1)


def _tell_phases(phase: Any, line: int) -> None:
    """Note when links are being undone; die at a line of it, if one is given."""
    from cointrail.ledger import writer

    real = recovery.restore_links
    opened = False

    def told(columns: ColumnSet, runs: Any, wanted: Counts) -> None:
        nonlocal opened
        if columns["output", "script"].rows_on_disk() > wanted.output:
            phase[0] = 2 if opened else 1
            if line:
                kill_at_line(line, UNDOING)
        opened = True
        real(columns, runs, wanted)
        phase[0] = 0

    writer.restore_links = told


def main() -> None:
    """Do the tasks and print their counts."""
    warm, work = Path(sys.argv[1]), Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    for bulk in (True, False):
        ingest(warm, work / f"warm {bulk}", options=Options(bulk=bulk), cluster=bring_up)
    assert threading.active_count() == 1, "a victim must not inherit locks of threads"
    results = []
    for task in json.loads(sys.argv[3]):
        killer = Killer(task, work)
        {"calls": killer.calls, "lines": killer.lines, "leave": killer.leave, "random": killer.at_random}[
            task["task"]
        ]()
        results.append(killer.counts)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
