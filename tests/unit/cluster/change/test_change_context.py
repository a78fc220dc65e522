"""Which transactions the rules look at, and that they look at nothing else."""

import numpy as np
import pytest
from change_cases import Shape, Stage, signature
from regtest import Lock

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.change.verdict import name_change

OP_RETURN = Lock("op-return", b"\x6a\x01\x07", ScriptType.OP_RETURN)
TOO_LONG = Lock("too-long", b"\x51" * 10_001, ScriptType.NONSTANDARD)


@pytest.fixture
def stage():
    return Stage()


def look(stage, open_ledger):
    reader = open_ledger(stage.mine())
    (tx_index,) = reader.find_transactions(stage.made[-1].txid)
    return reader, tx_index, Context(reader, np.array([tx_index]))


@pytest.mark.parametrize(
    ("values", "eligible"),
    [
        ((40_000,), False),
        ((40_000, 30_000), True),
        (tuple(range(10_001, 10_011)), True),
        (tuple(range(10_001, 10_012)), False),
        ((40_000, 546), False),
        ((40_000, 330), False),
        ((40_000, 294), False),
        ((40_000, 547), True),
        ((40_000, 545), True),
        ((40_000, 0), True),
    ],
)
def test_two_to_ten_outputs_and_no_carrier_of_tokens(stage, open_ledger, values, eligible):
    stage.send([stage.coin(200_000)], [(value, stage.lock()) for value in values])
    reader, tx_index, context = look(stage, open_ledger)
    assert context.eligible.tolist() == [eligible]
    assert context.outputs.row.tolist() == (list(reader.outputs_of(tx_index)) if eligible else [])
    verdict = name_change(reader, tx_index)
    assert verdict.outputs == tuple(context.outputs.row)
    assert bool(verdict.opinions) is eligible
    if not eligible:
        assert verdict.reason.startswith(
            f"{len(values)} spendable" if len(values) in (1, 11) else "it carries a protocol"
        )


@pytest.mark.parametrize(("extra", "eligible"), [(OP_RETURN, False), (TOO_LONG, True)])
def test_what_nobody_can_spend_is_no_candidate(stage, open_ledger, extra, eligible):
    stage.send([stage.coin(200_000)], [(40_000, stage.lock()), (9_000, extra), (30_000, stage.lock())])
    reader, tx_index, context = look(stage, open_ledger)
    first = reader.outputs_of(tx_index).start
    assert context.eligible.tolist() == [eligible]
    assert context.outputs.row.tolist() == ([first, first + 2] if eligible else [])


@pytest.mark.parametrize(("hash_type", "eligible"), [(0x01, True), (0x03, True), (0x81, False), (0x83, False)])
def test_an_input_that_lets_others_join_says_nothing_about_change(stage, open_ledger, hash_type, eligible):
    shape = Shape(items=(signature(hash_type=hash_type), b""))
    stage.send([stage.coin(90_000)], [(40_000, stage.lock()), (30_000, stage.lock())], shape)
    _, _, context = look(stage, open_ledger)
    assert context.eligible.tolist() == [eligible]


def test_no_rule_runs_on_a_collaborative_transaction(stage, open_ledger):
    coins = [stage.coin(50_000 + number) for number in range(4)]
    stage.send(coins, [(40_000, stage.lock()) for _ in coins])
    reader, tx_index, context = look(stage, open_ledger)
    assert not context.eligible[0]
    assert "collaborative" in name_change(reader, tx_index).reason


def test_no_rule_runs_on_a_coinbase(open_ledger, stage):
    reader, _, _ = look(stage, open_ledger) if stage.coin(1_000) else (None, None, None)
    coinbases = np.array([0, 1, 2], np.int64)
    assert not Context(reader, coinbases).eligible.any()
    assert "coinbase" in name_change(reader, 1).reason


def test_an_empty_batch(stage, open_ledger):
    stage.coin(1_000)
    reader, _, _ = look(stage, open_ledger)
    context = Context(reader, np.empty(0, np.int64))
    assert all(len(rule.keep(context)) == 0 for rule in RULES)


def test_a_context_of_part_of_the_items_keeps_the_features(world):
    reader = world.reader
    whole = Context(reader, np.arange(3_000, 6_000, dtype=np.int64))
    masks = {rule.id: rule.keep(whole) for rule in RULES}
    items = np.flatnonzero(whole.eligible)[::3]
    rows = np.isin(whole.outputs.owner, items)
    before = Context(reader, whole.tx_index).narrowed(items)
    for narrow in (whole.narrowed(items), before):
        assert narrow.tx_index.tolist() == whole.tx_index[items].tolist()
        assert narrow.outputs.row.tolist() == whole.outputs.row[rows].tolist()
        for rule in RULES:
            assert rule.keep(narrow).tolist() == masks[rule.id][rows].tolist(), rule.id
