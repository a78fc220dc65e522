"""The order of doubt: two wallets that one transaction welded together, told apart by habits, tags and size."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from regtest import RegtestChain
from signed_spends import ALL, owned_lock, spend, unspent_of

from cointrail.bitcoin.transaction import Transaction, TransactionOutput
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.structure.activity import activity
from cointrail.cluster.structure.bridges import bridges
from cointrail.cluster.structure.evidence import SAME_KEY, evidence
from cointrail.cluster.structure.habits import bits_apart, habits_of
from cointrail.cluster.structure.suspicion import Suspicions, Tagged


def locked(tx, lock_time):
    return Transaction(tx.version, tx.inputs, tx.outputs, lock_time)


class Welded:
    """Two wallets of some scripts, each a chain of co-spends, and one transaction that spends a script of both."""

    def __init__(self, open_ledger, ours=7, theirs=5):
        chain = self.chain = RegtestChain()
        chain.mine_empty(103)
        self.names = {"ours": [b"o%d" % n for n in range(ours)], "theirs": [b"t%d" % n for n in range(theirs)]}
        funded = [name for names in self.names.values() for name in names for _ in range(3)]
        fund = chain.spend(chain.spendable()[:1], [self.to(name, 100_000) for name in funded])
        chain.mine([fund])
        coins = dict.fromkeys(funded)
        for name, output in zip(funded, unspent_of(fund), strict=True):
            coins[name] = [*(coins[name] or []), output]
        made = []
        for wallet, lock_time in (("ours", 0), ("theirs", 90)):
            for one, two in pairwise(self.names[wallet]):
                pair = [coins[one].pop(), coins[two].pop()]
                made.append(locked(spend(chain, pair, [self.to(b"away", 150_000)], [ALL] * 2), lock_time))
        weld = [coins[b"o0"].pop(), coins[b"t0"].pop()]
        self.weld = spend(chain, weld, [self.to(b"paid", 120_000), self.to(b"change", 70_000)], [ALL] * 2)
        chain.mine(made)
        chain.mine([self.weld])
        self.reader = open_ledger(chain)
        self.forest = Forest(self.reader)
        self.scripts = np.sort(self.forest.members(self.script(b"o0"))[0])
        self.activity = activity(self.reader, self.scripts)
        self.evidence = evidence(self.forest, self.activity)
        self.bridges = bridges(self.evidence)

    def to(self, name, value_sat):
        return TransactionOutput(value_sat, self.chain.learn(owned_lock(name)).script_pubkey)

    def script(self, name):
        return self.reader.find_script(owned_lock(name).script_pubkey)

    def ranking(self, tagged=None):
        return Suspicions(self.reader, self.activity, self.evidence, self.bridges, tagged)

    def tx(self, suspicion):
        return int(self.evidence.joins[suspicion.piece])


def test_the_seam_between_two_habits_comes_first(open_ledger):
    case = Welded(open_ledger)
    ranking = case.ranking()
    (weld,) = case.reader.find_transactions(case.weld.txid)
    first = ranking[0]
    assert case.tx(first) == weld
    assert first.parts == (7, 5)
    assert first.unnecessary_input is bool(weld in case.evidence.suspects)
    habit = first.differences[0]
    assert (habit.habit, habit.kinds) == ("lock time", ("0", "set"))
    # Every script but the two ends of a chain is in two co-spends; the weld itself is counted on neither side.
    assert (habit.larger, habit.smaller) == ((12, 0), (0, 8))
    assert first.age_blocks == 2
    assert len(ranking) == len(case.evidence.joins) == 6 + 4 + 1
    scores = [ranking[rank].score for rank in range(len(ranking))]
    assert scores == sorted(scores, reverse=True)


def test_parts_with_different_actors_come_before_everything(open_ledger):
    """Two tagged scripts in the middle of one wallet: only what lies between them separates the actors."""
    case = Welded(open_ledger)
    tagged = Tagged(np.array([case.script(b"o3"), case.script(b"o5"), 0]), np.array([0, 1, 2]))
    ranking = case.ranking(tagged)
    firsts = [ranking[rank] for rank in range(3)]
    assert [each.separated for each in firsts] == [1, 1, 0]
    for each in firsts[:2]:
        assert sorted(each.actors) == [(0,), (1,)]
    joined = {
        frozenset(case.evidence.edges.row[case.evidence.edges.owner == each.piece].tolist()) for each in firsts[:2]
    }
    place = [int(np.searchsorted(case.scripts, case.script(b"o%d" % n))) for n in (3, 4, 5)]
    assert joined == {frozenset(place[:2]), frozenset(place[1:])}


def test_an_actor_on_both_sides_separates_nothing(open_ledger):
    case = Welded(open_ledger)
    names = (b"o1", b"t1", b"o2")
    tagged = Tagged(np.array([case.script(name) for name in names]), np.array([0, 0, 1]))
    by_tx = {case.tx(each): each for each in map(case.ranking(tagged).__getitem__, range(11))}
    (weld,) = case.reader.find_transactions(case.weld.txid)
    assert by_tx[weld].separated == 0
    assert by_tx[weld].actors == ((0, 1), (0,))


def test_facts_are_never_ranked(kin):
    for found in kin("some keys").clusters(5):
        ranking = Suspicions(found.forest.reader, found.activity, found.evidence, found.bridges)
        assert len(ranking) == int(np.count_nonzero(found.evidence.rule != SAME_KEY))
        bridges_first = [len(ranking[rank].parts) > 1 for rank in range(len(ranking))]
        assert all(np.isfinite(ranking[rank].score) for rank in range(len(ranking)))
        assert set(np.array(found.evidence.rule)[ranking.order]) <= {100}
        assert len(bridges_first) == len(set(ranking.order.tolist()))


COUNTS = st.integers(2, 5).flatmap(
    lambda kinds: st.tuples(*[st.lists(st.integers(0, 40), min_size=kinds, max_size=kinds)] * 2)
)


@given(COUNTS)
def test_bits_are_the_bayes_factor_of_two_habits(sides):
    """Dirichlet-multinomial with one half for each kind, written out."""

    def evidence_of(counts):
        half = len(counts) / 2
        return (
            math.lgamma(half)
            - math.lgamma(half + sum(counts))
            + sum(math.lgamma(n + 0.5) - math.lgamma(0.5) for n in counts)
        )

    one, other = sides
    both = [a + b for a, b in zip(one, other, strict=True)]
    wanted = (evidence_of(one) + evidence_of(other) - evidence_of(both)) / math.log(2)
    (found,) = bits_apart(np.array([one]).T, np.array([other]).T)
    assert found == pytest.approx(wanted, abs=1e-9)
    if not sum(one) or not sum(other):
        assert found == pytest.approx(0, abs=1e-9)


def test_habits_count_each_transaction_of_a_script_once(kin):
    ledger = kin("some keys")
    reader, search = ledger.reader, ledger.search
    for found in ledger.clusters(6):
        nothing = np.empty(0, np.int64)
        habits = {habit.name: habit for habit in habits_of(reader, found.activity, nothing, nothing)}
        for place, script in enumerate(found.scripts.tolist()):
            spends = {
                search.transaction[search.spenders[row]] for row in search.outputs[script] if search.spenders[row] >= 0
            }
            versions = [int(reader.column("transaction", "version")[tx]) for tx in spends]
            times = [int(reader.column("transaction", "lock_time")[tx]) for tx in spends]
            assert habits["version"].counts[:, place].tolist() == [versions.count(1), len(spends) - versions.count(1)]
            assert habits["lock time"].counts[:, place].tolist() == [times.count(0), len(spends) - times.count(0)]
            kinds = habits["script type"]
            assert kinds.counts[:, place].sum() == 1
            assert kinds.kinds[int(np.argmax(kinds.counts[:, place]))] == reader.script_type(script).label
