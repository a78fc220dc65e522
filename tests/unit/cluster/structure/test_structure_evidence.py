"""What holds clusters together, against a plain search that looks at one transaction after the other."""

from collections import Counter

import numpy as np
import pytest
from cluster_search import suspect

from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import VETO
from cointrail.cluster.structure.activity import activity, first_and_last
from cointrail.cluster.structure.evidence import CO_SPEND, DUST_SAT, SAME_KEY, Inferences, evidence
from cointrail.errors import Unavailable
from cointrail.ledger.writer import Writer

EACH = pytest.mark.parametrize(
    ("kind", "below"), [("few keys", 0), ("some keys", 0), ("some keys", 5), ("many keys", 0)]
)


def pieces(found):
    """(transaction, code, scripts) of every piece of evidence."""
    held = found.evidence
    scripts = [set() for _ in held.joins]
    for owner, place in zip(held.edges.owner.tolist(), held.edges.row.tolist(), strict=True):
        scripts[owner].add(int(held.scripts[place]))
    return list(zip(held.joins.tolist(), held.rule.tolist(), map(frozenset, scripts), strict=True))


@EACH
def test_evidence_is_what_a_plain_search_finds(kin, kind, below):
    ledger = kin(kind, below)
    seen = Counter()
    for found in ledger.clusters():
        plain = ledger.search.cluster(int(found.scripts[-1]))
        assert set(found.scripts.tolist()) == plain.scripts
        wanted = [(tx, CO_SPEND, frozenset(scripts)) for tx, scripts in plain.co_spends.items()]
        wanted += [(tx, SAME_KEY, frozenset((a, b))) for tx, a, b in plain.facts]
        assert Counter(pieces(found)) == Counter(wanted)
        assert found.evidence.co_spends.tolist() == sorted(plain.co_spends)
        assert found.evidence.suppressed.tolist() == sorted(plain.suppressed)
        signs = [int(collaborative(ledger.reader, tx).signs) for tx in sorted(plain.suppressed)]
        assert (found.evidence.signs & VETO).tolist() == [each & VETO for each in signs]
        assert found.evidence.suspects.tolist() == [tx for tx in sorted(plain.co_spends) if suspect(ledger.reader, tx)]
        seen["co-spends"] += len(plain.co_spends)
        seen["facts"] += len(plain.facts)
        seen["suppressed"] += len(plain.suppressed)
    assert seen["co-spends"] > 5
    assert seen["facts"] > 3
    assert seen["suppressed"] > 0


@EACH
def test_outputs_of_mixes_that_are_spent_together_are_counted(kin, kind, below):
    ledger = kin(kind, below)
    reader, search = ledger.reader, ledger.search
    maker = {row: tx for tx in range(reader.counts.transaction) for row in reader.outputs_of(tx)}
    for found in ledger.clusters():
        mixed = []
        for tx, scripts in ledger.search.cluster(int(found.scripts[0])).co_spends.items():
            rows = [search.spent[row] for row in reader.inputs_of(tx) if not search.flags[row] & 4]
            from_mixes = {search.script[each] for each in rows if collaborative(reader, maker[each]).signs & VETO}
            if len(from_mixes & scripts) > 1:
                mixed.append(tx)
        assert found.evidence.postmix.tolist() == sorted(mixed)


@EACH
def test_sums_and_times_are_those_of_each_script(kin, kind, below):
    ledger = kin(kind, below)
    reader = ledger.reader
    values = reader.column("output", "value_sat")
    for found in ledger.clusters():
        outputs = np.array([row for script in found.scripts.tolist() for row in reader.outputs_of_script(script)])
        assert found.activity.outputs.tolist() == outputs.tolist()
        assert found.scripts[found.activity.owner].tolist() == reader.column("output", "script")[outputs].tolist()
        assert found.activity.received_sat == int(values[outputs].sum())
        assert found.activity.spent_sat == int(values[outputs[reader.spenders(outputs) != -1]].sum())
        assert found.activity.balance_sat == int(values[outputs[reader.unspent(outputs)]].sum())
        spenders = reader.spenders(outputs)
        touched = {int(each) for each in reader.transaction_of_outputs(outputs)}
        touched |= {int(each) for each in reader.transaction_of_inputs(spenders[spenders != -1])}
        assert first_and_last(reader, found.activity) == (min(touched), max(touched))


