"""Criteria 3, 4 and 5 as they are played, and the finders' inferences, against the truth of a simulated world."""

import csv
import shutil
from collections import Counter, defaultdict

import numpy as np
import pytest

from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.view import Forest
from cointrail.errors import InputRefused
from cointrail.ledger.reader import Reader
from cointrail.service.acceptance.market import follow_purchases, market_scripts, packs
from cointrail.service.acceptance.prices import case_prices
from cointrail.service.scoring import answer
from cointrail.service.tracing.cash_out import cash_out
from cointrail.service.tracing.funding import funding
from cointrail.service.tracing.requests import FUNDING_COLUMNS, write_arrivals, write_funding
from cointrail.service.tracing.services import services_from
from cointrail.simulation.score.scorer import score
from cointrail.trace.finders.deposits import Deposits


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def reader(bazaar):
    with Reader(bazaar.ledger) as opened:
        yield opened


@pytest.fixture(scope="module")
def truth(bazaar):
    names = ("payments", "payment_sources", "scripts", "entities", "cashouts", "outputs")
    return {name: read(bazaar.world / "truth" / f"{name}.csv") for name in names}


def test_the_demands_are_met(bazaar):
    """All but one: Fog pays half of its customers out of coins that nothing joins to its one tagged script."""
    rows = {row.id: row for row in score(bazaar.results, bazaar.world).rows}
    failed = {name for name, row in rows.items()
              if name.startswith(("criterion.3", "criterion.4", "criterion.5")) and row.status != "pass"}  # fmt: skip
    assert failed <= {"criterion.4", "criterion.4.mixer"}
    assert rows["criterion.3.recall"].n > 250
    assert rows["criterion.4.peel"].n > 40


def test_the_inputs_alone_give_the_same_files(bazaar, reader, tmp_path):
    shutil.copytree(bazaar.world / "inputs", tmp_path / "inputs")
    answer(tmp_path, reader, tmp_path / "results")
    for name in ("sources", "backward", "cashouts", "requests/alpha", "requests/beta", "requests/gamma"):
        assert (tmp_path / f"results/{name}.csv").read_bytes() == (bazaar.results / f"{name}.csv").read_bytes()


def test_nothing_is_asserted_through_the_custodial_mixer(bazaar, truth):
    mixed = {(row["txid"], row["vout"]) for row in truth["payments"] if row["stop_reason"] == "service"}
    said = [row for row in read(bazaar.results / "backward.csv") if (row["payment_txid"], row["vout"]) in mixed]
    assert len({row["payment_txid"] for row in said}) > 5
    assert {row["verdict"] for row in said} <= {"not_traceable_beyond", "no_exchange_found"}
    assert {row["exchange"] for row in said} == {""}


def test_deposit_addresses_are_the_named_services(bazaar, reader, truth):
    """Every script of the chain is asked; who truly owns it is the service that is named."""
    services, _ = services_from(reader, packs(reader, bazaar.world / "inputs"))
    forest = Forest(reader)
    looked = Deposits(reader, forest, services)
    names = {row["entity_id"]: row["name"].lower() for row in truth["entities"]}
    found, missed = Counter(), Counter()
    for row in truth["scripts"]:
        script = reader.find_script(bytes.fromhex(row["script_pubkey"]))
        if script is None or services.of(forest, script)[0] >= 0:
            continue
        deposit, owner = looked.of(script), names[row["entity_id"]]
        if deposit is not None:
            found[services.names[deposit.service] == owner] += 1
        elif owner in ("beta", "gamma") and row["role"] == "deposit" and row["swept"] == "true":
            missed[owner] += 1
    assert found[True] > 1_000
    assert not found[False]
    assert sum(missed.values()) <= found[True] // 100


