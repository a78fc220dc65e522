"""Exposure of the market of a simulated world, against the world's truth."""

import csv
from collections import defaultdict
from types import SimpleNamespace

import pytest

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Side, find_exposure
from cointrail.service.exposures.exposure import exposure
from cointrail.service.maintenance import ingest
from cointrail.service.tracing.services import find_services
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL

EXCHANGES = ("alpha", "beta", "gamma")


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    simulate(folder / "world", SMALL, 1)
    assert ingest(folder / "world" / "chain" / "plain", folder / "ledger").complete
    names = ("entities", "scripts", "inputs", "outputs", "payments", "payment_sources")
    truth = {name: read(folder / "world" / "truth" / f"{name}.csv") for name in names}
    (market,) = (row["entity_id"] for row in truth["entities"] if row["kind"] == "market")
    with Reader(folder / "ledger") as reader:
        pack = folder / "world" / "inputs" / "tags" / "services.yaml"
        yield SimpleNamespace(reader=reader, truth=truth, market=market, pack=pack)


def test_direct_receipts_are_what_exchanges_truly_paid(world):
    """Of every output to the market: made by a transaction of an exchange, whole, and by no other."""
    truth, reader = world.truth, world.reader
    names = {row["entity_id"]: row["name"].lower() for row in truth["entities"]}
    own = {row["script_hash"] for row in truth["scripts"] if row["entity_id"] == world.market and row["used"] == "true"}
    payers = defaultdict(set)
    for row in truth["inputs"]:
        payers[row["txid"]].add(names.get(row["entity_id"], ""))
    true = defaultdict(int)
    for row in truth["outputs"]:
        if row["script_hash"] in own and len(payers[row["txid"]]) == 1:
            true[next(iter(payers[row["txid"]]))] += int(row["value_sat"])
    scripts = [reader.find_script_hash(bytes.fromhex(each)) for each in sorted(own)]
    services, _ = find_services(reader, world.pack, categories=None)
    found = find_exposure(reader, scripts, services, Side.RECEIVED)
    ours = defaultdict(int)
    for service, sat in zip(found.service[found.direct].tolist(), found.sat[found.direct].tolist(), strict=True):
        ours[services.names[service].lower()] += sat
    assert found.complete
    for name in EXCHANGES:
        assert ours[name] == true[name] > 0
    assert found.gross_sat == int(found.sat.sum()) + sum(found.rest.values())


def test_the_cluster_received_all_direct_payments_of_each_exchange(world):
    """By the truth's sources of payments: what is direct there is direct here; undercover purchases come on top."""
    truth, reader = world.truth, world.reader
    sources = defaultdict(set)
    for row in truth["payment_sources"]:
        sources[row["payment_id"]].add(row["exchange"].lower())
    column, direct = reader.column("output", "script"), defaultdict(int)
    payments = {row["payment_id"]: row for row in truth["payments"] if row["route"] == "direct"}
    script_of = {}
    for number, row in payments.items():
        tx_index = reader.find_transactions(bytes.fromhex(row["txid"]))[0]
        script_of[number] = int(column[reader.outputs_of(tx_index)[int(row["vout"])]])
    first = reader.script_pubkey(next(iter(script_of.values())))
    answer = exposure(reader, f"cluster:{address_of(first, REGTEST)}", services=world.pack)
    from cointrail.service.tracing.found import wallet_of

    members = set(wallet_of(reader, answer.wallet).scripts.tolist())
    for number, row in payments.items():
        if script_of[number] in members:
            (exchange,) = sources[number]
            direct[exchange] += int(row["value_sat"])
    found = {each.attributed.service.lower(): each for category in answer.received.categories
             for each in category.entities}  # fmt: skip
    assert set(direct) == set(EXCHANGES)
    for name, sat in direct.items():
        assert found[name].direct.value_sat >= sat
        assert found[name].direct_whole_sat >= sat
        assert sum(way.sat for way in found[name].ways) <= found[name].total.value_sat
    assert answer.complete
    for side in (answer.received, answer.sent):
        counted = sum(category.total.value_sat for category in side.categories)
        assert counted + sum(side.rest_sat.values()) == side.gross_sat
        for category in side.categories:
            bounds = category.bounds
            assert not bounds.computed or bounds.lower_sat <= bounds.upper_sat <= bounds.of_sat
            assert not bounds.computed or category.total.value_sat <= bounds.upper_sat
