"""The vote: which families have to agree, as of when, and that batches and single transactions say the same."""

from collections import defaultdict
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from change_cases import Shape, Stage
from regtest import Form, random_chain

from cointrail.cluster.change import vote
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rule import Family
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.change.tally import FAMILIES
from cointrail.cluster.change.vote import decide, decisions_of_batch, name_change
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at

FIELDS = ("tx_index", "decided_at", "output", "script_a", "script_b", "votes", "families")
OTHER = Shape(version=1)


def rows_of(decisions):
    return list(zip(*(getattr(decisions, name).tolist() for name in FIELDS), strict=True))


@pytest.fixture
def stage():
    return Stage()


# The families, by hand. A payment of 0.02 BTC and its change of 0.01234567 BTC.

PAID, CHANGE = 2_000_000, 1_234_567


def pay(stage, *, fresh=(True, True), spent=(None, None), values=(PAID, CHANGE), form=Form.P2WSH):
    locks = [stage.lock(form) if new else stage.seen(form) for new in fresh]
    coin = stage.coin(sum(values) + Shape().fee_sat)  # the fee rate of the spenders
    outputs = stage.send([coin], list(zip(values, locks, strict=True)))
    txid = stage.made[-1].txid
    for output, shape in zip(outputs, spent, strict=True):
        if shape is not None:
            stage.spend(output, shape)
    return txid


@pytest.mark.parametrize(
    ("options", "result", "words"),
    [
        # Amount and freshness agree, both static.
        ({"fresh": (False, True), "spent": (None, Shape())}, 1, "F2 votes for vout 1, F3 votes for vout 1"),
        # The same, not spent yet.
        ({"fresh": (False, True)}, None, "not spent"),
        # The same, but its spender pays another fee rate, and of the other output nothing is known yet.
        ({"fresh": (False, True), "spent": (None, Shape(fee_sat=900))}, None, "F4 votes for vout 0"),
        ({"fresh": (False, True), "spent": (Shape(fee_sat=800), Shape(fee_sat=900))}, 1, "F4 abstains"),
        # One family is not enough.
        ({"spent": (None, Shape())}, None, "one family"),
        # Amount and freshness contradict each other.
        ({"fresh": (True, False), "spent": (Shape(), Shape())}, None, "contradict"),
        # Amount and software agree: the spender of the other output has another version.
        ({"spent": (OTHER, Shape())}, 1, "F1 votes for vout 1, F2 votes for vout 1"),
        # Software votes for the payee.
        ({"spent": (Shape(), OTHER)}, None, "contradict"),
        # Software is in conflict: version names the change, sequence the payee.
        ({"spent": (Shape(version=1, sequence=0xFFFFFFFF), Shape(sequence=1))}, None, "F1 is in conflict"),
        # Software and spender agree, but both read later transactions.
        ({"values": (1_900_001, CHANGE), "spent": (Shape(version=1, outputs=3), Shape())}, None, "later"),
        # No rule says anything.
        ({"values": (1_900_001, CHANGE)}, None, "no rule fires"),
        # Amount against the spender.
        ({"spent": (Shape(), Shape(outputs=3))}, None, "contradict"),
        # Three outputs are left alone.
        (
            {"fresh": (False, True, False), "values": (PAID, CHANGE, 100_000), "spent": (None, Shape(), None)},
            None,
            "three|3",
        ),
    ],
)
def test_two_families_one_static_none_against(stage, open_ledger, options, result, words):
    txid = pay(stage, **options)
    reader = open_ledger(stage.mine())
    (tx_index,) = reader.find_transactions(txid)
    first = reader.outputs_of(tx_index).start
    verdict = name_change(reader, tx_index)
    decisions = decide(Context(reader, np.array([tx_index])))
    assert any(word in verdict.reason for word in words.split("|")), verdict.reason
    if result is None:
        assert (verdict.result, verdict.output, len(decisions)) == ("undecided", -1, 0)
        return
    assert (verdict.result, verdict.output) == ("accepted", first + result)
    assert decisions.output.tolist() == [first + result]
    assert decisions.script_b.tolist() == [int(reader.column("output", "script")[first + result])]
    chosen = {family for family, outputs in verdict.families.items() if outputs == (first + result,)}
    assert {family for bit, family in enumerate(FAMILIES) if decisions.families[0] >> bit & 1} == chosen


