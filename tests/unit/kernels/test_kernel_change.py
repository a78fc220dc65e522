"""What became of outputs, over random columns, against searches that look at every row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cointrail.kernels.signs.change import (
    found_in_item,
    funders,
    paid_again,
    spending_inputs,
    transaction_of,
    transactions_between,
)

counts = st.lists(st.integers(0, 5), min_size=1, max_size=400)


def starts(numbers):
    return np.concatenate([[0], np.cumsum(numbers)[:-1]]).astype(np.int64)


@given(st.lists(st.one_of(st.integers(1, 4), st.just(1_000)), min_size=1, max_size=400), st.data())
def test_the_transaction_of_a_row(numbers, data):
    """Even spread or not: a block of payouts makes the guesses miss."""
    first = starts(numbers)
    row = data.draw(st.integers(0, sum(numbers) - 1))
    want = int(np.searchsorted(first, row, "right")) - 1
    low = data.draw(st.integers(0, want))
    high = data.draw(st.integers(want, len(numbers) - 1))
    assert transaction_of(first, row, low, high) == want


@st.composite
def ledgers(draw):
    """Inputs and outputs of transactions, who spends what, and which script each output pays."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(1, 120))
    outputs = random.integers(1, 5, size)
    first_output, total = starts(outputs), int(outputs.sum())
    free, spent, inputs = [], [], []
    for tx in range(size):
        taken = min(len(free), int(random.integers(0, 4)))
        inputs.append(max(taken, 1))
        if not taken:
            spent.append(-1)
        spent += [free.pop(int(random.integers(len(free)))) for _ in range(taken)]
        free += range(first_output[tx], first_output[tx] + outputs[tx])
    spent = np.array(spent, np.int64)
    link = np.full(total, -1, np.int64)
    link[spent[spent >= 0]] = np.flatnonzero(spent >= 0)
    return random, starts(inputs), spent, first_output, link, random.integers(0, 12, total)


@given(ledgers())
def test_spenders_as_of_a_horizon(ledger):
    random, first_input, spent, first_output, link, _ = ledger
    output = random.integers(0, len(link), 60)
    made = np.searchsorted(first_output, output, "right") - 1
    horizon = np.minimum(made + random.integers(0, 40, 60), len(first_input) - 1)
    stale = random.random(len(link)) < 0.1  # links of rows that do not point back
    damaged = np.where(stale, random.integers(0, len(spent) + 5, len(link)), link)
    inputs, found = np.empty(60, np.int64), np.empty(60, np.int64)
    spending_inputs(output, horizon, damaged, spent, first_input, inputs)
    transactions_between(inputs, made, horizon, first_input, found)
    for row, last, input_index, seen in zip(output, horizon, inputs, found, strict=True):
        at = damaged[row]
        valid = 0 <= at < len(spent) and spent[at] == row
        spender = int(np.searchsorted(first_input, at, "right")) - 1 if valid else -1
        assert seen == (spender if 0 <= spender <= last else -1)
        assert input_index == (at if seen >= 0 else -1)


@given(ledgers(), st.data())
def test_funders_of_a_batch(ledger, data):
    _, first_input, spent, first_output, _, _ = ledger
    size = len(first_input)
    first = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(first, size))
    end_input = int(first_input[end]) if end < size else len(spent)
    pairs = np.empty((2, end_input - int(first_input[first])), np.int64)
    count = funders(first, first_input[first:end], end_input, spent, first_output, pairs[0], pairs[1])
    bounds = [*first_input.tolist(), len(spent)]
    want = [
        (horizon, funder)
        for horizon in range(first, end)
        for funder in sorted(
            {
                int(np.searchsorted(first_output, output, "right")) - 1
                for output in spent[bounds[horizon] : bounds[horizon + 1]]
                if output >= 0
            }
        )
    ]
    assert list(zip(pairs[1, :count].tolist(), pairs[0, :count].tolist(), strict=True)) == want


@given(ledgers())
def test_scripts_that_are_paid_again(ledger):
    random, _, _, first_output, link, script = ledger
    total = len(link)
    previous = np.full(total, -1, np.int64)
    newest = {}
    for row, paid in enumerate(script.tolist()):
        previous[row] = newest.get(paid, -1)
        newest[paid] = row
    output = random.integers(0, total, 60)
    made = np.searchsorted(first_output, output, "right") - 1
    bounds = np.append(first_output, total)
    following = bounds[made + 1]
    end = bounds[np.minimum(made + random.integers(0, 40, 60), len(first_output) - 1) + 1]
    again = np.empty(60, np.bool_)
    last = np.array([newest[int(script[row])] for row in output])
    paid_again(output, last, following, end, previous, again)
    for row, begin, stop, seen in zip(output, following, end, again, strict=True):
        assert seen == (script[row] in script[begin:stop])


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6))), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)))
)
def test_what_outputs_and_inputs_share(outputs, inputs):
    outputs, inputs = sorted(outputs, key=lambda pair: pair[0]), sorted(inputs, key=lambda pair: pair[0])
    left = np.array(outputs, np.int64).reshape(-1, 2)
    right = np.array(inputs, np.int64).reshape(-1, 2)
    found = np.empty(len(outputs), np.bool_)
    found_in_item(left[:, 0].copy(), left[:, 1].copy(), right[:, 0].copy(), right[:, 1].copy(), found)
    assert found.tolist() == [pair in inputs for pair in outputs]
