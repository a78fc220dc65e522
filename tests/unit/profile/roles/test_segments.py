"""Segments beside plain loops on wallets of a simulated world, and what they truly are; shapes by hand."""

from dataclasses import replace

import numpy as np
import pytest
from finder_cases import BTC, Town, script
from plain_roles import plain_segments

from cointrail.cluster.forest.view import Forest
from cointrail.profile.roles.search import deposits_of, scripts_of
from cointrail.profile.roles.segments import LIMITS, Kind, Segment, segments_of

COUNTS = ("external", "gathered", "change", "gatherings", "payouts")


def wallet(economy, name):
    number = economy.services.names.index(name)
    own = scripts_of(economy.forest, economy.services, number)
    deposits = deposits_of(economy.reader, economy.forest, economy.services, number)
    return np.unique(np.concatenate([own, deposits.scripts]))


@pytest.mark.parametrize("name", ["Alpha", "Beta", "Gamma", "Quill", "EvenOdds", "RedBlack", "Heron", "LuckyDice"])
def test_a_wallet_is_told_as_plain_loops_tell_it(economy, name):
    scripts = wallet(economy, name)
    found, moved = segments_of(economy.reader, scripts)
    rows = {
        each: (Segment(int(found.segment[at])).words, *(int(getattr(found, column)[at]) for column in COUNTS))
        for at, each in enumerate(scripts.tolist())
    }
    assert rows == plain_segments(economy.plain, scripts.tolist())
    assert (found.external + found.gathered + found.change > 0).all()
    own = set(scripts.tolist())
    for at in range(0, len(moved), 17):
        tx = int(moved.tx_index[at])
        payees = sum(economy.plain.script[row] not in own for row in economy.plain.outputs[tx])
        emptied = {economy.plain.script[row] for row in economy.plain.inputs[tx]} & own
        deposits = sum(rows[each][0] == "deposit" for each in emptied)
        assert (int(moved.payees[at]), int(moved.deposits[at])) == (payees, deposits)
        kind = (
            ("sweep" if deposits else "gathering") if not payees
            else "batch withdrawal" if payees >= 5 else "withdrawal"
        )  # fmt: skip
        assert Kind(int(moved.kind[at])).words == kind


def test_balances_are_the_ledgers(economy):
    scripts = wallet(economy, "Alpha")
    found, _ = segments_of(economy.reader, scripts)
    for at in range(0, len(scripts), 5):
        outputs = economy.plain.paid[int(scripts[at])]
        assert int(found.received_sat[at]) == sum(economy.plain.value[row] for row in outputs)
        assert int(found.balance_sat[at]) == sum(
            economy.plain.value[row] for row in outputs if row not in economy.plain.spender
        )
    assert 0 <= int(found.share_ppm.sum()) <= 1_000_000


@pytest.mark.parametrize("name", ["Alpha", "Beta", "Gamma"])
def test_an_exchanges_deposits_and_hot_scripts_are_told_apart(economy, name):
    """Against the truth table: deposits are nobody's change, and what pays out is no deposit."""
    scripts = wallet(economy, name)
    found, moved = segments_of(economy.reader, scripts)
    role = economy.roles.role[scripts]
    ours = np.array([economy.controller(each) == name for each in scripts.tolist()])
    deposit = found.segment == Segment.DEPOSIT
    assert (ours & (role == "deposit") == deposit).mean() > 0.99
    assert (role[found.segment == Segment.HOT] == "hot").all()
    assert (found.segment == Segment.HOT).sum() >= 2
    kinds = economy.truth.kind[moved.tx_index]
    assert (moved.kind[kinds == "deposit_sweep"] == Kind.SWEEP).all()
    assert (moved.kind[kinds == "batch_withdrawal"] == Kind.BATCH_WITHDRAWAL).all()
    assert (moved.kind[kinds == "withdrawal"] == Kind.WITHDRAWAL).all()
    assert (kinds == "deposit_sweep").sum() > 50


def test_thresholds_matter(economy):
    """Mutation: when no money may rest, no script takes deposits; when any number is a batch, none is single."""
    scripts = wallet(economy, "Beta")
    none, _ = segments_of(economy.reader, scripts, replace(LIMITS, deposit_dwell_seconds=0))
    assert not (none.segment == Segment.DEPOSIT).any()
    _, moved = segments_of(economy.reader, scripts, replace(LIMITS, batch_payees=1))
    assert not (moved.kind == Kind.WITHDRAWAL).any()


def test_a_cold_store_that_is_given(open_ledger):
    """Hot money goes to a store and rests there for over a month; the store is told once its script is given."""
    town = Town()
    deposit = town.pay([town.fresh()], ("deposit", 50 * BTC))
    hot = town.pay(deposit, ("hot", 50 * BTC - 100))
    town.pay(hot, ("store", 40 * BTC), ("hot", 9 * BTC), ("customer", BTC - 200))
    reader = open_ledger(town.chain)
    scripts = np.sort(np.array([script(reader, town, name) for name in ("deposit", "hot", "store")]))
    known = {script(reader, town, name): name for name in ("deposit", "hot", "store")}
    short = replace(LIMITS, cold_idle_seconds=0)
    found, _ = segments_of(reader, scripts, short)
    told = {known[each]: Segment(int(found.segment[at])) for at, each in enumerate(scripts.tolist())}
    assert told == {"deposit": Segment.DEPOSIT, "hot": Segment.HOT, "store": Segment.COLD}
    rested, _ = segments_of(reader, scripts)
    assert Segment.COLD not in {Segment(int(each)) for each in rested.segment}
    assert int(found.share_ppm[list(scripts).index(script(reader, town, "store"))]) == 1_000_000 * 40 // 49
    assert Forest(reader).root(int(scripts[0])) == int(scripts[0])


def test_one_script_alone(economy):
    """A script is a wallet of one."""
    for each in range(0, economy.reader.counts.script, 997):
        found, moved = segments_of(economy.reader, np.array([each], np.int64))
        assert len(found) == 1
        assert plain_segments(economy.plain, [each])[each][0] == Segment(int(found.segment[0])).words
        assert moved.tx_index.tolist() == economy.plain.spends_of(each)
