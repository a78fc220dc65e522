"""A file is written whole, under a name that says its format, and never over another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cointrail.errors import SnapshotGone, Unavailable, UsageError
from cointrail.ledger.reader import Reader
from cointrail.reports.export import SIDECAR, WRITERS, Choice, export
from cointrail.reports.tables import COLUMNS
from cointrail.trace.policy import FIFO

CHILD = """
import resource, signal, sys
from pathlib import Path
import duckdb
from cointrail.ledger.reader import Reader
from cointrail.reports.export import Choice, export
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace
ledger, folder, longest_file, one, two, *suffixes = sys.argv[1:]
with Reader(Path(ledger)) as reader:
    seeds = Seeds.by_name({"one": [int(one)], "two": [int(two)]})
    flow = trace(reader, seeds, HAIRCUT, limits=Limits(hops=6))
    if int(longest_file):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(longest_file), int(longest_file)))
    for suffix in suffixes:
        export(flow, reader, Path(folder) / f"trace{suffix}", Choice(table="parts"))
"""


@pytest.fixture(scope="module")
def flow(flow_of):
    return flow_of(12, FIFO, count=8, hops=3)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_suffix_chooses_and_nothing_else_is_left(suffix, flow, reader, tmp_path):
    path = tmp_path / f"trace{suffix}"
    written = export(flow, reader, path)
    assert written[0] == path
    assert files(tmp_path) == sorted(each.name for each in written)
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    before = path.read_bytes()
    again = tmp_path / f"again{suffix.upper()}"
    export(flow, reader, again)
    assert again.read_bytes() == before


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_exists_stays_unless_asked(suffix, flow, reader, tmp_path):
    path = tmp_path / f"trace{suffix}"
    path.write_text("mine")
    with pytest.raises(UsageError, match=f"trace{suffix} exists already"):
        export(flow, reader, path)
    assert path.read_text() == "mine"
    assert files(tmp_path) == [path.name]
    written = export(flow, reader, path, Choice(overwrite=True))
    assert path.read_bytes() != b"mine"
    assert files(tmp_path) == sorted(each.name for each in written)


def test_a_sidecar_that_exists_stays_too(flow, reader, tmp_path):
    (tmp_path / f"trace.csv{SIDECAR}").write_text("mine")
    with pytest.raises(UsageError, match=r"provenance\.json exists already"):
        export(flow, reader, tmp_path / "trace.csv")
    assert files(tmp_path) == [f"trace.csv{SIDECAR}"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("trace.xlsx", "no format has the suffix '.xlsx'"),
        ("trace", "no format has the suffix ''"),
        ("missing/trace.svg", "there is no folder"),
        ("a\0b.svg", "cannot be the name of a file"),
        (f"{'x' * 300}.svg", "cannot be the name of a file"),
        ("folder.svg", "no regular file"),
        ("link.svg", "exists already"),
    ],
)
def test_bad_names_are_refused_by_name(name, words, flow, reader, tmp_path):
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "link.svg").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=words) as refused:
        export(flow, reader, tmp_path / name)
    assert refused.value.hint
    assert files(tmp_path) == ["folder.svg", "link.svg"]


def test_unknown_tables_are_refused(flow, reader, tmp_path):
    with pytest.raises(UsageError, match="there is no table 'nodes'"):
        export(flow, reader, tmp_path / "trace.csv", Choice(table="nodes"))


def run_child(ledger, folder, flow, *suffixes, longest_file=0, **environment):
    seeds = [str(each) for each in flow.seeds.outputs[:2]]
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(ledger), str(folder), str(longest_file), *seeds, *suffixes],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_full_disk_leaves_nothing(suffix, economy, flow, tmp_path):
    """The child may not make a file longer than a kilobyte: for it the disk is full."""
    done = run_child(economy[0], tmp_path, flow, suffix, longest_file=1_000)
    assert f"{Unavailable.__name__}: cannot write {tmp_path}/trace{suffix}:" in done.stderr, done.stderr
    assert files(tmp_path) == []


def test_bytes_do_not_depend_on_the_process(economy, flow, tmp_path):
    found = []
    for salt in ("0", "1", "4242"):
        folder = tmp_path / salt
        folder.mkdir()
        done = run_child(economy[0], folder, flow, *WRITERS, PYTHONHASHSEED=salt, TZ=f"UTC-{len(salt)}")
        assert done.returncode == 0, done.stderr
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(found[0]) == len(WRITERS) + 1
    assert found[0] == found[1] == found[2]


def test_nothing_is_given_away_of_a_chain_that_is_gone(economy, flow, tmp_path):
    class Reorganised(Reader):
        def check_current(self):
            raise SnapshotGone("the chain was reorganised")

    with Reorganised(economy[0]) as reader, pytest.raises(SnapshotGone):
        export(flow, reader, tmp_path / "trace.csv")
    assert files(tmp_path) == []


@pytest.mark.parametrize("suffix", [".csv", ".svg"])
def test_a_file_that_appears_meanwhile_stays(suffix, economy, flow, tmp_path):
    path = tmp_path / f"trace{suffix}"

    class Slow(Reader):
        def check_current(self):
            path.write_text("another's")

    with Slow(economy[0]) as reader, pytest.raises(UsageError, match=f"trace{suffix} exists already"):
        export(flow, reader, path)
    assert path.read_text() == "another's"
    assert files(tmp_path) == [path.name]


def test_every_table_can_be_written(flow, reader, tmp_path):
    for name in COLUMNS:
        export(flow, reader, Path(tmp_path, f"{name}.csv"), Choice(table=name))
    assert len(files(tmp_path)) == 2 * len(COLUMNS)
