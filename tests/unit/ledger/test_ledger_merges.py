"""The forest of clusters in the store: any batches, rewound anywhere, interrupted anywhere, against plain sets."""

import shutil
from random import Random

import numpy as np
import pytest
from ledgers import branches, copy_of

from cointrail.kernels.cluster import union_find
from cointrail.kernels.cluster.union_find import NEVER
from cointrail.ledger.merges import FIELDS, forest_of
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer


def random_groups(random, model, end):
    """For each transaction of the blocks below `end`, perhaps a group of scripts that exist by then."""
    groups = []
    for height in range(end):
        counts = model.counts(height)
        before = model.counts(height - 1).transaction if height else 0
        for tx_index in range(before, counts.transaction):
            while random.random() < 0.6:
                groups.append((tx_index, [random.randrange(counts.script) for _ in range(random.randint(2, 4))]))
    return groups


def union(writer, groups):
    """Decide and write the merges of some groups."""
    members = np.array([member for _, group in groups for member in group], np.int64)
    first = np.concatenate(([0], np.cumsum([len(group) for _, group in groups]))).astype(np.int64)
    merges = np.empty((6, len(members)), np.uint32)
    forest = forest_of(writer.column("cluster", "link"))
    times = np.array([time for time, _ in groups], np.uint32)
    count = union_find.find_merges(*forest, members, first, times, writer.counts.merge, merges)
    writer.merge(merges[:, :count].copy())


def grow(folder, model, groups, cuts, first=0):
    """Write a model's blocks and merges, cut into batches that are published now and then."""
    with Writer(folder, "regtest") as writer:
        for low, high in zip((first, *cuts), cuts, strict=False):
            writer.append(model.batch(low, high))
            begin, end = (model.counts(height - 1).transaction if height else 0 for height in (low, high))
            union(writer, [group for group in groups if begin <= group[0] < end])
            writer.publish()


def sets_before(groups, scripts, time):
    """The partition in plain Python: the smallest script that each hangs together with."""
    cluster = list(range(scripts))
    for tx_index, group in groups:
        if tx_index < time:
            names = {cluster[script] for script in group}
            cluster = [min(names) if name in names else name for name in cluster]
    return cluster


def stored(reader):
    return forest_of(reader.column("cluster", "link"))


def partition(reader, time):
    parent, linked_at, _ = stored(reader)
    roots = union_find.all_roots(parent, linked_at, time)
    smallest = {}
    for script, root in enumerate(roots.tolist()):
        smallest.setdefault(root, script)
    return [smallest[root] for root in roots.tolist()]


def everything(folder):
    """Bytes of all that a reader believes of forest and log."""
    with Reader(folder) as reader:
        log = [reader.column("merge", name).tobytes() for name in (*FIELDS, "check")]
        return [cells.tobytes() for cells in stored(reader)], log, reader.counts


@pytest.fixture(params=range(3))
def case(request):
    model = branches()[request.param]
    return model, random_groups(Random(f"groups {request.param}"), model, len(model.blocks))


def test_the_forest_of_every_time_is_the_partition_of_plain_sets(place, case):
    model, groups = case
    grow(place, model, groups, (4, 5, 9, len(model.blocks)))
    with Reader(place) as reader:
        assert reader.counts.merge > 20
        for time in range(reader.counts.transaction + 1):
            assert partition(reader, time) == sets_before(groups, reader.counts.script, time)
        for height in range(reader.height + 1):
            counts = counts_at(reader, height)
            sizes = {
                script: sum(name == own for name in sets_before(groups, counts.script, counts.transaction))
                for script, own in enumerate(sets_before(groups, counts.script, counts.transaction))
            }
            times = reader.column("merge", "tx_index")[: counts.merge]
            assert counts.merge == np.count_nonzero(times < counts.transaction)
            for script, size in sizes.items():
                assert size == len(members_at(reader, script, counts))
    assert verify(place) == []


def members_at(reader, script, counts):
    parent, linked_at, last_child = stored(reader)
    root = union_find.root_before(parent, linked_at, script, counts.transaction)
    members, order = np.empty(len(parent), np.int64), np.empty(len(parent), np.int64)
    child, previous = reader.column("merge", "child"), reader.column("merge", "previous_sibling")
    found = union_find.members_of(root, counts.merge, child, previous, last_child, members, order)
    assert found >= 0
    assert (order[1:found] < counts.merge).all()
    return set(members[:found].tolist())


