"""Policies on single transactions and small graphs, against references that know nothing of intervals.

FIFO is checked by giving every satoshi a label and dealing the labels out one by one; haircut by exact fractions.
"""

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cointrail.trace.policies import FIFO, HAIRCUT, POLICIES, Part

MAX_MONEY = 21 * 10**14


@st.composite
def transactions(draw, largest=9):
    """Input values, output values that sum to at most as much, and labels of the input satoshis."""
    inputs = draw(st.lists(st.integers(0, largest), min_size=1, max_size=6))
    count = draw(st.integers(1, 6))
    cuts = sorted(draw(st.lists(st.integers(0, sum(inputs)), min_size=count, max_size=count)))
    return inputs, [high - low for low, high in zip([0, *cuts], cuts, strict=False)]


def array(values):
    return np.array(values, np.int64)


def segments_of(labels):
    """Runs of True as (offset, length)."""
    runs, start = [], None
    for at, label in enumerate([*labels, False]):
        if label and start is None:
            start = at
        elif not label and start is not None:
            runs.append((start, at - start))
            start = None
    return tuple(runs)


def deal(labels, values):
    """Deal a list out to lists of the given lengths; the last list is the rest."""
    hands, at = [], 0
    for value in values:
        hands.append(labels[at : at + value])
        at += value
    return [*hands, labels[at:]]


def parts_of(hands):
    return {at: Part(sum(hand), segments_of(hand)) for at, hand in enumerate(hands) if any(hand)}


@given(transactions(), st.data())
def test_fifo_deals_labelled_satoshis_out(transaction, data):
    inputs, outputs = transaction
    labels = data.draw(st.lists(st.booleans(), min_size=sum(inputs), max_size=sum(inputs)))
    *held, _ = deal(labels, inputs)
    *hands, fee = deal(labels, outputs)
    backwards = dict(reversed(parts_of(held).items()))  # the order of a mapping says nothing
    split = FIFO.forward(array(inputs), array(outputs), backwards)
    assert split.parts == parts_of(hands)
    assert list(split.parts) == sorted(split.parts)
    assert split.rest_sat == sum(fee)


@given(transactions(), st.data())
def test_fifo_backward_takes_each_satoshi_where_it_lay(transaction, data):
    inputs, outputs = transaction
    labels = data.draw(st.lists(st.booleans(), min_size=sum(outputs), max_size=sum(outputs)))
    *held, _ = deal(labels, outputs)
    *hands, _ = deal(labels + [False] * (sum(inputs) - sum(outputs)), inputs)
    split = FIFO.backward(array(inputs), array(outputs), parts_of(held))
    assert (split.parts, split.rest_sat) == (parts_of(hands), 0)


