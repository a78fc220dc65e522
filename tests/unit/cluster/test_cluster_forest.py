"""Local search and forest over whole ledgers, against sets merged by hand; one forest for every height."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from regtest import RegtestChain, random_chain
from signed_spends import ALL, ALL_ANYONE, owned_lock, spend, unspent_of

from cointrail.bitcoin.fingerprint import InputFlag, input_flags
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster import forest as forests
from cointrail.cluster.co_spend import cluster_of, co_spent_scripts
from cointrail.cluster.coinjoin import Kind, collaborative
from cointrail.cluster.forest import build_forest
from cointrail.kernels.union_find import root_before
from cointrail.ledger.snapshot import counts_at


def busy_chain(random):
    """Few scripts, used again and again; equal outputs and signatures that let anybody join are frequent."""
    chain = RegtestChain()
    chain.mine_empty(130)
    locks = [chain.learn(owned_lock(b"%d" % number)) for number in range(400)]
    pool = chain.spendable()
    for _ in range(20):
        made = []
        for _ in range(random.randint(5, 12)):
            taken = [pool.pop(random.randrange(len(pool))) for _ in range(random.choice((1, 1, 1, 1, 2, 4, 5)))]
            total, count = sum(prevout.value_sat for prevout in taken), random.choice((1, 2, 3, 3, 4, 6))
            values = (
                [total // (count + 1)] * count
                if random.random() < 0.4
                else [total // count - at for at in range(count)]
            )
            outputs = [TransactionOutput(max(0, value), random.choice(locks).script_pubkey) for value in values]
            hash_types = [random.choice((ALL, ALL, ALL, ALL_ANYONE)) for _ in taken]
            made.append(spend(chain, taken, outputs, hash_types))
            pool += unspent_of(made[-1])
        chain.mine(made, claim_sat=0)
    return chain


def merged_by_hand(chain, height):
    """Clusters of scriptPubKeys, and how many co-spends were believed and suppressed, from the builder's blocks."""
    clusters, outputs, believed, suppressed = {}, {}, 0, 0
    for node in chain.branch()[: height + 1]:
        for place, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
            outputs[txid] = tx.outputs
            for output in tx.outputs:
                clusters.setdefault(output.script_pubkey, frozenset([output.script_pubkey]))
            if not place:
                continue
            spent = [outputs[each.outpoint.txid][each.outpoint.vout].script_pubkey for each in tx.inputs]
            anyone = [input_flags(each.script_sig, each.witness) & InputFlag.ANYONECANPAY for each in tx.inputs]
            joined = {script for script, dropped in zip(spent, anyone, strict=True) if not dropped}
            if len(joined) < 2:
                continue
            values = [each.value_sat for each in tx.outputs if each.script_pubkey[:1] != b"\x6a"]
            equal = max(Counter(value for value in values if value > 2_730).values(), default=0)
            if equal >= 3 and 3 * equal >= len(values) and len(set(spent)) >= equal:
                suppressed += 1
                continue
            believed += 1
            union = frozenset().union(*(clusters[script] for script in joined))
            clusters.update(dict.fromkeys(union, union))
    return set(clusters.values()), believed, suppressed


def as_sets(reader, partition):
    blocks = {}
    for script, cluster_id in enumerate(partition):
        blocks.setdefault(int(cluster_id), []).append(script)
    assert all(cluster_id == scripts[0] for cluster_id, scripts in blocks.items())
    return {frozenset(map(reader.script_pubkey, scripts)) for scripts in blocks.values()}, list(blocks.values())


CHAINS = {
    **{f"busy-{number}": lambda number=number: busy_chain(Random(f"busy {number}")) for number in range(4)},
    "random": lambda: random_chain(Random("random clusters"), blocks=30, transactions_per_block=20),
}


