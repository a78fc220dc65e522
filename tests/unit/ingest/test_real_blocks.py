"""Real blocks of mainnet, testnet3 and signet through the parser and the pipeline."""

import gzip
import json
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from ingest_runs import ingest
from ledger_view import read_back
from regtest import write_block_files
from vectors import block_records, real_blocks, shared_data

from cointrail.bitcoin.block import Block, BlockHeader
from cointrail.bitcoin.encoding import Cursor
from cointrail.bitcoin.fingerprint import input_flags
from cointrail.bitcoin.hashes import display, double_sha256, parse_hash
from cointrail.bitcoin.merkle import merkle_root
from cointrail.bitcoin.network import MAINNET, NETWORKS
from cointrail.bitcoin.script import ScriptType
from cointrail.bitcoin.transaction import Outpoint, Transaction, TransactionInput, TransactionOutput
from cointrail.errors import InputRefused
from cointrail.ingest.parsed import ParsedBlocks, parse
from cointrail.ingest.raw_blocks import RawBlocks
from cointrail.ingest.report import Options
from cointrail.ingest.structure import check_structure
from cointrail.ingest.timing import Stages
from cointrail.ledger.verify import verify

COIN = 100_000_000
HALVING_INTERVAL = 210_000
PADDING = 64

# What nodes of that time called the types; they had no word for the witness types yet.
OLD_TYPES = {
    "nonstandard": ScriptType.NONSTANDARD,
    "pubkey": ScriptType.P2PK,
    "pubkeyhash": ScriptType.P2PKH,
    "scripthash": ScriptType.P2SH,
    "multisig": ScriptType.MULTISIG,
    "nulldata": ScriptType.OP_RETURN,
}


def parse_one(raw: bytes, height: int = 0) -> ParsedBlocks:
    buffer = np.frombuffer(raw + bytes(PADDING), np.uint8)
    return parse(RawBlocks(buffer, np.array([0]), np.array([len(raw)]), [], height), Stages())


def outputs_of(parsed: ParsedBlocks, transaction: int) -> list[tuple[int, bytes]]:
    rows = range(*parsed.tx_first_output[transaction : transaction + 2])
    return [(int(parsed.output_value[row]), script_of(parsed, row)) for row in rows]


def script_of(parsed: ParsedBlocks, output: int) -> bytes:
    start = int(parsed.output_script[output])
    return parsed.blocks.raw[start : start + int(parsed.output_length[output])].tobytes()


def subsidy(height: int) -> int:
    return 50 * COIN >> height // HALVING_INTERVAL


def singles() -> list[tuple[str, int, bytes, bytes]]:
    """(network, height, stated hash, bytes) of every block stored alone."""
    found = []
    for name, raw in real_blocks():
        network, stem = name.split("/")
        height, block_hash = stem.split("_")
        found.append((network, int(height), parse_hash(block_hash), raw))
    return found


def test_blocks_have_their_stated_hash_and_pass_the_structure_checks():
    """Merkle root and, where segwit is active, the witness commitment bind every byte."""
    blocks = singles()
    assert len(blocks) == 14
    for network, height, block_hash, raw in blocks:
        parsed = parse_one(raw, height)
        assert bytes(parsed.block_hash[0]) == block_hash
        check_structure(parsed, NETWORKS[network])


def test_blocks_agree_with_the_plain_reference_in_every_column():
    transactions = 0
    for _, _, _, raw in singles():
        block, parsed = Block.parse(raw), parse_one(raw)
        assert parsed.block_weight.tolist() == [block.weight]
        txs = block.transactions
        assert [bytes(row) for row in parsed.txid] == [tx.txid for tx in txs]
        assert [bytes(row) for row in parsed.wtxid] == [tx.wtxid for tx in txs]
        assert parsed.tx_size.tolist() == [tx.size for tx in txs]
        assert parsed.tx_weight.tolist() == [tx.weight for tx in txs]
        assert parsed.tx_version.tolist() == [tx.version for tx in txs]
        assert parsed.tx_lock_time.tolist() == [tx.lock_time for tx in txs]
        assert parsed.tx_flags.tolist() == [int(tx.has_witness) for tx in txs]
        assert np.diff(parsed.tx_first_input).tolist() == [len(tx.inputs) for tx in txs]
        every_input = [each for tx in txs for each in tx.inputs]
        at = parsed.input_outpoint.tolist()
        outpoints = [(raw[p : p + 32], int.from_bytes(raw[p + 32 : p + 36], "little")) for p in at]
        assert outpoints == [(each.outpoint.txid, each.outpoint.vout) for each in every_input]
        assert parsed.input_sequence.tolist() == [each.sequence for each in every_input]
        assert parsed.input_flags.tolist() == [input_flags(each.script_sig, each.witness) for each in every_input]
        for number, tx in enumerate(txs):
            assert outputs_of(parsed, number) == [(each.value_sat, each.script_pubkey) for each in tx.outputs]
        transactions += len(txs)
    assert transactions == 4_342


