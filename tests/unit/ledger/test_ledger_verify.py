"""Verify finds nothing in a sound ledger and everything in a damaged one, at the right height."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from chain_model import ChainModel
from effort import WIDE
from ledgers import content, follow, small_chain, tiny_chain, write_model, write_source
from regtest import forked_chain
from vectors import shared_data

from cointrail.errors import Unavailable
from cointrail.ledger import manifest as manifests
from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.digest import START, block_digests
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import ALL_TABLES, TABLES
from cointrail.ledger.verify import Damage, verify
from cointrail.ledger.writer import Writer, location_checks

STRIDE = 7 if WIDE else 97
STORES = {"plain": lambda: tiny_chain(), "repeated coinbase": lambda: tiny_chain(12, "repeat", repeat=(4, 9))}


@cache
def model_of(name: str) -> ChainModel:
    return ChainModel(STORES[name]())


@pytest.fixture(params=STORES)
def store(request, place) -> tuple[Path, ChainModel]:
    write_model(place / "ledger", model_of(request.param))
    return place / "ledger", model_of(request.param)


# Sound ledgers.


def test_mainnet_is_sound(place):
    archive = shared_data() / "blocks" / "mainnet-0-599" / "mainnet600.datadir.tar.gz"
    with tarfile.open(archive) as packed:
        packed.extractall(place / "node", filter="data")
    follow(place / "node", place / "ledger", batch=40_000)
    assert verify(place / "ledger") == []


@pytest.mark.parametrize("seed", ["one", "two"])
def test_random_chains_are_sound(place, seed):
    source = write_source(place / "blocks", small_chain(seed, 20, 12).serialized())
    follow(source, place / "ledger", batch=9_000)
    assert verify(place / "ledger") == []


def test_every_height_of_a_store_is_sound(store):
    ledger, model = store
    assert verify(ledger) == []
    for height in range(len(model.blocks) - 2, -1, -1):
        with Writer(ledger, "regtest") as writer:
            writer.rewind(height)
        assert verify(ledger) == []


def test_a_ledger_is_sound_after_reorganisations(place):
    chain, left, right = forked_chain(Random("verify"), 3, 6, 8, 6)
    write_source(place / "left", chain.serialized(left))
    write_source(place / "right", chain.serialized(right))
    follow(place / "left", place / "ledger")
    for side in ("right", "left", "right"):
        with Writer(place / "ledger", "regtest") as writer:
            writer.rewind(103)
        assert verify(place / "ledger") == []
        follow(place / side, place / "ledger")
        assert verify(place / "ledger") == []


def test_what_a_stopped_writer_leaves_is_no_damage(store):
    ledger, model = store
    for published in range(1, len(model.blocks)):
        copy = ledger.parent / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        write_model(copy, model, end=published)
        before = content(copy)
        with Writer(copy, "regtest") as writer:
            for height in range(published, len(model.blocks)):
                writer.append(model.batch(height, height + 1))
        assert verify(copy) == []
        assert content(copy) == before


def test_progress_covers_all_rows(store):
    ledger, _ = store
    seen: list[tuple[str, int, int]] = []
    verify(ledger, lambda *facts: seen.append(facts))
    assert len({what for what, _, _ in seen}) >= 7
    assert all(0 <= done <= total for _, done, total in seen)


# One bit.


def files_of(ledger: Path) -> list[Path]:
    return sorted(path for path in ledger.rglob("*") if path.is_file() and path.name != "LOCK")


def flipped(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def judge(ledger: Path) -> list[Damage] | str:
    try:
        return verify(ledger)
    except Unavailable as error:
        return str(error)


def every_bit(ledger: Path, stride: int) -> Iterator[tuple[Path, int]]:
    """Every so-many-th bit over all files laid end to end."""
    skip = 0
    for path in files_of(ledger):
        bits = 8 * path.stat().st_size
        yield from ((path, bit) for bit in range(skip, bits, stride))
        skip = (skip - bits) % stride


def named_right(path: Path, bit: int, model: ChainModel, found: list[Damage] | str) -> bool:
    """Whether the report says where the flipped bit lies."""
    if path.name == manifests.NAME:
        return isinstance(found, str)
    assert not isinstance(found, str), found
    places = {damage.where for damage in found}
    if path.suffix == ".run":
        return f"index/{path.name}" in places
    table = next(table for table in ALL_TABLES if table.name == path.parent.name)
    column = table.column(path.stem)
    if column.link:
        return f"{table.name}/{column.name}.col" in places
    return f"block {model.height_of_row(table.name, bit // 8 // column.row_bytes)}" in places


def test_every_flipped_bit_is_found_where_it_is(store):
    ledger, model = store
    tried = 0
    for path, bit in every_bit(ledger, STRIDE):
        flipped(path, bit)
        found = judge(ledger)
        assert found, f"bit {bit} of {path}"
        assert named_right(path, bit, model, found), f"bit {bit} of {path}: {found}"
        flipped(path, bit)
        tried += 1
    assert tried > 800
    assert verify(ledger) == []


def test_every_bit_of_some_links_counts(store):
    # Among them links that are empty, spent, and the mark of a repeated coinbase; an empty link is one bit from a mark.
    ledger, model = store
    outputs = {model.unspent(11)[0], model.unspent(11)[-1], model.spenders(11).index(max(model.spenders(11)))}
    outputs |= {number for number, output in enumerate(model.outputs) if output.overwriter}
    bits = [(ledger / "output" / "spender.col", 64 * output + bit) for output in outputs for bit in range(64)]
    bits += [(ledger / "script" / "last_output.col", 64 * script + bit) for script in (0, 9) for bit in range(64)]
    for path, bit in bits:
        flipped(path, bit)
        assert named_right(path, bit, model, judge(ledger)), f"bit {bit} of {path}"
        flipped(path, bit)
    assert verify(ledger) == []


def test_no_query_gives_a_wrong_row_for_a_link_that_was_changed(store):
    ledger, model = store
    tip = len(model.blocks) - 1
    for script, link in enumerate(np.fromfile(ledger / "script" / "last_output.col", "<i8")):
        for bit in range(0, 64, 5):
            flipped(ledger / "script" / "last_output.col", 64 * script + bit)
            with Reader(ledger) as reader:
                try:
                    history = list(reader.outputs_of_script(script))
                except Unavailable:
                    history = None
            flipped(ledger / "script" / "last_output.col", 64 * script + bit)
            if history is not None:  # it led to an older output of the script: verify finds that
                assert history[0] == link ^ 1 << bit
                assert history == model.history(model.scripts[script], tip)[-len(history) :]


# Whole files, and damage with a matching digest.


@pytest.mark.parametrize("name", ["output/script.col", "block/header.col", "script/last_output.col", "MANIFEST.json"])
def test_a_file_that_is_cut_or_gone_is_found(store, name):
    ledger, _ = store
    path = ledger / name
    os.truncate(path, path.stat().st_size - 1)
    assert judge(ledger)
    path.unlink()
    assert judge(ledger)


def test_an_index_run_that_is_gone_is_found(store):
    ledger, _ = store
    next((ledger / "index").glob("txid.*.run")).unlink()
    (damage,) = verify(ledger)
    assert "cannot read" in damage.what


def test_a_folder_that_is_no_ledger_is_refused(place):
    with pytest.raises(Unavailable, match="there is no ledger"):
        verify(place)


def forge(ledger: Path, change: Callable[[ColumnSet], object]) -> list[Damage]:
    """Change rows and make all digests fit again, as somebody with the program could."""
    columns = ColumnSet(ledger, writable=True)
    with Reader(ledger) as reader:
        bounds = [[0] * len(TABLES)]
        for height in range(reader.height + 1):
            with Reader(ledger, height) as below:
                bounds.append([below.counts.of(table.name) for table in TABLES])
        counts, manifest = reader.counts, reader.manifest
    change(columns)
    rows = {(t.name, c.name): columns[t.name, c.name].map(counts.of(t.name)) for t in TABLES for c in t.columns}
    digests = list(block_digests(START, lambda t, c: rows[t.name, c.name], np.array(bounds, np.int64)))
    rows["block", "digest"][:] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
    columns.close()
    manifests.write(ledger, replace(manifest, digest=digests[-1].hex()))
    return verify(ledger)


def test_a_forged_value_does_not_add_up(store):
    ledger, model = store

    def change(columns: ColumnSet) -> None:
        columns["output", "value_sat"].map(30)[29] += 1

    found = {(damage.where, damage.what.split(":")[0]) for damage in forge(ledger, change)}
    assert (f"block {model.outputs[29].height}", "its values do not add up") in found


def test_a_forged_header_does_not_fit_its_hash(store):
    ledger, _ = store

    def change(columns: ColumnSet) -> None:
        columns["block", "header"].map(6)[5, 70] ^= 1

    assert {damage.where for damage in forge(ledger, change)} == {"block 5"}


def test_a_header_that_does_not_follow_the_one_before_is_found(store):
    ledger, _ = store

    def change(columns: ColumnSet) -> None:
        header, block_hash = columns["block", "header"].map(6), columns["block", "hash"].map(6)
        header[5, 78] ^= 1
        first = hashlib.sha256(header[5].tobytes()).digest()
        block_hash[5] = np.frombuffer(hashlib.sha256(first).digest(), np.uint8)

    assert {damage.where for damage in forge(ledger, change)} == {"block 6"}


def test_another_genesis_block_and_another_last_hash_are_found(store):
    ledger, _ = store
    manifest = manifests.read(ledger)
    manifests.write(ledger, replace(manifest, network="signet"))
    assert {damage.what for damage in verify(ledger) if damage.where == "block 0"} == {
        "it is not the genesis block of signet"
    }
    manifests.write(ledger, replace(manifest, block_hash="00" * 32))
    assert [damage.what for damage in verify(ledger)] == ["its block hash is not that of the last block"]
    manifests.write(ledger, replace(manifest, digest="00" * 32))
    assert [damage.where for damage in verify(ledger)] == ["block/digest.col"]


def test_a_forged_input_is_not_named_by_its_output(store):
    ledger, model = store
    spend = next(number for number, (output, _) in enumerate(model.inputs) if output >= 0)

    def change(columns: ColumnSet) -> None:
        columns["input", "output"].map(spend + 1)[spend] = 10**9

    found = " ".join(f"{damage.where} {damage.what}" for damage in forge(ledger, change))
    assert f"inputs {spend} spend outputs that do not exist" in found


def test_forged_unspent_sums_are_found(store):
    ledger, _ = store

    def change(columns: ColumnSet) -> None:
        blocks = columns["block", "hash"].rows_on_disk()
        columns["block", "unspent_value_sat"].map(blocks)[-1] += 5

    assert any("are unspent, but the last block says" in damage.what for damage in forge(ledger, change))


def test_a_forged_location_is_found(store):
    ledger, _ = store
    columns = ColumnSet(ledger, writable=True)
    columns["block", "file_offset"].map(6)[5] += 8
    columns.close()
    (damage,) = verify(ledger)
    assert damage.where == "block 5"
    numbers, offsets = np.array([0, 7], np.uint32), np.array([8, 9], np.int64)
    checks = location_checks(3, numbers, offsets)
    assert len(set(checks.tolist())) == 2
    assert location_checks(4, numbers, offsets)[0] != checks[0]


def test_a_forged_index_is_found(store):
    ledger, _ = store
    manifest = manifests.read(ledger)
    entry = manifest.indexes["txid"][0]
    path = ledger / "index" / entry.file
    raw = path.read_bytes()
    keys, ids = np.frombuffer(raw, "<u8", entry.rows), np.frombuffer(raw, "<u4", entry.rows, entry.rows * 8)
    forgeries = {
        "ids exchanged": (keys, ids[np.r_[1, 0, 2 : entry.rows]]),
        "an id twice": (keys, ids[np.r_[0, 0, 2 : entry.rows]]),
        "not in order": (keys[::-1], ids[::-1]),
        "another key": (keys + np.uint64(1), ids),
    }
    for name, (new_keys, new_ids) in forgeries.items():
        forged = np.ascontiguousarray(new_keys).tobytes() + np.ascontiguousarray(new_ids).tobytes()
        path.write_bytes(forged)
        run = replace(entry, sha256=hashlib.sha256(forged).hexdigest())
        manifests.write(
            ledger, replace(manifest, indexes=manifest.indexes | {"txid": (run, *manifest.indexes["txid"][1:])})
        )
        assert [damage.where for damage in verify(ledger)] == [f"index/{entry.file}"], name
    path.write_bytes(raw)
    last = manifest.indexes["txid"][-1]
    runs = (*manifest.indexes["txid"][:-1], replace(last, end=last.end - 1))
    manifests.write(ledger, replace(manifest, indexes=manifest.indexes | {"txid": runs}))
    assert [damage.what for damage in verify(ledger)] == [f"the txid index ends at id {last.end - 1}"]
    runs = (*manifest.indexes["txid"][:-1], replace(last, first=last.first + 1))
    manifests.write(ledger, replace(manifest, indexes=manifest.indexes | {"txid": runs}))
    assert any("the txid index leave out ids from" in damage.what for damage in verify(ledger))
