"""Each rule on payments made by hand: what it keeps, and the boundary at which that changes."""

from dataclasses import replace

import numpy as np
import pytest
from change_cases import COMPRESSED_KEY, UNCOMPRESSED_KEY, Shape, Stage, signature
from regtest import Form

from cointrail.cluster.change.amount import not_round
from cointrail.cluster.change.context import Context
from cointrail.cluster.change.rule import and_not, unique
from cointrail.cluster.change.rules import BY_ID, RULE_SETS, RULES

BOTH, NONE = {0, 1}, set()


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def kept(stage, open_ledger):
    """A function from (txid, rule) to the vouts that the rule keeps."""
    opened = []

    def ask(txid, keep, horizon=None, **options):
        if not opened:
            opened.append(open_ledger(stage.mine()))
        reader = opened[0]
        (tx_index,) = reader.find_transactions(txid)
        last = None if horizon is None else np.array(reader.find_transactions(horizon))
        context = Context(reader, np.array([tx_index]), last, **options)
        assert context.eligible.all()
        mask = (BY_ID[f"change.{keep}"].keep if isinstance(keep, str) else keep)(context)
        assert mask.dtype == np.bool_
        return set((context.outputs.row[mask] - reader.outputs_of(tx_index).start).tolist())

    return ask


def test_the_catalogue_is_complete():
    assert [rule.id for rule in RULES] == [f"change.C{number}" for number in range(1, 22)]
    assert len({rule.bit for rule in RULES}) == len({rule.name for rule in RULES}) == 21
    assert {rule.number for rule in RULES if rule.static} == {1, 4, 5, 6, 7, 19, 20, 21}
    families = {rule.number: rule.family.value for rule in RULES}
    assert {number for number in families if families[number] == "F1"} == {4, 9, 10, 11, 12, 13, 15, 21}
    assert {number for number in families if families[number] == "F2"} == {5, 6, 20}
    assert {number for number in families if families[number] == "F3"} == {3, 7, 19}
    assert {number for number in families if families[number] == "F4"} == {8, 14, 16, 17, 18}


# Static rules.


def test_c1_keeps_what_returns_to_an_input(stage, kept):
    one, other = stage.coin(50_000), stage.coin(60_000)
    stage.send([one, other], [(10_000, stage.lock()), (99_000, stage.chain.locks[other.script_pubkey])])
    back = stage.made[-1].txid
    stage.send([stage.coin(50_000)], [(10_000, stage.lock()), (30_000, stage.chain.locks[one.script_pubkey])])
    assert kept(back, "C1") == {1}
    assert kept(stage.made[-1].txid, "C1") == NONE


def test_c2_asks_for_links_made_up_to_the_horizon(stage, kept):
    stage.send([stage.coin(90_000)], [(40_000, stage.lock()), (30_000, stage.lock())])
    txid = stage.made[-1].txid
    stage.coin(1_000)
    later = stage.made[-1].txid
    asked = []

    def apart(scripts, before):
        asked.append(before)
        return scripts

    def joined_later(scripts, before):
        return np.where(before > asked[0][0], 0, scripts)

    assert kept(txid, "C2") == NONE
    assert kept(txid, "C2", clusters=apart, horizon=txid) == NONE
    assert kept(txid, "C2", clusters=joined_later, horizon=txid) == NONE
    assert kept(txid, "C2", clusters=joined_later, horizon=later) == BOTH


def test_c3_waits_whether_the_script_is_paid_again(stage, kept):
    new, old = stage.lock(), stage.seen()
    stage.send([stage.coin(90_000)], [(40_000, new), (30_000, old)])
    txid = stage.made[-1].txid
    stage.coin(1_000)
    quiet = stage.made[-1].txid
    stage.coin(1_000, new)
    stage.send([stage.coin(90_000)], [(40_000, stage.lock()), (30_000, stage.lock())])
    both_new = stage.made[-1].txid
    coin = stage.coin(90_000)
    stage.send([coin], [(40_000, stage.lock()), (30_000, stage.chain.locks[coin.script_pubkey])])
    assert kept(txid, "C3", horizon=quiet) == {0}
    assert kept(txid, "C3") == NONE
    assert kept(both_new, "C3") == NONE
    assert kept(stage.made[-1].txid, "C3") == NONE  # it returns to an input
    assert kept(stage.made[-1].txid, "C7") == {0}


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ([Form.P2WSH], [Form.P2WSH, Form.P2TR], {0}),
        ([Form.P2WSH, Form.P2WSH], [Form.P2SH, Form.P2WSH], {1}),
        ([Form.P2WSH], [Form.P2WSH, Form.P2WSH], NONE),
        ([Form.P2WSH], [Form.P2TR, Form.P2SH], NONE),
        ([Form.P2WSH, Form.P2TR], [Form.P2WSH, Form.P2SH], NONE),
        ([Form.P2WSH], [Form.P2TR, Form.P2WSH, Form.P2SH], {1}),
    ],
)
def test_c4_keeps_the_only_output_of_the_inputs_type(stage, kept, inputs, outputs, expected):
    coins = [stage.coin(100_000, stage.lock(form)) for form in inputs]
    stage.send(coins, [(20_000, stage.lock(form)) for form in outputs])
    assert kept(stage.made[-1].txid, "C4") == expected


