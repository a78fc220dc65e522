"""Tables say what the trace says and what the blocks say, in every format the same."""

import csv
import hashlib
import json
import re
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.reports.export import SIDECAR, Choice, export
from cointrail.reports.tables import COLUMNS, FOREIGN, INTEGER
from cointrail.trace.fees import FeeMode, Fees
from cointrail.trace.flow import Direction
from cointrail.trace.policy import FIFO, HAIRCUT
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import trace

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "export-a-trace.md"
HOSTILE = (
    '=HYPERLINK("http://x")',
    'a,b\r\n"c"',
    "<script>alert(1)</script>",
    "x\x00y\u202ez",
    "'quoted",
    "@sum",
    "שלום",
)


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    return header, rows


def typed(name, rows):
    """Rows of text as values: numbers where the table holds numbers, foreign texts without their shield."""
    return [
        tuple(
            (int(cell) if cell else None)
            if column.type == INTEGER
            else cell.removeprefix("'")
            if column.type == FOREIGN
            else cell
            for column, cell in zip(COLUMNS[name], row, strict=True)
        )
        for row in rows
    ]


def parquet(path):
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names, types = [each[0] for each in rows.description], [str(each[1]) for each in rows.description]
        metadata = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
        return (
            names,
            types,
            rows.fetchall()
            if metadata is None
            else connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall(),
            dict(metadata),
        )


@pytest.fixture(scope="module")
def flow(flow_of):
    return flow_of(7, FIFO, count=30, labels=2, hops=5)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("direction", Direction)
def test_csv_parquet_and_json_hold_the_same(name, direction, flow_of, reader, tmp_path):
    fees = Fees(FeeMode.PROPAGATE) if direction is Direction.BACKWARD else Fees()
    flow = flow_of(8, HAIRCUT, count=20, labels=3, direction=direction, hops=4, fees=fees)
    for suffix in (".csv", ".parquet", ".json"):
        export(flow, reader, tmp_path / f"trace{suffix}", Choice(table=name))
    header, rows = read_csv(tmp_path / "trace.csv")
    assert header == [column.name for column in COLUMNS[name]]
    names, types, found, metadata = parquet(tmp_path / "trace.parquet")
    assert names == header
    assert types == [column.type.split()[0] for column in COLUMNS[name]]
    assert found == typed(name, rows)
    assert len(found) > 20
    document = json.loads((tmp_path / "trace.json").read_text("utf-8"))
    assert [tuple(row.values()) for row in document[name]] == found
    assert [list(row) for row in document[name]] == [header] * len(found)
    assert document["provenance"] == json.loads(metadata[b"cointrail"])


def test_rows_say_what_the_blocks_say(flow, reader, economy, tmp_path):
    export(flow, reader, tmp_path / "parts.csv", Choice(table="parts"))
    header, rows = read_csv(tmp_path / "parts.csv")
    parts = [dict(zip(header, row, strict=True)) for row in rows]
    assert len(parts) == len(flow.output)
    for number, row in enumerate(parts):
        transaction = economy[1][row["txid"]]
        assert int(row["part"]) == number
        assert int(row["height"]) == transaction.height
        assert row["time_utc"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(transaction.time))
        assert int(row["traced_sat"]) == flow.sat[number]
        if row["kind"] == "output":
            script = transaction.scripts[int(row["vout"])]
            assert int(row["value_sat"]) == transaction.values[int(row["vout"])]
            assert row["address"] == (address_of(script, REGTEST) or "")
        if row["next_txid"]:
            assert (row["txid"], int(row["vout"])) in economy[1][row["next_txid"]].spends
        assert bool(row["reason"]) == (not row["next_txid"])
    ended = sum(int(row["traced_sat"]) for row in parts if row["reason"])
    assert ended == flow.traced_sat


