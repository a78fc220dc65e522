"""Numbering scripts against a dict: equal ones are one, clashing keys confuse nothing, rows are those of the schema."""

import hashlib
import struct
from random import Random

import numpy as np
from effort import amount, examples
from hypothesis import given
from hypothesis import strategies as st
from script_zoo import zoo

from cointrail.bitcoin.script import ScriptType, classify, payload
from cointrail.kernels import intern

# Scripts of every type, some that are the beginning of another or differ in the last byte only.
BASES = [lock.script_pubkey for lock in zoo() if len(lock.script_pubkey) < 200]
HASH = bytes(range(1, 33))
TWINS = [b"\x76\xa9\x14" + HASH[:20] + b"\x88\xac", b"\xa9\x14" + HASH[:20] + b"\x87", b"\x00\x14" + HASH[:20]]
TWINS += [b"\x00\x20" + HASH, b"\x51\x20" + HASH]  # one payload in scripts of different types
SCRIPTS = st.one_of(
    st.sampled_from(TWINS),
    st.sampled_from(BASES),
    st.binary(max_size=6),
    st.sampled_from([b"\x51", b"\x51\x51", b"\x51" * 90, b"\x51" * 89 + b"\x52", b""]),
    st.sampled_from(BASES).map(lambda script: script[:-1] + b"\x07"),
)
HEAP_TYPES = {kind for kind in ScriptType if kind not in (2, 3, 6, 7, 8)}


