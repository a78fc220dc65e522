"""Shapes of transactions for tests of the gate, and rows of a ledger that hold them.

A shape is (inputs, outputs), each a list of (value, scriptPubKey). `EDGES` walks along every limit of METHODS.md 3.1:
one case on each side of it, with the numbers written out, so that a limit that moves by one breaks a case.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from cointrail.bitcoin.script import classify
from cointrail.cluster.gate.kinds import Sign
from cointrail.ledger.rows import PAYLOAD_TYPES, Rows
from cointrail.ledger.schema import Counts

BTC = 100_000_000
NOTE = b"\x6a\x02hi"
Side = list[tuple[int, bytes]]
Shape = tuple[Side, Side]


def key(tag: object) -> bytes:
    """A P2WPKH script."""
    return b"\x00\x14" + hashlib.sha256(repr(tag).encode()).digest()[:20]


def taproot(tag: object) -> bytes:
    return b"\x51\x20" + hashlib.sha256(repr(tag).encode()).digest()


def spent(*values: int) -> Side:
    """Inputs of these values, every script distinct."""
    return [(value, key(("in", place))) for place, value in enumerate(values)]


def people(inputs: int, scripts: int | None = None, value: int = BTC) -> Side:
    """Inputs of one value; the commonest script has what is more than `scripts`."""
    scripts = inputs if scripts is None else scripts
    return [(value, key(("in", max(0, place - inputs + scripts)))) for place in range(inputs)]


def paid(*values: int) -> Side:
    """Outputs of these values, every script distinct."""
    return [(value, key(("out", place))) for place, value in enumerate(values)]


def odd(count: int, first: int = 3_000_017) -> list[int]:
    """Different values that are nobody's denomination and on no level of Wasabi 1."""
    return [first + 101 * place for place in range(count)]


def one_script(side: Side, *places: int) -> Side:
    """The same side with the first of these places' script at all of them."""
    return [(value, side[places[0]][1] if place in places else script) for place, (value, script) in enumerate(side)]


def with_script(side: Side, place: int, script: bytes) -> Side:
    return [(value, script if here == place else old) for here, (value, old) in enumerate(side)]


def whirlpool(count: int, pool: int = 1_000_000, more: Sequence[int] = (110_000,)) -> Shape:
    return spent(*([pool] * (count - len(more)) + [pool + each for each in more])), paid(*[pool] * count)


def falling(count: int) -> Side:
    return spent(*(BTC - 1_000 * place for place in range(count)))


STANDARD = (65_536, 59_049, 50_000, 39_366, 20_000, 10_000)  # 2^16, 3^10, 5 x 10^4, 2 x 3^9, 2 x 10^4, 10^4
TRIPLE = [20_000, 20_000, 10_000, 10_000, 50_000, 50_000]
SAME3, SAME6 = [7_000_000] * 3, [7_000_000] * 6
LEVEL0 = [9_500_000, 10_000_000, 10_500_000]


def tx0(
    equal: int, value: int = 1_000_100, fee: int = 50_000, others: Sequence[int] = (777_777,), notes: int = 1
) -> Shape:
    return people(1), [*paid(*[value] * equal, fee, *others), *[(0, NOTE)] * notes]


EDGES: dict[str, tuple[Sign, Shape, bool]] = {}


def edges(sign: Sign, **cases: tuple[Shape, bool]) -> None:
    for name, (shape, expected) in cases.items():
        EDGES[f"{sign.name}: {name}"] = (sign, shape, expected)


