"""The value rules against Python integers, which cannot wrap: every reason, and sums beyond 64 bits."""

from dataclasses import dataclass

import numpy as np
import pytest
from effort import amount, examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.kernels import checks

COIN = 100_000_000
SUBSIDY = 50 * COIN
OVERFLOW = 9_223_372_036_854_277_039  # 92,233,720,368.54277039 BTC, twice in block 74638 (CVE-2010-5139)


@dataclass
class Payment:
    """A transaction: values it spends, and (value, spendable) of its outputs."""

    spent: list[int]
    outputs: list[tuple[int, bool]]


Chain = list[list[Payment]]


def pay(spent: list[int], *values: int) -> Payment:
    return Payment(spent, [(value, True) for value in values])


def coinbase(*values: int) -> Payment:
    return pay([0], *values)


def run_kernel(chain: Chain, subsidies: list[int]) -> tuple[tuple[int, int, int], list[list[int]]]:
    transactions = [payment for block in chain for payment in block]
    outputs = [output for payment in transactions for output in payment.outputs]
    first_tx = np.concatenate(([0], np.cumsum([len(block) for block in chain]))).astype(np.int64)
    first_input = np.concatenate(([0], np.cumsum([len(p.spent) for p in transactions]))).astype(np.int64)
    first_output = np.concatenate(([0], np.cumsum([len(p.outputs) for p in transactions]))).astype(np.int64)
    results = [np.full(len(chain), -77, np.int64) for _ in range(4)]
    verdict = checks.check_values(
        first_tx,
        first_input,
        first_output,
        np.array([value for value, _ in outputs], np.uint64).astype(np.int64),
        np.array([spendable for _, spendable in outputs], np.bool_),
        np.array([value for payment in transactions for value in payment.spent], np.int64),
        np.array(subsidies, np.int64),
        *results,
    )
    return tuple(map(int, verdict)), [result.tolist() for result in results]


def plain_check(chain: Chain, subsidies: list[int]) -> tuple[tuple[int, int, int], list[list[int]]]:
    """The rules as Core states them (CheckTransaction, CheckTxInputs, ConnectBlock), in Python integers."""
    sums: list[list[int]] = [[], [], [], []]
    transaction = 0
    for number, (block, subsidy) in enumerate(zip(chain, subsidies, strict=True)):
        fees = change = change_value = 0
        first = transaction
        for place, payment in enumerate(block):
            where = (number, transaction)
            transaction += 1
            total = 0
            for value, spendable in payment.outputs:
                if not value <= MAX_MONEY:  # as a signed number of 64 bits it may be negative: also refused
                    return (checks.OUTPUT_TOO_LARGE, *where), sums
                total += value
                if total > MAX_MONEY:
                    return (checks.OUTPUTS_TOO_LARGE, *where), sums
                change += spendable
                change_value += value * spendable
            if place == 0:
                claimed = total
                continue
            if sum(payment.spent) > MAX_MONEY:
                return (checks.INPUTS_TOO_LARGE, *where), sums
            if total > sum(payment.spent):
                return (checks.OVERSPEND, *where), sums
            change -= len(payment.spent)
            change_value -= sum(payment.spent)
            fees += sum(payment.spent) - total
        if claimed > subsidy + fees:
            return (checks.CLAIMS_TOO_MUCH, number, first), sums
        for column, value in zip(sums, (fees, subsidy + fees - claimed, change, change_value), strict=True):
            column.append(value)
    return (checks.SOUND, -1, -1), sums


def compare(chain: Chain, subsidies: list[int] | None = None) -> int:
    subsidies = subsidies or [SUBSIDY] * len(chain)
    verdict, sums = run_kernel(chain, subsidies)
    wanted, wanted_sums = plain_check(chain, subsidies)
    assert verdict == wanted
    sound_blocks = len(chain) if verdict[1] < 0 else verdict[1]
    assert [column[:sound_blocks] for column in sums] == [column[:sound_blocks] for column in wanted_sums]
    return verdict[0]


VALUES = st.one_of(
    st.integers(0, 10 * COIN),
    st.sampled_from([0, 1, MAX_MONEY - 1, MAX_MONEY, MAX_MONEY + 1, OVERFLOW, 2**63 - 1, 2**63, 2**64 - 1]),
)
SMALL = st.integers(0, 10 * COIN)
SPENT = st.one_of(SMALL, st.sampled_from([MAX_MONEY, MAX_MONEY - 1]))


@st.composite
def payments(draw: st.DrawFn, *, sound: bool) -> Payment:
    spent = draw(st.lists(SMALL if sound else SPENT, min_size=1, max_size=4))
    flags = draw(st.lists(st.booleans(), min_size=1, max_size=4))
    if not sound:
        return Payment(spent, [(draw(VALUES), flag) for flag in flags])
    left, outputs = sum(spent), []
    for flag in flags:
        value = draw(st.integers(0, left))
        left -= value
        outputs.append((value, flag))
    return Payment(spent, outputs)


