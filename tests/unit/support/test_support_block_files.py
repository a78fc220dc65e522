"""Our own layouts are files that the kernel reads, and the kernel's files are what RELIABILITY 1 says."""

from random import Random

import pytest
from judge import Judge
from regtest import obfuscate, prepared_chain, random_chain, read_record, write_block_files

from cointrail.bitcoin.network import REGTEST

KEY = bytes.fromhex("0123456789abcdef")


@pytest.mark.parametrize("xor_key", [None, KEY, bytes(8)])
@pytest.mark.parametrize("per_file", [None, 7])
def test_kernel_reindexes_shuffled_files_with_duplicates(tmp_path, xor_key, per_file):
    chain = random_chain(Random("layout"), blocks=10, transactions_per_block=10)
    genesis, *blocks = chain.serialized()
    blocks += blocks[:5]
    Random("order").shuffle(blocks)
    write_block_files(
        tmp_path / "blocks", [genesis, *blocks], REGTEST.magic, xor_key=xor_key, per_file=per_file, preallocate=1 << 16
    )
    with Judge(tmp_path, reindex=True) as judge:
        assert judge.active_chain() == chain.block_hashes()
        assert judge.unspent().keys() == {(o.txid, o.vout) for o in chain.unspent()}


@pytest.mark.parametrize("xor_key", [None, KEY])
def test_placements_lead_to_the_blocks(tmp_path, xor_key):
    blocks = prepared_chain().serialized()
    places = write_block_files(tmp_path, blocks, REGTEST.magic, xor_key=xor_key, per_file=10, first_file=3)
    assert [read_record(place, xor_key) for place in places] == blocks
    assert sorted({place.path.name for place in places}) == [f"blk{number:05}.dat" for number in range(3, 14)]
    assert (tmp_path / "xor.dat").exists() is (xor_key is not None)


def test_preallocated_tail_is_raw_zero(tmp_path):
    [place] = write_block_files(tmp_path, [b"block"], REGTEST.magic, xor_key=KEY, preallocate=1_000)
    raw = place.path.read_bytes()
    assert len(raw) == 1_000
    assert raw[place.offset + place.size :] == bytes(1_000 - 13)
    assert obfuscate(raw, KEY)[:13] == REGTEST.magic + b"\x05\0\0\0block"


def test_no_blocks_make_one_empty_file(tmp_path):
    assert write_block_files(tmp_path, [], REGTEST.magic) == []
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]


def test_key_of_another_length_is_refused(tmp_path):
    with pytest.raises(ValueError, match="8 bytes, not 7"):
        write_block_files(tmp_path, [], REGTEST.magic, xor_key=KEY[:7])


@pytest.mark.parametrize("offset", range(9))
def test_obfuscation_follows_the_offset(offset):
    data = bytes(range(50))
    assert obfuscate(data, KEY)[offset:] == obfuscate(data[offset:], KEY, offset)
    assert obfuscate(obfuscate(data, KEY, offset), KEY, offset) == data


def test_kernel_writes_records_in_order_of_arrival_and_preallocates():
    chain = prepared_chain()
    with Judge() as judge:
        judge.submit_all(chain.serialized()[1:])
        judge.close()
        key = (judge.blocks_folder / "xor.dat").read_bytes()
        raw = (judge.blocks_folder / "blk00000.dat").read_bytes()
    records = b"".join(REGTEST.magic + len(block).to_bytes(4, "little") + block for block in chain.serialized())
    assert len(key) == 8
    assert len(raw) == 16 << 20
    assert raw[: len(records)] == obfuscate(records, key)
    assert not any(raw[len(records) :])
