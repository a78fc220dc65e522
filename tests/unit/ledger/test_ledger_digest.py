"""The digest names the content and nothing else: recomputed in plain Python, at every height, whatever the layout."""

import hashlib
import struct
import tarfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from chain_model import ChainModel
from ledgers import follow, small_chain, tiny_chain, write_model, write_source
from regtest import write_block_files, zoo_chain
from vectors import shared_data

from cointrail.bitcoin.network import MAINNET, REGTEST
from cointrail.ingest.block_files import open_folder, scan
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.columns import ColumnSet
from cointrail.ledger.digest import START, block_digests, hashed_columns
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import TABLES
from cointrail.ledger.writer import Writer


def digests_of(ledger: Path) -> list[bytes]:
    with Reader(ledger) as reader:
        return [bytes(row) for row in reader.column("block", "digest")]


def model_digests(model: ChainModel) -> list[bytes]:
    return [block.digest for block in model.blocks]


# The digest of the first block by hand, from the text of `ledger.digest` and `ledger.schema` alone.


def test_the_digest_of_the_genesis_block_from_the_text(place):
    raw = tiny_chain()[0]
    write_model(place, ChainModel([raw]))
    header, transaction = raw[:80], raw[81:]
    script = raw[-4 - 67 : -4]
    assert len(raw) == 285
    assert script[0] == 65
    assert script[-1] == 0xAC
    double = lambda data: hashlib.sha256(hashlib.sha256(data).digest()).digest()  # noqa: E731
    time = struct.unpack("<I", header[68:72])[0]
    rows = double(header) + header + struct.pack("<II", time, time)  # block: hash, header, time, median_time
    rows += struct.pack("<IIIIq", 285, 4 * 285, 0, 0, 0)  # size, weight, first transaction, script, script byte
    rows += struct.pack("<qqqq", 0, 0, 0, 0)  # fees, unclaimed; nobody can spend the genesis output
    rows += double(transaction) + struct.pack("<qqiIIIB", 0, 0, 1, 0, 204, 4 * 204, 0)  # transaction
    # input: output, sequence, flags (its script pushes neither key nor signature)
    rows += struct.pack("<qIH", -1, 0xFFFFFFFF, 0)
    rows += struct.pack("<qIq", 50 * 100_000_000, 0, -1)  # output: value, script, previous of the same script
    rows += b"\x01" + struct.pack("<qI", 0, 67) + hashlib.sha256(script).digest()[:20]  # script: P2PK
    rows += script  # script_byte
    assert digests_of(place) == [hashlib.sha256(bytes(32) + rows).digest()]


CHAINS = {
    "random": lambda: small_chain("digest", 15, 8).serialized(),
    "all scripts": lambda: zoo_chain().serialized(),
    "two forks": lambda: small_chain("digest 2", 8, 20).serialized(),
}


@pytest.mark.parametrize("name", CHAINS)
def test_ingest_gives_the_digests_of_the_plain_recomputation(place, name):
    raw = CHAINS[name]()
    source = write_source(place / "blocks", raw)
    follow(source, place / "ledger", batch=3_000)
    assert digests_of(place / "ledger") == model_digests(ChainModel(raw))


def test_mainnet_gives_the_digests_of_the_plain_recomputation(place):
    archive = shared_data() / "blocks" / "mainnet-0-599" / "mainnet600.datadir.tar.gz"
    with tarfile.open(archive) as packed:
        packed.extractall(place / "node", filter="data")
    follow(place / "node", place / "ledger", batch=50_000)
    folder = open_folder(place / "node", MAINNET)
    raw = {}
    for file in folder.files:
        content = file.path.read_bytes()
        for record in scan(folder, file)[0]:
            block = content[record.offset : record.offset + record.size]
            raw[block[4:36]] = block
    ordered, previous = [], bytes(32)
    while previous in raw:
        ordered.append(raw[previous])
        previous = hashlib.sha256(hashlib.sha256(ordered[-1][:80]).digest()).digest()
    assert len(ordered) == 600
    assert digests_of(place / "ledger") == model_digests(ChainModel(ordered, MAINNET))


def test_the_digest_at_a_height_is_that_of_a_build_to_there(place):
    raw = small_chain("digest", 15, 8).serialized()
    source = write_source(place / "blocks", raw)
    whole = follow(source, place / "ledger")
    for height in (0, 99, 103, 107, whole.height):
        report = follow(source, place / f"at-{height}", until=height, batch=10**6)
        with Reader(place / "ledger", height) as reader:
            assert reader.snapshot.digest == report.digest
            assert (report.digest == whole.digest) == (height == whole.height)


def test_layout_batches_and_publications_do_not_change_the_digest(place):
    raw = list(small_chain("digest", 15, 8).serialized())
    expected = ChainModel(raw).blocks[-1].digest.hex()
    shuffled = raw[:]
    Random("order").shuffle(shuffled)
    write_block_files(place / "plain", raw, REGTEST.magic)
    write_block_files(
        place / "other", [*shuffled, *raw[:30]], REGTEST.magic, xor_key=b"8 bytes!", per_file=9, preallocate=5_000
    )
    assert follow(place / "plain", place / "one").digest == expected
    assert follow(place / "other", place / "two", batch=1_000).digest == expected
    assert ingest(place / "other", place / "three").digest == expected
    write_model(place / "four", ChainModel(raw), step=1)
    assert digests_of(place / "four")[-1].hex() == expected


def test_every_hashed_cell_counts_and_no_other(place):
    model = ChainModel(tiny_chain())
    hashed = {(table.name, column.name) for table, column in hashed_columns()}
    for number, (table, column) in enumerate((t, c) for t in TABLES for c in t.columns):
        batch = model.batch(0, 14)
        key = table.name, column.name
        if key not in batch.rows:
            assert key not in hashed
            continue
        cells = batch.rows[key].copy()
        flat = cells.reshape(-1).view(np.uint8)
        flat[len(flat) // 2] ^= 1
        batch.rows[key] = cells  # type: ignore[index]
        with Writer(place / str(number), "regtest") as writer:
            writer.append(batch)
            writer.publish()
        changed = digests_of(place / str(number))
        same = [one == other for one, other in zip(changed, model_digests(model), strict=True)]
        if key in hashed:
            first = same.index(False)
            assert 0 < first < 14, "blocks before keep their digest"
            assert not any(same[first:]), "every later digest depends on it"
        else:
            assert all(same)
    assert hashed == {(t.name, c.name) for t in TABLES for c in t.columns if not (c.link or c.local)}


def test_links_do_not_count(place):
    model = ChainModel(tiny_chain())
    write_model(place, model)
    before = digests_of(place)
    columns = ColumnSet(place, writable=True)
    columns["output", "spender"].map(10)[:] = 5
    columns["script", "last_output"].map(10)[:] = 5
    columns.close()
    with Reader(place) as reader:
        parts = {(t.name, c.name): reader.column(t.name, c.name) for t, c in hashed_columns()}
        bounds = [[model.counts(h).of(t.name) if h >= 0 else 0 for t in TABLES] for h in range(-1, 14)]
    again = list(block_digests(START, lambda t, c: parts[t.name, c.name], np.array(bounds, np.int64)))
    assert again == before
