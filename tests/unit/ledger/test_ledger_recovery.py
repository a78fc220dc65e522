"""After a kill or a power loss at any moment the ledger is at a published height, and the next writer goes on."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from chain_model import ChainModel
from effort import WIDE
from failing_calls import Killed, failing
from ledgers import branches, bring_to, common_height, content, copy_of, tiny_chain, write_model
from power_loss import PowerLoss

from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.indexes import TXID
from cointrail.ledger.recovery import REWOUND_FROM, restore_links
from cointrail.ledger.schema import TABLES
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer

LINKS = ("output/spender.col", "script/last_output.col")
CALLS = ("fsync", "pwrite", "replace", "unlink")
SCHEDULES = 10_000 if WIDE else 150


class Clean:
    """What ledgers say that nobody disturbed, made when first asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._known: dict[tuple[int, int], dict[str, object]] = {}

    def __call__(self, branch: int, height: int) -> dict[str, object]:
        if (branch, height) not in self._known:
            write_model(self._place / f"clean-{branch}-{height}", branches()[branch], end=height + 1, step=100)
            self._known[branch, height] = content(self._place / f"clean-{branch}-{height}")
        return self._known[branch, height]

    def tip(self, branch: int) -> dict[str, object]:
        return self(branch, len(branches()[branch].blocks) - 1)


@pytest.fixture(scope="module")
def clean(shared_place) -> Clean:
    return Clean(shared_place)


def steps(folder: Path, published: list[tuple[int, int]]) -> Iterator[None]:
    """Grow, follow another branch, come back: a step ends with a publication, noted in `published`."""
    first, second, third = branches()
    for number, model, batches in ((0, first, (10, 12, 16)), (1, second, (9, 13)), (2, third, (12, 14))):
        with Writer(folder, "regtest") as writer:
            hashes = [bytes(row) for row in writer.column("block", "hash")]
            common = sum(1 for ours, theirs in zip(hashes, model.hashes, strict=False) if ours == theirs) - 1
            if common < writer.height:
                published.append((number, common))
                writer.rewind(common)
                published[-2:-1] = []
                yield
            for end in batches:
                writer.append(model.batch(writer.height + 1, end))
                if end != 13:
                    published.append((number, end - 1))
                    writer.publish()
                    published[-2:-1] = []
                    yield


def run_steps(folder: Path, published: list[tuple[int, int]]) -> None:
    for _ in steps(folder, published):
        pass


def begin(place: Path) -> Path:
    write_model(place / "base", branches()[0], end=8, step=3)
    return place / "base"


