"""Merging two sorted runs against sorting: order, ties, and what a rewind has withdrawn."""

import numpy as np
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.runs import merge_runs

KEYS = st.one_of(st.integers(0, 3), st.sampled_from([2**63 - 1, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))
RUNS = st.lists(KEYS, max_size=30)


def run_of(keys: list[int], first: int) -> tuple[np.ndarray, np.ndarray]:
    entries = sorted((key, first + number) for number, key in enumerate(keys))
    return np.array([key for key, _ in entries], np.uint64), np.array([row for _, row in entries], np.uint32)


@examples(500, plain=100)
@given(RUNS, RUNS, st.integers(0, 2**32 - 80), st.integers(0, 40), st.integers(0, 40))
def test_merging_is_sorting_what_is_valid(left, right, first, left_kept, right_kept):
    left_keys, left_ids = run_of(left, first)
    right_keys, right_ids = run_of(right, first + len(left))
    left_end, right_end = first + left_kept, first + len(left) + right_kept
    size = len(left) + len(right)
    keys, ids = np.full(size + 1, 77, np.uint64), np.full(size + 1, 77, np.uint32)
    written = merge_runs(left_keys, left_ids, left_end, right_keys, right_ids, right_end, keys[:size], ids[:size])
    wanted = [(int(k), int(i)) for k, i in zip(left_keys, left_ids, strict=True) if i < left_end]
    wanted += [(int(k), int(i)) for k, i in zip(right_keys, right_ids, strict=True) if i < right_end]
    wanted.sort()
    assert list(zip(keys[:written].tolist(), ids[:written].tolist(), strict=True)) == wanted
    assert (keys[-1], ids[-1]) == (77, 77)


def test_ids_beyond_31_bits_are_not_negative():
    keys, ids = np.array([1], np.uint64), np.array([2**32 - 1], np.uint32)
    none_keys, none_ids = np.empty(0, np.uint64), np.empty(0, np.uint32)
    out_keys, out_ids = np.empty(1, np.uint64), np.empty(1, np.uint32)
    assert merge_runs(keys, ids, 2**32, none_keys, none_ids, 2**32, out_keys, out_ids) == 1
    assert out_ids[0] == 2**32 - 1
    assert merge_runs(keys, ids, 2**32 - 1, none_keys, none_ids, 2**32, out_keys, out_ids) == 0
