"""The co-spend rule and the local search, on ledgers made for each case."""

from itertools import pairwise

import pytest
from regtest import RegtestChain
from signed_spends import ALL, ALL_ANYONE, SINGLE_ANYONE, owned_lock, spend, unspent_of

from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.co_spend import cluster_of, co_spent_scripts
from cointrail.cluster.forest import build_forest
from cointrail.errors import NotFound, UsageError

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


def test_scripts_spent_together_are_one_cluster(chain, open_ledger):
    a, b, c, d = fund(chain, [b"a", b"b", b"c", b"d"])
    ab = spend(chain, [a, b], [to(chain, b"e")], [ALL] * 2)
    chain.mine([ab])
    (b_again,) = fund(chain, [b"b"])
    chain.mine([spend(chain, [b_again, c], [to(chain, b"f")], [ALL] * 2)])
    reader = open_ledger(chain)
    abc = script_ids(reader, [b"a", b"b", b"c"])
    for script in abc:
        cluster = cluster_of(reader, script)
        assert cluster.scripts == abc
        assert cluster.cluster_id == min(abc)
        assert (cluster.level, cluster.transactions, cluster.suppressed, cluster.complete) == ("L1", 2, 0, True)
        assert cluster.rules == (("cospend", 1), ("coinjoin.generic", 1))
    for name in (b"d", b"e", b"f"):  # unspent, or paid only: nothing is known about them
        alone = cluster_of(reader, *script_ids(reader, [name]))
        assert (alone.scripts, alone.transactions) == (script_ids(reader, [name]), 0)
    assert co_spent_scripts(reader, reader.find_transactions(ab.txid)[0]) == script_ids(reader, [b"a", b"b"])
    assert d.value_sat == BTC


def test_one_script_spent_twice_is_no_co_spend(chain, open_ledger):
    prevouts = fund(chain, [b"a", b"a"])
    tx = spend(chain, prevouts, [to(chain, b"b")], [ALL] * 2)
    chain.mine([tx])
    reader = open_ledger(chain)
    assert co_spent_scripts(reader, reader.find_transactions(tx.txid)[0]) == script_ids(reader, [b"a"])
    assert cluster_of(reader, *script_ids(reader, [b"a"])).transactions == 0


def test_coinbases_spend_nothing(chain, open_ledger):
    reader = open_ledger(chain)
    assert all(co_spent_scripts(reader, tx_index) == () for tx_index in range(reader.counts.transaction))


def test_collaborative_transactions_join_nothing_but_are_counted(chain, open_ledger):
    names = [b"a", b"b", b"c"]
    mix = spend(chain, fund(chain, names), [to(chain, name, BTC // 2) for name in (b"x", b"y", b"z")], [ALL] * 3)
    chain.mine([mix])
    reader = open_ledger(chain)
    assert co_spent_scripts(reader, reader.find_transactions(mix.txid)[0]) == ()
    for name in names:
        cluster = cluster_of(reader, *script_ids(reader, [name]))
        assert cluster.scripts == script_ids(reader, [name])
        assert (cluster.transactions, cluster.suppressed) == (0, 1)
    forest = build_forest(reader)
    assert (forest.transactions, forest.links, forest.suppressed) == (0, 0, 1)


@pytest.mark.parametrize("hash_type", [ALL_ANYONE, SINGLE_ANYONE])
def test_inputs_anyone_could_join_are_dropped(hash_type, chain, open_ledger):
    seller, *buyer = fund(chain, [b"seller", b"buyer1", b"buyer2"])
    trade = spend(chain, [seller, *buyer], [to(chain, b"paid")], [hash_type, ALL, ALL])
    chain.mine([trade])
    reader = open_ledger(chain)
    buyers = script_ids(reader, [b"buyer1", b"buyer2"])
    assert co_spent_scripts(reader, reader.find_transactions(trade.txid)[0]) == buyers
    assert cluster_of(reader, buyers[0]).scripts == buyers
    alone = cluster_of(reader, *script_ids(reader, [b"seller"]))
    assert (alone.scripts, alone.transactions) == (script_ids(reader, [b"seller"]), 0)


def test_a_script_with_one_owned_input_stays_in(chain, open_ledger):
    a, a_again, b = fund(chain, [b"a", b"a", b"b"])
    chain.mine([spend(chain, [a, a_again, b], [to(chain, b"c")], [ALL_ANYONE, ALL, ALL])])
    reader = open_ledger(chain)
    assert cluster_of(reader, *script_ids(reader, [b"a"])).scripts == script_ids(reader, [b"a", b"b"])


def test_a_limit_keeps_the_nearest_scripts_and_says_so(chain, open_ledger):
    """A chain of co-spends a-b, b-c, c-d ..."""
    names = [b"%d" % number for number in range(6)]
    for left, right in pairwise(names):
        chain.mine([spend(chain, fund(chain, [left, right]), [to(chain, b"away")], [ALL] * 2)])
    reader = open_ledger(chain)
    (start,) = script_ids(reader, names[:1])
    for limit in range(1, 8):
        cluster = cluster_of(reader, start, limit=limit)
        assert cluster.scripts == script_ids(reader, names[: min(limit, 6)])
        assert cluster.complete is (limit >= 6)
    with pytest.raises(UsageError, match="limit of 0"):
        cluster_of(reader, start, limit=0)
    for unknown in (-1, reader.counts.script):
        with pytest.raises(NotFound, match=f"script {unknown} "):
            cluster_of(reader, unknown)
