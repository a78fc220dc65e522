"""The readable detectors: every limit of METHODS.md 3.1 from both sides, and a second reading of the same text."""

import mixing_gate
import pytest
from effort import examples
from gate_shapes import BTC, EDGES, paid, people, spent, whirlpool
from gate_strategies import shapes
from hypothesis import assume, given

from cointrail.bitcoin.script import MAX_SCRIPT_SIZE
from cointrail.cluster.gate.kinds import Sign, kind_of
from cointrail.cluster.gate.reference import DENOMINATIONS, Coin, reason_of, signs_of_shape
from cointrail.errors import UsageError


def coins(side):
    return [Coin(*each) for each in side]


@pytest.mark.parametrize("name", EDGES)
def test_limits(name):
    sign, (inputs, outputs), expected = EDGES[name]
    assert (sign in signs_of_shape(coins(inputs), coins(outputs))) == expected


OPINIONS = {
    Sign.WHIRLPOOL: mixing_gate.whirlpool,
    Sign.WASABI2_GRAPHSENSE: mixing_gate.wabisabi_graphsense,
    Sign.WASABI2_DUMPLINGS: mixing_gate.wabisabi_dumplings,
    Sign.WASABI2_RELAXED: mixing_gate.wabisabi_relaxed,
    Sign.WASABI1_0: mixing_gate.wasabi1_0,
    Sign.WASABI1_1: mixing_gate.wasabi1_1,
    Sign.JOINMARKET: mixing_gate.joinmarket,
    Sign.BLOCKSCI_FLAG: mixing_gate.blocksci,
    Sign.GENERIC: mixing_gate.generic,
    Sign.STONEWALL: mixing_gate.stonewall,
}


@examples(600)
@given(shapes())
def test_another_reading_of_the_text_agrees(shape):
    """The simulator's judge was written from the same pages by somebody else."""
    inputs, outputs = shape
    signs = signs_of_shape(coins(inputs), coins(outputs))
    # It knows no other unspendable output than OP_RETURN, and looks at the first of the rest.
    # Of Wasabi 1.1 it knows twelve levels.
    assume(max((value for value, _ in outputs), default=0) < 10_000_000 << 12)
    assume(mixing_gate.spendable(outputs) and max(len(script) for _, script in outputs) <= MAX_SCRIPT_SIZE)
    for sign, opinion in OPINIONS.items():
        assert (sign in signs) == bool(inputs and opinion(inputs, outputs)), sign
    if len(outputs) > 2:
        assert kind_of(signs) == (mixing_gate.collaborative(inputs, outputs) if inputs else "none")


@examples(150)
@given(shapes())
def test_every_sign_has_its_reason_and_no_other(shape):
    inputs, outputs = map(coins, shape)
    signs = signs_of_shape(inputs, outputs)
    for sign in Sign:
        if sign in signs:
            reason = reason_of(sign, inputs, outputs)
            assert reason == reason.lower().strip()
            assert "\n" not in reason
            assert reason
        else:
            with pytest.raises(UsageError, match="does not show"):
                reason_of(sign, inputs, outputs)


@examples(150)
@given(shapes())
def test_one_input_or_none_is_no_veto(shape):
    inputs, outputs = map(coins, shape)
    assert signs_of_shape([], outputs) == 0
    assert signs_of_shape(inputs[:1], outputs) in (Sign(0), Sign.TX0)


def test_reasons_give_the_figures():
    inputs, outputs = map(coins, whirlpool(5))
    assert reason_of(Sign.WHIRLPOOL, inputs, outputs) == (
        "5 inputs and 5 outputs of 1000000 sat, all scripts distinct, 1 inputs of more"
    )
    inputs, outputs = coins(people(4)), coins(paid(9_000, 8_000, 9_000, 8_000, 9_000, 8_000, 5_000))
    assert reason_of(Sign.GENERIC, inputs, outputs) == (
        "3 of 7 spendable outputs carry 8000 sat; 4 distinct scripts are spent"
    )
    inputs, outputs = coins(spent(50_000, 30_000)), coins(paid(50_000, 20_000))
    assert reason_of(Sign.UNNECESSARY_INPUT, inputs, outputs) == (
        "2 outputs; the larger, 50000 sat, is payable without the smallest input, 30000 sat"
    )


def test_standard_amounts_of_wasabi_2():
    assert set(DENOMINATIONS) == mixing_gate.wabisabi_denominations()
    assert BTC in DENOMINATIONS