def test_dust_from_a_stranger_is_told_from_dust_of_ones_own(open_ledger):
    from regtest import RegtestChain
    from signed_spends import ALL, owned_lock, spend, unspent_of

    from cointrail.bitcoin.transaction import TransactionOutput
    from cointrail.cluster.forest.view import Forest

    chain = RegtestChain()
    chain.mine_empty(103)

    def to(name, value_sat):
        return TransactionOutput(value_sat, chain.learn(owned_lock(name)).script_pubkey)

    fund = chain.spend(chain.spendable()[:1], [to(name, 100_000) for name in (b"a", b"b", b"c", b"d", b"e", b"x")])
    a, b, c, d, e, x = unspent_of(fund)
    own_dust = spend(chain, [a], [to(b"a1", 546), to(b"a2", 50_000)], [ALL])
    sent = spend(chain, [x], [to(b"b1", DUST_SAT[1]), to(b"c1", 331), to(b"d1", DUST_SAT[2])], [ALL])
    spends = [
        spend(chain, [*unspent_of(own_dust)], [to(b"f", 900)], [ALL] * 2),
        spend(chain, [unspent_of(sent)[0], b], [to(b"g", 900)], [ALL] * 2),
        spend(chain, [unspent_of(sent)[1], c], [to(b"h", 900)], [ALL] * 2),
        spend(chain, [unspent_of(sent)[2], d, e], [to(b"i", 900)], [ALL] * 3),
    ]
    joined = spend(chain, [unspent_of(spends[0])[0]], [to(b"away", 500)], [ALL])
    chain.mine([fund])
    chain.mine([own_dust, sent])
    chain.mine([*spends, joined])
    reader = open_ledger(chain)
    forest = Forest(reader)
    forced = {}
    for name in (b"a1", b"b1", b"c1", b"d1"):
        scripts = np.sort(forest.members(reader.find_script(owned_lock(name).script_pubkey))[0])
        forced[name] = evidence(forest, activity(reader, scripts)).forced.tolist()
    b_spend, d_spend = (reader.find_transactions(spends[at].txid)[0] for at in (1, 3))
    # The owner of a1 and a2 sent that dust out of a; the chain does not show that a is the same wallet.
    a_spend = reader.find_transactions(spends[0].txid)[0]
    assert forced == {b"a1": [a_spend], b"b1": [b_spend], b"c1": [], b"d1": [d_spend]}


def test_inferences_are_chained_behind_the_facts(kin):
    found = kin("some keys").clusters()[0]
    one, two = found.scripts[:2]
    more = Inferences(
        tx_index=np.array([7, -1]),
        script_a=np.array([two, one]),
        script_b=np.array([one, two]),
        rule=np.array([1, 9], np.uint8),
        detail=np.array([6, 0], np.uint32),
    )
    held, plain = evidence(found.forest, found.activity, more), found.evidence
    assert held.joins.tolist() == [*plain.joins.tolist(), 7, -1]
    assert held.rule.tolist() == [*plain.rule.tolist(), 1, 9]
    assert held.detail.tolist()[-2:] == [6, 0]
    assert held.edges.row.tolist()[-4:] == [0, 1, 0, 1]
    assert held.edges.owner.tolist()[-4:] == [len(plain.joins)] * 2 + [len(plain.joins) + 1] * 2


def test_a_broken_history_is_named(kin, tmp_path):
    from ledgers import copy_of

    from cointrail.ledger.reader import Reader

    reader = kin("few keys").reader
    folder = copy_of(reader.folder, tmp_path / "broken")
    with Writer(folder, "regtest") as writer:
        writer.columns["script", "last_output"].map(writer.counts.script)[3] = 0
    with Reader(folder) as broken, pytest.raises(Unavailable, match="script 3 cannot be followed"):
        activity(broken, np.arange(broken.counts.script))