@pytest.mark.parametrize(
    ("values", "digits", "expected"),
    [
        ((2_000_000, 1_234_567), 6, {1}),
        ((2_000_000, 3_000_000), 6, NONE),
        ((2_000_001, 1_234_567), 6, NONE),
        ((1_234_000, 1_234_567), 6, NONE),
        ((1_234_000, 1_234_567), 3, {1}),
        ((1_000_000, 100_000), 6, {1}),
    ],
)
def test_c5_keeps_the_only_amount_that_is_not_round(stage, kept, values, digits, expected):
    stage.send([stage.coin(sum(values))], [(value, stage.lock()) for value in values])
    assert kept(stage.made[-1].txid, not_round(digits)) == expected
    if digits == 6:
        assert kept(stage.made[-1].txid, "C5") == expected


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ((50_000, 30_000), (60_000, 19_000), {1}),
        ((50_000, 30_000), (50_000, 30_000), NONE),
        ((50_000, 30_000), (50_001, 29_999), {1}),
        ((50_000, 49_000), (48_000, 48_500), BOTH),
        ((90_000,), (60_000, 29_000), NONE),
    ],
)
def test_c6_keeps_what_is_less_than_every_input_of_two(stage, kept, inputs, outputs, expected):
    stage.send([stage.coin(value) for value in inputs], [(value, stage.lock()) for value in outputs])
    assert kept(stage.made[-1].txid, "C6") == expected


def test_c7_and_c19_keep_fresh_scripts(stage, kept):
    new, old, twice = stage.lock(), stage.seen(), stage.lock()
    stage.send([stage.coin(90_000)], [(40_000, old), (30_000, new)])
    one = stage.made[-1].txid
    stage.send([stage.coin(90_000)], [(40_000, twice), (30_000, twice)])
    same = stage.made[-1].txid
    stage.send([stage.coin(90_000)], [(40_000, new), (30_000, twice)])
    none = stage.made[-1].txid
    stage.send([stage.coin(90_000)], [(40_000, old), (20_000, stage.lock()), (10_000, twice)])
    assert kept(one, "C7") == kept(one, "C19") == {1}
    assert kept(same, "C7") == BOTH
    assert kept(same, "C19") == NONE
    assert kept(none, "C7") == kept(none, "C19") == NONE
    assert kept(stage.made[-1].txid, "C7") == {1}
    assert kept(stage.made[-1].txid, "C19") == NONE  # three outputs


@pytest.mark.parametrize(
    ("values", "expected"),
    [((100_000, 1_000), {0}), ((99_999, 1_000), NONE), ((1_000, 100_001), {1}), ((9, 0), NONE), ((1, 300, 1), NONE)],
)
def test_c20_keeps_the_hundredfold(stage, kept, values, expected):
    stage.send([stage.coin(200_000)], [(value, stage.lock()) for value in values])
    assert kept(stage.made[-1].txid, "C20") == expected


def test_c21_keeps_the_known_position(stage, kept):
    txid = stage.payment(Shape(), None, None)
    assert kept(txid, "C21") == NONE
    assert kept(txid, "C21", change_position=np.array([-1])) == NONE
    assert kept(txid, "C21", change_position=np.array([1])) == {1}


# Rules that read the spender.

KEY, SIGNED = COMPRESSED_KEY, signature()
THREE = (60_000, 70_000)


