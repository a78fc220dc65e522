"""Mainnet's first 600 blocks, plain and obfuscated: everything the node says about them is what the ledger says."""

import csv
import gzip
import json
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ledger_view import LedgerView, SeenOutput, SeenTransaction, read_back
from vectors import shared_data

from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.bitcoin.network import MAINNET
from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.block_files import open_folder, scan
from cointrail.ingest.parsed import parse
from cointrail.ingest.pipeline import ingest
from cointrail.ingest.raw_blocks import BlockSource
from cointrail.ingest.report import Options, Report
from cointrail.ingest.timing import Stages
from cointrail.ledger.reader import Reader
from cointrail.ledger.verify import verify

LAYOUTS = ("mainnet600", "mainnet600_xor")
COIN = 100_000_000

# Core's names in `scriptPubKey.type` (its src/script/solver.cpp, GetTxnOutputType).
CORE_TYPES = {
    "nonstandard": ScriptType.NONSTANDARD,
    "anchor": ScriptType.ANCHOR,
    "pubkey": ScriptType.P2PK,
    "pubkeyhash": ScriptType.P2PKH,
    "scripthash": ScriptType.P2SH,
    "multisig": ScriptType.MULTISIG,
    "nulldata": ScriptType.OP_RETURN,
    "witness_v0_keyhash": ScriptType.P2WPKH,
    "witness_v0_scripthash": ScriptType.P2WSH,
    "witness_v1_taproot": ScriptType.P2TR,
    "witness_unknown": ScriptType.WITNESS_UNKNOWN,
}


@pytest.fixture(scope="module")
def datadirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both data directories of the node, unpacked."""
    archives, folder = shared_data() / "blocks" / "mainnet-0-599", tmp_path_factory.mktemp("mainnet600")
    for name in LAYOUTS:
        with tarfile.open(archives / f"{name}.datadir.tar.gz") as archive:
            archive.extractall(folder / name, filter="data")
    return {name: folder / name for name in LAYOUTS}


@pytest.fixture(scope="module")
def ledgers(datadirs, tmp_path_factory) -> dict[str, tuple[Path, Report]]:
    folder = tmp_path_factory.mktemp("ledgers")
    return {name: (folder / name, ingest(datadirs[name], folder / name, cluster=bring_up)) for name in LAYOUTS}


@pytest.fixture(scope="module")
def view(ledgers) -> LedgerView:
    return read_back(ledgers["mainnet600"][0])


@pytest.fixture(scope="module")
def node_blocks() -> list[dict[str, Any]]:
    """The node's `getblock HASH 3` of each height; amounts are decimals, never floats."""
    with gzip.open(shared_data() / "oracles" / "mainnet_0_599_getblock_v3.jsonl.gz", "rt") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


def test_files_are_plain_and_obfuscated(datadirs):
    """The two sources differ in every byte that counts."""
    keys = {name: (path / "blocks" / "xor.dat").read_bytes() for name, path in datadirs.items()}
    assert keys == {"mainnet600": bytes(8), "mainnet600_xor": bytes.fromhex("cbc3e9f81dec9401")}
    heads = {name: (path / "blocks" / "blk00000.dat").read_bytes()[:4] for name, path in datadirs.items()}
    assert heads["mainnet600"] == MAINNET.magic != heads["mainnet600_xor"]


def test_both_layouts_give_one_ledger(ledgers):
    digests = set()
    for name, (folder, report) in ledgers.items():
        assert report.complete, name
        assert (report.network, report.height, report.blocks, report.transactions) == ("mainnet", 599, 600, 616)
        assert (report.rewound, report.duplicates, report.stale, report.rivals) == (0, 0, 0, 0)
        assert report.gaps == report.failed == report.refused == report.damaged == report.orphans == []
        assert verify(folder) == []
        digests.add(report.digest)
    assert len(digests) == 1


@pytest.mark.parametrize("options", [Options(bulk=False), Options(bulk=True, batch_bytes=1, publish_bytes=1 << 14)])
def test_ways_of_ingest_give_the_same_digest(datadirs, ledgers, tmp_path, options):
    assert ingest(datadirs["mainnet600_xor"], tmp_path, options=options).digest == ledgers["mainnet600"][1].digest


def test_blocks_are_the_nodes(view, node_blocks):
    assert len(view.blocks) == len(node_blocks) == 600
    for height, (block, node) in enumerate(zip(view.blocks, node_blocks, strict=True)):
        assert node["height"] == height
        assert display(block.block_hash) == node["hash"]
        seen = block.time, block.median_time, block.size, block.weight, len(block.transactions)
        assert seen == tuple(node[key] for key in ("time", "mediantime", "size", "weight", "nTx")), height


def test_transactions_are_the_nodes(view, node_blocks):
    compared = 0
    for height, (block, node) in enumerate(zip(view.blocks, node_blocks, strict=True)):
        for position, (transaction, told) in enumerate(zip(block.transactions, node["tx"], strict=True)):
            _compare_transaction(transaction, told, is_coinbase=position == 0)
            compared += 1
        told_fees = sum(_satoshi(told["fee"]) for told in node["tx"][1:])
        assert block.fees_sat == told_fees, height
        claimed = sum(_satoshi(output["value"]) for output in node["tx"][0]["vout"])
        assert block.unclaimed_sat == 50 * COIN + told_fees - claimed, height
    assert compared == 616


