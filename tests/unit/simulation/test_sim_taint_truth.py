"""The truth's taint against a second computation that knows every single satoshi, and its bounds against all cuts."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.simulation.flows import Flows
from cointrail.simulation.plot.taint_truth import RULES, Bounds, Taint, TaintTruth


@dataclass
class Columns:
    """A chain of hand-made transactions: ([outputs spent], [values made])."""

    first_input: list[int] = field(default_factory=lambda: [0])
    first_output: list[int] = field(default_factory=lambda: [0])
    spent: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    output_transactions: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, *transactions):
        chain = cls()
        for number, (spent, values) in enumerate(transactions):
            chain.spent += spent
            chain.values += values
            chain.output_transactions += [number] * len(values)
            chain.first_input.append(len(chain.spent))
            chain.first_output.append(len(chain.values))
        return chain

    def transactions(self):
        for number in range(len(self.first_input) - 1):
            spent = self.spent[self.first_input[number] : self.first_input[number + 1]]
            yield spent, list(range(self.first_output[number], self.first_output[number + 1]))


# The second computation: every satoshi has a mark, amounts are fractions.


def satoshi_by_satoshi(chain, sources, targets, rule):
    """FIFO and LIFO with one list entry for each satoshi."""
    marks, traced, fee = {}, 0, 0
    for spent, made in chain.transactions():
        line = []
        for output in spent if rule == "fifo" else reversed(spent):
            line += marks[output] if rule == "fifo" else marks[output][::-1]
        coinbase = not spent
        for output in made:
            value = chain.values[output]
            piece = [False] * value if coinbase else line[:value]
            line = line[value:]
            if output in sources:
                piece = [True] * value
            marks[output] = piece if rule == "fifo" else piece[::-1]
            if output in targets:
                traced += sum(marks[output])
                marks[output] = [False] * value
        fee += sum(line)
    return traced, fee


def amount_by_amount(chain, sources, targets, rule):
    """Haircut by exact fractions, rounded by largest remainder; TIHO by always filling the largest open output."""
    amounts, traced, fee = {}, 0, 0
    for spent, made in chain.transactions():
        values = [chain.values[output] for output in made]
        total = sum(chain.values[output] for output in spent)
        tainted = sum(amounts[output] for output in spent)
        values.append(total - sum(values))
        if not spent:
            parts = [0] * len(values)
        elif rule == "haircut":
            exact = [Fraction(tainted * value, total) if total else Fraction(0) for value in values]
            parts = [int(each) for each in exact]
            while sum(parts) < tainted:
                gaps = [each - part for each, part in zip(exact, parts, strict=True)]
                parts[gaps.index(max(gaps))] += 1
        else:
            parts, open_outputs = [0] * len(values), list(range(len(made)))
            while tainted and open_outputs:
                best = max(open_outputs, key=lambda place: (values[place], -place))
                open_outputs.remove(best)
                parts[best] = min(tainted, values[best])
                tainted -= parts[best]
            parts[-1] = tainted
        for output, part in zip(made, parts, strict=False):
            amounts[output] = chain.values[output] if output in sources else part
            if output in targets:
                traced += amounts[output]
                amounts[output] = 0
        fee += parts[-1] if spent else 0
    return traced, fee


def reach(chain, sources, targets):
    poisoned, unspent, traced, fee = set(), set(sources), 0, 0
    for spent, made in chain.transactions():
        unspent -= set(spent)
        hit = any(output in poisoned for output in spent)
        if hit:
            fee += sum(chain.values[output] for output in spent) - sum(chain.values[output] for output in made)
        for output in made:
            if hit or output in sources:
                if output in targets:
                    traced += chain.values[output]
                    unspent.discard(output)
                else:
                    poisoned.add(output)
                    unspent.add(output)
    return traced, sum(chain.values[output] for output in unspent & poisoned), fee


def expected(chain, sources, targets, rule):
    total = sum(chain.values[output] for output in sources)
    if rule == "poison":
        return Taint(total, *reach(chain, sources, targets))
    compute = satoshi_by_satoshi if rule in ("fifo", "lifo") else amount_by_amount
    traced, fee = compute(chain, sources, targets, rule)
    return Taint(total, traced, total - traced - fee, fee)


def least_cut(chain, sources, targets, start):
    """Minimum over all ways to split the transactions between the start and the target."""
    count = len(chain.first_input) - 1
    spenders = {output: number for number, (spent, _) in enumerate(chain.transactions()) for output in spent}
    arcs = []
    for number, (spent, made) in enumerate(chain.transactions()):
        for output in made:
            tail = "source" if output in sources else number if spent else "clean"
            head = "target" if output in targets else spenders.get(output)
            if head is not None:
                arcs.append((tail, head, chain.values[output]))
            if output in targets and output in spenders:  # what was counted is clean from there on
                arcs.append(("clean", spenders[output], chain.values[output]))
    best = None
    for sides in product((False, True), repeat=count):
        side = {start: True, "target": False, **dict(enumerate(sides))}
        cut = sum(value for tail, head, value in arcs if side.get(tail, False) and not side[head])
        best = cut if best is None else min(best, cut)
    return best


def expected_bounds(chain, sources, targets):
    value = sum(chain.values[output] for output in targets)
    return Bounds(
        max(0, value - least_cut(chain, sources, targets, "clean")), least_cut(chain, sources, targets, "source")
    )


@st.composite
def cases(draw):
    """A chain of up to eight transactions with small values, some sources and some targets."""
    unspent, transactions, values = [], [], []
    for _ in range(draw(st.integers(2, 8))):
        spent = []
        if unspent and draw(st.integers(0, 3)):
            chosen = draw(st.lists(st.sampled_from(unspent), min_size=1, max_size=4, unique=True))
            spent = chosen
            unspent = [output for output in unspent if output not in chosen]
        left = sum(values[output] for output in spent) if spent else draw(st.integers(1, 40))
        made = []
        for _ in range(draw(st.integers(1, 4))):
            value = draw(st.integers(0, left))
            made.append(value)
            left -= value
        unspent += range(len(values), len(values) + len(made))
        values += made
        transactions.append((spent, made))
    outputs = st.sets(st.integers(0, len(values) - 1), min_size=1, max_size=4)
    return Columns.of(*transactions), draw(outputs), draw(outputs)


@given(cases())
def test_five_rules_equal_a_computation_of_every_satoshi(case):
    chain, sources, targets = case
    asking = TaintTruth(chain)
    for rule in RULES:
        assert asking.taint(sources, targets, rule) == expected(chain, sources, targets, rule), rule


@given(cases())
def test_bounds_are_the_least_cuts(case):
    chain, sources, targets = case
    assert TaintTruth(chain).bounds(sources, targets) == expected_bounds(chain, sources, targets)


@given(cases())
def test_conserving_rules_lie_within_the_bounds_and_below_poison(case):
    chain, sources, targets = case
    asking = TaintTruth(chain)
    limits, poison = asking.bounds(sources, targets), asking.taint(sources, targets, "poison")
    assert limits.upper_sat <= poison.traced_sat
    if limits.upper_sat or 0 not in chain.values:  # an output of no value poisons and carries nothing
        assert (limits.upper_sat > 0) == (poison.traced_sat > 0)
    for rule in RULES[1:]:
        found = asking.taint(sources, targets, rule)
        assert found.traced_sat + found.untraced_sat + found.fee_sat == found.total_sat
        assert found.untraced_sat >= 0
        assert limits.lower_sat <= found.traced_sat <= limits.upper_sat


# By hand. Outputs are numbered in order: 0 and 1 are coinbases, then what is made of them.

MIX = Columns.of(([], [60]), ([], [40]), ([0, 1], [30, 65]))


@pytest.mark.parametrize(
    ("rule", "traced", "fee"),
    [("haircut", 18, 3), ("fifo", 30, 0), ("lifo", 0, 5), ("tiho", 0, 0), ("poison", 30, 5)],
)
def test_one_transaction_of_two_coins(rule, traced, fee):
    found = TaintTruth(MIX).taint([0], [2], rule)
    assert (found.total_sat, found.traced_sat, found.fee_sat) == (60, traced, fee)


def test_bounds_of_one_transaction():
    asking = TaintTruth(MIX)
    assert asking.bounds([0], [3]) == Bounds(25, 60)
    assert asking.bounds([0], [2]) == Bounds(0, 30)
    assert asking.bounds([0], [2, 3]) == Bounds(55, 60)


def test_haircut_gives_the_odd_satoshi_to_the_largest_remainder_then_to_the_first():
    chain = Columns.of(([], [1]), ([], [2]), ([0, 1], [1, 1, 1]))
    asking = TaintTruth(chain)
    assert [asking.taint([0], [output], "haircut").traced_sat for output in (2, 3, 4)] == [1, 0, 0]
    assert [asking.taint([1], [output], "haircut").traced_sat for output in (2, 3, 4)] == [1, 1, 0]


def test_tiho_fills_the_largest_output_first_and_equal_ones_by_index():
    chain = Columns.of(([], [7]), ([], [8]), ([0, 1], [4, 5, 5]))
    asking = TaintTruth(chain)
    assert [asking.taint([0], [output], "tiho").traced_sat for output in (2, 3, 4)] == [0, 5, 2]


def test_a_target_that_is_a_source_is_wholly_traced_and_goes_no_further():
    chain = Columns.of(([], [10]), ([0], [10]), ([1], [9]))
    for rule in RULES:
        assert TaintTruth(chain).taint([0], [0, 2], rule) == Taint(10, 10, 0, 0)
    assert TaintTruth(chain).bounds([0], [0, 2]) == Bounds(10, 10)


def test_taint_that_comes_back_to_a_source_is_not_counted_twice():
    # 0 -> 1 and 2; 1 is a source too, fed by 0; target 3 gets all of 1.
    chain = Columns.of(([], [10]), ([0], [6, 4]), ([1], [6]))
    for rule in RULES[1:]:
        found = TaintTruth(chain).taint([0, 1], [3], rule)
        assert (found.total_sat, found.traced_sat) == (16, 6)
    assert TaintTruth(chain).bounds([0, 1], [3]) == Bounds(6, 6)


def test_amounts_beyond_64_bits_of_product_stay_exact():
    whole = 21 * 10**14
    chain = Columns.of(([], [whole]), ([], [whole - 1]), ([0, 1], [whole - 3, whole - 2]))
    total = 2 * whole - 1
    exact = [Fraction(whole * value, total) for value in (whole - 3, whole - 2, 4)]
    found = TaintTruth(chain).taint([0], [2], "haircut").traced_sat
    assert abs(found - exact[0]) < 1


def test_nothing_reaches_a_target_before_the_source():
    chain = Columns.of(([], [10]), ([0], [10]), ([], [5]))
    for rule in RULES:
        assert TaintTruth(chain).taint([2], [1], rule).traced_sat == 0
    assert TaintTruth(chain).bounds([2], [1]) == Bounds(0, 0)


def test_an_empty_chain_and_empty_sets():
    assert TaintTruth(Flows()).taint([], [], "fifo") == Taint(0, 0, 0, 0)
    assert TaintTruth(MIX).taint([], [2], "poison") == Taint(0, 0, 0, 0)
    assert TaintTruth(MIX).bounds([], [2]) == Bounds(0, 0)
    assert TaintTruth(MIX).bounds([0], []) == Bounds(0, 0)