@pytest.mark.parametrize(
    ("rule", "own", "same", "other"),
    [
        ("C8", Shape(lock_time=5), Shape(lock_time=77), Shape(lock_time=0)),
        ("C8", Shape(lock_time=0), Shape(lock_time=0), Shape(lock_time=1)),
        ("C9", Shape(version=2), Shape(version=2), Shape(version=1)),
        ("C9", Shape(version=-1), Shape(version=-1), Shape(version=0x7FFFFFFF)),
        ("C10", Shape(sequence=0xFFFFFFFD), Shape(sequence=0), Shape(sequence=0xFFFFFFFE)),
        ("C10", Shape(sequence=0xFFFFFFFE), Shape(sequence=0xFFFFFFFF), Shape(sequence=0xFFFFFFFD)),
        ("C14", Shape(fee_sat=1_000), Shape(fee_sat=1_000), Shape(fee_sat=1_001)),
        ("C15", Shape(items=(SIGNED, KEY)), Shape(items=(SIGNED, KEY)), Shape(items=(SIGNED, UNCOMPRESSED_KEY))),
        (
            "C12",
            Shape(items=(SIGNED, b""), others=THREE),
            Shape(items=(SIGNED, b""), others=THREE),
            Shape(items=(signature(low_r=False), b"")),
        ),
        (
            "C12",
            Shape(items=(signature(low_r=False), b"")),
            Shape(items=(signature(low_r=False), b"")),
            Shape(items=(SIGNED, b""), others=THREE),
        ),
        ("C18", Shape(), Shape(outputs=2), Shape(outputs=3)),
        ("C18", Shape(), Shape(outputs=1), Shape(outputs=3)),
    ],
)
def test_a_spender_of_another_form_rules_out(stage, kept, rule, own, same, other):
    first = stage.payment(own, same, other)
    second = stage.payment(own, other, same)
    agree = stage.payment(own, same, same)
    differ = stage.payment(own, other, other)
    unspent = stage.payment(own, other, None)
    assert kept(first, rule) == {0}
    assert kept(second, rule) == {1}
    assert kept(agree, rule) == BOTH
    assert kept(differ, rule) == NONE
    assert kept(unspent, rule) == {1}  # nothing speaks against it yet
    assert kept(first, rule, horizon=first) == BOTH  # nothing is spent as of the payment itself


@pytest.mark.parametrize(
    ("rule", "own", "unknown"),
    [
        ("C12", Shape(items=(SIGNED, b""), others=THREE), Shape()),
        ("C12", Shape(items=(signature(low_r=False), b"")), Shape(items=(SIGNED, b""))),  # one low R is a coin toss
        ("C12", Shape(items=(signature(low_r=False), b"")), Shape(items=(SIGNED, b""), others=(60_000,))),
        ("C12", Shape(items=(b"\x05" * 64, b"")), Shape(items=(signature(low_r=False), b""))),
        ("C15", Shape(items=(SIGNED, KEY)), Shape(items=(SIGNED, b""))),
        ("C15", Shape(items=(UNCOMPRESSED_KEY, KEY)), Shape(items=(SIGNED, KEY))),
    ],
)
def test_what_is_not_shown_rules_nothing_out(stage, kept, rule, own, unknown):
    assert kept(stage.payment(own, unknown, unknown), rule) == BOTH


def test_c11_compares_the_use_of_witnesses(stage, kept):
    legacy = [stage.coin(50_000, stage.lock(Form.P2SH)) for _ in range(2)]
    outputs = stage.send([stage.coin(90_000)], [(30_000, stage.lock()), (20_000, stage.lock(Form.P2SH))])
    txid = stage.made[-1].txid
    for output in outputs:
        stage.spend(output, Shape())
    old = stage.send(legacy, [(30_000, stage.lock()), (20_000, stage.lock(Form.P2SH))])
    other = stage.made[-1].txid
    for output in old:
        stage.spend(output, Shape())
    assert kept(txid, "C11") == {0}
    assert kept(other, "C11") == {1}


def test_c13_needs_an_order_that_chance_does_not_explain(stage, kept):
    def pay(values):
        return [(value, stage.lock()) for value in values]

    def chain(own, *spenders):
        outputs = stage.send([stage.coin(10_000_000)], pay(own))
        txid = stage.made[-1].txid
        for output, parts in zip(outputs, spenders, strict=False):
            stage.send([output], pay(parts))
        return txid

    ordered, mixed, short = (1_000, 2_000, 3_000, 4_000), (1_000, 2_000, 4_000, 3_000), (1_000, 2_000)
    sorted_own = chain((100_000, 200_000, 300_000, 400_000), ordered, mixed, short)
    mixed_own = chain((100_000, 200_000, 400_000, 300_000), ordered, mixed, short)
    short_own = chain((100_000, 200_000), ordered, mixed)
    assert kept(sorted_own, "C13") == {0, 2, 3}
    assert kept(mixed_own, "C13") == {1, 2, 3}
    assert kept(short_own, "C13") == BOTH


