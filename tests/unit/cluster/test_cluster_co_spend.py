"""The co-spend rule, on ledgers made for each case."""

import numpy as np
import pytest
from cluster_search import Search
from regtest import RegtestChain
from signed_spends import ALL, ALL_ANYONE, SINGLE_ANYONE, owned_lock, spend, unspent_of

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.co_spend import RULE, VERSION, owned_scripts
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import RULES
from cointrail.cluster.structure.activity import activity
from cointrail.cluster.structure.evidence import evidence

BTC = 100_000_000


@pytest.fixture
def chain():
    chain = RegtestChain()
    chain.mine_empty(103)
    return chain


def fund(chain, names, value_sat=BTC):
    """One output to each of the named scripts, in a block of its own."""
    scripts = [chain.learn(owned_lock(name)).script_pubkey for name in names]
    tx = chain.spend(chain.spendable()[:1], [TransactionOutput(value_sat, script) for script in scripts])
    chain.mine([tx])
    return unspent_of(tx)


def script_ids(reader, names):
    return tuple(sorted(reader.find_script(owned_lock(name).script_pubkey) for name in names))


def to(chain, name, value_sat=BTC):
    return TransactionOutput(value_sat, chain.learn(owned_lock(name)).script_pubkey)


def owned(reader, tx):
    return tuple(owned_scripts(reader, np.array(reader.find_transactions(tx.txid))).row.tolist())


def cluster_of(reader, script):
    """(scripts, co-spends, suppressed) of a script's cluster, the same by forest and by search."""
    forest = Forest(reader)
    scripts = np.sort(forest.members(script)[0])
    held = evidence(forest, activity(reader, scripts))
    searched = Search(reader).cluster(script)
    assert set(scripts.tolist()) == searched.scripts
    assert (held.co_spends.tolist(), held.suppressed.tolist()) == (
        sorted(searched.co_spends), sorted(searched.suppressed),
    )  # fmt: skip
    return tuple(scripts.tolist()), len(held.co_spends), len(held.suppressed)


def test_scripts_spent_together_are_one_cluster(chain, open_ledger):
    a, b, c, d = fund(chain, [b"a", b"b", b"c", b"d"])
    ab = spend(chain, [a, b], [to(chain, b"e")], [ALL] * 2)
    chain.mine([ab])
    (b_again,) = fund(chain, [b"b"])
    chain.mine([spend(chain, [b_again, c], [to(chain, b"f")], [ALL] * 2)])
    reader = open_ledger(chain)
    abc = script_ids(reader, [b"a", b"b", b"c"])
    for script in abc:
        assert cluster_of(reader, script) == (abc, 2, 0)
    for name in (b"d", b"e", b"f"):  # unspent, or paid only: nothing is known about them
        alone = script_ids(reader, [name])
        assert cluster_of(reader, *alone) == (alone, 0, 0)
    assert owned(reader, ab) == script_ids(reader, [b"a", b"b"])
    assert {(RULE, VERSION), *RULES} <= set(Forest(reader).rules)
    assert d.value_sat == BTC


def test_one_script_spent_twice_is_no_co_spend(chain, open_ledger):
    prevouts = fund(chain, [b"a", b"a"])
    tx = spend(chain, prevouts, [to(chain, b"b")], [ALL] * 2)
    chain.mine([tx])
    reader = open_ledger(chain)
    (a,) = script_ids(reader, [b"a"])
    assert owned(reader, tx) == (a,)
    assert cluster_of(reader, a) == ((a,), 0, 0)


def test_coinbases_spend_nothing(chain, open_ledger):
    reader = open_ledger(chain)
    assert len(owned_scripts(reader, np.arange(reader.counts.transaction)).row) == 0


def test_collaborative_transactions_join_nothing_but_are_counted(chain, open_ledger):
    names = [b"a", b"b", b"c"]
    mix = spend(chain, fund(chain, names), [to(chain, name, BTC // 2) for name in (b"x", b"y", b"z")], [ALL] * 3)
    chain.mine([mix])
    reader = open_ledger(chain)
    for name in names:
        alone = script_ids(reader, [name])
        assert cluster_of(reader, *alone) == (alone, 0, 1)


@pytest.mark.parametrize("hash_type", [ALL_ANYONE, SINGLE_ANYONE])
def test_inputs_anyone_could_join_are_dropped(hash_type, chain, open_ledger):
    seller, *buyer = fund(chain, [b"seller", b"buyer1", b"buyer2"])
    trade = spend(chain, [seller, *buyer], [to(chain, b"paid")], [hash_type, ALL, ALL])
    chain.mine([trade])
    reader = open_ledger(chain)
    buyers = script_ids(reader, [b"buyer1", b"buyer2"])
    assert owned(reader, trade) == buyers
    assert cluster_of(reader, buyers[0]) == (buyers, 1, 0)
    alone = script_ids(reader, [b"seller"])
    assert cluster_of(reader, *alone) == (alone, 0, 0)


def test_a_script_with_one_owned_input_stays_in(chain, open_ledger):
    a, a_again, b = fund(chain, [b"a", b"a", b"b"])
    chain.mine([spend(chain, [a, a_again, b], [to(chain, b"c")], [ALL_ANYONE, ALL, ALL])])
    reader = open_ledger(chain)
    both = script_ids(reader, [b"a", b"b"])
    assert cluster_of(reader, both[0]) == (both, 1, 0)