def _compare_transaction(transaction: SeenTransaction, told: dict[str, Any], *, is_coinbase: bool) -> None:
    assert display(transaction.txid) == told["txid"]
    seen = transaction.version, transaction.lock_time, transaction.size, transaction.weight
    assert seen == tuple(told[key] for key in ("version", "locktime", "size", "weight"))
    assert ("coinbase" in told["vin"][0]) is is_coinbase
    assert [prevout is None for prevout in transaction.prevouts] == ["coinbase" in each for each in told["vin"]]
    assert transaction.sequences == [each["sequence"] for each in told["vin"]]
    if not is_coinbase:
        outpoints = [(parse_hash(each["txid"]), each["vout"]) for each in told["vin"]]
        assert transaction.outpoints == outpoints
        assert transaction.prevouts == [_prevout(each["prevout"]) for each in told["vin"]]
        assert transaction.fee_sat == _satoshi(told["fee"])
    outputs = [(each.value_sat, each.script_pubkey.hex()) for each in transaction.outputs]
    assert outputs == [(_satoshi(each["value"]), each["scriptPubKey"]["hex"]) for each in told["vout"]]
    assert transaction.types == [CORE_TYPES[each["scriptPubKey"]["type"]] for each in told["vout"]]


def _prevout(told: dict[str, Any]) -> SeenOutput:
    script = bytes.fromhex(told["scriptPubKey"]["hex"])
    return SeenOutput(_satoshi(told["value"]), script, told["height"], told["generated"])


def _satoshi(amount: Decimal | int) -> int:
    value = amount * COIN
    assert not isinstance(amount, float)
    assert value == int(value)
    return int(value)


def test_unspent_set_is_the_nodes(view):
    with (shared_data() / "oracles" / "mainnet_599_utxo.csv").open() as lines:
        next(lines)  # the comment names the block
        told = {
            (parse_hash(txid), int(vout)): SeenOutput(int(value), bytes.fromhex(script), int(height), coinbase == "1")
            for txid, vout, value, coinbase, height, script in csv.reader(lines)
        }
    assert len(told) == 601
    assert view.unspent == told
    assert (view.blocks[0].transactions[0].txid, 0) not in view.unspent


def test_sums_are_the_nodes(view):
    info = json.loads((shared_data() / "oracles" / "mainnet_599_gettxoutsetinfo.json").read_text(), parse_float=Decimal)
    tip = view.blocks[info["height"]]
    assert display(tip.block_hash) == info["bestblock"]
    assert tip.unspent_outputs == len(view.unspent) == info["txouts"] == 601
    total = sum(output.value_sat for output in view.unspent.values())
    assert tip.unspent_value_sat == total == _satoshi(info["total_amount"]) == 2_995_000_000_000
    assert len({txid for txid, _ in view.unspent}) == info["transactions"]


def test_unspent_sums_at_every_height(view, node_blocks):
    """Replayed from the node's answers: what was made less what was spent; genesis never counts."""
    live: dict[tuple[str, int], int] = {}
    for block, node in zip(view.blocks, node_blocks, strict=True):
        for told in node["tx"] if node["height"] else []:
            for each in told["vin"]:
                if "coinbase" not in each:
                    del live[each["txid"], each["vout"]]
            live.update({(told["txid"], each["n"]): _satoshi(each["value"]) for each in told["vout"]})
        assert (block.unspent_outputs, block.unspent_value_sat) == (len(live), sum(live.values()))


def test_time_travel_to_block_170(ledgers, node_blocks):
    """The first payment spends what was unspent one block before."""
    outpoint = node_blocks[170]["tx"][1]["vin"][0]
    with Reader(ledgers["mainnet600"][0], 169) as before, Reader(ledgers["mainnet600"][0], 170) as after:
        (transaction,) = before.find_transactions(parse_hash(outpoint["txid"]))
        output = before.outputs_of(transaction)[outpoint["vout"]]
        assert before.unspent([output]).tolist() == [True]
        assert after.unspent([output]).tolist() == [False]
        payment = parse_hash(node_blocks[170]["tx"][1]["txid"])
        assert before.find_transactions(payment) == []
        assert len(after.find_transactions(payment)) == 1


def test_ids_of_the_parser_are_the_nodes(datadirs, node_blocks):
    """The ledger keeps no wtxid, so it is compared where it is computed."""
    folder = open_folder(datadirs["mainnet600_xor"])
    records, gaps = scan(folder, folder.files[0])
    assert len(records) == 600
    assert gaps == []
    with BlockSource(folder) as source:
        parsed = parse(source.read(records, 0), Stages())
    told = {node["hash"]: node for node in node_blocks}
    order = [told[display(bytes(block_hash))] for block_hash in parsed.block_hash]
    assert parsed.block_weight.tolist() == [node["weight"] for node in order]
    assert np.diff(parsed.block_first_tx).tolist() == [node["nTx"] for node in order]
    transactions = [each for node in order for each in node["tx"]]
    assert [display(bytes(txid)) for txid in parsed.txid] == [each["txid"] for each in transactions]
    assert [display(bytes(wtxid)) for wtxid in parsed.wtxid] == [each["hash"] for each in transactions]