def test_batches_leave_no_trace(place, case):
    model, groups = case
    end = len(model.blocks)
    grow(place / "once", model, groups, (end,))
    for number, cuts in enumerate(((3, 7, end), tuple(range(1, end + 1)))):
        grow(place / str(number), model, groups, cuts)
        assert everything(place / str(number)) == everything(place / "once")


def test_rewinding_leaves_no_trace(place, case):
    model, groups = case
    end = len(model.blocks)
    grow(place / "whole", model, groups, (end,))
    for height in range(end):
        grow(place / "cut", model, groups, (height + 1,))
        copy = copy_of(place / "whole", place / "rewound")
        with Writer(copy, "regtest") as writer:
            writer.rewind(height)
        assert everything(copy) == everything(place / "cut")
        assert verify(copy) == []
        if height + 1 < end:
            grow(copy, model, groups, (end,), height + 1)
            assert everything(copy) == everything(place / "whole")
        for name in ("cut", "rewound"):
            shutil.rmtree(place / name)


def half_of(random, old, now):
    """Every cell as it was before or as it is now."""
    kept = np.array([random.random() < 0.5 for _ in old], np.bool_)
    return np.where(kept, now[: len(old)], old)


def test_whatever_of_a_batch_reached_the_disk_is_taken_back(place, case):
    """Any half of the links, and any part of the newest log, in any file: the published forest comes back."""
    model, groups = case
    random, end = Random("half"), len(model.blocks)
    middle = end // 2
    grow(place / "base", model, groups, (middle,))
    before = everything(place / "base")
    for lost in (None, *FIELDS, "check") * 4:
        copy = copy_of(place / "base", place / "copy")
        file = copy / "cluster" / "link.col"
        links = [np.fromfile(file, "<u4")]
        logged = []
        with Writer(copy, "regtest") as writer:
            scripts = writer.counts.script
            for low in (middle, middle + 2):
                writer.append(model.batch(low, low + 2))
                begin, stop = (model.counts(height - 1).transaction for height in (low, low + 2))
                logged.append(writer.counts.merge)
                union(writer, [group for group in groups if begin <= group[0] < stop])
                links.append(np.fromfile(file, "<u4"))
        # Links of the second batch are written only after its log is on disk.
        upto = 2 if lost is None else 1
        now = np.fromfile(file, "<u4")
        now[: 3 * scripts] = half_of(random, links[0][: 3 * scripts], links[upto])
        now.tofile(file)
        if lost:
            cells = np.fromfile(copy / "merge" / f"{lost}.col", "<u4")
            cells[logged[1] + random.randrange(2) :] = 0
            cells.tofile(copy / "merge" / f"{lost}.col")
        with Writer(copy, "regtest"):
            pass
        assert everything(copy) == before
        assert verify(copy) == []
        grow(copy, model, groups, (end,), middle)
        assert verify(copy) == []
        shutil.rmtree(copy)


def test_rows_of_another_branch_are_never_taken_for_ours(place):
    first, second = branches()[0], branches()[1]
    groups = [random_groups(Random(name), model, len(model.blocks)) for name, model in (("a", first), ("b", second))]
    grow(place / "right", second, groups[1], (8, len(second.blocks)))
    grow(place / "turned", first, groups[0], (len(first.blocks),))
    with Writer(place / "turned", "regtest") as writer:
        writer.rewind(-1)
    grow(place / "turned", second, groups[1], (8,))
    for _ in range(3):
        with Writer(place / "turned", "regtest"):
            pass
    grow(place / "turned", second, groups[1], (len(second.blocks),), 8)
    assert everything(place / "turned") == everything(place / "right")
    assert verify(place / "turned") == []


def test_forgetting_leaves_single_scripts(place, case):
    model, groups = case
    grow(place, model, groups, (len(model.blocks),))
    with Writer(place, "regtest") as writer:
        writer.forget_clusters()
    with Reader(place) as reader:
        assert reader.counts.merge == 0
        assert (reader.column("cluster", "link") == np.array([1, NEVER, NEVER], np.uint32)).all()
    assert verify(place) == []


@pytest.mark.parametrize("name", [("cluster", "link"), *(("merge", each) for each in (*FIELDS, "check"))], ids="/".join)
def test_every_flipped_bit_of_forest_and_log_is_found(place, name):
    model = branches()[0]
    grow(place, model, random_groups(Random("flip"), model, len(model.blocks)), (len(model.blocks),))
    path = place / name[0] / f"{name[1]}.col"
    raw = path.read_bytes()
    for bit in Random(f"bits {name}").sample(range(8 * len(raw)), 60):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert verify(place), bit
    path.write_bytes(raw)
    assert verify(place) == []