def test_blocks_are_what_nodes_say():
    """Verbosity-2 answers of a node: ids, sizes, scripts, values, types."""
    compared = types = 0
    by_height = {height: raw for network, height, _, raw in singles() if network == "mainnet"}
    oracles = sorted((shared_data() / "oracles" / "getblock-v2").glob("*.json.gz"))
    assert len(oracles) == 10
    for path in oracles:
        told = _decimal_json(path)
        parsed = parse_one(by_height[told["height"]])
        assert [display(bytes(row)) for row in parsed.block_hash] == [told["hash"]]
        assert parsed.block_weight.tolist() == [told["weight"]]
        assert [display(bytes(row)) for row in parsed.txid] == [tx["txid"] for tx in told["tx"]]
        assert [display(bytes(row)) for row in parsed.wtxid] == [tx["hash"] for tx in told["tx"]]
        assert parsed.tx_size.tolist() == [tx["size"] for tx in told["tx"]]
        assert parsed.tx_weight.tolist() == [tx["weight"] for tx in told["tx"]]
        # Core printed versions unsigned for a while.
        assert [v % 2**32 for v in parsed.tx_version.tolist()] == [tx["version"] % 2**32 for tx in told["tx"]]
        assert parsed.tx_lock_time.tolist() == [tx["locktime"] for tx in told["tx"]]
        assert parsed.input_sequence.tolist() == [each["sequence"] for tx in told["tx"] for each in tx["vin"]]
        outputs = [output for tx in told["tx"] for output in tx["vout"]]
        assert parsed.output_value.tolist() == [int(output["value"] * COIN) for output in outputs]
        for row, output in enumerate(outputs):
            assert script_of(parsed, row).hex() == output["scriptPubKey"]["hex"]
            assert parsed.output_type[row] == OLD_TYPES[output["scriptPubKey"]["type"]]
            types += 1
        compared += len(told["tx"])
    assert compared > 900
    assert types > 1_500


def _decimal_json(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)


@pytest.mark.parametrize("name", ["mainnet-300025", "testnet3-928816"])
def test_undo_data_add_up(name):
    """What bcoin's node had spent: fees are what the coinbase pays beyond the subsidy."""
    network, height = name.rsplit("-", 1)
    raw = next(raw for n, h, _, raw in singles() if (n, h) == (network, int(height)))
    parsed = parse_one(raw, int(height))
    spent = undo_records((shared_data() / "oracles" / "undo" / f"{name}.undo").read_bytes())
    assert len(spent) == parsed.tx_first_input[-1] - 1  # all but the coinbase's
    spent_sat = sum(value for value, _ in spent)
    paid_sat = sum(value for number in range(1, len(parsed.txid)) for value, _ in outputs_of(parsed, number))
    claimed_sat = sum(value for value, _ in outputs_of(parsed, 0))
    assert spent_sat - paid_sat == claimed_sat - subsidy(int(height)) > 0
    _compare_spends_of_own_block(parsed, spent)


def _compare_spends_of_own_block(parsed: ParsedBlocks, spent: list[tuple[int, bytes]]) -> None:
    """Inputs that spend outputs of the same block can be followed without the rest of the chain."""
    number_of = {bytes(txid): number for number, txid in enumerate(parsed.txid)}
    followed = 0
    for place, told in zip(parsed.input_outpoint[1:].tolist(), spent, strict=True):
        raw = parsed.blocks.raw[place : place + 36].tobytes()
        if raw[:32] in number_of:
            assert outputs_of(parsed, number_of[raw[:32]])[int.from_bytes(raw[32:], "little")] == told
            followed += 1
    assert followed


def undo_records(raw: bytes) -> list[tuple[int, bytes]]:
    cursor, records = Cursor(raw), []
    while cursor.position < len(raw):
        records.append((cursor.u64(), cursor.var_bytes()))
    return records


@pytest.mark.parametrize("height", [169, 91721, 150012])
def test_prevouts_of_single_blocks(height):
    """Blocks given with every output they spend; 91722 is one of the coinbases that were overwritten (BIP30)."""
    told = json.loads((shared_data() / "oracles" / "prevouts" / f"full_{height}.json").read_text())
    (block,), state = told["blocks"], told["chain_state"]
    raw, spent, claimed, paid = _serialized(block, parse_hash(state["best_block_hash"]))
    assert told["expected"]["best_block_hash"] == display(double_sha256(raw[:80]))
    parsed = parse_one(raw, height + 1)
    check_structure(parsed, MAINNET)
    outputs = [outputs_of(parsed, number) for number in range(len(parsed.txid))]
    assert outputs == [_outputs(tx) for tx in block["data"]["transactions"]]
    assert (sum(value for value, _ in outputs[0]), sum(v for tx in outputs[1:] for v, _ in tx)) == (claimed, paid)
    assert spent - paid == claimed - subsidy(height + 1)
    if height + 1 in {repeated for repeated, _ in MAINNET.bip30_overwritten}:
        assert bytes(parsed.block_hash[0]) in {block_hash for _, block_hash in MAINNET.bip30_overwritten}


