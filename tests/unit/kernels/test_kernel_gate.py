"""The compiled gate equals the readable rules: at every limit, on disturbed and on invented shapes, on real mixes."""

import numpy as np
import pytest
from effort import examples
from gate_shapes import EDGES, NOTE, ShapeRows, key, paid, people, spent
from gate_strategies import shapes
from hypothesis import given
from hypothesis import strategies as st
from real_mixes import emulated, listed

from cointrail.bitcoin.script import MAX_SCRIPT_SIZE, ScriptType
from cointrail.cluster.gate.gate import compiled_signs
from cointrail.cluster.gate.kinds import Sign
from cointrail.cluster.gate.reference import Coin, signs_of_shape
from cointrail.kernels.signs import gate

ALL = sum(Sign) & ~Sign.LISTED


def plain(shape):
    inputs, outputs = shape
    return int(signs_of_shape([Coin(*each) for each in inputs], [Coin(*each) for each in outputs]))


def compiled(many, wanted=ALL):
    rows = ShapeRows(many)
    found = compiled_signs(rows, np.arange(rows.counts.transaction), wanted)
    assert found.dtype == np.uint32
    assert found[0] == 0  # the coinbase that funds them
    return found[1:].tolist()


def test_every_limit():
    many = [shape for _, shape, _ in EDGES.values()]
    found = dict(zip(EDGES, compiled(many), strict=True))
    assert {name: bool(found[name] & sign) for name, (sign, _, _) in EDGES.items()} == {
        name: expected for name, (_, _, expected) in EDGES.items()
    }
    assert list(found.values()) == [plain(shape) for shape in many]


@examples(400, plain=40)
@given(st.lists(shapes().filter(lambda shape: shape[0]), min_size=1, max_size=5))
def test_equals_the_readable_rules(many):
    assert compiled(many) == [plain(shape) for shape in many]


@examples(150, plain=20)
@given(st.lists(shapes().filter(lambda shape: shape[0]), min_size=1, max_size=3), st.integers(0, ALL))
def test_looks_for_what_is_wanted_only(many, wanted):
    assert compiled(many, wanted) == [plain(shape) & wanted for shape in many]


@pytest.mark.parametrize("sign", [sign for sign in Sign if sign is not Sign.LISTED], ids=lambda sign: sign.name)
def test_one_sign_alone(sign):
    many = [shape for _, shape, _ in EDGES.values()]
    found = compiled(many, int(sign))
    assert found == [plain(shape) & sign for shape in many]
    assert any(found)


def test_any_selection_in_any_order():
    many = [shape for _, shape, _ in EDGES.values()]
    rows = ShapeRows(many)
    everything = compiled_signs(rows, np.arange(rows.counts.transaction), ALL)
    for chosen in (np.arange(len(many), 0, -1), np.array([7, 7, 3]), np.array([len(many)]), np.array([], np.int64)):
        assert compiled_signs(rows, chosen, ALL).tolist() == everything[chosen].tolist()


@pytest.mark.parametrize("outputs", [23, 24, 25, 26, 300])
def test_large_transactions_are_sorted_too(outputs):
    """Small arrays are sorted in another way than large ones."""
    values = [(place * 7_919) % 1_009 + 5_000 for place in range(outputs - 3)] + [9_999_991] * 3
    shape = (people(60), paid(*values[::2], *values[1::2]))
    one_less = (shape[0], [*shape[1], (1, key("more"))])
    assert compiled([shape, one_less]) == [plain(shape), plain(one_less)]


def test_coinbases_have_no_sign():
    shape = ([], [*paid(1_000_100, 50_000), (0, NOTE)])
    rows = ShapeRows([(people(1), shape[1])])
    rows.column("input", "output")[1] = -1
    assert compiled_signs(rows, np.array([1]), ALL).tolist() == [0]
    rows = ShapeRows([(spent(9_000), shape[1])])
    assert compiled_signs(rows, np.array([1]), ALL).tolist() == [Sign.TX0]


@pytest.mark.parametrize(
    "name", ["wasabi1-2021.txt", "whirlpool-2024-03-first700.txt", "whirlpool-tx0-2024-03-first450.txt", "emulation"]
)
def test_real_mixes(name):
    real = emulated() if name == "emulation" else listed(name)
    many = [(tx.inputs, tx.outputs) for tx in real]
    assert compiled(many) == [plain(shape) for shape in many]


def test_codes_are_those_of_the_scripts():
    assert gate._OP_RETURN == ScriptType.OP_RETURN
    assert set(gate._SEGWIT_KEYS) == {ScriptType.P2WPKH, ScriptType.P2TR}
    hashed = {ScriptType.P2PKH, ScriptType.P2SH, ScriptType.P2WPKH, ScriptType.P2WSH, ScriptType.P2TR}
    assert set(gate._PAYLOAD_TYPES) == hashed
    assert gate._MAX_SCRIPT_SIZE == MAX_SCRIPT_SIZE