@given(transactions(largest=MAX_MONEY // 6), st.data())
def test_fifo_backward_inverts_forward(transaction, data):
    inputs, outputs = (array(values) for values in transaction)
    traced = {}
    for at, value in enumerate(inputs.tolist()):
        ends = sorted(data.draw(st.sets(st.integers(0, value), max_size=6)))
        pairs = zip(ends[::2], ends[1::2], strict=False)
        segments = tuple((low, high - low) for low, high in pairs)
        if segments:
            traced[at] = Part(sum(length for _, length in segments), segments)
    split = FIFO.forward(inputs, outputs, traced)
    back = FIFO.backward(inputs, outputs, split.parts).parts
    assert sum(part.sat for part in traced.values()) == sum(part.sat for part in split.parts.values()) + split.rest_sat
    assert FIFO.forward(inputs, outputs, back).parts == split.parts
    # What comes back is what went in without the fee, which are the last satoshis.
    paid = int(outputs.sum())
    starts = (np.cumsum(inputs) - inputs).tolist()
    expected = {
        at: tuple(
            (low, min(length, paid - starts[at] - low)) for low, length in part.segments if starts[at] + low < paid
        )
        for at, part in traced.items()
    }
    assert {at: part.segments for at, part in back.items()} == {at: each for at, each in expected.items() if each}


def divided(total, weights):
    """Largest remainder with exact fractions, ties by lower index."""
    whole = sum(weights)
    quotas = [Fraction(total * weight, whole) if whole else Fraction(0) for weight in weights]
    shares = [int(quota) for quota in quotas]
    for _ in range(total - sum(shares)):
        gaps = [quota - share if quota > share else Fraction(-1) for quota, share in zip(quotas, shares, strict=True)]
        shares[gaps.index(max(gaps))] += 1
    return shares


@given(transactions(largest=MAX_MONEY // 6) | transactions(), st.data())
@example(([MAX_MONEY - 1], [MAX_MONEY - 2, 1]), None)
def test_haircut_is_the_largest_remainder_of_exact_shares(transaction, data):
    inputs, outputs = transaction
    amounts = [data.draw(st.integers(0, value)) if data else value - 1 for value in inputs]
    traced = {at: HAIRCUT.whole(amount) for at, amount in enumerate(amounts) if amount}
    total = sum(amounts)
    *shares, fee = divided(total, [*outputs, sum(inputs) - sum(outputs)])
    split = HAIRCUT.forward(array(inputs), array(outputs), traced)
    assert split.parts == {at: Part(share) for at, share in enumerate(shares) if share}
    assert split.rest_sat == fee
    assert sum(part.sat for part in split.parts.values()) + split.rest_sat == total
    assert all(part.sat <= outputs[at] for at, part in split.parts.items())
    assert fee <= sum(inputs) - sum(outputs)


@given(transactions(largest=MAX_MONEY // 6) | transactions(), st.data())
def test_haircut_backward_asks_the_inputs_by_value(transaction, data):
    inputs, outputs = transaction
    amounts = [data.draw(st.integers(0, value)) for value in outputs]
    traced = {at: HAIRCUT.whole(amount) for at, amount in enumerate(amounts) if amount}
    split = HAIRCUT.backward(array(inputs), array(outputs), traced)
    shares = divided(sum(amounts), inputs)
    assert split.parts == {at: Part(share) for at, share in enumerate(shares) if share}
    assert split.rest_sat == 0
    assert all(part.sat <= inputs[at] for at, part in split.parts.items())


def test_ties_go_to_the_lower_index_and_the_fee_comes_last():
    split = HAIRCUT.forward(array([3]), array([1, 1]), {0: Part(1)})  # a third each
    assert split == ({0: Part(1)}, 0)
    split = HAIRCUT.forward(array([3]), array([1, 1]), {0: Part(2)})
    assert split == ({0: Part(1), 1: Part(1)}, 0)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@given(transactions(largest=MAX_MONEY // 6) | transactions())
def test_fully_traced_inputs_trace_everything(policy, transaction):
    inputs, outputs = transaction
    whole = {at: policy.whole(value) for at, value in enumerate(inputs) if value}
    split = policy.forward(array(inputs), array(outputs), whole)
    assert split.parts == {at: policy.whole(value) for at, value in enumerate(outputs) if value}
    assert split.rest_sat == sum(inputs) - sum(outputs)


def random_graph(random, largest):
    """Transactions as (inputs, output values); inputs are numbers of earlier outputs. The first makes money."""
    values = [random.randint(0, largest) for _ in range(random.randint(1, 4))]
    graph, open_ = [((), tuple(values))], list(range(len(values)))
    for _ in range(random.randint(1, 10)):
        if not open_:
            break
        inputs = tuple(open_.pop(random.randrange(len(open_))) for _ in range(random.randint(1, min(3, len(open_)))))
        total = sum(values[at] for at in inputs)
        total -= random.randint(0, min(total, 2))
        cuts = sorted(random.randint(0, total) for _ in range(random.randint(0, 3)))
        made = [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]
        open_ += range(len(values), len(values) + len(made))
        values += made
        graph.append((inputs, tuple(made)))
    return graph, values, open_


def carried(policy, graph, values, seed):
    """Forward over the whole graph by the policy: parts of the outputs, and the fees."""
    parts, fees, first = {seed: policy.whole(values[seed])}, 0, 0
    for inputs, made in graph:
        traced = {at: parts[output] for at, output in enumerate(inputs) if output in parts and parts[output].sat}
        if traced:
            split = policy.forward(array([values[output] for output in inputs]), array(made), traced)
            fees += split.rest_sat
            parts.update({first + at: part for at, part in split.parts.items()})
        first += len(made)
    return parts, fees


def test_fifo_over_thousands_of_graphs_equals_labelled_satoshis():
    random = Random("labelled satoshis")
    for _ in range(1_500):
        graph, values, open_ = random_graph(random, largest=12)
        seed = random.randrange(len(values))
        labels, fees = {}, 0
        for inputs, made in graph:
            *hands, fee = deal([label for output in inputs for label in labels[output]], made)
            fees += sum(fee)
            for hand, value in zip(hands, made, strict=True):
                output = len(labels)
                labels[output] = [output == seed] * value if not inputs or output == seed else hand
        parts, paid = carried(FIFO, graph, values, seed)
        assert {at: part for at, part in parts.items() if part.sat} == parts_of(
            [labels[at] for at in range(len(labels))]
        )
        assert paid == fees
        assert values[seed] == sum(sum(labels[at]) for at in open_ if at != seed) + fees + values[seed] * (
            seed in open_
        )


def test_haircut_over_thousands_of_graphs_equals_fractions_and_never_leaks():
    random = Random("fractions")
    for number in range(1_500):
        graph, values, open_ = random_graph(random, largest=12 if number % 2 else MAX_MONEY // 4)
        seed = random.randrange(len(values))
        amounts, fees = {}, 0
        for inputs, made in graph:
            whole = sum(values[output] for output in inputs)
            weights = [*made, whole - sum(made)] if inputs else [*made, 0]
            *shares, fee = divided(sum(amounts[output] for output in inputs), weights)
            fees += fee
            for share in shares:
                output = len(amounts)
                amounts[output] = values[seed] if output == seed else share
        parts, paid = carried(HAIRCUT, graph, values, seed)
        assert {at: part.sat for at, part in parts.items() if part.sat} == {at: x for at, x in amounts.items() if x}
        assert paid == fees
        assert values[seed] == fees + sum(amounts[at] for at in open_)
