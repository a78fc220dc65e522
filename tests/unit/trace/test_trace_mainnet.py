"""The first 600 blocks of mainnet, traced, against what a node said about them.

Known from the chain itself: the coinbase of block 9 pays, in block 170, the first payment between two people.
"""

import csv
import tarfile

import pytest
from trace_cases import (
    BTC,
    each_conserving_policy,
    each_two_way_policy,
    ends,
    fees_sat,
    reasons,
    step_outputs,
    trace_backward,
    trace_forward,
)
from vectors import shared_data

from cointrail.bitcoin.hashes import display, parse_hash
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.trace.policy import POLICIES
from cointrail.trace.reason import Reason

FIRST_PAYMENT = parse_hash("f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mainnet")
    with tarfile.open(shared_data() / "blocks/mainnet-0-599/mainnet600.datadir.tar.gz") as archive:
        archive.extractall(folder / "node", filter="data")
    ingest(folder / "node", folder / "ledger", cluster=bring_up)
    with Reader(folder / "ledger") as reader:
        assert reader.height == 599
        yield reader


def coinbase_output(reader, height):
    return reader.outputs_of(int(reader.column("block", "first_transaction")[height]))[0]


def unspent_outputs():
    """(txid, vout) and value of everything a node called unspent at height 599."""
    with (shared_data() / "oracles/mainnet_599_utxo.csv").open(encoding="utf-8") as lines:
        rows = csv.reader(line for line in lines if not line.startswith("#"))
        return {(row[0], int(row[1])): int(row[2]) for row in rows}


def named(reader, output_index):
    tx_index = int(reader.transaction_of_outputs(output_index))
    txid = bytes(reader.column("transaction", "txid")[tx_index])
    return display(txid), output_index - reader.outputs_of(tx_index)[0]


@each_conserving_policy
def test_block_9_pays_in_block_170_and_on(reader, policy):
    flow = trace_forward(reader, [coinbase_output(reader, 9)], policy)
    (tx_index,) = reader.find_transactions(FIRST_PAYMENT)
    assert flow.tx[0] == tx_index
    assert int(reader.height_of_transactions(tx_index)) == 170
    assert [sat for _, sat in step_outputs(flow, 0)] == [10 * BTC, 40 * BTC]
    assert int(reader.height_of_transactions(flow.tx[1])) > 170
    assert flow.complete
    assert flow.conserved
    unspent = unspent_outputs()
    assert reasons(flow) == {Reason.UNSPENT}
    values = reader.column("output", "value_sat")
    for output, *_ in ends(flow):
        assert unspent[named(reader, output)] == values[output]


@each_conserving_policy
def test_all_coinbases_lead_to_all_unspent_outputs(reader, policy):
    seeds = [coinbase_output(reader, height) for height in range(1, 600)]
    flow = trace_forward(reader, seeds, policy)
    assert flow.traced_sat == 599 * 50 * BTC
    assert flow.conserved
    assert {named(reader, output): sat for output, sat, *_ in ends(flow)} == unspent_outputs()
    assert fees_sat(flow) == flow.traced_sat - sum(unspent_outputs().values())


@each_two_way_policy
def test_every_unspent_output_leads_back_to_coinbases(reader, policy):
    flow = trace_forward(reader, [coinbase_output(reader, 9)], policy)
    for output, sat, *_ in ends(flow):
        back = trace_backward(reader, [output], policy)
        assert back.conserved
        assert reasons(back) == {Reason.COINBASE}
        if sat:
            assert coinbase_output(reader, 9) in {each[0] for each in ends(back)}


def test_genesis_stays(reader):
    flow = trace_forward(reader, [0], POLICIES["fifo"])
    assert ends(flow) == [(0, 50 * BTC, Reason.GENESIS, 0)]
