"""The parts of the layout against methods written by others, or by hand."""

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from cointrail.reports.drawing.crossings import ordered
from cointrail.reports.drawing.lanes import Item, Lanes, Stretch
from cointrail.reports.drawing.places import _isotonic
from cointrail.reports.graph import Basis


@given(st.lists(st.tuples(st.integers(-10_000, 10_000), st.integers(1, 50)), min_size=1, max_size=40))
def test_the_best_places_are_an_isotonic_regression(pairs):
    wanted, weights = map(list, zip(*pairs, strict=True))
    found = _isotonic(wanted, weights)
    expected = isotonic_regression(np.array(wanted, float), sample_weight=np.array(weights, float))
    assert np.abs(np.array(found) - expected).max() <= 1  # integers, rounded down
    assert found == sorted(found)


def two_columns(left, right, pairs):
    items = [Item(0)] * left + [Item(1)] * right
    stretches = [Stretch(a, left + b, Basis.FACT) for a, b in pairs]
    return Lanes(items, stretches, {}, {})


def crossings(columns, stretches):
    place = {item: at for column in columns for at, item in enumerate(column)}
    ends = [(place[each.left], place[each.right]) for each in stretches]
    return sum((a - c) * (b - d) < 0 for at, (a, b) in enumerate(ends) for c, d in ends[at + 1 :])


@settings(max_examples=200)
@given(st.data())
def test_the_order_never_has_more_crossings_than_the_one_it_began_with(data):
    left, right = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    pair = st.tuples(st.integers(0, left - 1), st.integers(0, right - 1))
    lanes = two_columns(left, right, data.draw(st.lists(pair, max_size=12, unique=True)))
    found = ordered(lanes)
    assert sorted(found[0]) == list(range(left))
    began = [list(range(left)), list(range(left, left + right))]
    assert crossings(found, lanes.stretches) <= crossings(began, lanes.stretches)


def test_what_can_be_drawn_without_crossings_is():
    for turned in permutations(range(5)):
        lanes = two_columns(5, 5, list(enumerate(turned)))
        assert crossings(ordered(lanes), lanes.stretches) == 0


def test_trees_are_drawn_without_crossings():
    lanes = two_columns(3, 7, [(0, 6), (0, 2), (1, 0), (1, 4), (2, 1), (2, 3), (2, 5)])
    assert crossings(ordered(lanes), lanes.stretches) == 0
