"""Asks a ledger questions while it is written, and compares each answer with the truth about its snapshot.

`python reading_process.py LEDGER TRUTH STOP SEED READS`: TRUTH is a pickle of {block hash: {script: (outputs,
balance)}}; the process reads at least READS answers and until the file STOP exists. Prints one line of JSON.
"""

import json
import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from cointrail.errors import NotFound, SnapshotGone
from cointrail.ledger.reader import Reader

Truth = Mapping[str, Mapping[bytes, tuple[int, int]]]


class Reading:
    """Counts of what happened; `wrong` holds descriptions of what must not happen."""

    def __init__(self, ledger: Path, truth: Truth, seed: int) -> None:
        self.ledger, self.truth, self.random = ledger, truth, Random(seed)
        self.scripts: Sequence[bytes] = sorted(set().union(*truth.values()))
        self.reads = self.gone = self.opened = self.not_there = 0
        self.snapshots: set[str] = set()
        self.wrong: list[str] = []

    def session(self) -> None:
        """Open a reader, ask some questions, until it has had enough or its snapshot is gone."""
        height = self.random.choice((None, None, self.random.randrange(100, 125)))
        try:
            reader = Reader(self.ledger, height)
        except NotFound:
            self.not_there += 1
            return
        self.opened += 1
        with reader:
            try:
                for _ in range(self.random.choice((1, 10, 200))):
                    self.question(reader)
                    if self.random.random() < 0.02:
                        time.sleep(0.01)
            except SnapshotGone:
                self.gone += 1

    def question(self, reader: Reader) -> None:
        """One answer: the history of a script and its balance, or that the script is unknown."""
        script = self.random.choice(self.scripts)
        try:
            answer = self.answer(reader, script)
        except SnapshotGone:
            raise
        except Exception:
            reader.check_current()  # may say that the snapshot is gone, which explains everything
            raise
        reader.check_current()
        self.reads += 1
        self.snapshots.add(reader.snapshot.block_hash)
        wanted = self.truth[reader.snapshot.block_hash].get(script)
        if answer != wanted:
            self.wrong.append(f"{answer} instead of {wanted} at {reader.snapshot.height} for {script.hex()[:40]}")

    def answer(self, reader: Reader, script: bytes) -> tuple[int, int] | None:
        """(outputs, balance) from the ledger."""
        number = reader.find_script(script)
        if number is None:
            return None
        history = list(reader.outputs_of_script(number))
        live = reader.unspent(history)
        return len(history), int(reader.column("output", "value_sat")[history][live].sum())


def main(ledger: Path, truth: Path, stop: Path, seed: int, reads: int) -> None:
    """Read until there were enough answers and the writer is done."""
    reading = Reading(ledger, pickle.loads(truth.read_bytes()), seed)
    try:
        while reading.reads < reads or not stop.exists():
            reading.session()
    except Exception as error:
        reading.wrong.append(f"{type(error).__name__}: {error}")
    print(
        json.dumps(
            {
                "reads": reading.reads,
                "gone": reading.gone,
                "opened": reading.opened,
                "snapshots": len(reading.snapshots),
                "wrong": reading.wrong[:5],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
