"""The compiled division of one transaction: what fractions say, and no satoshi is lost or made."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_profile import parts

from cointrail.kernels.profile.payments import NOBODY, OTHERS, OWN, Side, payments, room

MOST = 21 * 10**14
SAT = st.one_of(st.integers(0, 9), st.integers(0, 10**9), st.integers(0, MOST // 40))


@st.composite
def transactions(draw):
    """(inputs, outputs) of (value, whose); outputs are paid from the inputs, at least one side has the wallet's."""
    inputs = draw(st.lists(st.tuples(SAT, st.sampled_from([OTHERS, OWN])), min_size=1, max_size=40))
    total = sum(value for value, _ in inputs)
    kinds = draw(st.lists(st.sampled_from([OTHERS, OWN, NOBODY]), min_size=1, max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=len(kinds), max_size=len(kinds))))
    values = [high - low for low, high in zip([0, *cuts], cuts, strict=False)]
    return inputs, list(zip(values, kinds, strict=True))


def side(rows):
    first = np.concatenate([[0], np.cumsum([len(each) for each in rows])]).astype(np.int64)
    flat = [cell for each in rows for cell in each]
    values = np.array([value for value, _ in flat], np.int64)
    return Side(first, values, np.arange(len(flat), dtype=np.uint32), np.array([whose for _, whose in flat], np.uint8))


def expected(inputs, outputs):
    """(payments as (received, sent), change, fee, nobody)."""
    spent = sum(value for value, whose in inputs if whose == OWN)
    came = sum(value for value, whose in outputs if whose == OWN)
    total = sum(value for value, _ in inputs)
    back = came * spent // total if total else 0
    rows, fee, nobody = [], 0, 0
    if any(whose == OWN for _, whose in outputs):
        rows += [(part, 0) for part in parts(came - back, [value for value, whose in inputs if whose != OWN])]
    if any(whose == OWN for _, whose in inputs):
        others = [(value, whose) for value, whose in outputs if whose != OWN]
        left = total - sum(value for value, _ in outputs)
        *sent, fee = parts(spent - back, [*(value for value, _ in others), left])
        for part, (_, whose) in zip(sent, others, strict=True):
            if whose == NOBODY:
                nobody += part
            else:
                rows.append((0, part))
    return rows, back, fee, nobody


@settings(max_examples=300)
@given(chain=st.lists(transactions(), min_size=1, max_size=6))
def test_the_kernel_divides_as_fractions_do(chain):
    came, left = side([inputs for inputs, _ in chain]), side([outputs for _, outputs in chain])
    found = room(len(came.value) + len(left.value))
    change, fee, nobody = (np.empty(len(chain), np.int64) for _ in range(3))
    count = payments(came, left, found, change, fee, nobody)
    places = found.place[:count].tolist()
    assert places == sorted(places)
    for place, (inputs, outputs) in enumerate(chain):
        rows = [row for row in range(count) if places[row] == place]
        pairs = [(int(found.received[row]), int(found.sent[row])) for row in rows]
        assert (pairs, change[place], fee[place], nobody[place]) == expected(inputs, outputs)
        spent = sum(value for value, whose in inputs if whose == OWN)
        received = sum(value for value, whose in outputs if whose == OWN)
        assert change[place] + sum(pair[0] for pair in pairs) == received or not any(w == OWN for _, w in outputs)
        assert change[place] + fee[place] + nobody[place] + sum(pair[1] for pair in pairs) == spent
        assert [bool(found.receipt[row]) for row in rows] == sorted(bool(found.receipt[row]) for row in rows)[::-1]


def test_all_inputs_are_the_wallets_or_none_is():
    """What the rule comes to in the two plain cases: the outputs' own values, and all of what was received."""
    sends = ([(70, OWN), (30, OWN)], [(50, OTHERS), (40, OWN), (3, NOBODY)])
    receives = ([(60, OTHERS), (40, OTHERS)], [(10, OWN), (89, OTHERS)])
    came, left = side([sends[0], receives[0]]), side([sends[1], receives[1]])
    found, spare = room(9), [np.empty(2, np.int64) for _ in range(3)]
    count = payments(came, left, found, *spare)
    assert found.sent[:count].tolist() == [50, 0, 0]
    assert found.received[:count].tolist() == [0, 6, 4]
    assert [each.tolist() for each in spare] == [[40, 0], [7, 0], [3, 0]]
