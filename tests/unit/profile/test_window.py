"""Times become heights by median time: also where the times of miners go backwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import write_source
from regtest import RegtestChain

from cointrail.errors import NotFound, UsageError
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.profile.window import Window, everything, heights_between, window


@pytest.fixture(scope="module")
def crooked(tmp_path_factory):
    """(reader, times of the blocks): times that jump to and fro, within what consensus allows."""
    folder, chain = tmp_path_factory.mktemp("crooked"), RegtestChain()
    for number in range(60):
        chain.mine(time=chain.median_time_past() + 1 + (number * 7_919) % 5_000)
    ingest(write_source(folder / "blocks", chain.serialized()), folder / "ledger")
    with Reader(folder / "ledger") as reader:
        yield reader, [node.block.header.time for node in chain.branch()]


def medians(times):
    return [sorted(times[max(0, h - 10) : h + 1])[len(times[max(0, h - 10) : h + 1]) // 2] for h in range(len(times))]


@given(data=st.data())
def test_times_are_heights_by_median_time(crooked, data):
    reader, times = crooked
    middle = medians(times)
    assert times != sorted(times)
    moment = st.one_of(st.sampled_from(middle), st.integers(middle[0] - 9, middle[-1] + 9))
    begin, end = sorted((data.draw(moment), data.draw(moment)))
    inside = [height for height, time in enumerate(middle) if begin <= time <= end]
    low, high = heights_between(reader, begin, end)
    assert list(range(low, high + 1)) == inside
    found = window(reader, from_time=begin, to_time=end)
    assert list(range(found.first, found.last + 1)) == inside


def test_heights_and_times_narrow_each_other(crooked):
    reader, times = crooked
    middle = medians(times)
    assert window(reader) == everything(reader) == Window(0, 60)
    found = window(reader, first=10, last=50, from_time=middle[20], to_time=middle[40])
    assert (found.first, found.last) == (20, 40)
    found = window(reader, first=30, last=32, from_time=middle[20])
    assert (found.first, found.last) == (30, 32)
    assert not window(reader, first=3).by_value
    assert window(reader, least_sat=0).by_value


def test_what_is_refused(crooked):
    reader, _ = crooked
    for asked in ({"first": 61}, {"last": 61}, {"first": -1}):
        with pytest.raises(NotFound):
            window(reader, **asked)
    for asked in (
        {"first": 5, "last": 4},
        {"from_time": 5, "to_time": 4},
        {"least_sat": -1},
        {"least_sat": 2, "most_sat": 1},
    ):
        with pytest.raises(UsageError):
            window(reader, **asked)
