"""N and p: figures that others published, the definition carried out one by one, and what must hold for any amounts."""

from fractions import Fraction
from math import factorial, log2, prod
from random import Random

import plain_linkability as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cointrail.errors import UsageError
from cointrail.trace.linkability.amounts import amounts_of
from cointrail.trace.linkability.exact import count
from cointrail.trace.linkability.links import links_of


def counted(inputs, outputs, between=0):
    """Ours, in the words of the plain count."""
    found = links_of(inputs, outputs, max_cj_fee_sat=between)
    assert found.complete
    ways = [[0] * len(outputs) for _ in inputs]
    for row, vins in zip(found.ways, found.spent.positions, strict=True):
        for each, vouts in zip(row, found.paid.positions, strict=True):
            for vin in vins:
                for vout in vouts:
                    ways[vin][vout] = each
    certain = {(i, o) for i, row in enumerate(ways) for o, each in enumerate(row) if each == found.interpretations}
    spent, paid = found.spent.positions, found.paid.positions
    assert {(i, o) for a, b in found.certain for i in spent[a] for o in paid[b]} == certain
    return plain.Counted(found.interpretations, ways)


def partitions(number, largest=None):
    """Every way to write a number as a sum, largest part first."""
    if number == 0:
        yield ()
    for part in range(min(number, largest or number), 0, -1):
        for rest in partitions(number - part, part):
            yield (part, *rest)


def equal_amounts(number):
    """METHODS.md 6.4: the sum over partitions s of n of n!^2 / (prod s_i!^2 x prod m_j!)."""
    total = Fraction(0)
    for parts in partitions(number):
        often = prod(factorial(parts.count(part)) for part in set(parts))
        total += Fraction(factorial(number) ** 2, prod(factorial(part) ** 2 for part in parts) * often)
    return total


# Figures from elsewhere.


@pytest.mark.parametrize(("number", "known"), [(2, 3), (3, 16), (4, 131), (5, 1_496), (8, 9_934_563)])
def test_equal_amounts_have_the_known_numbers(number, known):
    found = links_of([5] * number, [5] * number)
    assert (found.interpretations, found.entropy_bits) == (known, log2(known))