@st.composite
def sound_chains(draw: st.DrawFn) -> tuple[Chain, list[int]]:
    chain, subsidies = [], []
    for _ in range(draw(st.integers(1, 4))):
        others = draw(st.lists(payments(sound=True), max_size=5))
        fees = sum(sum(p.spent) - sum(value for value, _ in p.outputs) for p in others)
        subsidies.append(draw(st.sampled_from([SUBSIDY, SUBSIDY // 2, 1, 0])))
        claim = draw(st.integers(0, subsidies[-1] + fees))
        chain.append([Payment([0], [(claim, draw(st.booleans()))]), *others])
    return chain, subsidies


@examples(150, plain=60)
@given(sound_chains())
def test_sound_chains_add_up(drawn):
    chain, subsidies = drawn
    assert compare(chain, subsidies) == checks.SOUND


@examples(150, plain=60)
@given(sound_chains(), st.data())
def test_one_satoshi_more_is_too_much(drawn, data):
    chain, subsidies = drawn
    number = data.draw(st.integers(0, len(chain) - 1))
    block = chain[number]
    place = data.draw(st.integers(0, len(block) - 1))
    payment = block[place]
    limit = sum(payment.spent)
    if place == 0:
        limit = subsidies[number] + sum(sum(p.spent) - sum(v for v, _ in p.outputs) for p in block[1:])
    payment.outputs.append((limit - sum(value for value, _ in payment.outputs) + 1, True))
    code = compare(chain, subsidies)
    assert code == (checks.OVERSPEND if place else checks.CLAIMS_TOO_MUCH)


@examples(250, plain=100)
@given(
    st.lists(
        st.tuples(st.lists(VALUES, min_size=1, max_size=3), st.lists(payments(sound=False), max_size=3)),
        min_size=1,
        max_size=3,
    )
)
def test_any_values_get_the_verdict_of_python_integers(blocks):
    compare([[coinbase(*values), *others] for values, others in blocks])


def test_block_74638_does_not_wrap():
    # The two outputs and the fee sum to less than nothing in 64 bits; the input was worth half a bitcoin.
    assert (2 * OVERFLOW + 2**63) % 2**64 - 2**63 < COIN
    assert compare([[coinbase(SUBSIDY), pay([COIN // 2], OVERFLOW, OVERFLOW)]]) == checks.OUTPUT_TOO_LARGE


@pytest.mark.parametrize("spread", [1, 2])
def test_sums_that_would_wrap_are_refused_before(spread):
    count = amount(9_000, 9_000)
    assert count * MAX_MONEY > 2**64
    many = pay([MAX_MONEY] * count, 0)
    assert compare([[coinbase(SUBSIDY), many]]) == checks.INPUTS_TOO_LARGE
    many = pay([SUBSIDY], *[MAX_MONEY // spread] * count)
    assert compare([[coinbase(SUBSIDY), many]]) == checks.OUTPUTS_TOO_LARGE
    assert compare([[coinbase(*[MAX_MONEY // spread] * count)]]) == checks.OUTPUTS_TOO_LARGE


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, MAX_MONEY + 1, OVERFLOW])
def test_a_value_over_the_cap_is_refused_wherever_it_stands(value):
    assert compare([[coinbase(value)]]) == checks.OUTPUT_TOO_LARGE
    assert compare([[coinbase(0)], [coinbase(0), pay([5], 1), pay([5], 1, value)]]) == checks.OUTPUT_TOO_LARGE


def test_all_the_money_there_is_may_move():
    assert compare([[coinbase(SUBSIDY), pay([MAX_MONEY], MAX_MONEY)]]) == checks.SOUND
    assert compare([[coinbase(SUBSIDY), pay([MAX_MONEY - 1, 1], MAX_MONEY - 7, 7)]]) == checks.SOUND
    assert compare([[coinbase(MAX_MONEY)]], [MAX_MONEY]) == checks.SOUND


def test_every_reason_names_block_and_transaction():
    good, bad = [coinbase(0), pay([5], 5)], {}
    bad[checks.OUTPUT_TOO_LARGE] = [coinbase(0), pay([5], 5), pay([5], MAX_MONEY + 1)]
    bad[checks.OUTPUTS_TOO_LARGE] = [coinbase(0), pay([5], 5), pay([5], MAX_MONEY, 1)]
    bad[checks.OVERSPEND] = [coinbase(0), pay([5], 5), pay([5], 6)]
    bad[checks.INPUTS_TOO_LARGE] = [coinbase(0), pay([5], 5), pay([MAX_MONEY, 1], 6)]
    for code, block in bad.items():
        assert run_kernel([good, good, block, good], [SUBSIDY] * 4)[0] == (code, 2, 6)
    claims = [coinbase(SUBSIDY + 4), pay([5], 2), pay([5], 5)]
    assert run_kernel([good, claims, good], [SUBSIDY] * 3)[0] == (checks.CLAIMS_TOO_MUCH, 1, 2)
    claims[0] = coinbase(SUBSIDY + 3)
    assert run_kernel([good, claims, good], [SUBSIDY] * 3)[0] == (checks.SOUND, -1, -1)
    reasons = {value for name, value in vars(checks).items() if name.isupper() and isinstance(value, int)}
    assert reasons - {MAX_MONEY} == {checks.SOUND, checks.CLAIMS_TOO_MUCH, *bad}, "a reason without a test"
