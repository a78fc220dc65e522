"""Whole worlds: what `cointrail simulate` writes, and that the same parameters give the same bytes."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import fields

import duckdb
import pytest
from world_files import best_chain

from cointrail.bitcoin.address import script_of
from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block
from cointrail.bitcoin.network import REGTEST
from cointrail.cli.main import run
from cointrail.errors import InputRefused, UsageError
from cointrail.ingest.pipeline import ingest
from cointrail.service import simulations
from cointrail.simulation.agenda import Agenda
from cointrail.simulation.chain import PRELUDE_BLOCKS, Chain
from cointrail.simulation.record.manifest import Manifest
from cointrail.simulation.scale import SMALL
from cointrail.simulation.truth import NOBODY, Truth

SEED = 1

TRANSACTION_KINDS = """
coinbase payment undercover withdrawal batch_withdrawal deposit deposit_sweep cold_move market_sweep consolidation
peel_step self_transfer bet payout mixer_in mixer_out coinjoin_tx0 coinjoin payjoin
"""
ENTITY_KINDS = """
exchange gambling payment_processor miner merchant mixer coordinator market operator buyer agency person
"""
EXTENSION = ("a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5")
ROLES = {"deposit", "hot", "cold", "change", "receive", "collection"}
PROTOCOLS = {"wasabi1", "wabisabi", "whirlpool", "joinmarket"}


def simulate(folder, *options, hash_seed="0"):
    """`cointrail simulate` in a process of its own."""
    command = [sys.executable, "-m", "cointrail", "simulate", str(folder), "--json", *map(str, options)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """(folder, answer) of the small world."""
    folder = tmp_path_factory.mktemp("worlds") / f"bazaar-small-{SEED}"
    return folder, simulate(folder, "--scale", "small", "--seed", SEED, hash_seed="1")


@pytest.fixture(scope="module")
def chain(small):
    """Blocks of the best chain by height."""
    return [Block.parse(raw) for raw in best_chain(small[0])[0]]


@pytest.fixture(scope="module")
def table(small):
    """Reads a truth table as a list of dicts."""
    read = {}

    def rows(name):
        if name not in read:
            found = duckdb.execute("SELECT * FROM read_parquet(?)", [str(small[0] / "truth" / f"{name}.parquet")])
            names = [column[0] for column in found.description]
            read[name] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return read[name]

    return rows


# The folder.


def test_the_folder_is_that_of_the_scenario(small):
    folder, answer = small
    tables = {name for name, _, _ in Truth().tables()}
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {f"truth/{name}.{kind}" for name in tables for kind in ("parquet", "csv")} <= names
    assert {f"chain/extension/{name}.blk" for name in EXTENSION} <= names
    assert {"manifest.json", "chain/headers.bin", "chain/xor/xor.dat", "inputs/undercover.csv"} <= names
    assert sum(name.startswith("chain/plain/blk") for name in names) >= 3
    assert {name.split("/")[0] for name in names} == {"manifest.json", "chain", "inputs", "truth"}
    assert {path.name for path in folder.parent.iterdir()} == {folder.name}
    assert answer["files"] == len(names) - 1
    assert answer["made"]


def test_the_manifest_has_the_digest_of_every_file(small):
    folder, answer = small
    manifest = Manifest.read(folder)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest.files) == names - {"manifest.json"}
    for name, (size, sha256) in manifest.files.items():
        raw = (folder / name).read_bytes()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (size, sha256), name
    for name, summary in manifest.tables.items():
        assert summary.csv_sha256 == manifest.files[f"truth/{name}.csv"][1]
        assert answer["tables"][name] == summary.rows
    assert answer["manifest_digest"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def test_the_size_is_that_of_the_scale(small, chain):
    manifest = Manifest.read(small[0])
    assert abs(manifest.chain.transactions - SMALL.transactions) <= SMALL.transactions // 10
    assert manifest.chain.transactions == sum(len(block.transactions) for block in chain)
    assert manifest.chain.height == len(chain) - 1 == PRELUDE_BLOCKS + SMALL.blocks
    assert (manifest.chain.stale, manifest.chain.duplicates) == (3, 1)
    assert manifest.chain.records == len(chain) + 4


def test_another_process_with_another_hash_seed_writes_the_same_bytes(small, tmp_path):
    folder, answer = small
    again = simulate(tmp_path / "again", "--scale", "small", "--seed", SEED, hash_seed="4711")
    left, right = Manifest.read(folder), Manifest.read(tmp_path / "again")
    assert [name for name in left.files if left.files[name] != right.files.get(name)] == []
    assert left == right
    assert again["manifest_digest"] == answer["manifest_digest"]


def test_plain_and_obfuscated_files_ingest_to_one_digest(small, tmp_path):
    reports = [ingest(small[0] / "chain" / name, tmp_path / name) for name in ("plain", "xor")]
    assert reports[0].digest == reports[1].digest
    manifest = Manifest.read(small[0])
    for report in reports:
        assert report.complete
        assert (report.stale, report.duplicates, report.gaps, report.refused) == (3, 1, [], [])
        assert (report.height, report.block_hash) == (manifest.chain.height, manifest.chain.block_hash)
        assert report.transactions == manifest.chain.transactions


# The truth and the chain.


def test_the_chain_tables_equal_a_walk_over_the_blocks(chain, table):
    expected = [
        (tx.txid, height, position)
        for height, block in enumerate(chain)
        for position, tx in enumerate(block.transactions)
        if height
    ]
    assert [(row["txid"], row["height"], row["position"]) for row in table("transactions")] == expected
    transactions = [tx for block in chain[1:] for tx in block.transactions]
    spends = [
        (tx.txid, position, item.outpoint.txid, item.outpoint.vout)
        for tx in transactions
        if not tx.is_coinbase
        for position, item in enumerate(tx.inputs)
    ]
    columns = ("txid", "input_position", "previous_txid", "previous_vout")
    assert [tuple(row[name] for name in columns) for row in table("inputs")] == spends
    made = [
        (tx.txid, vout, out.value_sat, hashlib.sha256(out.script_pubkey).digest())
        for tx in transactions
        for vout, out in enumerate(tx.outputs)
    ]
    columns = ("txid", "vout", "value_sat", "script_hash")
    assert [tuple(row[name] for name in columns) for row in table("outputs")] == made


def test_every_transaction_has_a_kind_and_every_script_an_entity(chain, table):
    entities = {row["entity_id"]: row for row in table("entities")}
    scripts = {row["script_hash"]: row for row in table("scripts")}
    assert len(scripts) == len(table("scripts"))
    for row in table("transactions"):
        assert (row["kind"] == "coinbase") == (row["position"] == 0)
        assert row["kind"] in TRANSACTION_KINDS.split()
        assert row["initiator_id"] in entities
        assert row["kind"] != "coinjoin" or row["protocol"] in PROTOCOLS
    for row in table("scripts"):
        assert row["entity_id"] in entities
        assert row["role"] in ROLES
        assert hashlib.sha256(row["script_pubkey"]).digest() == row["script_hash"]
    paid = {out.script_pubkey for block in chain[1:] for tx in block.transactions for out in tx.outputs}
    held = {row["script_pubkey"] for row in table("scripts") if row["used"]}
    assert held == {script for script in paid if script[:1] != b"\x6a"}
    for row in table("outputs"):
        owner = scripts[row["script_hash"]]["entity_id"] if row["script_hash"] in scripts else NOBODY
        assert row["entity_id"] == owner
    assert {row["kind"] for row in entities.values()} <= set(ENTITY_KINDS.split())
    assert all(row["controller_id"] in entities for row in entities.values())


def test_values_conserve(chain, table):
    values = {(row["txid"], row["vout"]): row["value_sat"] for row in table("outputs")}
    spent, made, fees = Counter(), Counter(), Counter()
    for row in table("inputs"):
        spent[row["txid"]] += values[row["previous_txid"], row["previous_vout"]]
    for row in table("outputs"):
        made[row["txid"]] += row["value_sat"]
    for row in table("transactions"):
        fees[row["height"]] += row["fee_sat"]
        assert row["kind"] == "coinbase" or spent[row["txid"]] == made[row["txid"]] + row["fee_sat"]
    less = 0
    for height, block in enumerate(chain):
        allowed = subsidy_sat(height, REGTEST.halving_interval) + fees[height]
        claimed = sum(out.value_sat for out in block.transactions[0].outputs)
        assert claimed <= allowed
        less += claimed < allowed
    assert less > 3
    inputs = [(row["previous_txid"], row["previous_vout"]) for row in table("inputs")]
    assert len(set(inputs)) == len(inputs)


def test_every_other_row_refers_to_something_that_exists(table):
    outputs = {(row["txid"], row["vout"]): row for row in table("outputs")}
    inputs = {(row["txid"], row["input_position"]) for row in table("inputs")}
    txids = {row["txid"] for row in table("transactions")}
    scripts = {row["script_hash"] for row in table("scripts")}
    entities = {row["entity_id"] for row in table("entities")}
    accounts = {row["account_id"]: row for row in table("accounts")}
    for row in table("mix_links"):
        assert (row["txid"], row["vout"]) in outputs
        assert (row["txid"], row["input_position"]) in inputs
        assert row["entity_id"] in entities
    for row in table("payments"):
        assert outputs[row["txid"], row["vout"]]["value_sat"] == row["value_sat"]
        assert row["buyer_id"] in entities
        assert row["stop_txid"] is None or row["stop_txid"] in txids
    payments = {row["payment_id"] for row in table("payments")}
    for row in table("payment_sources"):
        assert row["payment_id"] in payments
        assert row["account_id"] in accounts
        assert outputs[row["withdrawal_txid"], row["withdrawal_vout"]]["value_sat"] == row["value_sat"]
    for row in accounts.values():
        assert row["holder_id"] in entities
    for row in table("cashouts"):
        assert outputs[row["txid"], row["vout"]]["value_sat"] == row["value_sat"]
        assert row["account_id"] in accounts
    for row in table("scripts"):
        assert row["account_id"] == "" or row["account_id"] in accounts
    for row in table("market_addresses"):
        script = script_of(row["address"], REGTEST)
        assert hashlib.sha256(script).digest() == row["script_hash"]
        assert not row["used"] or row["script_hash"] in scripts
    assert len(table("payments")) > 0
    assert len(table("cashouts")) > 0
    assert len(table("mix_links")) > 0


def test_artefacts_and_contradictions_lie_in_files_that_exist(small, table):
    inputs = small[0] / "inputs"
    sizes = {path.relative_to(inputs).as_posix(): path.stat().st_size for path in inputs.rglob("*") if path.is_file()}
    for row in table("artefacts"):
        end = row["offset"] + row["length"]
        assert row["offset"] >= 0
        assert row["length"] > 0
        assert row["container_path"] or end <= sizes[row["path"]]
    assert {f"returns/{row['file']}" for row in table("contradictions")} <= set(sizes)


def test_csv_equals_parquet(small, table):
    for name, row_class, _ in Truth().tables():
        names = [column.name for column in fields(row_class)]
        with (small[0] / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file))
        assert header == names
        assert len(lines) == len(table(name))
        for line, row in zip(lines, table(name), strict=True):
            assert line == [shown(row[column]) for column in names]


def shown(value):
    if value is None or isinstance(value, bytes):
        return (value or b"").hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_extension_moves_the_reserve(small, chain, table):
    folder = small[0] / "chain" / "extension"
    blocks = {path.stem: Block.parse(path.read_bytes()) for path in folder.iterdir()}
    labelled = {row["txid"] for row in table("transactions") if row["label"] == "op-3btc"}
    assert labelled
    moves = {
        name: tx.txid
        for name, block in blocks.items()
        for tx in block.transactions[1:]
        if any(item.outpoint.txid in labelled for item in tx.inputs)
    }
    assert set(moves) == {"a1", "b5"}
    assert moves["a1"] == moves["b5"]
    tip = chain[-1].block_hash
    for letter, count in (("a", 3), ("b", 5)):
        parent = tip
        for number in range(1, count + 1):
            block = blocks[f"{letter}{number}"]
            assert block.header.previous_hash == parent
            parent = block.block_hash


# The command.


def test_the_same_world_again_is_left_as_it_is(small, capsys):
    folder = small[0]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run(["simulate", str(folder), "--seed", str(SEED)]) == 0
    assert "nothing was done" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("options", [["--seed", "2"], ["--seed", "1", "--holdout"], ["--scale", "standard"]])
def test_another_world_in_its_place_is_refused(small, capsys, options):
    assert run(["simulate", str(small[0]), *options]) == 4
    assert "holds another world" in capsys.readouterr().err


def test_a_folder_with_other_things_is_refused(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run(["simulate", str(tmp_path), "--seed", "1"]) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "not a simulated world" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        {"scale": "small", "seed": -1},
        {"scale": "small", "seed": 1, "transactions": 5},
        {"scale": "bench", "seed": 1},
        {"scale": "bench", "seed": 1, "transactions": 0},
        {"scale": "tiny", "seed": 1},
    ],
)
def test_senseless_options_are_usage_errors(tmp_path, options):
    with pytest.raises(UsageError):
        simulations.simulate(tmp_path / "world", **options)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing_half(tmp_path):
    def watch(height, last, transactions):
        assert (tmp_path / "world.partial").exists()
        if height == PRELUDE_BLOCKS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulations.simulate(tmp_path / "world", scale="small", seed=1, watch=watch)
    assert list(tmp_path.iterdir()) == []


def test_a_bench_chain_stands_alone(tmp_path):
    answer = simulations.simulate(tmp_path / "bench", scale="bench", seed=1, transactions=6_000)
    names = {path.relative_to(tmp_path / "bench").as_posix() for path in (tmp_path / "bench").rglob("*.*")}
    assert names == {"manifest.json", "chain/headers.bin", "chain/plain/blk00000.dat"}
    assert abs(answer.transactions - 6_000) <= 600
    assert answer.tables == {}
    report = ingest(tmp_path / "bench" / "chain" / "plain", tmp_path / "ledger")
    assert report.complete
    assert (report.height, report.transactions) == (answer.height, answer.transactions)
    with pytest.raises(InputRefused):
        simulations.simulate(tmp_path / "bench", scale="bench", seed=1, transactions=6_001)


@pytest.mark.wide
def test_a_bench_chain_has_no_block_that_is_too_heavy(tmp_path):
    """Long enough for the services' backlogs, which once filled blocks beyond 4,000,000."""
    answer = simulations.simulate(tmp_path / "bench", scale="bench", seed=2, transactions=800_000)
    report = ingest(tmp_path / "bench" / "chain" / "plain", tmp_path / "ledger")
    assert report.complete
    assert (report.refused, report.gaps) == ([], [])
    assert (report.height, report.block_hash) == (answer.height, answer.block_hash)
    assert report.transactions == answer.transactions
    assert abs(answer.transactions - 800_000) <= 80_000


def test_a_crowded_block_leaves_the_rest_of_the_agenda_to_the_next():
    chain, done = Chain(1, 600, lambda _: None), []

    def busy():
        done.append(chain.height)
        chain.weight += 1_500_000

    agenda = Agenda(chain)
    for _ in range(4):
        agenda.schedule(1, busy)
    while len(agenda):
        agenda.run()
        chain.mine(lambda reward: [(b"\x51", reward)])
    assert done == [1, 1, 2, 2]


def test_no_block_is_ever_too_heavy():
    chain = Chain(1, 600, lambda _: None)
    chain.weight = 3_999_500
    with pytest.raises(AssertionError, match="too heavy"):
        chain.mine(lambda reward: [(b"\x51", reward)])
