"""The detectors of the gate as plain sentences over values: what a stranger checks a verdict with.

Each detector looks at a shape and answers with the figures it decided on, or None. All are METHODS.md 3.1 and read
nothing but the transaction and what it spends, so a verdict never changes with the snapshot. The kernel
`kernels.signs.gate` is the same, compiled; the tests hold the two equal. LISTED is not here: a list is applied by
whoever loaded it.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cointrail.cluster.gate import limits
from cointrail.cluster.gate.kinds import Sign
from cointrail.cluster.gate.shape import DENOMINATIONS, Coin, Shape
from cointrail.errors import UsageError

__all__ = ["DENOMINATIONS", "Coin", "reason_of", "signs_of_shape"]


def signs_of_shape(inputs: Sequence[Coin], outputs: Sequence[Coin]) -> Sign:
    """Every sign a transaction shows, but LISTED.

    Args:
        inputs: the outputs it spends, in order; empty for a coinbase.
        outputs: all outputs it makes, in order, the unspendable among them.

    Method: METHODS.md 3.1.
    """
    shape = Shape(inputs, outputs)
    signs = Sign(0)
    for sign, detector in _DETECTORS.items():
        if detector(shape) is not None:
            signs |= sign
    return signs


def reason_of(sign: Sign, inputs: Sequence[Coin], outputs: Sequence[Coin]) -> str:
    """The figures a rule decided on, in one line.

    Args:
        sign: a single sign the transaction shows.
        inputs: as in `signs_of_shape`.
        outputs: as in `signs_of_shape`.

    Raises:
        UsageError: the transaction does not show the sign, or nothing in its shape speaks for it.
    """
    detector = _DETECTORS.get(sign)
    reason = detector(Shape(inputs, outputs)) if detector else None
    if reason is None:
        raise UsageError(f"the shape does not show the sign {sign!r}", hint="ask for signs it shows, one at a time")
    return reason


def _whirlpool(shape: Shape) -> str | None:
    count, value = len(shape.inputs), max(shape.values, default=0)
    if not limits.WHIRLPOOL_LEAST <= count <= limits.WHIRLPOOL_MOST or len(shape.outputs) != count:
        return None
    if value not in limits.WHIRLPOOL_POOLS_SAT or len(shape.values) != 1:
        return None
    scripts = {coin.script_pubkey for coin in (*shape.inputs, *shape.outputs)}
    surplus = [coin.value_sat - value for coin in shape.inputs]
    new = sum(each > 0 for each in surplus)
    if len(scripts) != 2 * count or not 0 <= min(surplus) <= max(surplus) <= limits.WHIRLPOOL_ROOM_SAT:
        return None
    if not 1 <= new < count:
        return None
    return f"{count} inputs and {count} outputs of {value} sat, all scripts distinct, {new} inputs of more"


def _wasabi2_graphsense(shape: Shape) -> str | None:
    inputs, outputs, repeated = len(shape.inputs), len(shape.outputs), sum(shape.repeated.values())
    if inputs < limits.WASABI2_LEAST_INPUTS[0] or not shape.is_spread or not shape.pays_no_script_twice:
        return None
    if min(shape.values, default=0) < limits.WASABI2_LEAST_SAT or len(shape.repeated) < limits.LEAST_EQUAL:
        return None
    if not outputs - 1 <= 2 * repeated < 2 * outputs:
        return None
    return f"{inputs} inputs; {repeated} of {outputs} outputs share {len(shape.repeated)} values, all scripts distinct"


def _wasabi2_dumplings(shape: Shape) -> str | None:
    inputs, outputs = len(shape.inputs), len(shape.outputs)
    part, whole = limits.WASABI2_SHARE
    if inputs < limits.WASABI2_LEAST_INPUTS[1] or whole * shape.denominations <= part * outputs:
        return None
    if not shape.is_sorted or not shape.spends_segwit_keys:
        return None
    return (
        f"{inputs} inputs of p2wpkh or p2tr and {outputs} outputs, both in falling order of value; "
        f"{shape.denominations} outputs are standard amounts"
    )


def _wasabi2_relaxed(shape: Shape) -> str | None:
    inputs, outputs = len(shape.inputs), len(shape.outputs)
    part, whole = limits.WASABI2_SHARE
    if inputs < limits.WASABI2_LEAST_INPUTS[2] or whole * shape.denominations < part * outputs:
        return None
    if len(shape.repeated) < limits.LEAST_EQUAL or not shape.pays_no_script_twice:
        return None
    return (
        f"{inputs} inputs; {shape.denominations} of {outputs} outputs are standard amounts, "
        f"{len(shape.repeated)} values repeat, all output scripts distinct"
    )


def _is_wasabi1_shape(shape: Shape, equal: int) -> bool:
    """What Wasabi 1.0 and 1.1 have in common; `equal` is n."""
    enough = len(shape.inputs) >= limits.WASABI1_LEAST_INPUTS and equal >= limits.LEAST_EQUAL
    scripts = equal <= len(shape.input_scripts) <= limits.WASABI1_SCRIPTS_EACH * equal
    return enough and scripts and shape.is_spread and shape.pays_no_script_twice


def _wasabi1_0(shape: Shape) -> str | None:
    low, high = limits.WASABI1_SAT - limits.WASABI1_ROOM_SAT, limits.WASABI1_SAT + limits.WASABI1_ROOM_SAT
    value, equal = shape.mode(low, high)
    if not _is_wasabi1_shape(shape, equal) or 2 * equal < len(shape.outputs) - 1:
        return None
    return (
        f"{equal} of {len(shape.outputs)} outputs carry {value} sat, all scripts distinct; "
        f"{len(shape.inputs)} inputs of {len(shape.input_scripts)} scripts"
    )


def _wasabi1_1(shape: Shape) -> str | None:
    counts, level = [], limits.WASABI1_SAT
    while level <= 2 * max(shape.values, default=0):
        room = level // limits.WASABI1_ROOM_SHARE
        counts.append(sum(count for value, count in shape.values.items() if abs(value - level) <= room))
        level *= 2
    levels = [count for count in counts if count > 1]
    equal, total = max(levels, default=0), sum(levels)
    outputs, scripts = len(shape.outputs), len(shape.input_scripts)
    if not _is_wasabi1_shape(shape, equal) or not (2 * total >= outputs - 1 or total >= outputs - scripts - 1):
        return None
    return (
        f"{total} of {outputs} outputs lie on {len(levels)} levels, at most {equal} on one, all scripts distinct; "
        f"{len(shape.inputs)} inputs of {scripts} scripts"
    )


def _joinmarket(shape: Shape) -> str | None:
    value, equal = shape.mode(limits.DUST_SAT + 1)
    inputs, outputs, scripts = len(shape.inputs), len(shape.outputs), len(shape.input_scripts)
    if equal < limits.LEAST_EQUAL or 2 * equal < outputs or equal > scripts or not shape.pays_no_script_twice:
        return None
    if equal == outputs:
        return None
    more, than = limits.JOINMARKET_OUTPUTS_EACH
    if inputs >= limits.JOINMARKET_LARGE and (
        inputs > limits.JOINMARKET_INPUTS_EACH * equal or than * outputs < more * equal
    ):
        return None
    return f"{equal} of {outputs} outputs carry {value} sat, all scripts distinct; {scripts} distinct scripts are spent"


def _blocksci_flag(shape: Shape) -> str | None:
    inputs, outputs, scripts = len(shape.inputs), len(shape.every_output), len(shape.input_scripts)
    people = (outputs + 1) // 2
    if inputs < 2 or outputs < 3 or people > inputs or people > scripts:
        return None
    if max(shape.every_value.values()) != people:
        return None
    equal = [v for v, count in shape.every_value.items() if count == people and v not in limits.TOKEN_SAT]
    if not equal:
        return None
    return f"{people} of all {outputs} outputs carry {min(equal)} sat; {scripts} distinct scripts are spent"


def _generic(shape: Shape) -> str | None:
    value, equal = shape.mode(limits.DUST_SAT + 1)
    outputs, scripts = len(shape.outputs), len(shape.input_scripts)
    if equal < limits.LEAST_EQUAL or 3 * equal < outputs or scripts < equal:
        return None
    return f"{equal} of {outputs} spendable outputs carry {value} sat; {scripts} distinct scripts are spent"


def _stonewall(shape: Shape) -> str | None:
    twice = [value for value, count in shape.values.items() if count == 2]
    if len(shape.outputs) not in limits.STONEWALL_OUTPUTS or len(twice) != 1 or not shape.pays_no_script_twice:
        return None
    if twice[0] < limits.STONEWALL_LEAST_SAT or len(shape.input_scripts) < 2:
        return None
    return f"2 of {len(shape.outputs)} outputs carry {twice[0]} sat; one owner or two"


def _tx0(shape: Shape) -> str | None:
    notes = sum(coin.script_pubkey[:1] == b"\x6a" for coin in shape.every_output)
    if not shape.inputs or notes != 1:
        return None
    for pool, fee in limits.TX0_POOLS_SAT:
        fees = sum(count for value, count in shape.values.items() if fee <= 2 * value <= 6 * fee)
        low, high = pool + limits.TX0_LEAST_ROOM_SAT, pool + limits.TX0_MOST_ROOM_SAT
        value, equal = shape.mode(low, high)
        if fees == 1 and max(1, len(shape.outputs) - limits.TX0_OTHERS) <= equal <= limits.TX0_MOST_EQUAL:
            return f"{equal} of {len(shape.outputs)} outputs carry {value} sat for the pool of {pool} sat, one its fee"
    return None


def _unnecessary_input(shape: Shape) -> str | None:
    spent = [coin.value_sat for coin in shape.inputs]
    if len(spent) < 2 or len(shape.outputs) != 2:
        return None
    largest = max(shape.values)
    if sum(spent) - min(spent) < largest:
        return None
    return f"2 outputs; the larger, {largest} sat, is payable without the smallest input, {min(spent)} sat"


def _other_equal_output(shape: Shape) -> str | None:
    if len(shape.repeated) != 1:
        return None
    ((value, equal),) = shape.repeated.items()
    others = [each for each in shape.values if each != value]
    if len(others) not in (equal, equal - 1) or shape.output_scripts < equal or len(shape.input_scripts) < equal:
        return None
    largest = max(coin.value_sat for coin in shape.inputs)
    if largest > value + max(others) - limits.OTHER_EQUAL_FEE_SAT:
        return None
    return f"{equal} of {len(shape.outputs)} outputs carry {value} sat, the other values differ"


_DETECTORS: Mapping[Sign, Callable[[Shape], str | None]] = MappingProxyType(
    {
        Sign.WHIRLPOOL: _whirlpool,
        Sign.WASABI2_GRAPHSENSE: _wasabi2_graphsense,
        Sign.WASABI2_DUMPLINGS: _wasabi2_dumplings,
        Sign.WASABI2_RELAXED: _wasabi2_relaxed,
        Sign.WASABI1_0: _wasabi1_0,
        Sign.WASABI1_1: _wasabi1_1,
        Sign.JOINMARKET: _joinmarket,
        Sign.BLOCKSCI_FLAG: _blocksci_flag,
        Sign.GENERIC: _generic,
        Sign.STONEWALL: _stonewall,
        Sign.TX0: _tx0,
        Sign.UNNECESSARY_INPUT: _unnecessary_input,
        Sign.OTHER_EQUAL_OUTPUT: _other_equal_output,
    }
)
