"""Profiles are what a plain walk over raw blocks says: any wallet, as of any height, under any filter."""

from random import Random

import numpy as np
import pytest
from chain_model import ChainModel
from ledgers import tiny_chain, write_model
from plain_profile import PlainProfile
from profile_questions import filters, wallets

from cointrail.bitcoin.hashes import parse_hash
from cointrail.cluster.forest.view import Forest
from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.profile import moves
from cointrail.service.names import name_of
from cointrail.service.profiles.asked import Asked
from cointrail.service.profiles.profile import profile

CASES = ("mainnet", "one", "two", "simulated")


def said(answer):
    """An answer in the form of the plain walk."""
    same = {
        name: getattr(answer, name)
        for name in (
            "balance_sat", "received_sat", "spent_sat", "returned_sat", "received_net_sat", "spent_net_sat",
            "unspendable_sat", "coinbase_sat", "coinbases", "transactions", "receiving", "sending", "outputs", "inputs",
            "unspent_outputs", "unspent_sat",
        )
    }  # fmt: skip
    fees, again = answer.fees, answer.reuse
    return same | {
        "first_height": answer.first_seen and answer.first_seen.height,
        "last_height": answer.last_seen and answer.last_seen.height,
        "fees": (fees.paid_sat, fees.paid_transactions, fees.shared_sat, fees.shared_transactions),
        "unspent": [(outpoint(each.outpoint), each.value_sat) for each in answer.unspent],
        "types": {
            each.script_type: (each.scripts, each.outputs, each.received_sat, each.unspent_outputs, each.unspent_sat)
            for each in answer.script_types
        },
        "reuse": (again.paid_scripts, again.reused, again.after_spending, again.most_transactions),
        "receipts": (list(answer.receipts.hours), list(answer.receipts.days)),
        "spends": (list(answer.spends.hours), list(answer.spends.days)),
        "steps": [(each.height, each.balance_sat) for each in answer.balance.steps],
    }


def outpoint(text):
    txid, vout = text.split("@")[0].split(":") if "@" not in text else (text.split("@")[0], text.rsplit(":", 1)[1])
    return parse_hash(txid), int(vout)


@pytest.mark.parametrize("name", CASES)
def test_profiles_are_sums_over_raw_blocks(cases, name):
    case, random, asked_for = cases(name), Random(name), 0
    tip = len(case.raw) - 1
    for height in (tip, *random.sample(range(tip // 2, tip), 2)):
        plain = case.plain(height)
        with Reader(case.ledger, height) as reader:
            for text, scripts in wallets(reader, random, 14):
                for asked, first, last in filters(random, plain):
                    answer = profile(reader, text, asked=asked, steps=10**9, limit=None)
                    wanted = plain.profile(scripts, first, last, asked.min_sat, asked.max_sat)
                    assert said(answer) == wanted, (text, asked, height)
                    asked_for += wanted["transactions"] > 0
    assert asked_for > 60


def test_large_wallets_go_the_compiled_way(cases, monkeypatch):
    """The largest cluster and the busiest scripts, followed by the kernel from the tenth output on."""
    case = cases("simulated")
    plain = case.plain(len(case.raw) - 1)
    monkeypatch.setattr(moves, "_FEW", 9)
    with Reader(case.ledger) as reader:
        roots, paid = Forest(reader).all_roots(), np.bincount(reader.column("output", "script"))
        root = int(np.bincount(roots).argmax())
        scripts = {reader.script_pubkey(each) for each in np.flatnonzero(roots == root).tolist()}
        assert len(scripts) > 100
        answer = profile(reader, f"cluster:{name_of(reader, root)}", steps=10**9, limit=None)
        assert said(answer) == plain.profile(scripts, 0, plain.height)
        for busy in np.argsort(-paid)[:5].tolist():
            answer = profile(reader, name_of(reader, busy), steps=10**9, limit=None)
            assert said(answer) == plain.profile({reader.script_pubkey(busy)}, 0, plain.height)
            assert answer.outputs > 100


def test_a_coinbase_that_comes_again(tmp_path):
    """BIP30: the first of two coinbases of one txid is received, never spent, and leaves the balance."""
    raw = tiny_chain(16, "branch", repeat=(3, 12))
    write_model(tmp_path, ChainModel(raw))
    for height in (15, 11):
        plain = PlainProfile(raw, height)
        with Reader(tmp_path, height) as reader:
            for script in range(reader.counts.script):
                key = reader.script_pubkey(script)
                if len(key) > 10_000 or not key:
                    continue
                for first, last in ((0, height), (4, height - 1)):
                    answer = profile(reader, f"script:{key.hex()}", asked=Asked(first, last), steps=99, limit=None)
                    assert said(answer) == plain.profile({key}, first, last)
    assert any(tx.dead for tx in PlainProfile(raw, 15).txs)


def test_the_address_command_agrees(cases):
    from cointrail.service.addresses import address

    case = cases("one")
    with Reader(case.ledger) as reader:
        for text, _ in wallets(reader, Random(3), 40):
            if text.startswith("cluster:"):
                continue
            fact, answer = address(reader, text), profile(reader, text)
            for name in ("received_sat", "spent_sat", "balance_sat", "unspendable_sat", "outputs", "unspent_outputs"):
                assert getattr(fact, name) == getattr(answer, name)
            assert (fact.transactions, fact.first_seen, fact.last_seen) == (
                answer.transactions, answer.first_seen, answer.last_seen,
            )  # fmt: skip
            assert answer.basis == "fact"
            assert answer.rules == ()


def test_pages_and_short_histories(cases):
    case = cases("simulated")
    with Reader(case.ledger) as reader:
        busiest = int(np.bincount(reader.column("output", "script")).argmax())
        text = f"cluster:{name_of(reader, busiest)}"
        whole = profile(reader, text, steps=10**9, limit=None)
        page = profile(reader, text, steps=20, first=3, limit=4)
    assert page.unspent == whole.unspent[3:7]
    assert page.unspent_outputs == whole.unspent_outputs == len(whole.unspent) > 7
    assert page.balance.total == len(whole.balance.steps) > 20 >= len(page.balance.steps)
    assert set(page.balance.steps) <= set(whole.balance.steps)
    assert page.balance.highest == max(whole.balance.steps, key=lambda each: each.balance_sat)
    assert page.balance.highest in page.balance.steps
    assert page.basis == "inference"
    assert page.rules


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (Asked("yesterday"), InputRefused),
        (Asked("2024-13-01"), InputRefused),
        (Asked("-5"), InputRefused),
        (Asked("0001-01-01T00:00:00+20:00"), InputRefused),
        (Asked(10**8), NotFound),
        (Asked("3", "2"), UsageError),
        (Asked("2024-01-02", "2024-01-01"), UsageError),
        (Asked(min_sat=-1), UsageError),
        (Asked(min_sat=2, max_sat=1), UsageError),
    ],
)
def test_filters_that_make_no_sense(cases, asked, error):
    with Reader(cases("one").ledger) as reader, pytest.raises(error):
        profile(reader, name_of(reader, 5), asked=asked)


def test_a_filter_that_leaves_nothing(cases):
    with Reader(cases("one").ledger) as reader:
        answer = profile(reader, name_of(reader, 5), asked=Asked("2030-01-01", "2031-01-01"))
    assert answer.transactions == 0
    assert answer.first_seen is answer.last_seen is answer.balance.highest is None
    assert answer.balance.opening_sat == answer.balance_sat
    assert answer.unspent == answer.script_types == ()
