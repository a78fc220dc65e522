"""Answers about roles: whole numbers and words, the same as the methods say, page by page."""

import json
from dataclasses import asdict

import pytest
from finder_cases import BTC, Town, script, services

from cointrail.cluster.forest.view import Forest
from cointrail.errors import AddressError, NotFound
from cointrail.profile.roles.search import deposits_of
from cointrail.profile.roles.service_clusters import service_clusters
from cointrail.service.names import address_or_none
from cointrail.service.roles.deposits import find_deposits
from cointrail.service.roles.roles import roles_of
from cointrail.trace.services import NONE


def floats(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [each for inner in value for each in floats(inner)]
    return [value] if isinstance(value, float) else []


@pytest.fixture
def exchange(open_ledger):
    """Three deposit addresses of two sweeps each, and one of one."""
    town = Town()
    hot = town.pay([town.fresh()], ("beta", 50 * BTC))
    town.pay(hot, ("beta", 40 * BTC), ("customer", 10 * BTC))
    coins = town.pay([town.fresh()], *[(f"payer {number}", 7 * BTC) for number in range(7)])
    for number, coin in enumerate(coins):
        (paid,) = town.pay([coin], (f"deposit {number // 2}", 7 * BTC - 1))
        town.pay([paid], ("beta", 7 * BTC - 2))
    reader = open_ledger(town.chain)
    return reader, town, services(reader, town, beta="exchange")


def named(reader, town, name):
    return f"script:{reader.script_pubkey(script(reader, town, name)).hex()}"


def test_all_deposit_addresses_page_by_page(exchange):
    reader, _, known = exchange
    whole = find_deposits(reader, known)
    table = deposits_of(reader, Forest(reader), known, 0)
    assert [row.script_pubkey for row in whole.rows] == [reader.script_pubkey(each).hex() for each in table.scripts]
    assert (whole.total, whole.sure, whole.by_service) == (4, 3, {"beta": 4})
    pages = [find_deposits(reader, known, first=at, limit=3) for at in (0, 3, 6)]
    assert [row for page in pages for row in page.rows] == list(whole.rows)
    assert [row.sweeps for row in whole.rows] == [2, 2, 2, 1]
    assert find_deposits(reader, known, sure=True).rows == whole.rows[:3]
    assert {row.statement for row in whole.rows} == {
        "deposit address of a service attributed to beta", "likely deposit address of a service attributed to beta",
    }  # fmt: skip
    assert {row.basis for row in whole.rows} == {"inference"}
    assert whole.rows[0].measured.stratum == "two sweeps or more"
    assert whole.rows[3].measured.stratum == "one sweep, likely"
    assert find_deposits(reader, NONE).rows == ()


def test_roles_of_a_script_are_plain_values(exchange):
    reader, town, known = exchange
    found = roles_of(reader, named(reader, town, "deposit 0"), known)
    assert json.loads(json.dumps(asdict(found)))["service_like"]["basis"] == "inference"
    assert floats(asdict(found)) == []
    assert (found.scripts, found.deposit.service, found.deposit.sweeps) == (1, "beta", 2)
    assert found.service_like.likeness == "abstain"
    assert found.service_like.probability_ppm is None
    assert found.service_like.statement.startswith("abstain: fewer than 20 transactions or 10 payees")
    assert found.service_like.score_micro == found.service_like.start_micro + sum(
        row.adds_micro for row in found.service_like.features
    )
    assert roles_of(reader, named(reader, town, "deposit 0")).deposit is None


def test_roles_of_a_cluster_list_all_of_it(exchange):
    reader, town, known = exchange
    found = roles_of(reader, f"cluster:{named(reader, town, 'beta')}", known, limit=2)
    assert found.deposit is None
    assert sum(each.scripts for each in found.totals) == found.scripts == 1
    assert found.totals[0].segment == "receive"
    assert found.kinds == {"withdrawal": 1}
    assert [(row.kind, row.payees) for row in found.movements] == [("withdrawal", 1)]
    assert roles_of(reader, f"cluster:{named(reader, town, 'beta')}", known, first=1).movements == ()


def test_who_is_not_there_is_refused(exchange):
    reader, _, known = exchange
    with pytest.raises(AddressError):
        roles_of(reader, "bcrt1qnothing", known)
    with pytest.raises(NotFound):
        roles_of(reader, "script:0014" + 20 * "ab", known)


def test_a_busy_cluster_behaves_like_a_service(busy_world):
    reader, forest = busy_world
    found = service_clusters(reader, forest)
    first = address_or_none(reader, reader.script_pubkey(int(found.firsts[0])))
    answer = roles_of(reader, f"cluster:{first}", limit=3)
    assert answer.service_like.likeness == "behaves like a service"
    assert answer.service_like.probability_ppm == int(found.probability_ppm[0])
    assert answer.service_like.statement.endswith("measured on imitation economies)")
    assert answer.scripts == forest.size(int(found.roots[0]))
    assert len(answer.segments) == 3
    assert floats(asdict(answer)) == []
