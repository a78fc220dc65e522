"""Peel chains of simulated worlds whose truth is known: an imitation, so no rates for court.

With `pytest -s` the figures are printed.
"""

from typing import NamedTuple

import duckdb
import numpy as np
import pytest
from memory_disk import scratch

from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.chain import Reason
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.question import NOBODY, PeelLimits, Undecided, services_by_script

pytestmark = pytest.mark.slow

WIDE = PeelLimits(hops=None, min_sat=0, cluster=None)


class World(NamedTuple):
    """A ledger and what is true of it.

    Attributes:
        is_change: by output_index, 1 if it returns to the payer, 0 if not, -1 if that is not told.
        chain: transactions of the operator's peel chain in order; peel_steps: of all peel chains.
        exchange: Beta's scripts.
    """

    seed: int
    reader: Reader
    is_change: np.ndarray
    chain: list[int]
    peel_steps: list[int]
    exchange: list[int]


@pytest.fixture(scope="module", params=[1, 2, 3])
def world(request, tmp_path_factory):
    with scratch(tmp_path_factory.mktemp("world")) as folder:
        simulate(folder / "world", SMALL, request.param)
        assert ingest(folder / "world" / "chain" / "xor", folder / "ledger", cluster=bring_up).complete
        with Reader(folder / "ledger") as reader:
            yield _told(request.param, reader, folder / "world" / "truth")


def _told(seed, reader, truth):
    numbers = {bytes(txid): at for at, txid in enumerate(np.array(reader.column("transaction", "txid")))}
    first = reader.column("transaction", "first_output")
    is_change = np.full(reader.counts.output, -1, np.int8)
    with duckdb.connect() as connection:

        def rows(question):
            return connection.execute(
                question.format(**{each.stem: each for each in truth.glob("*.parquet")})
            ).fetchall()

        for txid, vout, returns in rows("select txid, vout, is_change from '{outputs}'"):
            is_change[int(first[numbers[bytes(txid)]]) + vout] = returns
        chain = rows("select txid from '{transactions}' where label like 'peel-beta-%' order by label")
        steps = rows("select txid from '{transactions}' where kind = 'peel_step'")
        scripts = rows("select script_hash from '{scripts}' join '{entities}' using (entity_id) where name = 'Beta'")
    found = [reader.find_script_hash(bytes(digest)) for (digest,) in scripts]
    return World(
        seed,
        reader,
        is_change,
        [numbers[bytes(txid)] for (txid,) in chain],
        sorted(numbers[bytes(txid)] for (txid,) in steps),
        sorted(each for each in found if each is not None),
    )


def first_of(world, tx_index):
    return int(world.reader.column("input", "output")[world.reader.inputs_of(tx_index).start])


def beta(world):
    return services_by_script(world.exchange, [0] * len(world.exchange), ["Beta"])


def followed(chain):
    return np.array([coin.output for step in chain.steps for coin in step.followed], np.int64)


@pytest.mark.parametrize("undecided", [Undecided.STOP, Undecided.LARGER])
def test_the_operators_chain_is_followed_along_its_change(world, undecided):
    chain = follow(world.reader, first_of(world, world.chain[0]), WIDE, beta(world), undecided=undecided)
    steps = [step.tx_index for step in chain.steps]
    assert steps == world.chain[: len(steps)]
    decided = np.array([not step.decision.is_lead for step in chain.steps], np.bool_)
    right = world.is_change[followed(chain)] == 1
    (end,) = chain.ends
    print(
        f"seed {world.seed}, {undecided}: {len(steps)} of {len(world.chain)} transactions, {decided.sum()} decided; "
        f"followed outputs that are change: {right.sum()}; ends: {end.reason}"
    )
    assert right[decided].all()
    if undecided is Undecided.STOP:
        assert end.reason is Reason.UNDECIDED
        return
    # The larger output is the rest until less is left than is paid; that payment went to Beta.
    assert right[:-1].all()
    assert end.reason is Reason.SERVICE
    assert len(steps) >= len(world.chain) - 3
    assert sum(coin.service == 0 for step in chain.steps for coin in step.peels) >= len(steps) - 4


def test_the_way_back_finds_the_first_transaction_of_the_chain(world):
    payment = world.reader.outputs_of(world.chain[-1])[0]
    tree = follow_back(world.reader, payment, WIDE, undecided=Undecided.BRANCH)
    assert set(world.chain) <= {step.tx_index for step in tree.steps}
    for undecided in (Undecided.STOP, Undecided.LARGER):
        chain = follow_back(world.reader, payment, WIDE, undecided=undecided)
        steps = [step.tx_index for step in chain.steps][: len(world.chain)]
        assert steps == world.chain[::-1][: len(steps)]
        print(f"seed {world.seed}, back, {undecided}: {len(steps)} of {len(world.chain)}; {chain.ends[0].reason}")


@pytest.mark.parametrize("undecided", [Undecided.STOP, Undecided.LARGER])
def test_what_is_followed_in_all_peel_chains_is_change(world, undecided):
    """From each output that a peel step spends, as far as one step; decided ones hardly err."""
    limits, right, lead = PeelLimits(hops=1, min_sat=0, cluster=None), [], []
    for tx_index in world.peel_steps:
        for step in follow(world.reader, first_of(world, tx_index), limits, NOBODY, undecided=undecided).steps:
            right.append(world.is_change[step.followed[0].output] == 1)
            lead.append(step.decision.is_lead)
    right, lead = np.array(right), np.array(lead, np.bool_)
    print(
        f"seed {world.seed}, {undecided}: {len(world.peel_steps)} peel steps, {np.count_nonzero(~lead)} decided, "
        f"{np.count_nonzero(~right[~lead])} of them wrong; {lead.sum()} leads, {np.count_nonzero(~right[lead])} wrong"
    )
    assert np.count_nonzero(~lead) > 20
    assert right[~lead].mean() > 0.99


def test_chains_of_the_whole_world_keep_to_change(world):
    """From a sample of all outputs, as far as STOP goes."""
    spent = np.flatnonzero(world.reader.spenders(np.arange(world.reader.counts.output)) >= 0)
    sample = np.random.default_rng(world.seed).choice(spent, 1_500, replace=False)
    lengths, outputs = [], []
    for seed in sample.tolist():
        chain = follow(world.reader, seed, WIDE)
        lengths.append(chain.hops)
        outputs.append(followed(chain))
    distinct = np.unique(np.concatenate(outputs))
    told = world.is_change[distinct]
    right = told[told >= 0] == 1
    print(
        f"seed {world.seed}: {len(sample)} chains, length mean {np.mean(lengths):.2f}, most {max(lengths)}; "
        f"{len(right)} outputs followed, {np.count_nonzero(~right)} of them not change"
    )
    assert len(right) > 1_000
    assert right.mean() > 0.99