def _serialized(block: dict[str, Any], previous: bytes) -> tuple[bytes, int, int, int]:
    """(bytes, spent, claimed, paid) of a block in raito's JSON; the merkle root is recomputed from what it holds."""
    transactions, spent = [], 0
    for told in block["data"]["transactions"]:
        assert not told["is_segwit"]
        inputs = tuple(
            TransactionInput(
                Outpoint(parse_hash(each["previous_output"]["txid"]), each["previous_output"]["vout"]),
                bytes.fromhex(each["script"][2:]),
                each["sequence"],
            )
            for each in told["inputs"]
        )
        spent += sum(each["previous_output"]["data"]["value"] for each in told["inputs"])
        outputs = tuple(TransactionOutput(value, script) for value, script in _outputs(told))
        transactions.append(Transaction(told["version"], inputs, outputs, told["lock_time"]))
    root, _ = merkle_root([tx.txid for tx in transactions])
    fields = block["header"]
    header = BlockHeader(fields["version"], previous, root, fields["time"], fields["bits"], fields["nonce"])
    sums = [sum(output.value_sat for output in tx.outputs) for tx in transactions]
    return Block(header, tuple(transactions)).serialize(), spent, sums[0], sum(sums[1:])


def _outputs(told: dict[str, Any]) -> list[tuple[int, bytes]]:
    return [(each["value"], bytes.fromhex(each["pk_script"][2:])) for each in told["outputs"]]


RANGES = {"signet-0-120/blk00000.dat": ("signet", 120), "testnet3-0-113/blk00000.dat": ("testnet3", 113)}


@pytest.mark.parametrize("path", RANGES)
def test_first_blocks_of_other_networks(path, tmp_path):
    name, tip = RANGES[path]
    network, records = NETWORKS[name], block_records(path)
    assert {magic for magic, _ in records} == {network.magic}
    blocks = [raw for _, raw in records]
    report = ingest((shared_data() / "blocks" / path).parent, tmp_path / "ledger")
    assert report.complete
    assert (report.network, report.height, report.blocks) == (name, tip, tip + 1)
    assert verify(tmp_path / "ledger") == []
    view = read_back(tmp_path / "ledger")
    assert view.hashes[0] == network.genesis_hash
    by_hash = {double_sha256(raw[:80]): Block.parse(raw) for raw in blocks}
    for height, seen in enumerate(view.blocks):
        block = by_hash[seen.block_hash]
        assert [tx.txid for tx in seen.transactions] == [tx.txid for tx in block.transactions]
        assert seen.header[4:36] == (view.hashes[height - 1] if height else bytes(32))
        claimed = sum(output.value_sat for output in block.transactions[0].outputs)
        assert seen.unclaimed_sat == subsidy(height) + seen.fees_sat - claimed


def layouts(blocks: list[bytes], random: Random) -> dict[str, dict[str, Any]]:
    """Ways to store the same blocks."""
    shuffled = random.sample(blocks, len(blocks))
    return {
        "shuffled": {"blocks": shuffled},
        "split": {"blocks": shuffled, "per_file": 7},
        "xored": {"blocks": shuffled, "xor_key": random.randbytes(8), "per_file": 50},
        "preallocated": {"blocks": blocks, "xor_key": random.randbytes(8), "preallocate": 1 << 16, "per_file": 40},
        "twice": {"blocks": shuffled + blocks, "per_file": 100},
    }


@pytest.mark.parametrize("path", RANGES)
def test_digest_does_not_depend_on_the_layout(path, tmp_path):
    network = NETWORKS[RANGES[path][0]]
    blocks = [raw for _, raw in block_records(path)]
    digests = {ingest((shared_data() / "blocks" / path).parent, tmp_path / "plain").digest}
    for name, layout in layouts(blocks, Random(path)).items():
        write_block_files(tmp_path / "files" / name, layout.pop("blocks"), network.magic, **layout)
        report = ingest(tmp_path / "files" / name, tmp_path / name, options=Options(bulk=name != "split"))
        assert report.complete
        assert report.duplicates == (len(blocks) if name == "twice" else 0)
        digests.add(report.digest)
    assert len(digests) == 1


def test_single_blocks_are_no_chain(tmp_path):
    """Real blocks without their past: refused, and never taken for a shorter chain."""
    mainnet = [raw for network, _, _, raw in islice(singles(), 4) if network == "mainnet"]
    write_block_files(tmp_path / "files", mainnet, MAINNET.magic)
    with pytest.raises(InputRefused, match="the genesis block of mainnet is not in"):
        ingest(tmp_path / "files", tmp_path / "ledger")
    assert not (tmp_path / "ledger").exists()