def test_a_script_that_is_spent_again_is_certain_and_no_decision(stage, open_ledger):
    coin = stage.coin(4_000_000)
    back = stage.chain.locks[coin.script_pubkey]
    outputs = stage.send([coin], [(PAID, stage.lock()), (CHANGE, back)])
    txid = stage.made[-1].txid
    stage.spend(outputs[1], Shape())
    twice = stage.coin(4_000_000)
    stage.send(
        [twice], [(PAID, stage.chain.locks[twice.script_pubkey]), (CHANGE, stage.chain.locks[twice.script_pubkey])]
    )
    reader = open_ledger(stage.mine())
    (tx_index,), (other,) = reader.find_transactions(txid), reader.find_transactions(stage.made[-1].txid)
    verdict = name_change(reader, tx_index)
    assert (verdict.result, verdict.output) == ("certain", reader.outputs_of(tx_index).start + 1)
    assert name_change(reader, other).reason.startswith("several outputs")
    assert len(decide(Context(reader, np.array([tx_index, other])))) == 0


def test_script_a_is_the_smallest_of_the_inputs(stage, open_ledger):
    coins = [stage.coin(2_000_000) for _ in range(3)][::-1]
    outputs = stage.send(coins, [(PAID, stage.seen()), (CHANGE, stage.lock())])
    txid = stage.made[-1].txid
    for output in outputs:
        stage.spend(output, Shape())
    reader = open_ledger(stage.mine())
    (decision,) = rows_of(decide(Context(reader, np.array(reader.find_transactions(txid)))))
    assert decision[3] == min(reader.find_script(coin.script_pubkey) for coin in coins)


# Batch and single, against METHODS.md 2.3 written out once more.


def result_by_the_text(verdict, spent):
    """METHODS.md 2.3 on what each rule fired for."""
    by_family = defaultdict(set)
    static = defaultdict(set)
    for opinion in verdict.opinions:
        if opinion.fired != -1:
            by_family[opinion.rule.family].add(opinion.fired)
            if opinion.rule.static or opinion.rule.number == 7:
                static[opinion.fired].add(opinion.rule.number)
    if by_family[Family.CERTAIN]:
        return "certain", by_family[Family.CERTAIN].pop()
    votes = {family: chosen for family in FAMILIES if (chosen := by_family[family])}
    if any(len(chosen) > 1 for chosen in votes.values()) or len(votes) < 2:
        return "undecided", -1
    outputs = set().union(*votes.values())
    if len(outputs) > 1 or len(verdict.outputs) != 2:
        return "undecided", -1
    output = outputs.pop()
    if not static[output] or not spent[output]:
        return "undecided", -1
    return "accepted", output


def check_all(reader, items, horizons):
    decisions = {row[:2]: row for row in rows_of(decide(Context(reader, items, horizons)))}
    script = reader.column("output", "script")
    seen = defaultdict(int)
    for tx_index, horizon in zip(items.tolist(), horizons.tolist(), strict=True):
        verdict = name_change(reader, tx_index, horizon)
        spenders = reader.transaction_of_inputs(reader.spenders(np.array(verdict.outputs, np.int64)))
        inputs = reader.spenders(np.array(verdict.outputs, np.int64))
        spent = dict(zip(verdict.outputs, (inputs >= 0) & (spenders <= horizon), strict=True))
        assert (verdict.result, verdict.output) == result_by_the_text(verdict, spent)
        seen[str(verdict.result)] += 1
        decision = decisions.pop((tx_index, horizon), None)
        returns = any("kept" in opinion.marks for opinion in verdict.opinions if opinion.rule.number == 1)
        assert (decision is not None) is (verdict.result == "accepted" and not returns)
        if decision is None:
            continue
        fired = [opinion.rule for opinion in verdict.opinions if opinion.fired == verdict.output]
        voting = [rule for rule in fired if rule.family in FAMILIES]
        assert decision[2] == verdict.output
        assert decision[4] == script[verdict.output]
        assert decision[5] == sum(rule.bit for rule in voting)
        assert decision[6] == sum(1 << FAMILIES.index(family) for family in {rule.family for rule in voting})
    assert not decisions
    return seen


