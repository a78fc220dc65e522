"""The manifest: it comes back as it was written, and no damage to it is ever taken for a manifest."""

import errno
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.errors import Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.manifest import Manifest, Refused, RunEntry
from cointrail.ledger.schema import FORMAT, Counts

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(0, 2**63)
RUNS = st.lists(st.builds(RunEntry, TEXT, NUMBER, NUMBER, NUMBER, TEXT), max_size=3).map(tuple)
MANIFESTS = st.builds(
    Manifest,
    network=TEXT,
    height=st.integers(-1, 2**32),
    block_hash=TEXT,
    counts=st.builds(Counts, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
    digest=TEXT,
    generation=NUMBER,
    indexes=st.dictionaries(TEXT, RUNS, max_size=2),
    refused=st.lists(st.builds(Refused, TEXT, NUMBER, TEXT), max_size=2).map(tuple),
    source=TEXT,
    program=TEXT,
)
EXAMPLE = Manifest(
    network="regtest",
    height=101,
    block_hash="0f" * 32,
    counts=Counts(102, 130, 140, 150, 60, 0),
    digest="ab" * 32,
    generation=1,
    indexes={"txid": (RunEntry("txid.00000001.run", 0, 130, 130, "cd" * 32),), "script": ()},
    refused=(Refused("ee" * 32, 7, "block ... refused: bad-cb-amount (the coinbase claims too much)"),),
    source="/home/zoë/ブロック",
)


@pytest.fixture
def ledger(place: Path) -> Path:
    manifests.write(place, EXAMPLE)
    return place


def put(folder: Path, raw: bytes) -> None:
    (folder / manifests.NAME).write_bytes(raw)


def refused(folder: Path, raw: bytes) -> Unavailable:
    put(folder, raw)
    with pytest.raises(Unavailable) as raised:
        manifests.read(folder)
    assert raised.value.exit_code == 6
    assert raised.value.hint
    return raised.value


@examples(150)
@given(MANIFESTS)
def test_a_manifest_comes_back_as_it_was_written(manifest):
    with tempfile.TemporaryDirectory() as folder:
        manifests.write(Path(folder), manifest)
        assert manifests.exists(Path(folder))
        assert manifests.read(Path(folder)) == manifest
        assert [path.name for path in Path(folder).iterdir()] == [manifests.NAME]


def test_no_single_bit_flip_is_taken_for_a_manifest(ledger):
    raw = (ledger / manifests.NAME).read_bytes()
    assert manifests.read(ledger) == EXAMPLE
    other_formats = 0
    for place in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        error = refused(ledger, bytes(flipped))
        other_formats += "store format" in str(error)
        assert "store format" in str(error) or "is damaged" in str(error)
    assert 0 < other_formats < 20, "only flips of the format number read as another format"


def test_no_truncation_and_no_trailing_byte_is_taken_for_a_manifest(ledger):
    raw = (ledger / manifests.NAME).read_bytes()
    for length in range(len(raw)):
        assert "is damaged" in str(refused(ledger, raw[:length]))
    for more in (b" ", b"\n", b"\x00", raw):
        assert "is damaged" in str(refused(ledger, raw + more))


def test_no_exchanged_value_is_taken_for_a_manifest(ledger):
    document = json.loads((ledger / manifests.NAME).read_bytes())
    for key in document:
        if key not in ("checksum", "format"):
            assert "is damaged" in str(refused(ledger, json.dumps(document | {key: 7}).encode()))
            assert "is damaged" in str(
                refused(ledger, json.dumps({k: v for k, v in document.items() if k != key}).encode())
            )


@examples(200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda x: st.lists(x) | st.dictionaries(TEXT, x))
        .map(json.dumps)
        .map(str.encode),
        st.builds(lambda found: json.dumps({"format": found}).encode(), st.none() | st.integers() | TEXT),
    )
)
def test_any_bytes_are_refused(raw):
    with tempfile.TemporaryDirectory() as folder:
        refused(Path(folder), raw)


def test_hostile_json_is_refused(place):
    for raw in (b"[" * 200_000, b'{"format":' * 50_000, b'{"format": ' + b"9" * 5_000 + b"}", b"\xff\xfe{}", b""):
        refused(place, raw)


@pytest.mark.parametrize("found", [FORMAT - 1, FORMAT + 1, 999, "1", None])
def test_another_format_says_what_to_do(ledger, found):
    document = json.loads((ledger / manifests.NAME).read_bytes())
    error = refused(ledger, json.dumps(document | {"format": found, "program": "cointrail 9.9"}).encode())
    assert f"store format {found}; this program reads format {FORMAT}" in str(error)
    assert "build the ledger again" in error.hint
    assert "cointrail 9.9" in error.hint


def test_another_format_need_not_look_like_ours(place):
    assert "store format 999" in str(refused(place, b'{"format": 999}'))


def test_a_folder_without_a_ledger_says_how_to_make_one(place):
    assert not manifests.exists(place)
    for folder in (place, place / "nowhere"):
        with pytest.raises(Unavailable, match="there is no ledger in") as raised:
            manifests.read(folder)
        assert "cointrail ingest" in raised.value.hint


def test_a_manifest_that_cannot_be_read_is_named(place):
    (place / manifests.NAME).mkdir()
    with pytest.raises(Unavailable, match="cannot read"):
        manifests.read(place)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_manifest(ledger, monkeypatch, call):
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", refuse)
    else:
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(Unavailable, match="cannot write"):
        manifests.write(ledger, replace(EXAMPLE, generation=2))
    assert manifests.read(ledger) == EXAMPLE


def test_every_manifest_has_a_version_of_its_own(ledger):
    seen = {manifests.version(ledger)}
    for generation in range(2, 200):
        manifests.write(ledger, replace(EXAMPLE, generation=generation))
        assert manifests.version(ledger) not in seen
        seen.add(manifests.version(ledger))
    assert manifests.version(ledger / "nowhere") not in seen


def test_a_version_is_later_even_if_the_clock_was_set_back(ledger):
    # Inodes are used again, so only the time tells two manifests apart.
    future = 4_000_000_000 * 10**9
    os.utime(ledger / manifests.NAME, ns=(future, future))
    for generation in range(2, 5):
        before = manifests.version(ledger)[1]
        manifests.write(ledger, replace(EXAMPLE, generation=generation))
        assert manifests.version(ledger)[1] > before


def test_rewinds_that_are_no_longer_remembered_may_have_gone_anywhere():
    record: tuple[int, ...] = ()
    for count in range(1, 160):
        record = manifests.with_rewind(record, 20)
        kept = replace(EXAMPLE, rewinds=count, rewound_to=record)
        assert kept.kept(20, max(0, count - 100))
        assert kept.kept(20, 0) == (count <= 100)
        assert not kept.kept(21, count - 1)


@examples(100)
@given(st.lists(st.integers(-1, 20), max_size=130), st.integers(0, 20), st.data())
def test_a_block_is_kept_if_no_later_rewind_went_below_it(heights, height, data):
    record: tuple[int, ...] = ()
    for to in heights:
        record = manifests.with_rewind(record, to)
    since = data.draw(st.integers(0, len(heights)))
    missed = heights[since:]
    kept = replace(EXAMPLE, rewinds=len(heights), rewound_to=record).kept(height, since)
    assert kept == (all(to >= height for to in missed) and len(missed) <= 100)
    assert not replace(EXAMPLE, rewinds=3, rewound_to=record).kept(height, 4), "the ledger was begun anew"