def lay_out(scripts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scripts in one buffer, with noise between: (raw, start, length)."""
    raw, starts = bytearray(b"\xee"), []
    for script in scripts:
        starts.append(len(raw))
        raw += script + b"\xdd"
    return (
        np.frombuffer(raw, np.uint8),
        np.array(starts, np.int64),
        np.array([len(script) for script in scripts], np.uint32),
    )


def true_key(script: bytes) -> int:
    return int.from_bytes(hashlib.sha256(script).digest()[:8], "little")


def clashing_key(script: bytes) -> int:
    """A hash with three values that fall on neighbouring slots."""
    return true_key(script) % 3


KEY_FUNCTIONS = st.sampled_from([true_key, clashing_key, lambda script: 0, lambda script: 2**64 - 1])


def kinds_of(scripts: list[bytes]) -> np.ndarray:
    return np.array([int(classify(script)) for script in scripts], np.uint8)


def run_distinct(scripts: list[bytes], key_of) -> tuple[int, list[int], list[int], list[int], list[int]]:
    raw, start, length = lay_out(scripts)
    keys = np.array([key_of(script) for script in scripts], np.uint64)
    columns = [np.full(len(scripts), -77, np.int64) for _ in range(4)]
    found = int(intern.distinct_scripts(raw, start, length, keys, *columns))
    distinct, previous, first, last = (column.tolist() for column in columns)
    assert first[found:] == last[found:] == [-77] * (len(scripts) - found)
    return found, distinct, previous, first[:found], last[:found]


@examples(250, plain=80)
@given(st.lists(SCRIPTS, max_size=60), KEY_FUNCTIONS)
def test_distinct_scripts_are_numbered_by_first_appearance(scripts, key_of):
    found, distinct, previous, first, last = run_distinct(scripts, key_of)
    numbers: dict[bytes, int] = {}
    seen_at: dict[bytes, int] = {}
    for place, script in enumerate(scripts):
        assert distinct[place] == numbers.setdefault(script, len(numbers))
        assert previous[place] == seen_at.get(script, -1)
        seen_at[script] = place
    assert found == len(numbers)
    assert [scripts[place] for place in first] == list(numbers)
    assert first == [scripts.index(script) for script in numbers]
    assert last == [seen_at[script] for script in numbers]


def test_many_scripts_with_many_repeats():
    random = Random("many")
    pool = [random.randbytes(random.randrange(40)) for _ in range(amount(5_000, 300))]
    scripts = [random.choice(pool) for _ in range(amount(20_000, 1_000))]
    found, distinct, *_ = run_distinct(scripts, true_key)
    assert found == len(set(scripts))
    assert [scripts[distinct.index(number)] for number in range(50)] == list(dict.fromkeys(scripts))[:50]


def plain_rows(scripts: list[bytes], base_heap: int) -> tuple[bytes, bytes]:
    """Payload cells and heap as the schema describes them."""
    cells, heap = b"", b""
    for script in scripts:
        kind = classify(script)
        if kind in HEAP_TYPES:
            cell = struct.pack("<qI", base_heap + len(heap), len(script)) + hashlib.sha256(script).digest()[:20]
            heap += script
        else:
            cell = payload(script, kind).ljust(32, b"\x00")
        cells += cell
    return cells, heap


def make_rows(scripts: list[bytes], numbers: list[int], base_heap: int) -> tuple[np.ndarray, bytes]:
    raw, start, length = lay_out(scripts)
    digests = np.frombuffer(b"".join(hashlib.sha256(script).digest() for script in scripts), np.uint8).reshape(-1, 32)
    payloads = np.full((len(numbers), 32), 0xEE, np.uint8)
    heap = np.full(sum(map(len, scripts)) + 1, 0xEE, np.uint8)
    used = intern.new_script_rows(
        raw, start, length, kinds_of(scripts), digests, np.array(numbers, np.int64), base_heap, payloads, heap
    )
    assert (heap[used:] == 0xEE).all()
    return payloads, heap[:used].tobytes()


@examples(300, plain=60)
@given(
    st.lists(SCRIPTS, min_size=1, max_size=20, unique=True), st.sampled_from([0, 1, 2**32 + 5, 2**40 - 1]), st.data()
)
def test_rows_are_those_of_the_schema(scripts, base_heap, data):
    numbers = data.draw(st.lists(st.integers(0, len(scripts) - 1), unique=True)) if data.draw(st.booleans()) else []
    numbers = sorted(numbers)
    payloads, heap = make_rows(scripts, numbers, base_heap)
    cells, wanted = plain_rows([scripts[number] for number in numbers], base_heap)
    assert payloads.tobytes() == cells
    assert heap == wanted


@examples(250, plain=80)
@given(st.lists(SCRIPTS, min_size=1, max_size=25, unique=True), KEY_FUNCTIONS, st.data())
def test_known_scripts_are_found_and_no_others(scripts, key_of, data):
    known = scripts[: data.draw(st.integers(0, len(scripts)))]
    run_end = data.draw(st.integers(0, len(known)))
    payloads, heap = make_rows(known, list(range(len(known))), 0) if known else (np.empty((0, 32), np.uint8), b"")
    run = sorted((key_of(script), row) for row, script in enumerate(known))
    run_keys = np.array([key for key, _ in run], np.uint64)
    run_ids = np.array([row for _, row in run], np.uint32)

    asked = data.draw(st.permutations(scripts))
    raw, start, length = lay_out(asked)
    keys = np.array([key_of(script) for script in asked], np.uint64)
    wanted = np.argsort(keys)
    script_ids = np.full(len(asked), -1, np.int64)
    already = data.draw(st.sets(st.integers(0, len(asked) - 1)))
    script_ids[list(already)] = 10**6  # found in another run: not to be touched
    intern.match_scripts(
        raw,
        start,
        length,
        kinds_of(asked),
        keys[wanted],
        wanted,
        np.searchsorted(run_keys, keys[wanted]),
        run_keys,
        run_ids,
        run_end,
        kinds_of(known),
        payloads,
        np.frombuffer(bytearray(heap + b"\x00"), np.uint8),
        script_ids,
    )
    for place, script in enumerate(asked):
        row = known.index(script) if script in known else -1
        valid = row if row < run_end else -1
        assert script_ids[place] == (10**6 if place in already else valid)


def test_payloads_lie_where_the_reference_says():
    for script in BASES:
        kind = classify(script)
        offset, size = intern.payload_place(int(kind))
        if kind in HEAP_TYPES:
            assert (offset, size) == (0, 0)
        else:
            assert script[offset : offset + size] == payload(script, kind)
