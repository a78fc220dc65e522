"""Counts of the error rates beside plain loops over pairs."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from book import Book
from change_rows import correlation, families_of
from cluster_rows import _purity
from cointrail.cluster.change.rules import BY_ID
from judged import curve
from page import BEGIN, END, put_section
from picture import draw

parts = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), min_size=3, max_size=14)


@given(parts)
def test_purity_is_a_count_of_pairs(cells):
    """Pairs, B-cubed and the court's question against their definitions; a controller of -1 is not told."""
    cluster, controller = (np.array(column, np.int64) for column in zip(*cells, strict=True))
    book = Book()
    told = [(c, o) for c, o in cells if o >= 0]
    if not any(a[0] == b[0] for a, b in combinations(told, 2)):
        return
    _purity(book, "holdout", "x", cluster, SimpleNamespace(controller=controller))
    pairs = [*combinations(told, 2)]
    joined = [(a, b) for a, b in pairs if a[0] == b[0]]
    line = book.line("x", "holdout")
    assert (line.n, line.errors) == (len(joined), sum(a[1] != b[1] for a, b in joined))
    same = [(a, b) for a, b in pairs if a[1] == b[1]]
    if same:
        assert line.recall == pytest.approx(sum(a[0] == b[0] for a, b in same) / len(same), abs=1e-6)

    def share(of, by):
        """Mean, over scripts, of the share of scripts alike in `of` that are alike in `by`, itself included."""
        return np.mean([np.mean([o[by] == t[by] for o in told if o[of] == t[of]]) for t in told])

    assert book.figure("x.bcubed_precision", "holdout") == pytest.approx(share(0, 1))
    assert book.figure("x.bcubed_recall", "holdout") == pytest.approx(share(1, 0))
    strange = {}
    for at, (c, o) in enumerate(told):
        others = [other[1] != o for place, other in enumerate(told) if place != at and other[0] == c]
        if others:
            strange.setdefault(o, []).append(np.mean(others))
    everyone = [each for of_owner in strange.values() for each in of_owner]
    assert book.figure("x.court_by_address", "holdout") == pytest.approx(np.mean(everyone))
    by_owner = np.mean([np.mean(each) for each in strange.values()])
    assert book.figure("x.court_by_entity", "holdout") == pytest.approx(by_owner)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=2, max_size=25))
def test_the_area_is_the_chance_that_change_scores_higher(rows):
    scores, change = np.array([s for s, _ in rows]), np.array([c for _, c in rows])
    found = curve(scores, change)
    true, false = scores[change], scores[~change]
    if not len(true) or not len(false):
        assert np.isnan(found.area)
        return
    wins = [1.0 if t > f else 0.5 if t == f else 0.0 for t in true for f in false]
    assert found.area == pytest.approx(np.mean(wins))
    assert found.points[0] == (0.0, 0.0)
    assert found.points[-1] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("errors", "n", "bound"), [(0, 299, 0.01), (0, 598, 0.005), (0, 2_995, 0.001), (1, 473, 0.01), (3, 7_752, 0.001)]
)
def test_bounds_are_those_of_the_methods(errors, n, bound):
    """The table of METHODS.md 10.5: so many checks are needed, and one less does not do."""
    book = Book()
    book.add("x", "real", "all", n, errors)
    book.add("x", "real", "less", n - 1, errors)
    assert book.line("x", "real").upper_fdr <= bound
    assert book.line("x", "real", "less").upper_fdr >= bound


def test_rows_add_up_over_worlds():
    book = Book()
    book.add("x", "real", "all", 10, 1, found=4, wanted=5)
    book.add("x", "real", "all", 20, 0, found=1, wanted=5)
    book.weigh("f", "real", 0.5, 10)
    book.weigh("f", "real", 1.0, 30)
    line = book.line("x", "real")
    assert (line.n, line.errors, line.precision, line.recall) == (30, 1, pytest.approx(29 / 30, abs=1e-6), 0.5)
    assert book.figure("f", "real") == pytest.approx(0.875)


@pytest.mark.parametrize(
    ("first", "second", "both", "phi"),
    [(0.2, 0.5, 0.1, 0.0), (0.2, 0.2, 0.2, 1.0), (0.5, 0.5, 0.0, -1.0), (0.0, 0.5, 0.0, None)],
)
def test_the_coefficient_tells_how_errors_go_together(first, second, both, phi):
    book = Book()
    for cell, value in (("first wrong", first), ("second wrong", second), ("both wrong", both)):
        book.weigh(f"families.F1&F4.{cell}", "holdout", value, 100)
    found = correlation(book, "F1&F4", "holdout")
    assert found is None if phi is None else found == pytest.approx(phi)


def test_families_of_votes():
    bits = [BY_ID[f"change.C{number}"].bit for number in (4, 6, 7, 8)]
    assert families_of(np.array([0, *bits, bits[0] | bits[3]], np.uint32)).tolist() == [0, 1, 2, 4, 8, 9]


def test_a_section_is_replaced_and_nothing_else():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_section(put_section(page, "x"), "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_picture_has_a_curve_for_each_name():
    one = curve(np.array([0.1, 0.9, 0.4]), np.array([False, True, False]))
    svg = draw({"Left": {"all": one, "p2tr": one}, "Right": {"all": one}})
    assert svg.count('class="curve"') == 3
    assert svg.startswith("<svg ")
