"""The zoo's own promises: unique, typed as the code under test types them, spent with the right number of items."""

import pytest
from script_zoo import Form, anyone_can_spend, is_kept, locked_zoo, push, spendable_zoo, zoo
from taproot import GENERATOR, NUMS, ORDER, add, lift_x, times_generator

from cointrail.bitcoin.script import ScriptType, classify, is_unspendable


@pytest.mark.parametrize("lock", zoo(), ids=lambda lock: lock.name)
def test_type_is_the_one_classify_gives(lock):
    assert classify(lock.script_pubkey) == lock.script_type
    assert is_unspendable(lock.script_pubkey) is not lock.is_kept


def test_names_and_scripts_are_unique_and_every_type_is_there():
    assert len({lock.name for lock in zoo()}) == len({lock.script_pubkey for lock in zoo()}) == len(zoo())
    assert {lock.script_type for lock in zoo()} == set(ScriptType)


def test_spendable_and_locked_are_told_apart():
    assert all(lock.is_spendable and lock.is_kept for lock in spendable_zoo())
    assert not any(lock.is_spendable for lock in locked_zoo())


@pytest.mark.parametrize("form", Form)
def test_another_tag_makes_another_script(form):
    assert len({anyone_can_spend(form, tag).script_pubkey for tag in (b"", b"1", b"2")}) == 3


def test_unlock_refuses_what_the_script_does_not_take():
    lock = anyone_can_spend(Form.P2WSH, drops=2)
    with pytest.raises(ValueError, match="takes 2 items, not 1"):
        lock.unlock([b"x"])
    with pytest.raises(ValueError, match="only p2tr has an annex"):
        lock.unlock([b"x", b"y"], annex=b"\x50")
    with pytest.raises(ValueError, match="nobody can spend"):
        locked_zoo()[0].unlock()
    assert lock.unlock([b"x", b"y"]) == (b"", (b"x", b"y", *lock.witness))


@pytest.mark.parametrize(
    ("size", "prefix"), [(0, "00"), (75, "4b"), (76, "4c4c"), (256, "4d0001"), (65_536, "4e00000100")]
)
def test_push_prefix(size, prefix):
    assert push(bytes(size)) == bytes.fromhex(prefix) + bytes(size)


@pytest.mark.parametrize(("size", "kept"), [(0, True), (10_000, True), (10_001, False)])
def test_scripts_above_10000_bytes_are_not_kept(size, kept):
    assert is_kept(bytes(size)) is kept


def test_curve_arithmetic():
    assert times_generator(0) is None
    assert times_generator(ORDER) is None
    assert times_generator(1) == GENERATOR
    assert add(times_generator(7), times_generator(11)) == times_generator(18)
    assert add(times_generator(9), times_generator(9)) == times_generator(18)
    assert lift_x(NUMS)[1] % 2 == 0
    with pytest.raises(ValueError, match="not an x coordinate"):
        lift_x(b"\xff" * 32)
