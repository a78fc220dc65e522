"""Chains over economies equal those that a plain walk finds; as of a height they know nothing later."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level_cases import economy_ledger
from memory_disk import scratch
from plain_peel import Plain, PlainEnd, PlainStep, plain_ahead, plain_back
from regtest import random_chain, write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest
from cointrail.ledger.reader import Reader
from cointrail.trace.peel import look
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.chain import Direction, Reason
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.question import NOBODY, PeelLimits, Undecided, services_by_script

WALK = {Direction.FORWARD: (follow, plain_ahead), Direction.BACKWARD: (follow_back, plain_back)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with scratch(tmp_path_factory.mktemp("peel")) as made:
        economy_ledger(made)
        yield made


@pytest.fixture(scope="module")
def plain(folder):
    with Reader(folder / "ledger") as reader:
        yield Plain(reader)


@pytest.fixture(scope="module")
def tangle(tmp_path_factory):
    """A random chain: many inputs, many outputs, OP_RETURN, scripts used again."""
    with scratch(tmp_path_factory.mktemp("tangle")) as made:
        chain = random_chain(Random("peel"), blocks=20, transactions_per_block=20)
        write_block_files(made / "blocks", chain.serialized(), REGTEST.magic)
        ingest(made / "blocks", made / "ledger", cluster=bring_up)
        with Reader(made / "ledger") as reader:
            yield Plain(reader)


def some(values):
    return st.one_of(st.none(), st.sampled_from(values))


@st.composite
def questions(draw):
    limits = PeelLimits(
        hops=draw(some([0, 1, 3, 20])),
        min_sat=draw(st.sampled_from([0, 0, 10_000, 1_000_000])),
        outputs=draw(some([2, 5, 100])),
        cluster=draw(some([1, 4, 10_000])),
        transactions=draw(st.sampled_from([0, 1, 5, 60, 60, 60])),
    )
    return (
        limits,
        draw(st.sampled_from(Undecided)),
        draw(st.sampled_from([0, 0, 0.02, 0.2])),
        draw(st.integers(0, 2**32)),
    )


def as_plain(chain):
    """A chain as the plain walk gives it."""
    steps = [
        PlainStep(
            step.tx_index,
            step.hop,
            frozenset(coin.output for coin in step.came),
            frozenset(coin.output for coin in step.followed),
            str(step.decision),
        )
        for step in chain.steps
    ]
    ends = [
        PlainEnd(
            -1 if end.step < 0 else chain.steps[end.step].tx_index,
            frozenset(coin.output for coin in end.coins),
            str(end.reason),
        )
        for end in chain.ends
    ]
    return steps, sorted(ends, key=repr)


def ask(plain, direction, question, seed):
    limits, undecided, share, number = question
    random, scripts = Random(number), plain.reader.counts.script
    tagged = sorted(random.sample(range(scripts), int(scripts * share)))
    services = services_by_script(tagged, [0] * len(tagged), ["somebody"]) if tagged else NOBODY
    walk, reference = WALK[direction]
    chain = walk(plain.reader, seed, limits, services, undecided=undecided)
    steps, ends = reference(plain, seed, limits, set(tagged), str(undecided))
    assert as_plain(chain) == (steps, sorted(ends, key=repr))
    return chain


def check_steps(plain, chain):
    """What every step says of itself follows from the transaction."""
    for number, step in enumerate(chain.steps):
        outputs = sorted(coin.output for coin in (*step.followed, *step.peels))
        inputs = sorted(coin.output for coin in (*step.came, *step.others))
        assert outputs == plain.outputs[step.tx_index]
        assert inputs == sorted(plain.inputs[step.tx_index])
        came, left = (sum(plain.value[output] for output in side) for side in (inputs, outputs))
        assert step.fee_sat == (came - left if inputs else 0)
        assert step.peeled_sat == sum(coin.value_sat for coin in step.peels)
        assert step.height == int(plain.reader.height_of_transactions(step.tx_index))
        assert step.seconds == int(plain.reader.column("block", "time")[step.height])
        for coin in (*step.came, *step.others, *step.followed, *step.peels):
            assert coin.value_sat == plain.value[coin.output]
            assert coin.maker == plain.maker[coin.output]
            assert coin.spender == plain.spender.get(coin.output, -1)
            assert coin.spendable is (coin.output not in plain.dead)
            assert coin.cluster_size == plain.size[plain.cluster[plain.script[coin.output]]]
        forward = chain.direction is Direction.FORWARD
        if step.previous < 0:
            assert chain.seed in (step.came if forward else step.followed)
        else:
            before = chain.steps[step.previous]
            assert step.previous < number
            assert set(step.came) <= set(before.followed) if forward else set(step.followed) <= set(before.came)


@pytest.mark.parametrize("direction", Direction)
@given(question=questions(), data=st.data())
def test_chains_of_an_economy_equal_the_plain_walk(plain, direction, question, data):
    seed = data.draw(st.integers(1, plain.reader.counts.output - 1))
    check_steps(plain, ask(plain, direction, question, seed))


@pytest.mark.parametrize("direction", Direction)
@given(question=questions(), data=st.data())
def test_chains_of_a_tangle_equal_the_plain_walk(tangle, direction, question, data):
    seed = data.draw(st.integers(1, tangle.reader.counts.output - 1))
    check_steps(tangle, ask(tangle, direction, question, seed))


def test_the_economy_has_what_the_walk_is_about(plain):
    """All reasons but a few that are made by hand elsewhere, and every decision, are met somewhere."""
    reasons, decisions = set(), set()
    limits = PeelLimits(hops=6, min_sat=20_000, outputs=4, cluster=None, transactions=12)
    for direction in Direction:
        for undecided in Undecided:
            for seed in range(1, plain.reader.counts.output, 7):
                chain = ask(plain, direction, (limits, undecided, 0.02, seed), seed)
                reasons |= {end.reason for end in chain.ends}
                decisions |= {str(step.decision) for step in chain.steps}
    assert decisions == {"certain", "accepted", "larger", "branch", "seed"}
    assert set(Reason) - reasons <= {Reason.LARGE_CLUSTER, Reason.MERGE, Reason.PROTOCOL, Reason.UNSPENDABLE}


def test_the_size_of_a_batch_changes_nothing(plain, monkeypatch):
    limits = PeelLimits(hops=None, min_sat=0, transactions=60)
    seeds = range(1, plain.reader.counts.output, 29)
    whole = [
        WALK[d][0](plain.reader, seed, limits, undecided=u) for d in Direction for u in Undecided for seed in seeds
    ]
    for first, largest in ((1, 1), (2, 7)):
        monkeypatch.setattr(look, "_FIRST_BATCH", first)
        monkeypatch.setattr(look, "_LARGEST_BATCH", largest)
        again = [
            WALK[d][0](plain.reader, seed, limits, undecided=u) for d in Direction for u in Undecided for seed in seeds
        ]
        assert again == whole


@pytest.mark.parametrize("back", [9, 22])
def test_as_of_a_height_is_a_ledger_that_ends_there(folder, plain, back, tmp_path):
    height = plain.reader.height - back
    with Reader(economy_ledger(tmp_path, until=height)) as cut, Reader(folder / "ledger", height) as then:
        assert cut.counts == then.counts
        limits = PeelLimits(hops=None, min_sat=0, transactions=50)
        longest = 0
        for seed in range(1, cut.counts.output, 11):
            for undecided in Undecided:
                for walk, _ in WALK.values():
                    chain = walk(then, seed, limits, undecided=undecided)
                    assert chain == walk(cut, seed, limits, undecided=undecided)
                    longest = max(longest, len(chain.steps))
        assert longest > 5