def test_the_service_says_the_same_of_each_address(bazaar, reader, tmp_path, truth):
    """`funding` of single market addresses, tag pack in hand, against the exchanges that truly paid them."""
    pack = bazaar.world / "inputs" / "tags" / "services.yaml"
    sources = defaultdict(set)
    for row in truth["payment_sources"]:
        sources[row["payment_id"]].add(row["exchange"].lower())
    routes = defaultdict(list)
    for row in truth["payments"]:
        routes[row["route"]].append(row)
    for row in (routes["direct"][0], routes["one_hop"][0], routes["peel"][-1]):
        tx_index = reader.find_transactions(bytes.fromhex(row["txid"]))[0]
        output = reader.outputs_of(tx_index)[int(row["vout"])]
        script = reader.script_pubkey(int(reader.column("output", "script")[output]))
        found = funding(reader, f"script:{script.hex()}", services=pack)
        outpoint = f"{display(bytes.fromhex(row['txid']))}:{row['vout']}"
        (payment,) = (each for each in found.payments if each.payment.outpoint == outpoint)
        assert payment.verdict == "exchange"
        assert {each.attributed.service for each in payment.sources} == sources[row["payment_id"]]
        assert {each.attributed.statement for each in payment.sources} == {
            f"attributed to {name} by https://statistics.invalid/services (services.yaml, service_data, 2024-01-15)"
            for name in sources[row["payment_id"]]
        }
        assert found.paid_sat == sum(each.sat for each in found.services) + found.coinjoin_sat + sum(
            found.rest_sat.values()
        )
        path = tmp_path / f"{row['route']}.csv"
        write_funding(found, path)
        rows = read(path)
        assert list(rows[0]) == [column.name for column in FUNDING_COLUMNS]
        assert len({tuple(each.values()) for each in rows}) == len(rows)
        assert all(each["basis"].startswith("inference resting on an assertion: attributed to ") for each in rows)


def test_cash_outs_of_the_peel_chain_alone(bazaar, reader, tmp_path, truth):
    """From the first peel on, every later deposit to the Beta account is found, and nothing else at an exchange."""
    peels = [row for row in truth["cashouts"] if row["leg"] == "beta"]
    first = reader.find_transactions(bytes.fromhex(peels[0]["txid"]))[0]
    spent = reader.column("input", "output")[reader.inputs_of(first).start]
    start = int(reader.transaction_of_outputs(int(spent)))
    vout = int(spent) - reader.outputs_of(start).start
    seed = f"{display(bytes(reader.column('transaction', 'txid')[start]))}:{vout}"
    pack = bazaar.world / "inputs" / "tags" / "services.yaml"
    found = cash_out(reader, [seed], services=pack)
    exchanges = [each for each in found.destinations if each.attributed.category == "exchange"]
    arrived = {row.output.outpoint for each in exchanges for row in each.arrivals}
    assert arrived == {f"{display(bytes.fromhex(row['txid']))}:{row['vout']}" for row in peels}
    assert found.traced_sat == sum(each.haircut_sat for each in found.destinations) + sum(found.rest_sat.values())
    path = tmp_path / "arrivals.csv"
    write_arrivals(found, path)
    assert {f"{row['txid']}:{row['vout']}" for row in read(path) if row["service"] == "beta"} == arrived


def test_candidates_are_inferences_with_probabilities(bazaar, reader):
    sets = defaultdict(list)
    for row in read(bazaar.results / "cashouts.csv"):
        if row["candidate_set"]:
            sets[row["candidate_set"]].append(row)
    assert sets
    for rows in sets.values():
        assert {row["basis"] for row in rows} == {"inference"}
        assert sum(int(row["probability"].replace(".", "")) for row in rows) == 10**9


def test_the_market_is_one_wallet_whichever_purchase_leads_to_it(bazaar, reader):
    followed = follow_purchases(reader, bazaar.world / "inputs", packs(reader, bazaar.world / "inputs"))
    whole = market_scripts(reader, followed)
    assert all(np.array_equal(market_scripts(reader, [each]), whole) for each in followed)


def test_prices_of_a_case_are_rounded_half_to_even_and_gaps_are_told(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("date,currency,close_minor,source\n2024-01-02,USD,50000000,A\n2024-01-02,EUR,3,B\n")
    prices = case_prices(path)
    assert [prices.worth(sat, "2024-01-02T23:59:59Z", "USD").minor for sat in (0, 1, 3, 5, 7)] == [0, 0, 2, 2, 4]
    euros = prices.worth(10**8, "2024-01-02T00:00:00Z", "EUR")
    assert (euros.minor, euros.source, euros.gap) == (3, "B", None)
    gap = prices.worth(1, "2024-01-03T00:00:00Z", "USD")
    assert gap.minor is None
    assert gap.gap


@pytest.mark.parametrize(
    "text",
    [
        "",
        "date,currency,close_minor,source\n2024-01-02,USD,-1,A\n",
        "date,currency,close_minor,source\n2024-01-02,USD,4.5,A\n",
        "date,currency,close_minor,source\n2024-01-02,USD,1\n",
        "date,currency,close_minor,source\n2024-01-02,USD,1,A\n2024-01-02,USD,2,A\n",
        "date,currency,close_minor,source\n2024-01-02,USD,\xff,A\n",
    ],
)
def test_malformed_prices_are_refused(tmp_path, text):
    path = tmp_path / "prices.csv"
    path.write_bytes(text.encode("latin-1"))
    for each in (path, tmp_path / "nothing.csv"):
        with pytest.raises(InputRefused):
            case_prices(each)
