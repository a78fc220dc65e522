"""Stopping on request: what was done is published, and the same command goes on to the same ledger."""

import threading
from itertools import count
from pathlib import Path
from random import Random

import pytest
from ingest_runs import assert_same_ledger, build, lay_out
from ledger_view import read_back
from regtest import forked_chain, random_chain

from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.extend import bring_up
from cointrail.errors import Interrupted
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.report import Options, Progress, Report
from cointrail.ledger import manifest as manifests
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify

SMALL = Options(batch_bytes=6_000, publish_bytes=1 << 30)


@pytest.fixture(scope="module")
def chain():
    return random_chain(Random("interrupt"), 12, 15)


def stop_at(asked: int):
    """A stop that says yes when it is asked for the n-th time."""
    times = count(1)
    return lambda: next(times) >= asked


def run(folder: Path, options: Options, asked: int | None) -> Report | Interrupted:
    """One run: its report, or how it was interrupted."""
    try:
        return ingest(
            folder / "files",
            folder / "ledger",
            options=options,
            stop=stop_at(asked) if asked else bool,
            cluster=bring_up,
        )
    except Interrupted as interruption:
        return interruption


@pytest.mark.parametrize("bulk", [True, False])
def test_stop_at_every_batch(chain, tmp_path, bulk):
    """Each stop publishes what was appended, although the next publication was far."""
    clean = build(tmp_path / "clean", chain.serialized())
    lay_out(tmp_path / "files", chain.serialized())
    options = Options(batch_bytes=6_000, publish_bytes=1 << 30, bulk=bulk)
    heights = []
    # Asked once while the headers are read, then after each batch: the second answer is yes.
    while isinstance(report := run(tmp_path, options, asked=2), Interrupted):
        assert report.exit_code == 130
        with Reader(tmp_path / "ledger") as reader:
            heights.append(reader.height)
        assert verify(tmp_path / "ledger") == []
        part = read_back(tmp_path / "ledger")
        assert part == read_back(tmp_path / "clean" / "ledger", heights[-1])
    assert len(heights) > 5
    assert heights == sorted(set(heights))
    assert report.digest == clean.digest
    assert_same_ledger(tmp_path / "ledger", tmp_path / "clean" / "ledger")


def test_message_says_how_far(chain, tmp_path):
    lay_out(tmp_path / "files", chain.serialized())
    with pytest.raises(
        Interrupted, match=r"stopped at height \d+; the ledger is published up to there"
    ) as interruption:
        ingest(tmp_path / "files", tmp_path / "ledger", options=SMALL, stop=stop_at(4), cluster=bring_up)
    manifest = manifests.read(tmp_path / "ledger")
    assert f"height {manifest.height};" in str(interruption.value)
    assert interruption.value.hint == "run the same command again to go on"
    assert manifest.source == str(tmp_path / "files")


def test_stop_while_reading_headers_changes_nothing(chain, tmp_path):
    lay_out(tmp_path / "files", chain.serialized(), per_file=20)
    with pytest.raises(Interrupted, match="nothing was changed"):
        ingest(tmp_path / "files", tmp_path / "ledger", stop=stop_at(1), cluster=bring_up)
    assert not (tmp_path / "ledger").exists()
    build(tmp_path, chain.serialized()[:50], per_file=20)
    before = manifests.read(tmp_path / "ledger")
    lay_out(tmp_path / "files", chain.serialized(), per_file=20)
    for asked in range(1, 7):
        with pytest.raises(Interrupted, match="nothing was changed"):
            ingest(tmp_path / "files", tmp_path / "ledger", stop=stop_at(asked), cluster=bring_up)
    assert manifests.read(tmp_path / "ledger") == before


def test_stop_in_a_reorg(tmp_path):
    """Between the batches of the new branch: a shorter ledger on the new branch, which the next run completes."""
    chain, a, b = forked_chain(Random("stop in reorg"), 4, 10, 12, 10)
    build(tmp_path / "fresh", chain.serialized(b))
    build(tmp_path, chain.serialized(a))
    blocks = chain.serialized(a)
    lay_out(tmp_path / "files", blocks + [raw for raw in chain.serialized(b) if raw not in blocks])
    heights = []
    while isinstance(report := run(tmp_path, SMALL, asked=2), Interrupted):
        with Reader(tmp_path / "ledger") as reader:
            assert reader.snapshot.block_hash == display(chain.block_hashes(b)[reader.height])
            heights.append(reader.height)
        assert verify(tmp_path / "ledger") == []
    assert len(heights) > 2
    assert report.block_hash == display(b)
    assert_same_ledger(tmp_path / "ledger", tmp_path / "fresh" / "ledger")


