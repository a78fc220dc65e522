"""The product's answers about a whole ledger as result files, for the scorer (SCENARIO.md 5)."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cointrail.bitcoin.hashes import script_hash
from cointrail.cluster.change import vote
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.level.edges import stored_changes
from cointrail.cluster.level.view import build
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE
from cointrail.service.names import snapshot_name


def write_results(reader: Reader, folder: Path) -> None:
    """Write every result file the product can write; ids are 32 bytes in internal order, in hex."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "snapshot.json").write_text(json.dumps(asdict(snapshot_name(reader)), indent=2) + "\n", encoding="utf-8")
    hashes = [script_hash(reader.script_pubkey(script)).hex() for script in range(reader.counts.script)]
    txids = [bytes(txid).hex() for txid in reader.column("transaction", "txid")]
    heights = reader.height_of_transactions(np.arange(reader.counts.transaction))
    write_csv(folder / "ledger.csv", ("network", "height"), [(reader.snapshot.network, reader.height)])
    write_csv(
        folder / "transactions.csv", ("txid", "height", "position", "fee_sat"), _transactions(reader, txids, heights)
    )
    write_csv(
        folder / "outputs.csv",
        ("txid", "vout", "height", "value_sat", "script_hash", "spender_txid", "spender_vin"),
        _outputs(reader, txids, heights, hashes),
    )
    forest = Forest(reader)
    for name, partition in (
        ("partition", forest.partition()),
        ("partition_l2", build(forest, "L2", stored_changes(reader)).partition()),
    ):
        write_csv(folder / f"{name}.csv", ("script_hash", "cluster_id"), zip(hashes, partition.tolist(), strict=True))
    write_csv(folder / "changes.csv", ("txid", "vout", "rule"), _changes(reader, txids))
    write_csv(folder / "coinjoins.csv", ("txid", "class", "reason"), _coinjoins(reader, txids))


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one result file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _transactions(reader: Reader, txids: list[str], heights: np.ndarray) -> Iterator[tuple[object, ...]]:
    spent = reader.column("input", "output")
    value = reader.column("output", "value_sat")
    came = np.where(spent == NONE, 0, value[np.where(spent == NONE, 0, spent)])
    totals_in = np.concatenate(([0], np.cumsum(came)))
    totals_out = np.concatenate(([0], np.cumsum(value)))
    rows = np.arange(reader.counts.transaction)
    _, end_output = reader.output_bounds(rows)
    first_output = reader.column("transaction", "first_output")
    first_input = reader.column("transaction", "first_input")
    end_input = np.append(first_input[1:], reader.counts.input)
    fees = totals_in[end_input] - totals_in[first_input] - (totals_out[end_output] - totals_out[first_output])
    position = rows - reader.column("block", "first_transaction")[heights]
    fees[position == 0] = 0
    return zip(txids, heights.tolist(), position.tolist(), fees.tolist(), strict=True)


def _outputs(reader: Reader, txids: list[str], heights: np.ndarray, hashes: list[str]) -> Iterator[tuple[object, ...]]:
    rows = np.arange(reader.counts.output)
    transactions = reader.transaction_of_outputs(rows)
    vouts = rows - reader.column("transaction", "first_output")[transactions]
    values, scripts = reader.column("output", "value_sat"), reader.column("output", "script")
    spenders = reader.spenders(rows)
    spending = np.where(spenders == NONE, 0, reader.transaction_of_inputs(spenders))
    vins = spenders - reader.column("transaction", "first_input")[spending]
    for output, transaction in enumerate(transactions.tolist()):
        spent = spenders[output] != NONE
        yield (
            txids[transaction],
            int(vouts[output]),
            int(heights[transaction]),
            int(values[output]),
            hashes[int(scripts[output])],
            txids[int(spending[output])] if spent else "",
            int(vins[output]) if spent else "",
        )


def _coinjoins(reader: Reader, txids: list[str]) -> Iterator[tuple[object, ...]]:
    """The gate's verdict on every transaction of more than one input."""
    first_input = reader.column("transaction", "first_input")
    counts = np.diff(np.append(first_input, reader.counts.input))
    for transaction in np.flatnonzero(counts > 1).tolist():
        verdict = collaborative(reader, transaction)
        yield txids[transaction], str(verdict.kind), verdict.reason


def _changes(reader: Reader, txids: list[str]) -> Iterator[tuple[object, ...]]:
    """The outputs that the vote of level L2 names as change, each once, however often it was decided."""
    outputs = np.unique(reader.column("change", "output")).astype(np.int64)
    transactions = reader.transaction_of_outputs(outputs)
    vouts = outputs - reader.column("transaction", "first_output")[transactions]
    for transaction, vout in zip(transactions.tolist(), vouts.tolist(), strict=True):
        yield txids[transaction], vout, vote.RULE