@pytest.mark.parametrize("name", CHAINS)
def test_local_search_forest_and_sets_merged_by_hand_are_equal(name, open_ledger, monkeypatch):
    monkeypatch.setattr(forests, "_CHUNK", 50)  # so that a build has many chunks
    chain = CHAINS[name]()
    reader = open_ledger(chain)
    forest = build_forest(reader)
    clusters, believed, suppressed = merged_by_hand(chain, reader.height)
    found, groups = as_sets(reader, forest.partition())
    assert found == clusters
    assert (forest.transactions, forest.suppressed) == (believed, suppressed)
    assert forest.links == reader.counts.script - len(clusters)
    used = 0
    for scripts in groups:
        for script in scripts if len(scripts) < 30 else scripts[:: len(scripts) // 30]:
            cluster = cluster_of(reader, script)
            assert cluster.scripts == tuple(scripts)
            assert cluster.complete
        used += cluster.transactions
    assert used == believed  # every co-spend belongs to exactly one cluster
    if name != "random":
        assert believed > 20
        assert suppressed > 2


@pytest.mark.parametrize("name", ["busy-0", "random"])
def test_one_forest_answers_for_every_height(name, open_ledger):
    chain = CHAINS[name]()
    tip = open_ledger(chain)
    forest = build_forest(tip)
    for height in range(tip.height - 12, tip.height + 1, 3):
        counts = counts_at(tip, height)
        reader = open_ledger(chain, height)
        then = build_forest(reader).partition()
        assert as_sets(reader, then)[0] == merged_by_hand(chain, height)[0]
        assert np.array_equal(forest.partition(before=counts.transaction)[: counts.script], then)
        roots = [
            root_before(forest.parent, forest.linked_at, script, counts.transaction) for script in range(counts.script)
        ]
        smallest = {}
        for script, root in enumerate(roots):
            smallest.setdefault(root, script)
        assert [smallest[root] for root in roots] == then.tolist()
        script = int(np.argmax(np.bincount(then)))
        assert cluster_of(reader, script).scripts == tuple(np.flatnonzero(then == script).tolist())


def test_a_forest_can_be_cut_between_any_two_transactions(open_ledger):
    forest = build_forest(open_ledger(busy_chain(Random("cut"))))
    scripts = range(len(forest.parent))
    for time in np.unique(forest.linked_at).tolist():
        roots = [int(root_before(forest.parent, forest.linked_at, script, time)) for script in scripts]
        smallest = {}
        for script, root in enumerate(roots):
            smallest.setdefault(root, script)
        assert forest.partition(before=time).tolist() == [smallest[root] for root in roots]


def test_the_forest_stays_shallow(open_ledger):
    """Older and older single scripts join one growing cluster: the cluster keeps its root."""
    chain = RegtestChain()
    chain.mine_empty(101)
    locks = [chain.learn(owned_lock(b"%d" % number)) for number in range(64)]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(9_000, lock.script_pubkey) for lock in locks for _ in range(2)]
    )
    outputs = unspent_of(funding)
    pairs = [(2 * number + 1, 2 * number + 2) for number in range(63)]
    made = [spend(chain, [outputs[at] for at in pair], [TransactionOutput(1, b"\x51")], [ALL] * 2) for pair in pairs]
    chain.mine([funding, *made[::-1]])
    parent = build_forest(open_ledger(chain)).parent
    depth, above = 0, np.arange(len(parent))
    while not np.array_equal(parent[above], above):
        above, depth = parent[above], depth + 1
    assert depth <= 6  # log2 of 64 scripts


def test_single_and_batch_agree_on_every_transaction(open_ledger):
    chain = busy_chain(Random("single"))
    reader = open_ledger(chain)
    joined = {}
    for tx_index in range(reader.counts.transaction):
        scripts = co_spent_scripts(reader, tx_index)
        assert scripts == tuple(sorted(set(scripts)))
        if collaborative(reader, tx_index).kind is not Kind.NONE:
            assert scripts == ()
        if len(scripts) > 1:
            joined[tx_index] = scripts
    forest = build_forest(reader)
    assert len(joined) == forest.transactions
    partition = forest.partition()
    assert all(len({int(partition[script]) for script in scripts}) == 1 for scripts in joined.values())
    assert set(forest.linked_at[forest.linked_at < reader.counts.transaction].tolist()) <= joined.keys()
