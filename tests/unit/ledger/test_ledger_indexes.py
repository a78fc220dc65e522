"""Sorted runs against a dict: add, rewind, publish and open again in any order, with keys that clash."""

import tempfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from effort import examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cointrail.errors import Unavailable
from cointrail.ledger.indexes import IndexWriter, key_of, keys_of, open_run
from cointrail.ledger.manifest import RunEntry

KEYS = st.one_of(st.integers(0, 5), st.sampled_from([2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))


class IndexAgainstDict(RuleBasedStateMachine):
    """`rows` holds the key of each row; `published` what a manifest would name."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory(prefix="index-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.folder = Path(self.home.name)
        (self.folder / "index").mkdir()
        self.rows: list[int] = []
        self.published: tuple[tuple[RunEntry, ...], list[int]] = ((), [])
        self.writer = IndexWriter(self.folder, "txid", ())
        self.seen_keys: set[int] = set()

    def teardown(self) -> None:
        self.home.cleanup()

    @rule(keys=st.lists(KEYS, max_size=12))
    def add(self, keys: list[int]) -> None:
        first = len(self.rows)
        pairs = sorted((key, first + number) for number, key in enumerate(keys))
        self.rows += keys
        self.seen_keys.update(keys)
        self.writer.add(
            np.array([key for key, _ in pairs], np.uint64),
            np.array([row for _, row in pairs], np.uint32),
            first,
            len(self.rows),
        )

    @rule(share=st.floats(0, 1))
    def rewind(self, share: float) -> None:
        count = int(share * len(self.rows))
        self.writer.rewind(count)
        del self.rows[count:]

    @rule()
    def publish(self) -> None:
        entries = self.writer.publishable()
        self.writer.discard_unpublished(entries)
        self.published = entries, list(self.rows)
        names = sorted(path.name for path in (self.folder / "index").iterdir())
        assert names == sorted(entry.file for entry in entries)

    @rule()
    def open_again(self) -> None:
        entries, rows = self.published
        self.writer = IndexWriter(self.folder, "txid", entries)
        self.rows = list(rows)

    @invariant()
    def every_key_leads_to_its_rows(self) -> None:
        wanted = defaultdict(list)
        for row, key in enumerate(self.rows):
            wanted[key].append(row)
        for key in self.seen_keys | {3, 2**64 - 1}:
            assert sorted(row for run in self.writer.runs for row in run.find(key)) == wanted[key]

    @invariant()
    def runs_follow_one_another(self) -> None:
        following = 0
        for run in self.writer.runs:
            assert run.first == following < run.end
            assert (run.keys[1:] >= run.keys[:-1]).all()
            following = run.end
        assert following == len(self.rows)

    @invariant()
    def what_is_published_stays_readable(self) -> None:
        entries, rows = self.published
        found = [(key, row) for entry in entries for key, row in self._entries(entry)]
        assert sorted(found) == sorted((key, row) for row, key in enumerate(rows))

    def _entries(self, entry: RunEntry) -> list[tuple[int, int]]:
        run = open_run(self.folder, entry)
        return [(int(k), int(i)) for k, i in zip(run.keys, run.ids, strict=True) if i < entry.end]


TestIndexAgainstDict = IndexAgainstDict.TestCase
TestIndexAgainstDict.settings = examples(100)


def add_rows(writer: IndexWriter, first: int, count: int) -> None:
    keys = np.sort(np.random.default_rng(first).integers(0, 2**63, count).astype(np.uint64))
    writer.add(keys, np.arange(first, first + count, dtype=np.uint32), first, first + count)


def test_there_are_few_runs_however_many_batches(place):
    (place / "index").mkdir()
    writer, rows = IndexWriter(place, "txid", ()), 0
    for _ in range(200):
        add_rows(writer, rows, 10)
        rows += 10
        sizes = [len(run.keys) for run in writer.runs]
        assert all(older >= 2 * newer for older, newer in pairwise(sizes))
        assert len(sizes) <= int(np.log2(rows / 10)) + 1


def test_a_published_run_is_never_written_again(place):
    (place / "index").mkdir()
    writer = IndexWriter(place, "txid", ())
    add_rows(writer, 0, 40)
    entries = writer.publishable()
    before = (place / "index" / entries[0].file).read_bytes()
    for first in range(40, 400, 30):
        add_rows(writer, first, 30)
    writer.rewind(35)
    writer.publishable()
    assert (place / "index" / entries[0].file).read_bytes() == before


def test_leftovers_of_a_killed_writer_are_not_in_the_way(place):
    (place / "index").mkdir()
    writer = IndexWriter(place, "txid", ())
    add_rows(writer, 0, 10)
    entries = writer.publishable()
    add_rows(writer, 10, 3)
    leftovers = {path.name for path in (place / "index").iterdir()} - {entry.file for entry in entries}
    assert leftovers
    again = IndexWriter(place, "txid", entries)
    add_rows(again, 10, 4)
    assert not leftovers & {run.file for run in again.runs}
    named = again.publishable()
    again.discard_unpublished(named)
    assert {path.name for path in (place / "index").iterdir()} == {entry.file for entry in named}


def test_a_run_that_is_missing_or_of_another_size_is_refused(place):
    (place / "index").mkdir()
    writer = IndexWriter(place, "txid", ())
    add_rows(writer, 0, 10)
    (entry,) = writer.publishable()
    path = place / "index" / entry.file
    raw = path.read_bytes()
    for damaged in (raw[:-1], raw + b"\x00", b""):
        path.write_bytes(damaged)
        with pytest.raises(Unavailable, match="bytes instead of 120") as raised:
            open_run(place, entry)
        assert raised.value.exit_code == 6
    path.unlink()
    with pytest.raises(Unavailable, match="cannot read"):
        open_run(place, entry)
    path.write_bytes(b"")
    with pytest.raises(Unavailable, match="bytes instead of 0"):
        open_run(place, RunEntry(entry.file, 0, 0, 0, ""))


def test_keys_are_the_first_eight_bytes():
    hashes = np.random.default_rng(1).integers(0, 256, (50, 32)).astype(np.uint8)
    assert keys_of(hashes).tolist() == [key_of(bytes(row)) for row in hashes]
    assert key_of(b"\x01" + bytes(6) + b"\x80" + b"\xff" * 24) == 2**63 + 1