def test_steps_and_pieces_add_up(flow, reader, tmp_path):
    for name in ("steps", "pieces", "endpoints"):
        export(flow, reader, tmp_path / f"{name}.csv", Choice(table=name))
    header, rows = read_csv(tmp_path / "steps.csv")
    for row in typed("steps", rows):
        step = dict(zip(header, row, strict=True))
        assert step["traced_in_sat"] == step["traced_out_sat"] + step["fee_sat"]
    header, rows = read_csv(tmp_path / "pieces.csv")
    pieces = [dict(zip(header, row, strict=True)) for row in typed("pieces", rows)]
    sums = np.zeros(len(flow.output), np.int64)
    for piece in pieces:
        sums[piece["part"]] += piece["traced_sat"]
    assert (sums == flow.sat).all()
    assert {piece["label"] for piece in pieces} == {"label 0", "label 1"}
    assert all(piece["offset_sat"] is not None for piece in pieces)
    header, rows = read_csv(tmp_path / "endpoints.csv")
    at = header.index("traced_sat")
    assert sum(int(row[at]) for row in rows) == flow.traced_sat


def test_a_policy_without_places_leaves_them_empty(flow_of, reader, tmp_path):
    export(flow_of(7, HAIRCUT), reader, tmp_path / "pieces.csv", Choice(table="pieces"))
    header, rows = read_csv(tmp_path / "pieces.csv")
    assert {row[header.index("offset_sat")] for row in rows} == {""}


def test_beside_csv_stands_what_it_is_bound_to(flow, reader, tmp_path):
    written = export(flow, reader, tmp_path / "ends.csv")
    assert written == (tmp_path / "ends.csv", tmp_path / f"ends.csv{SIDECAR}")
    document = json.loads(written[1].read_text("utf-8"))
    assert document["sha256"] == hashlib.sha256(written[0].read_bytes()).hexdigest()
    assert list(document["columns"]) == read_csv(written[0])[0]
    assert document["snapshot"]["block_hash"] == reader.snapshot.block_hash
    assert document["parameters"]["policy"] == "fifo"
    assert document["parameters"]["limits"]["hops"] == 5
    assert {"id": "taint.fifo", "version": 1} in document["rules"]
    assert {"id": "cospend", "version": 1} in document["rules"]
    assert document["outcome"]["traced_sat"] == flow.traced_sat
    assert document["outcome"]["adds_up"] is True


def test_hostile_names_harm_no_table(reader, flow_of, tmp_path):
    at = flow_of(9, count=len(HOSTILE), hops=1)
    scripts = np.asarray(reader.column("output", "script")[at.seeds.outputs], np.int64)
    order = np.argsort(scripts)
    stops = Services(
        names=HOSTILE, kinds=("",) * len(HOSTILE), scripts=scripts[order], script_service=order.astype(np.int64)
    )
    seeds = Seeds.by_name({name: [output] for name, output in zip(HOSTILE, at.seeds.outputs, strict=True)})
    flow = trace(reader, seeds, FIFO, services=stops)
    for name, column in (("endpoints", "detail"), ("pieces", "label")):
        for suffix in (".csv", ".parquet", ".json"):
            export(flow, reader, tmp_path / f"{name}{suffix}", Choice(table=name))
        header, rows = read_csv(tmp_path / f"{name}.csv")
        cells = [row[header.index(column)] for row in rows]
        assert len(cells) == len(HOSTILE)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert not [cell for cell in cells if re.search("[\x00-\x1f\u202a-\u202e]", cell)]
        stored = [row[header.index(column)] for row in parquet(tmp_path / f"{name}.parquet")[2]]
        assert stored == [cell.removeprefix("'") for cell in cells]
        assert set(stored) >= {HOSTILE[0], HOSTILE[2], HOSTILE[4], HOSTILE[5], HOSTILE[6], "x<U+0000>y<U+202E>z"}
        assert json.loads((tmp_path / f"{name}.json").read_text("utf-8"))[name]


def test_the_page_documents_every_column():
    sections = PAGE.read_text("utf-8").split("\n### ")[1:]
    assert [section.split("\n", 1)[0] for section in sections] == list(COLUMNS)
    for section, (name, columns) in zip(sections, COLUMNS.items(), strict=True):
        documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", section, re.MULTILINE)
        shown = [each for each in columns if name != "parts" or each not in COLUMNS["endpoints"]]
        assert documented == [(each.name, each.meaning) for each in shown]