def test_c16_compares_orders_that_three_inputs_show(stage, kept):
    # The coins are made in the order of the inputs, so the age ascends everywhere but where it is turned.
    def inputs(values, *, newest_first=False):
        coins = [stage.coin(value) for value in (reversed(values) if newest_first else values)]
        return coins[::-1] if newest_first else coins

    def pay(coins, first=None):
        taken = coins if first is None else [first, *coins]
        return stage.send(taken, [(30_000, stage.lock()), (20_000, stage.lock())])

    up = inputs((40_000, 50_000, 60_000), newest_first=True)  # by value up, by age down
    outputs = pay(up)
    txid = stage.made[-1].txid
    late = stage.coin(40_000), stage.coin(35_000)
    pay([late[0], late[1]], outputs[0])  # 30, 40, 35: no order of value; the oldest first
    early = inputs((50_000, 45_000))
    pay([early[1], early[0]], outputs[1])  # 20, 45, 50: by value up
    two = pay([stage.coin(60_000), stage.coin(50_000)])
    pair = stage.made[-1].txid
    pay([stage.coin(35_000), stage.coin(36_000)], two[0])
    assert kept(txid, "C16") == {1}
    assert kept(pair, "C16") == BOTH


def test_c17_follows_a_run_of_one_to_two(stage, kept):
    funding = stage.spend(stage.coin(3_000_000), Shape())
    run = stage.spend(funding[0], Shape())
    middle = stage.made[-1].txid
    stage.spend(run[0], Shape(outputs=3))
    stage.spend(run[1], Shape(outputs=2))
    begun = stage.send([stage.coin(90_000), stage.coin(80_000)], [(70_000, stage.lock()), (60_000, stage.lock())])
    start = stage.spend(begun[0], Shape())
    first = stage.made[-1].txid
    stage.spend(start[0], Shape(outputs=2))
    stage.spend(start[1], Shape(outputs=2, others=(10_000,)))
    assert kept(middle, "C17") == {1}
    assert kept(first, "C17") == NONE  # what came before was no 1-in-2-out


# Algebra and peers.


def test_masks_combine(stage, kept):
    txid = stage.payment(Shape(), Shape(version=1), None)
    fresh, version = BY_ID["change.C7"].keep, BY_ID["change.C9"].keep
    assert kept(txid, lambda context: fresh(context) & version(context)) == {1}
    assert kept(txid, lambda context: fresh(context) | version(context)) == BOTH
    assert kept(txid, lambda context: and_not(fresh(context), version(context))) == {0}
    assert kept(txid, lambda context: unique(context, fresh(context))) == NONE
    assert kept(txid, lambda context: unique(context, version(context))) == {1}
    assert kept(txid, lambda context: version(context) & context.spent) == NONE


def test_peers_rules(stage, kept):
    small, large = stage.coin(400_000), stage.coin(500_000)
    stage.send([small, large], [(600_000, stage.lock()), (200_001, stage.lock())])
    usual = stage.made[-1].txid
    stage.send([stage.coin(400_000)], [(300_000, stage.seen()), (90_000, stage.lock())])
    round_ = stage.made[-1].txid
    assert kept(usual, RULE_SETS["blocksci_legacy"]) == kept(usual, RULE_SETS["graphsense_one_time"]) == {1}
    assert kept(round_, RULE_SETS["blocksci_legacy"]) == {1}
    assert kept(round_, RULE_SETS["graphsense_one_time"]) == NONE  # 90,000 is a multiple of 1,000


@pytest.mark.parametrize("last", [Shape(), replace(Shape(), version=1)])
def test_a_later_spend_does_not_exist_before_it(stage, kept, last):
    outputs = stage.spend(stage.coin(3_000_000), Shape())
    txid = stage.made[-1].txid
    stage.spend(outputs[0], Shape(version=1))
    stage.coin(1_000)
    between = stage.made[-1].txid
    stage.spend(outputs[1], last)
    assert kept(txid, "C9", horizon=between) == {1}
    assert kept(txid, "C9") == ({1} if last.version == 2 else NONE)