# Test vectors of the reference program, LaurentMT's boltzmann (the Java port's VectorsTest): interpretations, and for
# every output the number of those that link each input.
PUBLISHED = {
    "two": ([5, 5], [5, 5], 0, 3, [[2, 2]] * 2),
    "three": ([5] * 3, [5] * 3, 0, 16, [[8] * 3] * 3),
    "four": ([5] * 4, [5] * 4, 0, 131, [[53] * 4] * 4),
    "five": ([5] * 5, [5] * 5, 0, 1_496, [[512] * 5] * 5),
    "six": ([5] * 6, [5] * 6, 0, 22_482, [[6_697] * 6] * 6),
    "seven": ([5] * 7, [5] * 7, 0, 426_833, [[112_925] * 7] * 7),
    "eight": ([5] * 8, [5] * 8, 0, 9_934_563, [[2_369_635] * 8] * 8),
    "different": ([10, 10], [8, 2, 3, 7], 0, 3, [[2, 2]] * 4),
    "pairs": ([10, 10], [8, 2, 2, 8], 0, 5, [[3, 3]] * 4),
    "pairs and more": (
        [10, 10, 2],
        [8, 2, 2, 8, 2],
        0,
        28,
        [[16, 16, 7], [13, 13, 14], [13, 13, 14], [16, 16, 7], [13, 13, 14]],
    ),
    "one large": ([5, 5, 10], [5, 5, 10], 0, 9, [[5, 5, 4], [5, 5, 4], [4, 4, 8]]),
    # The fee is as large as an input: it may be nothing but fee.
    "large fee": ([5, 5, 5], [5, 3, 2], 0, 28, [[14] * 3, [13] * 3, [13] * 3]),
    # Transactions 8c5feb90... and 8e563173..., 742d8e11... and 7d588d52... of mainnet.
    "ambiguous": ([4_900_000_000, 100_000_000], [4_900_000_000, 100_000_000], 0, 2, [[2, 1], [1, 2]]),
    "first coinjoin": (
        [10_000_000, 1_380_000],
        [100_000, 9_850_000, 100_000, 1_270_000],
        0,
        3,
        [[2, 2], [3, 1], [2, 2], [1, 3]],
    ),
    "joinmarket": (
        [260_994_463, 98_615_817, 84_911_243, 20_112_774, 79_168_410],
        [14_868_890, 84_077_613, 84_077_613, 15_369_204, 177_252_160, 84_077_613, 84_077_613],
        0,
        1,
        [[1] * 5] * 7,
    ),
    "joinmarket with fees": (
        [260_994_463, 98_615_817, 84_911_243, 79_168_410, 20_112_774],
        [177_252_160, 84_077_613, 84_077_613, 84_077_613, 84_077_613, 15_369_204, 14_868_890],
        420_388,
        95,
        [[95, 9, 25, 11, 11], *[[35, 38, 46, 33, 33]] * 4, [9, 27, 43, 73, 73], [11, 73, 21, 27, 27]],
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors(name):
    inputs, outputs, between, interpretations, by_output = PUBLISHED[name]
    found = counted(inputs, outputs, between)
    assert found.interpretations == interpretations
    assert [list(column) for column in zip(*found.ways, strict=True)] == by_output


def test_a_published_entropy():
    found = links_of([2_999_808, 2_999_854], [427_566, 427_566, 2_571_867, 2_572_242])
    assert found.entropy_bits == pytest.approx(2.321928094887362)


@pytest.mark.parametrize("number", [6, 12, 20, 30])
def test_the_formula_for_equal_amounts(number):
    """The last ones pass 64 and 128 bits."""
    assert links_of([7] * number, [7] * number).interpretations == equal_amounts(number)


@pytest.mark.parametrize("number", [5, 9, 14])
def test_inputs_that_differ_by_their_fee_count_as_equal_ones(number):
    """As in a Whirlpool mix; of 14 x 14 there are more than 2^53, counted over 2^14 sets."""
    inputs = [1_000_000 + 17 * place * place for place in range(number)]
    found = links_of(inputs, [1_000_000] * number)
    assert found.interpretations == equal_amounts(number)
    assert len({ways for row in found.ways for ways in row}) == 1


# Against the definition, one by one.


def random_case(random, most):
    """Small amounts, so that many sums meet; sometimes values of 0, sometimes fees between participants."""
    largest = random.choice((3, 6, 20, 100))
    inputs = [random.randint(1, largest) for _ in range(random.randint(1, most))]
    outputs = []
    for _ in range(random.randint(1, most)):
        outputs.append(random.randint(1, max(1, min(largest, sum(inputs) - sum(outputs)))))
        if sum(outputs) >= sum(inputs):
            break
    for side in (inputs, outputs):
        if random.random() < 0.1:
            side.insert(random.randrange(len(side) + 1), 0)
    return inputs, outputs, random.choice((0, 0, 0, 1, 2, 5, 50))


@pytest.mark.parametrize(("seed", "most", "cases"), [(1, 3, 1_500), (2, 4, 1_000), (3, 5, 60)])
def test_thousands_of_small_transactions(seed, most, cases):
    random = Random(seed)
    seen = set()
    for _ in range(cases):
        inputs, outputs, between = random_case(random, most)
        found = counted(inputs, outputs, between)
        assert found == plain.count(inputs, outputs, between), (inputs, outputs, between)
        seen.add(found.interpretations)
    assert len(seen) > 12


def test_few_inputs_and_many_outputs():
    random = Random(4)
    for _ in range(4):
        inputs = [random.randint(50, 90) for _ in range(2)]
        outputs = [random.randint(1, 12) for _ in range(9)]
        assert counted(inputs, outputs) == plain.count(inputs, outputs)
    for _ in range(4):
        inputs = [random.randint(5, 12) for _ in range(8)]
        outputs = [random.randint(10, 18) for _ in range(2)]
        assert counted(inputs, outputs) == plain.count(inputs, outputs)


# Properties.

amounts = st.lists(st.integers(1, 60), min_size=2, max_size=8)


@st.composite
def transactions(draw):
    outputs = draw(amounts)
    inputs = draw(amounts)
    lacking = sum(outputs) - sum(inputs)
    return [*inputs, lacking] if lacking > 0 else inputs, outputs


@given(transactions(), st.randoms(use_true_random=False))
def test_order_and_unit_do_not_matter(transaction, random):
    inputs, outputs = transaction
    found = counted(inputs, outputs)
    by_input, by_output = (random.sample(range(len(side)), len(side)) for side in transaction)
    turned = counted([inputs[i] for i in by_input], [outputs[o] for o in by_output])
    assert turned.interpretations == found.interpretations
    assert turned.ways == [[found.ways[i][o] for o in by_output] for i in by_input]
    assert counted([1_000 * each for each in inputs], [1_000 * each for each in outputs]) == found


@given(transactions())
def test_bounds_of_every_count(transaction):
    inputs, outputs = transaction
    found = links_of(inputs, outputs)
    for i in range(len(found.spent.values)):
        for o in range(len(found.paid.values)):
            assert 0 < found.probability(i, o) <= 1
    for o, value in enumerate(found.paid.values):
        # Whoever pays an output has as much: on average over all interpretations at least its value.
        paid = sum(
            found.probability(i, o) * value_in * number
            for i, (value_in, number) in enumerate(zip(found.spent.values, found.spent.counts, strict=True))
        )
        assert paid >= value


@given(transactions(), st.integers(0, 200))
def test_fees_between_participants_only_add(transaction, between):
    inputs, outputs = transaction
    found = [links_of(inputs, outputs, max_cj_fee_sat=each).interpretations for each in (0, between, between + 7)]
    assert found == sorted(found)


# What has nothing to tell apart, and what is not counted.


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [([], [50]), ([9], [1, 2, 3]), ([1, 2, 9], [5]), ([9, 9], []), ([9, 9], [0]), ([5, 0], [2, 3])],
)
def test_nothing_to_tell_apart(inputs, outputs):
    found = links_of(inputs, outputs)
    assert (found.interpretations, found.entropy_bits, found.reason) == (1, 0.0, "")
    assert found.certain_are_all
    assert len(found.certain) == len(set(inputs) - {0}) * len(set(outputs) - {0})


def test_a_payout_of_seventy_thousand_outputs():
    found = links_of([3_000_000_000], range(1, 70_001))
    assert (found.interpretations, len(found.certain)) == (1, 70_000)
    found = links_of([3_000_000_000, 10], range(1, 70_001))
    assert "70,000 outputs of 70,000 make more than 1,048,576 different sets" in found.reason
    assert found.certain == tuple((0, o) for o in range(70_000 - 10))


def test_what_takes_too_much_is_not_counted():
    random = Random(6)
    inputs = [random.randint(10**6, 10**8) for _ in range(12)]
    outputs = [random.randint(10**5, 10**6) for _ in range(12)]
    found = links_of(inputs, outputs)
    assert (found.interpretations, found.ways, found.entropy_bits) == (None, (), None)
    assert found.probability(0, 0) is None
    assert found.reason == "more than 4,000,000,000 steps"
    assert links_of([7] * 5_000, [7] * 5_000).reason == "N may have more than 14,000 binary digits"
    many = links_of(inputs + inputs[:3], outputs + outputs[:3])
    assert "residues are more than the" in many.reason


def test_the_effort_is_the_same_every_time():
    """Half of it is not enough, and it is no matter of speed."""
    inputs, outputs = [5, 6, 7, 8, 9], [4, 4, 5, 6, 7]
    least = next(steps for steps in range(0, 100_000, 50) if links_of(inputs, outputs, most_steps=steps).complete)
    assert least > 500
    assert links_of(inputs, outputs, most_steps=least - 50).reason == f"more than {least - 50:,} steps"
    assert isinstance(count(amounts_of(inputs), amounts_of(outputs), 0, least // 2), str)


def test_what_cannot_be_is_refused():
    for arguments in (
        {"max_cj_fee_sat": -1},
        {"max_cj_fee_sat": 21 * 10**14 + 1},
        {"most_steps": -1},
    ):
        with pytest.raises(UsageError, match=r"between participants|steps"):
            links_of([5, 5], [5, 4], **arguments)
    with pytest.raises(UsageError, match="outputs of 11 sat cannot be paid"):
        links_of([5, 5], [5, 6])
