"""kill -9 in the middle of an import: the former state is there, and the same import then succeeds."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tag_import_worker import FIRST, SECOND
from tag_packs import locate, pack

from cointrail.attribution.store.changes.importing import import_pack
from cointrail.attribution.store.reader import open_tags
from cointrail.database import Database

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).resolve().parents[3] / "support"


def content(where):
    with Database(where) as database, open_tags(database) as store:
        return store.digest, Counter((each.subject.text, each.statement) for each in store.tags_in("list.yaml"))


def listed(tags):
    return Counter((each.subject.text, each.statement) for each in tags)


def run(where, stage, seconds=None):
    worker = subprocess.Popen([sys.executable, SUPPORT / "tag_import_worker.py", where, stage])
    if seconds is not None:
        time.sleep(seconds)
        worker.kill()
    return worker.wait(timeout=120)


@pytest.mark.parametrize("stage", ["reading", "comparing", "written", 0.5, 0.9, 1.2, 1.6])
def test_a_killed_import_leaves_the_former_state(where, stage):
    with Database(where, create=True) as database:
        import_pack(database, pack(FIRST), "list.yaml", by="x", locate=locate)
    before, after = listed(FIRST), listed(SECOND)
    digest, found = content(where)
    assert found == before
    if isinstance(stage, str):
        assert run(where, stage) == -signal.SIGKILL
        assert content(where) == (digest, before)
    else:
        run(where, "never", stage)
        assert content(where)[1] in (before, after)
    assert run(where, "never") == 0
    now, found = content(where)
    assert found == after
    assert now != digest


@pytest.mark.parametrize("limit", [200_000, 500_000, 1_000_000])
def test_a_full_disk_leaves_the_former_state(tmp_path, limit):
    where = tmp_path / "tags.sqlite"
    with Database(str(where), create=True) as database:
        import_pack(database, pack(FIRST), "list.yaml", by="x", locate=locate)
    before = content(str(where))
    words = [sys.executable, SUPPORT / "tag_import_worker.py", where, "never", str(limit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "Unavailable: the database" in done.stderr
    assert content(str(where)) == before
