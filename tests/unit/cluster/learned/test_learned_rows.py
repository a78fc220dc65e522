"""Features, self-labels and edges over a ledger: symmetric, blind to the future, and equal to a plain count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.script import ScriptType
from cointrail.cluster.change.rules import BY_ID
from cointrail.cluster.change.verdict import name_change
from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.learned.edges import model_edges
from cointrail.cluster.learned.features import NAMES, Pairs, pairs_of
from cointrail.cluster.learned.labels import self_labels
from cointrail.cluster.learned.model import Model
from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.level.view import build
from cointrail.ledger.reader import Reader
from cointrail.ledger.schema import NONE


@pytest.fixture(scope="module")
def pairs(learned_forest) -> Pairs:
    (found,) = pairs_of(learned_forest.reader)
    return found


def column(pairs: Pairs, name: str) -> np.ndarray:
    return pairs.values[:, NAMES.index(name)].reshape(-1, 2)


def by_amount(at: float) -> Model:
    """A model of one split: the greater share of the amount is change with probability 0.9."""
    one = np.array([0], np.int32)
    split = np.array([NAMES.index("amount.share"), 0, 0], np.int16)
    ends = np.array([0.1, 0.9])
    left, right = np.array([1, 1, 2], np.int32), np.array([2, 1, 2], np.int32)
    return Model(one, split, np.array([at, 0, 0]), left, right, np.array([0.5, 0.1, 0.9]), ends, ends, tau=0.8)


def test_circular_features_are_left_out():
    assert not {f"vote.{number}" for number in ("C1", "C2", "C21")} & set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_the_two_rows_of_a_transaction_mirror_each_other(pairs):
    assert len(pairs) > 60
    for name in NAMES:
        cells = column(pairs, name)
        if name.startswith("vote."):
            assert (cells[:, 0] == -cells[:, 1]).all(), name
        if name.startswith("this."):
            assert (cells == column(pairs, name.replace("this.", "other."))[:, ::-1]).all(), name
    assert np.allclose(column(pairs, "amount.share").sum(axis=1), 1)


def test_votes_are_those_of_the_verdict(learned_forest, pairs):
    for item in range(0, len(pairs), 3):
        verdict = name_change(learned_forest.reader, int(pairs.tx_index[item]), int(pairs.decided_at[item]))
        fired = {opinion.rule.id: opinion.fired for opinion in verdict.opinions}
        for name in NAMES:
            if name.startswith("vote."):
                one, two = (pairs.output[item] == fired[BY_ID[f"change.{name[5:]}"].id]).astype(int).tolist()
                assert column(pairs, name)[item].tolist() == [one - two, two - one]


def test_features_are_what_the_ledger_says(learned_forest, pairs):
    reader = learned_forest.reader
    values, scripts = reader.column("output", "value_sat"), reader.column("output", "script")
    for item, (tx_index, outputs) in enumerate(zip(pairs.tx_index.tolist(), pairs.output.tolist(), strict=True)):
        inputs = reader.inputs_of(tx_index)
        spent = [int(reader.column("input", "output")[each]) for each in inputs]
        types = {reader.script_type(int(scripts[each])) for each in spent}
        assert pairs.script_a[item] == min(int(scripts[each]) for each in spent)
        assert pairs.input_type[item] == (int(types.pop()) if len(types) == 1 else NONE)
        assert not set(pairs.script[item].tolist()) & {int(scripts[each]) for each in spent}
        last = []
        for place, output in enumerate(outputs):
            spender = int(reader.spenders([output])[0])
            value = int(values[output])
            zeros = len(str(value)) - len(str(value).rstrip("0")) if value else 9
            assert column(pairs, "this.amount.zeros")[item, place] == min(zeros, 9)
            below = value < min(int(values[each]) for each in spent)
            assert column(pairs, "amount.below_inputs")[item, place] == below
            assert column(pairs, "this.type.is")[item, place] == int(reader.script_type(int(scripts[output])))
            assert pairs.spent[item, place] == (spender != NONE)
            age = column(pairs, "this.age.blocks")[item, place]
            if spender == NONE:
                assert age == -1
                continue
            last.append(int(reader.transaction_of_inputs([spender])[0]))
            heights = reader.height_of_transactions([tx_index, last[-1]])
            assert age == pytest.approx(np.log10(1 + heights[1] - heights[0]), abs=1e-6)
            versions = reader.column("transaction", "version")
            assert column(pairs, "this.form.version")[item, place] == (versions[tx_index] == versions[last[-1]])
        assert pairs.decided_at[item] == max(last)


def test_only_transactions_that_rules_look_at(learned_forest, pairs):
    reader = learned_forest.reader
    for tx_index in pairs.tx_index.tolist():
        assert not reader.is_coinbase(tx_index)
        assert not collaborative(reader, tx_index).signs & VETO
        kinds = [
            reader.script_type(int(reader.column("output", "script")[each])) for each in reader.outputs_of(tx_index)
        ]
        assert len(kinds) == 2
        assert ScriptType.OP_RETURN not in kinds


def test_a_row_never_knows_the_future(learned_ledger, pairs):
    """At a lower height the rows of what was decided by then are the same."""
    late = {int(tx): item for item, tx in enumerate(pairs.tx_index)}
    compared = 0
    for height in (112, 125, 138):
        with Reader(learned_ledger, height) as reader:
            for early in pairs_of(reader):
                assert (early.decided_at < reader.counts.transaction).all()
                for item, tx_index in enumerate(early.tx_index.tolist()):
                    whole = late[tx_index]
                    if early.decided_at[item] == pairs.decided_at[whole]:
                        assert np.array_equal(
                            early.values[2 * item : 2 * item + 2], pairs.values[2 * whole : 2 * whole + 2]
                        )
                        compared += 1
    assert compared > 40


@given(cut=st.integers(0, 600))
def test_pieces_give_the_same_rows(learned_forest, pairs, cut):
    reader = learned_forest.reader
    cut = min(cut, reader.counts.transaction)
    parts = [*pairs_of(reader, 0, cut), *pairs_of(reader, cut)]
    assert np.array_equal(np.concatenate([part.values for part in parts]), pairs.values)
    assert np.array_equal(np.concatenate([part.tx_index for part in parts]), pairs.tx_index)


# Labels.


def test_a_self_label_is_a_later_proof(learned_forest, pairs):
    labels, forest = self_labels(learned_forest, pairs), learned_forest
    assert 5 < labels.labelled.sum() < len(pairs)
    for item, tx_index in enumerate(pairs.tx_index.tolist()):
        a, scripts = int(pairs.script_a[item]), pairs.script[item].tolist()
        then = [forest.root(each, tx_index + 1) == forest.root(a, tx_index + 1) for each in scripts]
        now = [forest.root(each) == forest.root(a) for each in scripts]
        labelled = sum(now) == 1 and not any(then)
        assert labels.labelled[item] == labelled
        assert labels.change[item].tolist() == (now if labelled else [False, False])
        assert labels.entity[item] == forest.root(a)


def test_the_transaction_itself_proves_nothing(learned_forest, pairs):
    """A label rests on a link that another, later transaction made."""
    labels = self_labels(learned_forest, pairs)
    for item in np.flatnonzero(labels.labelled).tolist():
        script = int(pairs.script[item][labels.change[item]][0])
        links = [time for start in (script, int(pairs.script_a[item])) for _, time in learned_forest.path(start)]
        assert max(links) > pairs.tx_index[item]


# Edges.


def test_edges_name_the_likelier_output_if_it_is_spent(learned_forest, pairs):
    edges = model_edges(learned_forest.reader, learned_forest, by_amount(0.5))
    larger = column(pairs, "amount.share") > 0.5
    wanted = larger & pairs.spent & (larger.sum(axis=1) == 1)[:, None]
    item, place = np.nonzero(wanted)
    order = np.lexsort((pairs.tx_index[item], pairs.decided_at[item]))
    assert len(edges) > 20
    assert edges.tx_index.tolist() == pairs.tx_index[item][order].tolist()
    assert edges.script_b.tolist() == pairs.script[item, place][order].tolist()
    assert edges.script_a.tolist() == pairs.script_a[item][order].tolist()
    assert edges.decided_at.tolist() == pairs.decided_at[item][order].tolist()
    assert set(edges.rule.tolist()) == {EdgeRule.CHANGE_MODEL}
    assert set(edges.detail.tolist()) == {9_000}


@pytest.mark.parametrize(("tau", "some"), [(None, True), (0.9, True), (0.91, False)])
def test_the_threshold_decides(learned_forest, tau, some):
    edges = model_edges(learned_forest.reader, learned_forest, by_amount(0.5), tau)
    assert bool(len(edges)) == some


def test_a_tie_names_nothing(learned_forest):
    assert not len(model_edges(learned_forest.reader, learned_forest, by_amount(2.0)))


def test_edges_are_leads(learned_forest):
    edges = model_edges(learned_forest.reader, learned_forest, by_amount(0.5))
    assert build(learned_forest, "L3", edges).accepted.any()
    with pytest.raises(Exception, match="leads"):
        build(learned_forest, "L2", edges)