@pytest.mark.slow
def test_a_kill_at_any_call_also_while_recovering(place, clean):
    base, number, kills_in_recovery = begin(place), 0, 0
    while True:
        number += 1 if WIDE else 4  # every call in `make check-full`
        folder, published = copy_of(base, place / "ledger"), [(0, 7)]
        with failing(CALLS, number, Killed) as countdown, suppress(Killed):
            run_steps(folder, published)
        if not countdown.hit:
            break
        expected = [clean(*state) for state in published]
        assert content(folder) in expected, number
        if number % 5 == 0:
            assert verify(folder) == [], number
        with failing(CALLS, 1 + number // 4 % 40, Killed) as again:  # the next writer is killed too, at another place
            try:
                bring_to(folder, branches()[1])
            except Killed:
                kills_in_recovery += again.hit
        bring_to(folder, branches()[number % 3])
        assert content(folder) == clean.tip(number % 3), number
        if number % 5 == 0:
            assert verify(folder) == [], number
    assert number > 200
    assert kills_in_recovery > (150 if WIDE else 50)


@pytest.mark.slow
def test_a_power_loss_at_any_call_also_while_recovering(place, clean):
    if not str(place).startswith("/dev/shm"):
        pytest.skip("needs a file system in memory, whose inodes do not come again")
    base = begin(place)
    counting = PowerLoss(copy_of(base, place / "ledger"))
    with counting.watching(-1):
        run_steps(place / "ledger", [(0, 7)])
    for schedule in range(SCHEDULES):
        random = Random(f"power {schedule}")
        folder, published = copy_of(base, place / "ledger"), [(0, 7)]
        disk = PowerLoss(folder)
        with disk.watching(random.randint(1, counting.calls)), pytest.raises(Killed):
            run_steps(folder, published)
        found = after_loss(disk, place / "found", random)
        expected = [clean(*state) for state in published]
        assert content(found) in expected, schedule
        if random.random() < 0.5:  # the power goes again while the next writer is at work
            disk = PowerLoss(found)
            with disk.watching(random.randint(1, 60)), suppress(Killed):
                bring_to(found, branches()[1])
            found = after_loss(disk, place / "found again", random)
        target = random.randrange(3)
        bring_to(found, branches()[target])
        assert content(found) == clean.tip(target), schedule
        assert verify(found) == [], schedule


def after_loss(disk: PowerLoss, target: Path, random: Random) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    disk.lose(target, random)
    return target


def test_a_power_loss_before_anything_was_published_leaves_no_ledger_or_all_of_it(place):
    if not str(place).startswith("/dev/shm"):
        pytest.skip("needs a file system in memory, whose inodes do not come again")
    model, outcomes = branches()[0], {True: 0, False: 0}
    write_model(place / "clean", model)
    for schedule in range(60):
        random = Random(f"first {schedule}")
        (place / "ledger").mkdir()
        disk = PowerLoss(place / "ledger")
        with disk.watching(random.choice((-1, random.randint(1, 150)))), suppress(Killed):
            write_model(place / "ledger", model, step=100)
        found = after_loss(disk, place / "found", random)
        outcomes[manifests.exists(found)] += 1
        if manifests.exists(found):
            assert content(found) == content(place / "clean"), schedule
        bring_to(found, model)
        assert content(found) == content(place / "clean"), schedule
        shutil.rmtree(place / "ledger")
    assert min(outcomes.values()) > 5


# The parts.


@pytest.mark.parametrize("branch", range(3))
def test_links_are_undone_whichever_of_them_were_written(place, clean, branch):
    model, random = branches()[branch], Random(f"links {branch}")
    tip = len(model.blocks) - 1
    for published in range(3, tip, 2):
        folder = place / f"at-{published}"
        write_model(folder, model, end=published + 1, step=100)
        for _ in range(3):
            links = {
                name: np.fromfile(folder / name, "<i8") for name in ("output/spender.col", "script/last_output.col")
            }
            with Writer(folder, "regtest") as writer:
                writer.append(model.batch(published + 1, tip + 1))
            for name, before in links.items():  # some links never reached the file
                now = np.fromfile(folder / name, "<i8")
                kept = np.array([random.random() < 0.5 for _ in before], np.bool_)
                now[: len(before)] = np.where(kept, now[: len(before)], before)
                now.tofile(folder / name)
            assert content(folder) == clean(branch, published)
            assert verify(folder) == []
            Writer(folder, "regtest").close()
            for name, before in links.items():
                assert np.fromfile(folder / name, "<i8")[: len(before)].tolist() == before.tolist()


def test_rows_that_only_some_columns_hold_are_undone(place):
    # Only the columns that a rewind needs are forced to disk before links are written; all others may be shorter. The
    # next writer follows another branch, so that nothing left over is put right by chance.
    model = ChainModel(tiny_chain(26, "shorter"))
    other = ChainModel(tiny_chain(26, "shorter", turn=(13, "other")))
    published = common_height(model, other)
    write_model(place / "base", model, end=published + 1, step=100)
    write_model(place / "other", other, step=100)
    before, after = content(place / "base"), content(place / "other")
    sizes = {path.relative_to(place / "base"): path.stat().st_size for path in (place / "base").rglob("*.col")}
    for table, column in ((t, c) for t in TABLES for c in t.columns):
        if (table.name, column.name) in REWOUND_FROM:
            continue
        copy = copy_of(place / "base", place / "copy")
        with Writer(copy, "regtest") as writer:
            writer.append(model.batch(published + 1, 26))
        path = Path(table.name) / f"{column.name}.col"
        with (copy / path).open("r+b") as file:
            file.truncate(sizes[path])
        assert content(copy) == before
        bring_to(copy, other)
        assert verify(copy) == [], (table.name, column.name)
        assert content(copy) == after


def test_undoing_twice_does_no_harm(place, clean):
    first, second = branches()[0], branches()[1]
    common = common_height(first, second)
    write_model(place / "ledger", first)
    with Writer(place / "ledger", "regtest") as writer:
        writer.rewind(common)
        for _ in range(3):
            restore_links(writer.columns, writer.runs(TXID), writer.counts)
        writer.append(second.batch(common + 1, 10))
        writer.publish()
        # Rows of the first branch still lie beyond the second's; they name outputs and scripts that are now others.
        restore_links(writer.columns, writer.runs(TXID), writer.counts)
    assert content(place / "ledger") == clean(1, 9)
    assert verify(place / "ledger") == []


def test_every_link_has_the_rows_that_undo_it():
    links = {(table.name, column.name) for table in TABLES for column in table.columns if column.link}
    assert links == {("output", "spender"), ("script", "last_output")}, "a new link needs its undoing"
    columns = {(table.name, column.name) for table in TABLES for column in table.columns if not column.link}
    assert set(REWOUND_FROM) <= columns


def test_nothing_is_touched_where_nothing_was_left(place):
    write_model(place, branches()[0])
    before = {path: path.read_bytes() for path in place.rglob("*.col")}
    Writer(place, "regtest").close()
    columns = ColumnSet(place, writable=True)
    restore_links(columns, [], manifests.read(place).counts)
    columns.close()
    assert {path: path.read_bytes() for path in place.rglob("*.col")} == before