edges(
    Sign.WHIRLPOOL,
    four=(whirlpool(4), False),
    five=(whirlpool(5), True),
    ten=(whirlpool(10), True),
    eleven=(whirlpool(11), False),
    more_inputs=((whirlpool(6)[0], whirlpool(5)[1]), False),
    more_outputs=((whirlpool(5)[0], whirlpool(6)[1]), False),
    room_passed=(whirlpool(5, more=[110_001]), False),
    below_pool=((spent(999_999, *[1_000_000] * 3, 1_000_001), paid(*[1_000_000] * 5)), False),
    nobody_new=(whirlpool(5, more=[]), False),
    one_remixer=(whirlpool(5, more=[1, 2, 3, 4]), True),
    all_new=(whirlpool(5, more=[1, 2, 3, 4, 5]), False),
    one_output_differs=((whirlpool(5)[0], paid(*[1_000_000] * 4, 1_000_001)), False),
    output_script_twice=((whirlpool(5)[0], one_script(whirlpool(5)[1], 0, 1)), False),
    input_script_twice=((one_script(whirlpool(5)[0], 0, 1), whirlpool(5)[1]), False),
    pays_an_input_script=((whirlpool(5)[0], with_script(whirlpool(5)[1], 2, key(("in", 3)))), False),
    note_beside=((whirlpool(5)[0], [(0, NOTE), *whirlpool(5)[1]]), True),
    **{
        f"pool_{pool}_by_{by}": (whirlpool(5, pool + by), by == 0)
        for pool in (100_000, 1_000_000, 5_000_000, 50_000_000, 2_500_000, 25_000_000)
        for by in (-1, 0, 1)
    },
)
edges(
    Sign.WASABI2_GRAPHSENSE,
    nineteen=((people(19), paid(*TRIPLE, *odd(1))), False),
    twenty=((people(20), paid(*TRIPLE, *odd(1))), True),
    a_tenth_from_one=((people(20, 19), paid(*TRIPLE, *odd(1))), True),
    more_than_a_tenth=((people(20, 18), paid(*TRIPLE, *odd(1))), False),
    three_of_thirty=((people(30, 28), paid(*TRIPLE, *odd(1))), True),
    three_of_29=((people(29, 27), paid(*TRIPLE, *odd(1))), False),
    least_value=((people(20), paid(*TRIPLE, 5_000)), True),
    below_least_value=((people(20), paid(*TRIPLE, 4_999)), False),
    two_repeated=((people(20), paid(*[10_000] * 3, *[20_000] * 3, *odd(1))), False),
    all_repeated=((people(20), paid(*TRIPLE)), False),
    half=((people(20), paid(*TRIPLE, *odd(7))), True),
    less_than_half=((people(20), paid(*TRIPLE, *odd(8))), False),
    script_twice=((people(20), one_script(paid(*TRIPLE, *odd(1)), 0, 1)), False),
)
edges(
    Sign.WASABI2_DUMPLINGS,
    fourteen=((falling(14), paid(*STANDARD)), False),
    fifteen=((falling(15), paid(*STANDARD)), True),
    four_fifths=((falling(15), paid(*STANDARD[:4], 20_001)), False),
    five_sixths=((falling(15), paid(*STANDARD[:5], 10_001)), True),
    equal_values=((people(15), paid(*[10_000] * 3)), True),
    inputs_rise=((falling(15)[::-1], paid(*STANDARD)), False),
    last_input_rises=(([*falling(14), (BTC, key("last"))], paid(*STANDARD)), False),
    outputs_rise=((falling(15), paid(*STANDARD[::-1])), False),
    taproot=((with_script(falling(15), 3, taproot(1)), paid(*STANDARD)), True),
    legacy=((with_script(falling(15), 3, b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"), paid(*STANDARD)), False),
    p2wsh=((with_script(falling(15), 14, b"\x00\x20" + bytes(32)), paid(*STANDARD)), False),
    one_output=((falling(15), paid(10_000)), True),
    note_between=((falling(15), [*paid(20_000), (0, NOTE), (10_000, key("x"))]), True),
    notes_only=((falling(15), [(10_000, NOTE)] * 3), False),
    **{
        f"denomination_{value}": ((falling(15), paid(value)), expected)
        for value, expected in (
            (4_096, False), (8_192, True), (1 << 36, True), (1 << 37, False), (2_187, False), (6_561, True),
            (3**23, True), (3**24, False), (4_374, False), (13_122, True), (2 * 3**22, True), (2 * 3**23, False),
            (1_000, False), (2_000, False), (5_000, True), (4_999, False), (5_001, False), (10**11, True),
            (2 * 10**11, False), (5 * 10**10, True), (2 * 10**10, True), (4 * 10**10, False), (0, False),
        )
    },
)  # fmt: skip
edges(
    Sign.WASABI2_RELAXED,
    nine=((people(9), paid(*TRIPLE)), False),
    ten=((people(10), paid(*TRIPLE)), True),
    four_fifths=((people(10), paid(*TRIPLE, 6_561, 8_192, *odd(2))), True),
    less=((people(10), paid(*TRIPLE, 6_561, *odd(2))), False),
    two_repeated=((people(10), paid(*[10_000] * 3, *[20_000] * 3)), False),
    script_twice=((people(10), one_script(paid(*TRIPLE), 0, 5)), False),
    one_script_gives_most=((people(10, 2), paid(*TRIPLE)), True),
)
edges(
    Sign.WASABI1_0,
    nine=((people(9), paid(*[10_000_000] * 3)), False),
    ten=((people(10), paid(*[10_000_000] * 3)), True),
    two_equal=((people(10), paid(*[10_000_000] * 2, *odd(1))), False),
    half=((people(10), paid(*[10_000_000] * 3, *odd(4))), True),
    less_than_half=((people(10), paid(*[10_000_000] * 3, *odd(5))), False),
    highest=((people(10), paid(*[10_500_000] * 3)), True),
    too_high=((people(10), paid(*[10_500_001] * 3)), False),
    lowest=((people(10), paid(*[9_500_000] * 3)), True),
    too_low=((people(10), paid(*[9_499_999] * 3)), False),
    commoner_value_outside=((people(10), paid(*[10_000_000] * 3, *[5_000_000] * 4)), True),
    near_is_not_equal=((people(10), paid(*LEVEL0)), False),
    seven_scripts_each=((people(21), paid(*[10_000_000] * 3)), True),
    more_scripts=((people(22), paid(*[10_000_000] * 3)), False),
    as_many_scripts=((people(10), paid(*[10_000_000] * 10)), True),
    fewer_scripts=((people(10), paid(*[10_000_000] * 11)), False),
    a_tenth_from_one=((people(20, 19), paid(*[10_000_000] * 3)), True),
    more_than_a_tenth=((people(20, 18), paid(*[10_000_000] * 3)), False),
    script_twice=((people(10), one_script(paid(*[10_000_000] * 3), 0, 1)), False),
    small_round_counts_too=((people(10), paid(*[10_000_000] * 10)), True),
)
edges(
    Sign.WASABI1_1,
    nine=((people(9), paid(*LEVEL0)), False),
    ten=((people(10), paid(*LEVEL0)), True),
    two_on_a_level=((people(10), paid(*LEVEL0[:2], *[20_000_000] * 2)), False),
    below_level=((people(10), paid(9_499_999, *LEVEL0[1:])), False),
    above_level=((people(10), paid(*LEVEL0[:2], 10_500_001)), False),
    all_in_the_lower_half=((people(10), paid(9_500_000, 9_600_000, 9_700_000)), True),
    second_level=((people(10), paid(19_000_000, 20_000_000, 21_000_000)), True),
    below_second=((people(10), paid(18_999_999, 20_000_000, 21_000_000)), False),
    above_second=((people(10), paid(19_000_000, 20_000_000, 21_000_001)), False),
    twentieth_level=((people(10), paid(*[10_000_000 << 20] * 3)), True),
    half_level=((people(10), paid(*[5_000_000] * 3)), False),
    rest_for_each_script=((people(10), paid(*LEVEL0, *odd(11))), True),
    too_much_rest=((people(10), paid(*LEVEL0, *odd(12))), False),
    one_on_a_level_is_rest=((people(10), paid(*LEVEL0, 20_000_000, *odd(11))), False),
    two_on_a_level_are_not=((people(10), paid(*LEVEL0, *[20_000_000] * 2, *odd(11))), True),
    two_do_not_excuse_more=((people(10), paid(*LEVEL0, *[20_000_000] * 2, *odd(12))), False),
    half=((people(10), paid(*LEVEL0 * 2, *[20_000_000] * 6, *odd(13))), True),
    less_than_half=((people(10), paid(*LEVEL0 * 2, *[20_000_000] * 6, *odd(14))), False),
    seven_scripts_each=((people(21), paid(*LEVEL0)), True),
    more_scripts=((people(22), paid(*LEVEL0)), False),
    as_many_scripts=((people(10), paid(*[10_000_000] * 10)), True),
    fewer_scripts=((people(10), paid(*[10_000_000] * 11)), False),
    a_tenth_from_one=((people(20, 19), paid(*LEVEL0)), True),
    more_than_a_tenth=((people(20, 18), paid(*LEVEL0)), False),
    script_twice=((people(10), one_script(paid(*LEVEL0), 0, 1)), False),
)
edges(
    Sign.JOINMARKET,
    two_equal=((people(3), paid(*SAME3[:2], *odd(1))), False),
    three_equal=((people(3), paid(*SAME3, *odd(1))), True),
    half=((people(3), paid(*SAME3, *odd(3))), True),
    less_than_half=((people(3), paid(*SAME3, *odd(4))), False),
    fewer_scripts=((people(3, 2), paid(*SAME3, *odd(1))), False),
    all_equal=((people(3), paid(*SAME3)), False),
    dust=((people(3), paid(*[2_730] * 3, *odd(1))), False),
    above_dust=((people(3), paid(*[2_731] * 3, *odd(1))), True),
    dust_is_an_output=((people(3), paid(*[2_730] * 4, *SAME3)), False),
    script_twice=((people(3), one_script(paid(*SAME3, *odd(1)), 0, 1)), False),
    twenty_inputs_each=((people(60), paid(*SAME3, *odd(3))), True),
    more_inputs_each=((people(61), paid(*SAME3, *odd(3))), False),
    seventeen_of_ten=((people(50), paid(*[7_000_000] * 10, *odd(7))), True),
    sixteen_of_ten=((people(50), paid(*[7_000_000] * 10, *odd(6))), False),
    sixteen_of_ten_from_few=((people(49), paid(*[7_000_000] * 10, *odd(6))), True),
)
edges(
    Sign.BLOCKSCI_FLAG,
    least=((people(2), paid(9_000, 9_000, *odd(1))), True),
    one_input=((people(1), paid(9_000, 9_000, *odd(1))), False),
    two_outputs=((people(2), paid(9_000, 9_000)), False),
    two_different_outputs=((people(2), paid(9_000, 8_000)), False),
    three_of_five=((people(3), paid(*[9_000] * 3, *odd(2))), True),
    three_of_six=((people(3), paid(*[9_000] * 3, *odd(3))), True),
    two_of_five=((people(3), paid(*[9_000] * 2, *odd(3))), False),
    three_of_four=((people(3), paid(*[9_000] * 3, *odd(1))), False),
    fewer_inputs=((people(2), paid(*[9_000] * 3, *odd(2))), False),
    fewer_scripts=((people(3, 2), paid(*[9_000] * 3, *odd(2))), False),
    note_is_an_output=((people(2), [*paid(9_000, 9_000), (0, NOTE)]), True),
    note_makes_it_more=((people(3), [*paid(9_000, 9_000, *odd(2)), (0, NOTE)]), False),
    token_and_amount=((people(2), paid(546, 546, 9_000, 9_000)), True),
    two_tokens=((people(2), paid(546, 546, 2_730, 2_730)), False),
    **{
        f"value_{value}": ((people(2), paid(value, value, *odd(1))), value not in (546, 2_730))
        for value in (545, 546, 547, 2_729, 2_730, 2_731)
    },
)
edges(
    Sign.GENERIC,
    two_equal=((people(3), paid(*SAME3[:2], *odd(1))), False),
    all_equal=((people(3), paid(*SAME3)), True),
    a_third=((people(3), paid(*SAME3, *odd(6))), True),
    less_than_a_third=((people(3), paid(*SAME3, *odd(7))), False),
    note_does_not_count=((people(3), [*paid(*SAME3, *odd(6)), (0, NOTE)]), True),
    equal_notes_do_not_count=((people(3), [*[(7_000_000, NOTE)] * 3, *paid(*odd(1))]), False),
    fewer_scripts=((people(3, 2), paid(*SAME3)), False),
    more_equal_than_scripts=((people(3), paid(*SAME3, 7_000_000)), False),
    dust=((people(3), paid(*[2_730] * 3)), False),
    above_dust=((people(3), paid(*[2_731] * 3)), True),
    commoner_dust=((people(3), paid(*[546] * 4, *SAME3)), True),
    one_output_script=((people(3), one_script(paid(*SAME3), 0, 1, 2)), True),
    longest_spendable=((people(3), [*paid(*SAME3, *odd(6)), (5, b"\x61" * 10_000)]), False),
    too_long_to_spend=((people(3), [*paid(*SAME3, *odd(6)), (5, b"\x61" * 10_001)]), True),
)
edges(
    Sign.STONEWALL,
    three=((people(2), paid(9_000, 9_000, *odd(1))), True),
    four=((people(2), paid(9_000, 9_000, *odd(2))), True),
    five=((people(2), paid(9_000, 9_000, *odd(3))), False),
    two=((people(2), paid(9_000, 9_000)), False),
    least=((people(2), paid(5_000, 5_000, *odd(1))), True),
    below_least=((people(2), paid(4_999, 4_999, *odd(1))), False),
    two_pairs=((people(2), paid(9_000, 9_000, 8_000, 8_000)), False),
    three_equal=((people(2), paid(*[9_000] * 3, *odd(1))), False),
    one_script=((people(2, 1), paid(9_000, 9_000, *odd(1))), False),
    script_twice=((people(2), one_script(paid(9_000, 9_000, *odd(1)), 0, 2)), False),
    note_does_not_count=((people(2), [*paid(9_000, 9_000, *odd(2)), (0, NOTE)]), True),
)
edges(
    Sign.TX0,
    one_prepared=(tx0(1), True),
    nothing_prepared=(tx0(0), False),
    many=(tx0(70), True),
    too_many=(tx0(71), False),
    two_others=(tx0(3, others=[777_777]), True),
    three_others=(tx0(3, others=[777_777, 888_888]), False),
    no_change=(tx0(3, others=[]), True),
    no_fee=(tx0(3, fee=700_000), False),
    two_fees=(tx0(3, others=[50_001]), False),
    no_note=(tx0(3, notes=0), False),
    two_notes=(tx0(3, notes=2), False),
    several_scripts=((people(3), tx0(3)[1]), True),
    **{
        f"pool_{pool}_fee_{value}": (tx0(3, pool + 100, value, others=[]), expected)
        for pool, fee in ((100_000, 5_000), (1_000_000, 50_000), (5_000_000, 175_000), (50_000_000, 1_750_000))
        for value, expected in ((fee // 2, True), (fee // 2 - 1, False), (3 * fee, True), (3 * fee + 1, False))
    },
    **{
        f"pool_{pool}_and_{room}": (tx0(3, pool + room, fee, others=[]), expected)
        for pool, fee in ((100_000, 5_000), (1_000_000, 50_000), (5_000_000, 175_000), (50_000_000, 1_750_000))
        for room, expected in ((99, False), (100, True), (110_000, True), (110_001, False))
    },
    ashigaru=(tx0(3, 2_500_100, 100_000), False),
)
edges(
    Sign.UNNECESSARY_INPUT,
    payable=((spent(50_000, 30_000), paid(50_000, 20_000)), True),
    not_payable=((spent(50_000, 30_000), paid(50_001, 20_000)), False),
    three_inputs=((spent(30_000, 50_000, 10_000), paid(5_000, 80_000)), True),
    one_input=((people(1), paid(9_000, 8_000)), False),
    one_input_and_nothing=((people(1), paid(0, 0)), False),
    one_output=((people(2), paid(9_000)), False),
    three_outputs=((people(2), paid(9_000, 8_000, 7_000)), False),
    note_does_not_count=((people(2), [*paid(9_000, 8_000), (0, NOTE)]), True),
    note_is_no_output=((people(2), [*paid(9_000), (0, NOTE)]), False),
)
edges(
    Sign.OTHER_EQUAL_OUTPUT,
    as_many_others=((spent(90_000, 90_000), paid(80_000, 80_000, 30_000, 20_000)), True),
    one_other_less=((spent(90_000, 90_000), paid(80_000, 80_000, 30_000)), True),
    two_less=((spent(*[90_000] * 3), paid(*[80_000] * 3, 30_000)), False),
    one_more=((spent(90_000, 90_000), paid(80_000, 80_000, 30_000, 20_000, 10_000)), False),
    two_repeated=((spent(*[90_000] * 3), paid(80_000, 80_000, 30_000, 30_000)), False),
    no_other=((spent(90_000, 90_000), paid(80_000, 80_000)), False),
    largest_input=((spent(100_000, 90_000), paid(80_000, 80_000, 30_000)), True),
    larger_input=((spent(100_001, 90_000), paid(80_000, 80_000, 30_000)), False),
    fewer_input_scripts=((one_script(spent(90_000, 90_000), 0, 1), paid(80_000, 80_000, 30_000)), False),
    as_many_output_scripts=((spent(90_000, 90_000), one_script(paid(80_000, 80_000, 30_000), 0, 1)), True),
    fewer_output_scripts=((spent(90_000, 90_000), one_script(paid(80_000, 80_000, 30_000), 0, 1, 2)), False),
)


class ShapeRows(Rows):
    """The columns of a ledger whose transactions have the given shapes; the first is a coinbase that funds all.

    Shape n is transaction n + 1. No block, no index: nothing but what the gate reads.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        funds = [each for inputs, _ in shapes for each in inputs]
        outputs = [funds, *(outputs for _, outputs in shapes)]
        made = [each for side in outputs for each in side]
        self.scripts = list(dict.fromkeys(script for _, script in made))
        number = {script: place for place, script in enumerate(self.scripts)}
        starts = np.cumsum([0, 1, *(len(inputs) for inputs, _ in shapes)])
        self.counts = Counts(0, len(outputs), int(starts[-1]), len(made), len(self.scripts), 0)
        types = [classify(script) for script in self.scripts]
        payload = np.zeros((len(types), 32), np.uint8)
        for place, (kind, script) in enumerate(zip(types, self.scripts, strict=True)):
            length = len(script).to_bytes(4, "little")
            payload[place, 8:12] = 0xFF if kind in PAYLOAD_TYPES else np.frombuffer(length, np.uint8)
        self._columns = {
            "first_input": starts[:-1].astype(np.int64),
            "first_output": np.cumsum([0, *map(len, outputs)])[:-1].astype(np.int64),
            "output": np.arange(-1, len(funds), dtype=np.int64),
            "value_sat": np.array([value for value, _ in made], np.int64),
            "script": np.array([number[script] for _, script in made], np.uint32),
            "type": np.array(types, np.uint8),
            "payload": payload,
        }

    def column(self, table, name):
        return self._columns[name]

    def runs(self, index):
        raise NotImplementedError

    def script_pubkey(self, script_id):
        return self.scripts[script_id]
