"""The clusters of whole ledgers against sets merged by hand; one forest for every height; no batch leaves a trace."""

from random import Random

import mixing_gate
import numpy as np
import pytest
from ingest_runs import build
from ledger_view import fixed_bytes
from regtest import RegtestChain, random_chain
from signed_spends import ALL, ALL_ANYONE, owned_lock, spend, unspent_of

from cointrail.bitcoin.fingerprint import InputFlag, input_flags
from cointrail.bitcoin.spelling import revealed_spelling, spelling_hash
from cointrail.bitcoin.transaction import TransactionOutput
from cointrail.cluster.forest import extend
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.verify import cluster_damage
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO, Sign
from cointrail.cluster.gate.lists import TransactionList
from cointrail.errors import NotFound, SnapshotGone, Unavailable
from cointrail.ingest.report import Options
from cointrail.ledger.reader import Reader
from cointrail.ledger.snapshot import counts_at
from cointrail.ledger.verify import verify
from cointrail.ledger.writer import Writer


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


class ByHand:
    """Clusters of scriptPubKeys from a builder's blocks, with sets: same spelling, then believed co-spends."""

    def __init__(self, chain, height, listed=()):
        self.clusters, self.suppressed = {}, []
        outputs, spelled = {}, {}
        for node in chain.branch()[: height + 1]:
            for place, (txid, tx) in enumerate(zip(node.txids, node.block.transactions, strict=True)):
                outputs[txid] = tx.outputs
                spent = [outputs[each.outpoint.txid][each.outpoint.vout] for each in tx.inputs] if place else []
                for output in tx.outputs:
                    script = output.script_pubkey
                    self.clusters.setdefault(script, frozenset([script]))
                    spelling = spelling_hash(script)
                    if spelling is not None:
                        self._join({script, spelled.setdefault(spelling, script)})
                for output, each in zip(spent, tx.inputs, strict=bool(place)):
                    told = revealed_spelling(output.script_pubkey, each.script_sig, each.witness)
                    if told and told[0] in spelled:
                        self._join({output.script_pubkey, spelled[told[0]]})
                inputs, made = ([(one.value_sat, one.script_pubkey) for one in side] for side in (spent, tx.outputs))
                if len(inputs) > 1 and (txid in listed or mixing_gate.collaborative(inputs, made) != "none"):
                    self.suppressed.append(txid)
                    continue
                anyone = [input_flags(each.script_sig, each.witness) & InputFlag.ANYONECANPAY for each in tx.inputs]
                self._join({script for (_, script), dropped in zip(inputs, anyone, strict=bool(place)) if not dropped})

    def _join(self, scripts):
        if len(scripts) > 1:
            union = frozenset().union(*(self.clusters[script] for script in scripts))
            self.clusters.update(dict.fromkeys(union, union))

    def sets(self):
        return set(self.clusters.values())


def as_sets(reader, partition):
    blocks = {}
    for script, cluster_id in enumerate(partition.tolist()):
        blocks.setdefault(cluster_id, []).append(script)
    assert all(cluster_id == scripts[0] for cluster_id, scripts in blocks.items())
    return {frozenset(map(reader.script_pubkey, scripts)) for scripts in blocks.values()}


CHAINS = {
    **{f"busy-{number}": lambda number=number: busy_chain(Random(f"busy {number}")) for number in range(3)},
    "random": lambda: random_chain(Random("random clusters"), blocks=30, transactions_per_block=20),
}


@pytest.mark.parametrize("name", CHAINS)
def test_clusters_are_those_merged_by_hand_at_every_height(name, open_ledger):
    chain = CHAINS[name]()
    tip = open_ledger(chain)
    joined = 0
    for height in sorted({tip.height, *range(tip.height - 12, tip.height + 1, 3)}):
        with Reader(tip.folder, height) as reader:
            forest, hand = Forest(reader), ByHand(chain, height)
            assert as_sets(reader, forest.partition()) == hand.sets()
            counts = counts_at(tip, height)
            ever = Forest(tip).partition(before=counts.transaction)[: counts.script]
            assert np.array_equal(ever, forest.partition())
            suppressed = reader.column("collaborative", "tx_index")
            txids = reader.column("transaction", "txid")
            assert [bytes(txids[tx_index]) for tx_index in suppressed.tolist()] == hand.suppressed
            joined = reader.counts.script - len(hand.sets())
    assert joined > 10
    assert verify(tip.folder) == []
    assert list(cluster_damage(tip, (), lambda *_: None)) == []


def test_one_cluster_in_every_way_of_asking(open_ledger):
    reader = open_ledger(busy_chain(Random("ways")))
    forest = Forest(reader)
    partition = forest.partition()
    for script in range(reader.counts.script):
        members, merges = forest.members(script)
        assert sorted(members.tolist()) == np.flatnonzero(partition == partition[script]).tolist()
        assert members[0] == forest.root(script) == forest.roots([script])[0]
        assert len(members) == forest.size(forest.root(script))
        assert [int(forest.merge(merge).child) for merge in merges[1:].tolist()] == members[1:].tolist()
        few, _ = forest.members(script, most=2)
        assert few.tolist() == members[:2].tolist()
        times = [time for _, time in forest.path(script)]
        assert times == sorted(times)
    roots = forest.all_roots()
    assert [forest.root(script) for script in range(len(roots))] == roots.tolist()
    half = reader.counts.transaction // 2
    assert forest.roots(np.arange(len(roots)), np.full(len(roots), half)).tolist() == forest.all_roots(half).tolist()


