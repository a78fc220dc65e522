"""Truth rows against a walk over the blocks that were written."""

import csv
import hashlib
from dataclasses import fields

import duckdb
import pytest
from toy_economy import ToyEconomy, all_kinds

from cointrail.bitcoin.amounts import subsidy_sat
from cointrail.bitcoin.block import Block
from cointrail.simulation.record.tables import write_csv, write_tables
from cointrail.simulation.truth import (
    NOBODY,
    ArtefactRow,
    ContradictionRow,
    MarketAddressRow,
    MixLinkRow,
    PaymentRow,
    Truth,
)

KEY_COLUMNS = {"txid", "previous_txid", "script_hash", "stop_txid", "withdrawal_txid", "value_sha256", "script_pubkey"}


@pytest.fixture(scope="module")
def toy():
    return ToyEconomy(seed=7, blocks=24, per_block=30, recorder=Truth()).run()


@pytest.fixture(scope="module")
def chain(toy):
    """(height, position, transaction) of everything above the genesis block."""
    blocks = [Block.parse(raw) for raw in toy.raws]
    return [(h, p, tx) for h, block in enumerate(blocks) for p, tx in enumerate(block.transactions) if h]


def test_transactions_equal_the_chain(toy, chain):
    rows = list(toy.recorder.transaction_rows())
    assert [(row.txid, row.height, row.position) for row in rows] == [(tx.txid, h, p) for h, p, tx in chain]
    assert all((row.kind == "coinbase") == (row.position == 0) and row.kind for row in rows)


def test_inputs_equal_the_chain(toy, chain):
    expected = [
        (tx.txid, position, item.outpoint.txid, item.outpoint.vout)
        for _, place, tx in chain
        if place
        for position, item in enumerate(tx.inputs)
    ]
    rows = list(toy.recorder.input_rows())
    assert [(row.txid, row.input_position, row.previous_txid, row.previous_vout) for row in rows] == expected
    owners = {(row.txid, row.vout): row.entity_id for row in toy.recorder.output_rows()}
    assert all(owners[row.previous_txid, row.previous_vout] == row.entity_id for row in rows)


def test_outputs_equal_the_chain(toy, chain):
    expected = [
        (tx.txid, vout, out.value_sat, hashlib.sha256(out.script_pubkey).digest(), out.script_pubkey[:1] == b"\x6a")
        for _, _, tx in chain
        for vout, out in enumerate(tx.outputs)
    ]
    rows = list(toy.recorder.output_rows())
    got = [(row.txid, row.vout, row.value_sat, row.script_hash, row.entity_id == NOBODY) for row in rows]
    assert got == expected
    assert any(row.is_change for row in rows)


def test_scripts_say_who_holds_them_and_whether_they_were_used(toy, chain):
    rows = list(toy.recorder.script_rows())
    assert len({row.script_hash for row in rows}) == len(rows)
    paid, spent, created = set(), set(), {}
    for _, place, tx in chain:
        for vout, out in enumerate(tx.outputs):
            created[tx.txid, vout] = out.script_pubkey
            paid.add(out.script_pubkey)
        if place:
            spent |= {created[item.outpoint.txid, item.outpoint.vout] for item in tx.inputs}
    assert {row.script_pubkey for row in rows if row.used} == {script for script in paid if script[:1] != b"\x6a"}
    assert {row.script_pubkey for row in rows if row.swept} == spent
    assert {row.entity_id for row in rows} <= {row.entity_id for row in toy.recorder.entities}
    assert len(all_kinds(toy.recorder.scripts)) == 4


def test_value_is_conserved(toy, chain):
    truth = toy.recorder
    for row, (height, place, tx) in zip(truth.transaction_rows(), chain, strict=True):
        out = sum(output.value_sat for output in tx.outputs)
        number = truth.numbers[row.txid]
        spent = truth.spent[truth.first_input[number] : truth.first_input[number + 1]]
        if place:
            assert sum(truth.values[output] for output in spent) == out + row.fee_sat
        else:
            fees = sum(fee for fee, at in zip(truth.fees, truth.heights, strict=True) if at == height)
            assert out <= subsidy_sat(height, 150) + fees
    assert len(set(truth.spent)) == len(truth.spent)


def test_labels_and_outpoints_can_be_asked_for(toy, chain):
    truth = toy.recorder
    assert len(truth.labelled("toy-1")) > 10
    output = truth.spent[5]
    txid, vout = truth.outpoint(output)
    assert truth.output_number(txid + vout.to_bytes(4, "little")) == output
    with pytest.raises(KeyError):
        truth.output_number(bytes(36))


AWKWARD = 'a "quoted", comma; and\nnew line é ₿'


@pytest.fixture(scope="module")
def folder(toy, tmp_path_factory):
    """Tables with awkward rows in the lists."""
    truth = toy.recorder
    key = truth.txid(3)
    truth.l1_reachable |= {0, 2}
    truth.contradictions.append(ContradictionRow("Alpha", "alpha.csv", 3, AWKWARD, "", "0"))
    truth.payments.append(PaymentRow(1, 2, 3, key, 0, 4, 5, "2024-01-01T00:00:00Z", "direct", 0, "Alpha", b"", ""))
    truth.mix_links.append(MixLinkRow(key, 1, 2, 3))
    truth.artefacts.append(ArtefactRow("x", "", 0, 4096, "wif", True, bytes(32), b"", False))
    for number in range(1000):
        truth.market_addresses.append(
            MarketAddressRow(f"bcrt1q{number}", bytes([number % 256]) * 32, "xpub", number, -1, number % 2 == 0)
        )
    folder = tmp_path_factory.mktemp("world") / "truth"
    summaries = write_tables(folder, truth, keep_csv=True)
    return folder, summaries


def shown(value):
    if value is None or isinstance(value, bytes):
        return (value or b"").hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_csv_equals_parquet_equals_the_rows(toy, folder):
    path, summaries = folder
    for name, row_class, rows in toy.recorder.tables():
        names = [column.name for column in fields(row_class)]
        expected = [[shown(getattr(row, column)) for column in names] for row in rows]
        with (path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file))
        assert header == names
        assert lines == expected
        table = duckdb.execute("SELECT * FROM read_parquet(?)", [str(path / f"{name}.parquet")])
        assert [column[0] for column in table.description] == names
        assert [[shown(value) for value in row] for row in table.fetchall()] == expected
        assert summaries[name].rows == len(expected)
        assert summaries[name].csv_sha256 == hashlib.sha256((path / f"{name}.csv").read_bytes()).hexdigest()


def test_parquet_has_the_documented_types(folder):
    path, _ = folder
    for file in sorted(path.glob("*.parquet")):
        described = duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
        for name, kind, *_ in described:
            assert (kind == "BLOB") == (name in KEY_COLUMNS), (file.name, name)
            assert kind in ("BLOB", "BIGINT", "VARCHAR", "BOOLEAN")
            assert not name.endswith("_sat") or kind == "BIGINT"


def test_absent_keys_are_null_and_absent_texts_are_empty(folder):
    path, _ = folder
    row = duckdb.execute("SELECT stop_txid, stop_reason FROM read_parquet(?)", [str(path / "payments.parquet")])
    assert row.fetchall() == [(None, "")]


def test_a_table_is_never_overwritten(toy, folder):
    path, _ = folder
    with pytest.raises(FileExistsError):
        write_csv(path / "entities.csv", type(toy.recorder.entities[0]), [])