def test_no_thread_is_left_behind(chain, tmp_path):
    """Stopped, failed or finished: the reading thread ends with the ingest."""
    before = threading.active_count()
    lay_out(tmp_path / "files", chain.serialized())
    assert isinstance(run(tmp_path, SMALL, asked=3), Interrupted)
    assert threading.active_count() == before

    def fail(progress: Progress) -> None:
        if progress.stage == "ingest":
            raise RuntimeError("the screen has gone")

    with pytest.raises(RuntimeError, match="the screen has gone"):
        ingest(tmp_path / "files", tmp_path / "ledger", options=SMALL, watch=fail, cluster=bring_up)
    assert threading.active_count() == before
    assert isinstance(run(tmp_path, SMALL, asked=None), Report)
    assert threading.active_count() == before


def test_failure_of_the_caller_loses_only_what_was_not_published(chain, tmp_path):
    """An exception out of the progress display leaves rows beyond the manifest; the next run withdraws them."""
    clean = build(tmp_path / "clean", chain.serialized())
    lay_out(tmp_path / "files", chain.serialized())
    for height in range(50, 110, 11):

        def fail(progress: Progress, height: int = height) -> None:
            if progress.stage == "ingest" and progress.height >= height:
                raise KeyboardInterrupt

        options = Options(batch_bytes=2_000, publish_bytes=8_000, bulk=height % 2 == 0)
        with pytest.raises(KeyboardInterrupt):
            ingest(tmp_path / "files", tmp_path / "ledger", options=options, watch=fail, cluster=bring_up)
        assert verify(tmp_path / "ledger") == []
    assert run(tmp_path, SMALL, asked=None).digest == clean.digest
    assert_same_ledger(tmp_path / "ledger", tmp_path / "clean" / "ledger")


def test_progress_is_told(chain, tmp_path):
    """Heights and bytes grow to what the report says at the end."""
    lay_out(tmp_path / "files", chain.serialized(), per_file=30)
    told: list[Progress] = []
    report = ingest(tmp_path / "files", tmp_path / "ledger", options=SMALL, watch=told.append, cluster=bring_up)
    scans, batches = ([each for each in told if each.stage == stage] for stage in ("scan", "ingest"))
    assert [each.bytes_done for each in scans] == list(range(report.files))
    assert len(batches) > 5
    heights, done = [each.height for each in batches], [each.bytes_done for each in batches]
    assert heights == sorted(set(heights))
    assert done == sorted(set(done))
    last = batches[-1]
    assert (last.height, last.target_height) == (report.height, report.height)
    assert (last.bytes_done, last.bytes_total) == (report.bytes, report.bytes)
    assert last.transactions == report.transactions == sum(len(n.txids) for n in chain.branch())
    assert report.bytes == sum(map(len, chain.serialized()))


def test_until_in_steps_then_on(chain, tmp_path):
    """`until` is the last height taken; the next run goes on from there."""
    clean = build(tmp_path / "clean", chain.serialized())
    lay_out(tmp_path / "files", chain.serialized())
    for until in (0, 1, 99, 100, 105, 111):
        report = ingest(
            tmp_path / "files", tmp_path / "ledger", options=Options(until=until, bulk=until % 2 == 0), cluster=bring_up
        )
        assert report.height == until
        assert read_back(tmp_path / "ledger") == read_back(tmp_path / "clean" / "ledger", until)
    report = ingest(tmp_path / "files", tmp_path / "ledger", cluster=bring_up)
    assert report.digest == clean.digest
    assert report.complete


def test_nothing_to_do_changes_nothing(chain, tmp_path):
    """A second run finds the ledger up to date and does not even publish."""
    first = build(tmp_path, chain.serialized())
    before = (tmp_path / "ledger" / manifests.NAME).read_bytes()
    again = ingest(tmp_path / "files", tmp_path / "ledger", cluster=bring_up)
    assert (again.digest, again.blocks, again.rewound) == (first.digest, 0, 0)
    assert (tmp_path / "ledger" / manifests.NAME).read_bytes() == before