def test_batch_and_single_agree_on_random_chains(open_ledger):
    reader = open_ledger(random_chain(Random("change"), blocks=20, transactions_per_block=30))
    items = np.arange(reader.counts.transaction, dtype=np.int64)
    last = np.full(len(items), len(items) - 1)
    near = np.minimum(items + 40, len(items) - 1)
    seen = [check_all(reader, items, horizon) for horizon in (last, near)]
    assert all(each["undecided"] > 100 for each in seen)


def test_batch_and_single_agree_on_the_small_world(world):
    random = np.random.default_rng(7)
    count = world.reader.counts.transaction
    items = np.sort(random.choice(count, 600, replace=False)).astype(np.int64)
    seen = check_all(world.reader, items, np.minimum(items + random.integers(0, 6_000, len(items)), count - 1))
    assert seen["accepted"] > 50
    assert seen["certain"] > 10


# As of then, and in any batches.


def test_decisions_never_know_the_future(world):
    """On a ledger cut at a height the same decisions come out as on the whole one up to there."""
    whole = rows_of(decisions_of_batch(world.reader, 0, world.reader.counts.transaction))
    assert len(whole) > 5_000
    assert whole == sorted(whole, key=lambda row: (row[1], row[0]))
    for height in (300, 700, 1_100, 1_300):
        end = counts_at(world.reader, height).transaction
        with Reader(world.folder / "ledger", height) as reader:
            assert reader.counts.transaction == end
            then = rows_of(decisions_of_batch(reader, 0, end))
        assert then == [row for row in whole if row[1] < end]


def test_decisions_do_not_depend_on_how_the_chain_is_cut(world, monkeypatch):
    count = world.reader.counts.transaction
    whole = rows_of(decisions_of_batch(world.reader, 0, count))
    monkeypatch.setattr(vote, "_CHUNK", 700)
    monkeypatch.setattr(vote, "_MOST_ITEMS", 300)
    random = Random("cuts")
    cuts = [0, *sorted(random.sample(range(1, count), 12)), count]
    parts = [rows_of(decisions_of_batch(world.reader, first, end)) for first, end in pairwise(cuts)]
    assert [row for part in parts for row in part] == whole
    assert rows_of(decisions_of_batch(world.reader, 5, 5)) == []


def test_a_decision_is_never_withdrawn(world):
    """What is accepted as of one spend is accepted as of every later one, for the same output."""
    reader = world.reader
    whole = decisions_of_batch(reader, 0, reader.counts.transaction)
    final = decide(Context(reader, np.arange(reader.counts.transaction, dtype=np.int64)))
    assert set(whole.output.tolist()) == set(final.output.tolist())
    now = dict(zip(final.tx_index.tolist(), final.output.tolist(), strict=True))
    assert all(now[tx] == output for tx, output in zip(whole.tx_index.tolist(), whole.output.tolist(), strict=True))


def test_c3_decides_nothing(world):
    """The vote asks it last, for its bit only: where it fires, C7 does."""
    context = Context(world.reader, np.arange(world.reader.counts.transaction, dtype=np.int64))
    one_time, fresh = (RULES[number - 1].keep(context) for number in (3, 7))
    assert one_time.any()
    assert not (one_time & ~(fresh & (context.count(fresh) == 1)[context.outputs.owner])).any()
