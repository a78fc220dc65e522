"""Bounds of a simulated world against the truth that it was written with, and the policies between them."""

from collections import defaultdict

import pytest
from memory_disk import scratch
from result_files import read

from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL
from cointrail.trace.bounds import WHOLE, bounds
from cointrail.trace.limits import Limits
from cointrail.trace.policy import POLICIES
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.walk import trace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with scratch(tmp_path_factory.mktemp("world")) as folder:
        simulate(folder / "world", SMALL, 1)
        assert ingest(folder / "world" / "chain" / "xor", folder / "ledger", cluster=bring_up).complete
        with Reader(folder / "ledger") as reader:
            yield (
                reader,
                {name: read(folder / "world" / "truth" / f"{name}.csv") for name in ("payments", "cashouts", "taint")},
            )


def output(reader, row):
    return reader.outputs_of(reader.find_transactions(bytes.fromhex(row["txid"]))[-1])[int(row["vout"])]


def test_operator_accounts_have_the_bounds_of_the_truth(world):
    reader, truth = world
    payments = Seeds.of([output(reader, row) for row in truth["payments"]])
    accounts = defaultdict(list)
    for row in truth["cashouts"]:
        accounts[row["account_id"]].append(output(reader, row))
    assert len(accounts) == 4
    expected = {row["target_id"]: row for row in truth["taint"] if row["source_set"] == "market payments"}
    assert expected.keys() == accounts.keys()
    for account, targets in accounts.items():
        found = bounds(reader, payments, targets)
        row = expected[account]
        assert (found.lower_sat, found.upper_sat) == (int(row["lower_sat"]), int(row["upper_sat"]))
        assert found.together.exact
        assert found.source_sat == int(row["total_sat"])
        for policy in POLICIES.values():
            if policy.conserves:
                flow = trace(reader, payments, policy, limits=WHOLE, targets=targets)
                assert found.lower_sat <= flow.ended_sat.get(Reason.TARGET, 0) <= found.upper_sat
        limited = bounds(reader, payments, targets, limits=Limits(hops=2))
        assert limited.lower_sat <= found.lower_sat
        assert limited.upper_sat >= found.upper_sat
