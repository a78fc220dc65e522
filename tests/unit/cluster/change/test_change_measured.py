"""Error rates on worlds with exact truth: an imitation, so no rates for court, but a rule that breaks shows here.

With `pytest -s` the figures are printed; COINTRAIL_SEED chooses another world.
"""

import numpy as np
import pytest

from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rule import unique
from cointrail.cluster.change.rules import RULES
from cointrail.cluster.change.vote import decide, decisions_of_batch
from cointrail.cluster.fingerprint import continuation
from cointrail.cluster.gate.gate import collaborative_mask, distinct_scripts
from cointrail.cluster.spans import Span, inputs_of_many

# The share of right answers that a rule must reach; below 90 % it is a sign among others and no more.
LEAST = {
    1: 0.99, 2: 0.99, 3: 0.60, 4: 0.99, 5: 0.99, 6: 0.75, 7: 0.50, 8: 0.99, 9: 0.99, 10: 0.99, 11: 0.97, 12: 0.90,
    13: 0.80, 14: 0.70, 16: 0.75, 17: 0.85, 18: 0.45, 19: 0.50, 20: 0.90,
}  # fmt: skip


@pytest.fixture(scope="module")
def context(world):
    roots = co_spent(world.reader)
    items = np.arange(world.reader.counts.transaction, dtype=np.int64)
    return Context(world.reader, items, clusters=lambda scripts, _: roots[scripts])


def co_spent(reader):
    """Roots of all scripts over the co-spends that are believed, merged one by one."""
    inputs = inputs_of_many(reader, np.arange(reader.counts.transaction, dtype=np.int64))
    inputs = Span(*(column[reader.column("input", "flags")[inputs.row] & 4 == 0] for column in inputs))
    owner, script = distinct_scripts(reader, inputs)
    believed = ~collaborative_mask(reader, owner)
    owner, script = owner[believed], script[believed]
    root = list(range(reader.counts.script))

    def find(node):
        while root[node] != node:
            node = root[node] = root[root[node]]
        return node

    for one, other in zip(script[:-1][owner[1:] == owner[:-1]], script[1:][owner[1:] == owner[:-1]], strict=True):
        root[find(int(one))] = find(int(other))
    return np.array([find(node) for node in range(len(root))])


def returning(world, context):
    """Transactions with exactly one output that returns."""
    return np.count_nonzero(context.count(world.is_change[context.outputs.row] == 1) == 1)


def figures(right):
    return f"n = {len(right)}, wrong = {(~right).sum()}, right {right.mean():.4f}"


@pytest.mark.parametrize("number", LEAST)
def test_precision_of_a_rule(world, context, number):
    fired = unique(context, RULES[number - 1].keep(context))
    right = world.is_change[context.outputs.row[fired]] == 1
    print(f"C{number}: {figures(right)}, found {right.sum() / returning(world, context):.4f}")
    assert len(right) > 100
    assert right.mean() >= LEAST[number]


def test_precision_of_the_vote(world, context):
    decisions = decide(context)
    right = world.is_change[decisions.output] == 1
    print(f"vote: {figures(right)}, found {right.sum() / returning(world, context):.4f}")
    assert len(right) > 5_000
    assert right.mean() >= 0.99


def test_precision_of_the_vote_as_the_chain_grows(world):
    decisions = decisions_of_batch(world.reader, 0, world.reader.counts.transaction)
    outputs = np.unique(decisions.output)
    right = world.is_change[outputs] == 1
    print(f"vote, spend by spend: {figures(right)}")
    assert right.mean() >= 0.99


def test_each_pair_of_families_is_right(world, context):
    """Two families that agree are worth more than either alone, whichever they are."""
    decisions = decide(context)
    for families in np.unique(decisions.families):
        right = world.is_change[decisions.output[decisions.families == families]] == 1
        print(f"families {families:04b} (F4 F3 F2 F1): {figures(right)}")
        assert len(right) < 100 or right.mean() > 0.95


def test_precision_of_a_continuation(world, context):
    items = np.random.default_rng(5).choice(np.flatnonzero(context.output_counts == 2), 2_000, replace=False)
    found = np.array([continuation(world.reader, int(tx_index)).output for tx_index in items])
    right = world.is_change[found[found >= 0]] == 1
    print(f"continuation: asked {len(items)}, {figures(right)}")
    assert right.mean() >= 0.98
