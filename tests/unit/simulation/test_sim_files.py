"""Block files, folders and manifests as the simulator leaves them, read back with the product's own readers."""

import hashlib
import json
from dataclasses import replace

import pytest
from toy_economy import ToyEconomy

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.errors import InputRefused, Unavailable
from cointrail.ingest.block_files import open_folder, scan
from cointrail.ingest.pipeline import ingest
from cointrail.simulation.record.block_files import WINDOW, ChainFiles
from cointrail.simulation.record.extension import move, write_extension
from cointrail.simulation.record.folder import new_folder, world_at
from cointrail.simulation.record.manifest import ChainSummary, Manifest, Parameters, list_files

BLOCKS = 90
FILE_SIZE = 1 << 16


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, ChainFiles, toy economy, digests)."""
    folder = tmp_path_factory.mktemp("chain")
    files = ChainFiles(3, folder, BLOCKS, FILE_SIZE, obfuscated=True)
    toy = ToyEconomy(seed=3, blocks=BLOCKS, per_block=8, sink=files).run()
    return folder, files, toy, files.finish()


@pytest.fixture(scope="module")
def records(made):
    folder = open_folder(made[0] / "plain")
    found = [scan(folder, file) for file in folder.files]
    assert [gap for _, gaps in found for gap in gaps] == []
    return [record for listed, _ in found for record in listed]


def test_there_are_several_files_none_too_large(made):
    folder = made[0]
    sizes = [path.stat().st_size for path in sorted((folder / "plain").iterdir())]
    assert len(sizes) > 3
    assert max(sizes) <= FILE_SIZE
    assert [path.name for path in sorted((folder / "plain").iterdir())] == [f"blk{n:05}.dat" for n in range(len(sizes))]


def test_the_obfuscated_files_hold_the_same_bytes(made):
    folder = made[0]
    key = (folder / "xor" / "xor.dat").read_bytes()
    assert len(key) == 8
    assert all(key)
    for path in sorted((folder / "plain").iterdir()):
        plain, other = path.read_bytes(), (folder / "xor" / path.name).read_bytes()
        assert len(plain) == len(other)
        written = len(plain.rstrip(b"\0"))
        pattern = key * (len(plain) // 8 + 1)
        assert bytes(a ^ b for a, b in zip(plain[:written], pattern, strict=False)) == other[:written]


def test_the_last_file_ends_in_a_preallocated_tail(made):
    last = sorted((made[0] / "xor").glob("blk*.dat"))[-1].read_bytes()
    assert last.endswith(bytes(64))
    assert len(last) % (FILE_SIZE // 8) == 0
    for path in sorted((made[0] / "plain").iterdir())[:-1]:
        assert not path.read_bytes().endswith(bytes(64))


def test_records_are_out_of_order_within_the_window(made, records):
    toy = made[2]
    height = {Block.parse(raw).block_hash: number for number, raw in enumerate(toy.raws)}
    hashes = [BlockHeader.parse(record.header).block_hash for record in records]
    heights = [height[each] for each in hashes if each in height]
    assert heights[0] == 0
    assert heights != sorted(heights)
    highest = 0
    for each in heights:
        assert highest - each < WINDOW
        highest = max(highest, each)


def test_three_stale_blocks_and_one_duplicate(made, records):
    _, files, toy, _ = made
    hashes = [BlockHeader.parse(record.header).block_hash for record in records]
    best = {Block.parse(raw).block_hash for raw in toy.raws}
    assert files.records == len(records) == len(toy.raws) + 4
    assert (files.stale, files.duplicates) == (3, 1)
    assert len(hashes) - len(set(hashes)) == 1
    assert len(set(hashes) - best) == 3
    assert best <= set(hashes)


def test_headers_are_those_of_the_best_chain(made):
    headers = (made[0] / "headers.bin").read_bytes()
    assert headers == b"".join(raw[:80] for raw in made[2].raws)


def test_digests_are_those_of_the_files(made):
    folder, _, _, digests = made
    assert {digest.path for digest in digests} == {path for path in folder.rglob("*") if path.is_file()}
    for digest in digests:
        raw = digest.path.read_bytes()
        assert (digest.size, digest.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    listed = list_files(folder, digests)
    assert listed == list_files(folder, [])
    assert list(listed) == sorted(listed)


def test_both_ingest_to_the_same_ledger(made, tmp_path):
    folder, _, toy, _ = made
    reports = [ingest(folder / name, tmp_path / name) for name in ("plain", "xor")]
    assert reports[0].digest == reports[1].digest
    for report in reports:
        assert report.complete
        assert (report.stale, report.duplicates, report.gaps, report.rivals) == (3, 1, [], 0)
        assert report.height == len(toy.raws) - 1
        assert report.transactions == sum(len(Block.parse(raw).transactions) for raw in toy.raws)


def test_an_extension_reorganises_the_ledger_twice(made, tmp_path):
    """The move is seen, withdrawn by four blocks, and seen again."""
    folder, files, toy, _ = made
    coin = max((c for wallet in toy.world.wallets for c in wallet.coins.values()), key=lambda c: c.value_sat)
    moving = move(toy.world, coin)
    write_extension(tmp_path / "extension", files.last, 600, moving)
    names = ["a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5"]
    assert sorted(path.stem for path in (tmp_path / "extension").iterdir()) == names
    raws = {name: (tmp_path / "extension" / f"{name}.blk").read_bytes() for name in names}
    holders = [name for name in names if moving.txid in [tx.txid for tx in Block.parse(raws[name]).transactions]]
    assert holders == ["a1", "b5"]

    target = tmp_path / "files"
    target.mkdir()
    for path in (folder / "plain").iterdir():
        (target / path.name).symlink_to(path)
    seen = []
    for number, group in enumerate((["a1"], ["a2", "a3"], ["b1", "b2", "b3"], ["b4"], ["b5"])):
        body = b"".join(b"\xfa\xbf\xb5\xda" + len(raws[name]).to_bytes(4, "little") + raws[name] for name in group)
        (target / f"blk{90 + number:05}.dat").write_bytes(body)
        report = ingest(target, tmp_path / "ledger")
        assert report.complete
        assert report.refused == []
        seen.append((report.height - len(toy.raws) + 1, report.rewound))
    assert seen == [(1, 0), (3, 0), (3, 0), (4, 3), (5, 0)]


PARAMETERS = Parameters(1, "small", 20_000, 1, False, False)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def write_world(folder):
    (folder / "chain").mkdir()
    (folder / "chain" / "x").write_bytes(b"abc")
    chain = ChainSummary(5, "00" * 32, "2024-01-01T00:00:00Z", 6, 6, 0, 0)
    manifest = Manifest(PARAMETERS, chain, {}, list_files(folder, []))
    manifest.write(folder)
    return manifest


def test_a_world_appears_whole(tmp_path):
    world = tmp_path / "deep" / "world"
    assert world_at(world, PARAMETERS) is None
    with new_folder(world) as partial:
        assert partial == tmp_path / "deep" / "world.partial"
        manifest = write_world(partial)
        assert not world.exists()
    assert names_in(tmp_path / "deep") == ["world"]
    assert names_in(world) == ["chain", "manifest.json"]
    assert world_at(world, PARAMETERS) == Manifest.read(world) == manifest


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputRefused, ValueError])
def test_nothing_half_is_left(tmp_path, error):
    def fail():
        with new_folder(tmp_path / "world") as partial:
            write_world(partial)
            raise error("x")

    with pytest.raises(error):
        fail()
    assert names_in(tmp_path) == []


def test_an_empty_folder_is_taken_and_an_interrupted_run_swept_away(tmp_path):
    world = tmp_path / "world"
    world.mkdir()
    partial = tmp_path / "world.partial"
    (partial / "chain" / "plain").mkdir(parents=True)
    (partial / "rest").write_text("of a killed run")
    (partial / ".being-simulated").touch()
    assert world_at(world, PARAMETERS) is None
    with new_folder(world) as folder:
        write_world(folder)
    assert names_in(world) == ["chain", "manifest.json"]


def test_a_folder_in_use_is_refused(tmp_path):
    world = tmp_path / "world"
    with new_folder(world), pytest.raises(Unavailable, match="another run"), new_folder(world):
        pass
    assert world.exists()
    other = tmp_path / "other"
    (tmp_path / "other.partial").mkdir()
    with pytest.raises(InputRefused, match="in the way"), new_folder(other):
        pass
    assert (tmp_path / "other.partial").is_dir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"notes.txt": "mine"}, "not empty"),
        ({"manifest.json": "{}"}, "not the manifest"),
        ({"manifest.json": "no"}, "not the manifest"),
        ({"manifest.json": '{"parameters": 5}'}, "not the manifest"),
    ],
)
def test_other_content_is_refused(tmp_path, content, message):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputRefused, match=message):
        world_at(tmp_path, PARAMETERS)
    assert names_in(tmp_path) == sorted(content)


def test_another_world_and_a_changed_world_are_refused(tmp_path):
    write_world(tmp_path)
    with pytest.raises(InputRefused, match="another world: scale small, 20000 transactions, seed 1"):
        world_at(tmp_path, replace(PARAMETERS, seed=2))
    (tmp_path / "chain" / "x").write_bytes(b"ab")
    with pytest.raises(InputRefused, match="chain/x was changed"):
        world_at(tmp_path, PARAMETERS)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputRefused, match="is not a folder"):
        world_at(file, PARAMETERS)


def test_a_manifest_is_plain_json(tmp_path):
    write_world(tmp_path)
    document = json.loads((tmp_path / "manifest.json").read_text())
    assert document["files"] == {"chain/x": {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}}
    assert document["parameters"]["generator_version"] == 1