def test_the_forest_stays_shallow(open_ledger):
    """Older and older single scripts join one growing cluster: the cluster keeps its root."""
    chain = RegtestChain()
    chain.mine_empty(101)
    locks = [chain.learn(owned_lock(b"%d" % number)) for number in range(64)]
    funding = chain.spend(
        chain.spendable()[:1], [TransactionOutput(9_000 + n, lock.script_pubkey) for lock in locks for n in range(2)]
    )
    outputs = unspent_of(funding)
    pairs = [(2 * number + 1, 2 * number + 2) for number in range(63)]
    made = [spend(chain, [outputs[at] for at in pair], [TransactionOutput(1, b"\x51")], [ALL] * 2) for pair in pairs]
    chain.mine([funding, *made[::-1]])
    reader = open_ledger(chain)
    forest = Forest(reader)
    assert max(len(forest.path(script)) for script in range(reader.counts.script)) <= 6  # log2 of 64 scripts
    assert len(forest.members(forest.reader.find_script(locks[0].script_pubkey))[0]) == 64


@pytest.mark.parametrize("name", ["busy-0", "random"])
def test_batches_of_any_size_give_the_same_clusters(name, tmp_path, monkeypatch):
    chain = CHAINS[name]()
    made = []
    for number, (options, pieces) in enumerate(
        ((Options(), 1 << 19), (Options(batch_bytes=1), 1 << 19), (Options(batch_bytes=5_000), 7))
    ):
        monkeypatch.setattr(extend, "_TRANSACTIONS", pieces)
        build(tmp_path / str(number), chain.serialized(), options=options)
        made.append(fixed_bytes(tmp_path / str(number) / "ledger"))
    assert made[0] == made[1] == made[2]
    assert {"merge/child", "cluster/link", "change/votes"} <= made[0].keys()


def test_clusters_built_late_equal_those_that_grew(tmp_path, monkeypatch):
    chain = CHAINS["busy-1"]()
    build(tmp_path, chain.serialized())
    grown = fixed_bytes(tmp_path / "ledger")
    monkeypatch.setattr(extend, "_PUBLISH", 100)
    monkeypatch.setattr(extend, "_TRANSACTIONS", 30)
    with Writer(tmp_path / "ledger", "regtest") as writer:
        writer.forget_clusters()
        with Reader(tmp_path / "ledger") as reader, pytest.raises(Unavailable, match="reach 0 blocks"):
            Forest(reader)
        bring_up(writer)
        writer.publish()
    assert fixed_bytes(tmp_path / "ledger") == grown


def test_a_list_keeps_apart_and_is_a_parameter_of_the_clusters(tmp_path):
    chain = CHAINS["busy-2"]()
    build(tmp_path, chain.serialized())
    ledger = tmp_path / "ledger"
    with Reader(ledger) as reader:
        plain = as_sets(reader, Forest(reader).partition())
        joining = np.unique(reader.column("merge", "tx_index"))[::2]
        txids = reader.column("transaction", "txid")[joining]
    listed = TransactionList("trades", "ab" * 32, txids)
    with Writer(ledger, "regtest") as writer:
        bring_up(writer, (listed,))
        writer.publish()
    with Reader(ledger) as reader:
        forest = Forest(reader)
        assert [each.name for each in forest.lists] == ["trades"]
        found = as_sets(reader, forest.partition())
        assert found == ByHand(chain, reader.height, {bytes(txid) for txid in txids}).sets() != plain
        assert all(forest.sign(tx_index) & Sign.LISTED for tx_index in joining.tolist())
        assert (forest.signs(joining) & np.uint32(VETO) != 0).all()
        assert list(cluster_damage(reader, (listed,), lambda *_: None)) == []
        assert list(cluster_damage(reader, (), lambda *_: None))
    with Writer(ledger, "regtest") as writer:
        bring_up(writer)
        writer.publish()
    with Reader(ledger) as reader:
        assert as_sets(reader, Forest(reader).partition()) == plain


def test_whoever_read_clusters_that_are_gone_is_told(tmp_path):
    build(tmp_path, CHAINS["busy-1"]().serialized())
    ledger = tmp_path / "ledger"
    listed = TransactionList("trades", "cd" * 32, np.zeros((1, 32), np.uint8))
    with Reader(ledger, 140) as facts, Reader(ledger) as clusters:
        list(facts.outputs_of_script(3))
        Forest(clusters).members(3)
        for lists in ((listed,), ()):  # at the end all is as it was, and yet it was not in between
            with Writer(ledger, "regtest") as writer:
                bring_up(writer, lists)
                writer.publish()
        facts.check_current()
        with pytest.raises(SnapshotGone, match="the clusters were built anew"):
            clusters.check_current()


def test_a_wrong_row_is_found_by_building_again(tmp_path):
    build(tmp_path, CHAINS["busy-0"]().serialized())
    ledger = tmp_path / "ledger"
    for path in (ledger / "collaborative" / "signs.col", ledger / "merge" / "child_size.col"):
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 2
        before = path.read_bytes()
        path.write_bytes(raw)
        with Reader(ledger) as reader:
            assert [where for where, _ in cluster_damage(reader, (), lambda *_: None)] == [
                f"{path.parent.name}/{path.name}"
            ]
        path.write_bytes(before)


def test_a_script_beyond_the_snapshot_is_refused(open_ledger):
    reader = open_ledger(RegtestChain())
    with pytest.raises(NotFound, match="script 99 is not in this snapshot"):
        Forest(reader).check_script(99)
