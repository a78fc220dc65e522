"""A ledger of a simulated economy for all tests of reports, and flows over it whose questions differ widely."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from ledgers import write_source
from simulated_economy import simulated

from cointrail.bitcoin.block import Block
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import ACCOUNT, Fees
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT, Policy
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services, services_of
from cointrail.trace.walk import trace

NAMES = ("Alpha", "Beta", "Gamma")


@pytest.fixture(scope="session")
def economy(tmp_path_factory):
    """(folder of the ledger, its transactions as the blocks hold them, by displayed txid)."""
    folder = tmp_path_factory.mktemp("economy")
    raw = simulated().raw
    ingest(write_source(folder / "blocks", raw), folder / "ledger", cluster=bring_up)
    transactions = {}
    for height, each in enumerate(raw):
        block = Block.parse(each)
        for transaction in block.transactions:
            transactions[transaction.txid[::-1].hex()] = SimpleNamespace(
                height=height,
                time=block.header.time,
                spends=[(tx_in.outpoint.txid[::-1].hex(), tx_in.outpoint.vout) for tx_in in transaction.inputs],
                values=[output.value_sat for output in transaction.outputs],
                scripts=[output.script_pubkey for output in transaction.outputs],
            )
    return folder / "ledger", transactions


@pytest.fixture(scope="session")
def reader(economy):
    with Reader(economy[0]) as opened:
        yield opened


@pytest.fixture(scope="session")
def services(reader) -> Services:
    """Scripts of the simulator's exchanges, a part of them, so that their clusters are wider."""
    kept, scripts, numbers = simulated().kept, [], []
    entities = [next(each.entity_id for each in kept.entities if each.name == name) for name in NAMES]
    for number, entity in enumerate(entities):
        known = [reader.find_script(each.script_pubkey) for each in kept.scripts if each.entity_id == entity]
        found = [script for script in known if script is not None][:20]
        scripts += found
        numbers += [number] * len(found)
    assert set(numbers) == {0, 1, 2}
    kinds = ["exchange"] * 3
    return services_of(Forest(reader), scripts, numbers, NAMES, kinds=kinds, digest="ab" * 32)


@pytest.fixture(scope="session")
def flow_of(reader, services) -> Callable[..., Flow]:
    """Give a function that traces outputs of payments, chosen by a number."""

    def make(
        seed: int,
        policy: Policy = HAIRCUT,
        *,
        count: int = 6,
        labels: int = 1,
        direction: Direction = Direction.FORWARD,
        fees: Fees = ACCOUNT,
        stops: Services = services,
        **limits: int | bool | None,
    ) -> Flow:
        random = Random(seed)
        spent = np.flatnonzero(reader.spenders(np.arange(reader.counts.output)) >= 0)
        chosen = np.array(sorted(random.sample(spent[len(spent) // 4 :].tolist(), count)), np.int64)
        names = [f"label {number}" for number in range(labels)]
        seeds = Seeds.labelled(chosen, [random.randrange(labels) for _ in chosen], names)
        limit = Limits(**{"hops": 4, **limits})
        return trace(reader, seeds, policy, direction=direction, limits=limit, fees=fees, services=stops)

    return make
