"""All clusters that behave like services: none is lost to the counts, whatever is scored at once."""

from random import Random

import numpy as np
import pytest
from regtest import random_chain

from cointrail.cluster.forest.view import Forest
from cointrail.errors import Interrupted
from cointrail.profile.roles import service_clusters as module
from cointrail.profile.roles.behaviour import behaviour
from cointrail.profile.roles.service_clusters import busy_clusters, service_clusters
from cointrail.profile.roles.service_like import LIKE_PPM, is_enough, judge
from roles_truth import SERVICE_KINDS


@pytest.fixture(scope="module")
def judged(economy):
    """Every cluster of the world, scored without any choice before."""
    return judge(behaviour(economy.reader, np.arange(economy.reader.counts.script), economy.forest.roots))


def test_they_are_those_that_scoring_everybody_finds(economy, judged):
    found = service_clusters(economy.reader, economy.forest)
    like = judged.probability_ppm >= LIKE_PPM
    assert found.roots.tolist() == judged.behaviour.units[like].tolist()
    assert found.probability_ppm.tolist() == judged.probability_ppm[like].tolist()
    assert found.asked == int(is_enough(judged.behaviour).sum())
    assert [int(economy.forest.members(root)[0].min()) for root in found.roots.tolist()] == found.firsts.tolist()


def test_each_is_a_service_in_truth(economy):
    found = service_clusters(economy.reader, economy.forest)
    assert len(found.roots)
    for root in found.roots.tolist():
        kinds = economy.roles.kind[economy.forest.members(root)[0]]
        assert set(kinds.tolist()) <= set(SERVICE_KINDS)


@pytest.mark.parametrize(("scripts", "rows"), [(1, 100), (300, 4_096)])
def test_it_does_not_matter_how_many_are_scored_at_once(economy, monkeypatch, scripts, rows):
    expected = service_clusters(economy.reader, economy.forest)
    monkeypatch.setattr(module, "MOST_SCRIPTS", scripts)
    monkeypatch.setattr(module, "_PORTION", rows)
    told = []
    found = service_clusters(economy.reader, economy.forest, watch=lambda *seen: told.append(seen))
    assert found.roots.tolist() == expected.roots.tolist()
    assert found.firsts.tolist() == expected.firsts.tolist()
    assert (found.asked, len({sum(seen) for seen in told})) == (expected.asked, 1)
    assert [scored for scored, _ in told] == sorted(scored for scored, _ in told)


def test_who_stops_it_gets_no_half(economy):
    with pytest.raises(Interrupted, match="stopped while clusters were scored"):
        service_clusters(economy.reader, economy.forest, watch=lambda _scored, _waiting: True)


@pytest.mark.parametrize("seed", range(4))
def test_whoever_did_enough_is_busy(open_ledger, monkeypatch, seed):
    """On tangled chains with coinbases, CoinJoins and reuse; the thresholds are lowered so that many reach them."""
    reader = open_ledger(random_chain(Random(seed), 40, 6))
    forest = Forest(reader)
    found = behaviour(reader, np.arange(reader.counts.script), forest.roots)
    monkeypatch.setattr(module, "LEAST_TRANSACTIONS", 3)
    monkeypatch.setattr(module, "LEAST_PAYEES", 2)
    payees = distinct_payees(reader, forest)
    enough = [
        unit for unit, transactions in zip(found.units.tolist(), found.transactions.tolist(), strict=True)
        if transactions >= 3 and len(payees.get(unit, ())) >= 2
    ]  # fmt: skip
    assert enough
    assert set(enough) <= set(busy_clusters(reader, forest.all_roots()).tolist())


def distinct_payees(reader, forest):
    """Of each cluster, the others that a transaction which spends it pays; by plain loops."""
    roots = forest.all_roots().tolist()
    script, spent = (reader.column("output", "script").tolist(), reader.column("input", "output").tolist())
    found = {}
    for tx in range(reader.counts.transaction):
        payers = {roots[script[spent[row]]] for row in reader.inputs_of(tx) if spent[row] >= 0}
        for payer in payers:
            found.setdefault(payer, set()).update(
                roots[script[each]] for each in reader.outputs_of(tx) if roots[script[each]] != payer
            )
    return found
