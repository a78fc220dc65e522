"""Growth alarms: equal to comparing the partitions before and after every block."""

import numpy as np
import pytest

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.growth import growth_alarms
from cointrail.ledger.reader import Reader


def by_hand(forest, more_than, share, first_height):
    """(height, cluster_id, before, after) of every block and cluster that grew by more."""
    reader, found = forest.reader, []
    starts = [*reader.column("block", "first_transaction").tolist(), reader.counts.transaction]
    for height in range(first_height, reader.counts.block):
        old, new = forest.partition(starts[height]), forest.partition(starts[height + 1])
        sizes = np.bincount(old, minlength=len(old))
        for cluster in np.unique(new).tolist():
            inside = np.flatnonzero(new == cluster)
            before = int(sizes[np.unique(old[inside])].max())
            grown = len(inside) - before
            if grown > more_than and grown > share * before:
                found.append((height, cluster, before, len(inside)))
    return found


@pytest.mark.parametrize(("more_than", "share"), [(0, 0.0), (0, 0.2), (1, 0.2), (2, 0.5), (4, 1.0), (1_000, 0.2)])
@pytest.mark.parametrize("first_height", [0, 112])
def test_alarms_are_the_differences_of_partitions(forest, more_than, share, first_height):
    alarms = growth_alarms(forest, more_than, share, first_height)
    partition = forest.partition
    starts = [*forest.reader.column("block", "first_transaction").tolist(), forest.transactions]
    found = [
        (each.height, int(partition(starts[each.height + 1])[each.root]), each.before, each.after) for each in alarms
    ]
    assert sorted(found) == by_hand(forest, more_than, share, first_height)
    assert [(each.height, each.root) for each in alarms] == sorted((each.height, each.root) for each in alarms)
    for each in alarms:
        assert each.grown == each.after - each.before
        assert forest.root(each.root, starts[each.height + 1]) == each.root


def test_an_alarm_names_the_transaction_that_joined_the_most_at_once(forest):
    merges = [forest.merge(k) for k in range(forest.reader.counts.merge)]
    starts = [*forest.reader.column("block", "first_transaction").tolist(), forest.transactions]
    alarms = growth_alarms(forest, 1, 0.0)
    assert alarms
    for alarm in alarms:
        end = starts[alarm.height + 1]
        inside = [
            merge
            for merge in merges
            if starts[alarm.height] <= merge.tx_index < end and forest.root(merge.child, end) == alarm.root
        ]
        most = max(merge.child_size for merge in inside)
        assert alarm.tx_index == next(merge.tx_index for merge in inside if merge.child_size == most)


def test_thresholds_are_exceeded_not_reached(forest):
    for alarm in growth_alarms(forest, 0, 0.0):
        assert alarm in growth_alarms(forest, alarm.grown - 1, 0.0)
        assert alarm not in growth_alarms(forest, alarm.grown, 0.0)
        share = alarm.grown / alarm.before
        assert alarm in growth_alarms(forest, 0, share * 0.999)
        assert alarm not in growth_alarms(forest, 0, share * 1.001)


def test_a_snapshot_and_the_end_of_the_chain(level_ledger):
    with Reader(level_ledger) as now, Reader(level_ledger, now.height - 5) as then:
        recent, past = Forest(now), Forest(then)
        assert growth_alarms(past, 0, 0.0) == [
            each for each in growth_alarms(recent, 0, 0.0) if each.height <= past.reader.height
        ]
        assert growth_alarms(recent, 0, 0.0, now.height + 1) == []
