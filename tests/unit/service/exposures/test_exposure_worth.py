"""Money of an exposure: a town worked out by hand, and a simulated world against its own tables."""

import csv
from collections import defaultdict
from types import SimpleNamespace

import pytest
from exposure_town import FEE, ExposureTown
from finder_cases import BTC
from plain_worth import PlainWorth, told

import cointrail
from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.network import REGTEST
from cointrail.ledger.reader import Reader
from cointrail.service.exposures.exposure import Wanted, exposure
from cointrail.service.exposures.list_file import COLUMNS, REST, SUM, WAY, write_ways
from cointrail.service.maintenance import ingest
from cointrail.service.prices.beside import beside
from cointrail.service.prices.imports import import_prices
from cointrail.service.tracing.found import wallet_of
from cointrail.service.worth import FiatChoice
from cointrail.simulation.generate import simulate
from cointrail.simulation.scale import SMALL

EXCHANGES = ("alpha", "beta", "gamma")


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def entities(side):
    return {each.attributed.service: each for category in side.categories for each in category.entities}


# The town: a price a block, 100 USD and as many more as its height; none for the block in which evil pays middle.


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    found = ExposureTown(tmp_path_factory.mktemp("worth"))
    with Reader(found.ledger) as reader:
        times = reader.column("block", "time").tolist()
    lines = [f"{time},{100 + height}" for height, time in enumerate(times) if time != found.listed and height]
    (found.folder / "p.csv").write_text("\n".join(["unix,close", *lines]))
    found.choice = FiatChoice("USD", str(found.folder / "prices.sqlite"))
    import_prices(found.choice.database, found.folder / "p.csv", currency="USD", source="=S")
    return found


@pytest.fixture
def answer(town):
    with Reader(town.ledger) as reader, beside(reader, town.choice) as worth:
        yield exposure(reader, town.address["market"], services=town.tags(), worth=worth)


@pytest.fixture
def close(town):
    """Cents of a whole bitcoin in the block of a payment."""
    with Reader(town.ledger) as reader:
        yield lambda coins: 100 * (100 + int(reader.height_of_transactions(reader.find_transactions(coins[0].txid)[0])))


def test_each_arrival_is_valued_when_the_service_moved(town, answer, close):
    received, sent = entities(answer.received), entities(answer.sent)
    assert told(received["=Alpha"].direct.fiat) == (3 * close(town.from_alpha), 1, 0, 0)
    evil = received["Evil"]
    assert told(evil.direct.fiat) == (2 * close(town.early), 1, 0, 0)
    assert told(evil.indirect.fiat) == (None, 1, 1, 4 * BTC), "evil's own transaction has no price, middle's has"
    assert told(evil.total.fiat) == (2 * close(town.early), 2, 1, 4 * BTC)
    assert told(sent["Evil"].total.fiat) == (1 * close(town.out), 1, 0, 0)
    beta = sent["Beta"].indirect.fiat
    assert told(beta) == (round((BTC - FEE) * close(town.cashed) / BTC), 1, 0, 0)
    assert close(town.cashed) > close(town.out), "not when the market's money left, but when it arrived"
    for side in (answer.received, answer.sent):
        for category in side.categories:
            (only,) = category.entities
            assert (category.total.fiat, category.direct.fiat) == (only.total.fiat, only.direct.fiat)
    assert answer.prices.source == "=S"


def test_the_gross_is_valued_when_the_wallet_moved(town, answer, close):
    came = 3 * close(town.from_alpha) + 2 * close(town.early) + 4 * close(town.through)
    assert told(answer.received.gross_fiat) == (came, 3, 0, 0), "and what it paid itself is no amount"
    assert told(answer.sent.gross_fiat) == (2 * close(town.out), 1, 0, 0)


def test_ways_and_the_file(town, answer, close, tmp_path):
    ways = {way.sat: way.fiat for way in entities(answer.received)["Evil"].ways}
    assert ways[2 * BTC].minor == 2 * close(town.early)
    assert (ways[4 * BTC].minor, ways[4 * BTC].gap[:17]) == (None, "no price is known")
    write_ways(answer, tmp_path / "w.csv")
    rows = read(tmp_path / "w.csv")
    assert list(rows[0])[len(COLUMNS) :] == ["fiat_minor", "currency", "price_source", "price_rule", "price_gap"]
    assert {(row["currency"], row["price_source"], row["price_rule"]) for row in rows} == {
        ("USD", "'=S", "price.last_before/1")
    }
    listed = {(row["side"], row["kind"], row["sat"]): row["fiat_minor"] for row in rows}
    assert listed["received", WAY, str(2 * BTC)] == str(2 * close(town.early))
    assert listed["received", WAY, str(4 * BTC)] == ""
    assert listed["sent", REST, str(FEE)] == ""
    assert all(row["price_gap"] for row in rows if not row["fiat_minor"])
    with Reader(town.ledger) as reader, beside(reader, town.choice) as worth:
        sums = exposure(
            reader, town.address["market"], services=town.tags(), wanted=Wanted(ways=0, bounds=False), worth=worth
        )
    write_ways(sums, tmp_path / "s.csv")
    listed = {(row["side"], row["kind"], row["entity"]): row for row in read(tmp_path / "s.csv")}
    evil = listed["received", SUM, "Evil"]
    assert evil["fiat_minor"] == str(2 * close(town.early))
    assert evil["price_gap"] == f"no price is known for 1 of 2 amounts, {4 * BTC:,} satoshi"


def test_the_python_api_gives_the_same(town, answer):
    with cointrail.open(town.ledger) as ledger:
        assert ledger.exposure(town.address["market"], tags=town.tags(), fiat=town.choice) == answer


def test_without_a_choice_nothing_is_there(town, tmp_path):
    with Reader(town.ledger) as reader:
        plain = exposure(reader, town.address["market"], services=town.tags())
        with beside(reader, None) as nothing:
            assert exposure(reader, town.address["market"], services=town.tags(), worth=nothing) == plain
    assert (plain.prices, plain.received.gross_fiat, plain.received.categories[0].total.fiat) == (None, None, None)
    write_ways(plain, tmp_path / "w.csv")
    assert list(read(tmp_path / "w.csv")[0]) == [column.name for column in COLUMNS]


# A simulated world.


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    simulate(folder / "world", SMALL, 1)
    assert ingest(folder / "world" / "chain" / "plain", folder / "ledger").complete
    names = ("entities", "inputs", "outputs", "transactions", "payments")
    truth = {name: read(folder / "world" / "truth" / f"{name}.csv") for name in names}
    headers = (folder / "world" / "chain" / "headers.bin").read_bytes()
    worth = PlainWorth([int.from_bytes(headers[at + 68 : at + 72], "little") for at in range(0, len(headers), 80)])
    choice = FiatChoice("USD", str(folder / "prices.sqlite"))
    import_prices(choice.database, worth.write(folder / "p.csv"), currency="USD", source="S")
    with Reader(folder / "ledger") as reader, beside(reader, choice) as opened:
        purchase = next(row for row in truth["payments"] if row["route"] == "direct")
        outputs = reader.outputs_of(reader.find_transactions(bytes.fromhex(purchase["txid"]))[0])
        script = int(reader.column("output", "script")[outputs[int(purchase["vout"])]])
        text = f"cluster:{address_of(reader.script_pubkey(script), REGTEST)}"
        own = {reader.script_pubkey(each) for each in wallet_of(reader, text).scripts.tolist()}
        pack = folder / "world" / "inputs" / "tags" / "services.yaml"
        answer = exposure(reader, text, services=pack, worth=opened)
        scripts = {row["script_hash"]: reader.find_script_hash(bytes.fromhex(row["script_hash"]))
                   for row in truth["outputs"]}  # fmt: skip
        mine = {name for name, each in scripts.items() if each is not None and reader.script_pubkey(each) in own}
        yield SimpleNamespace(reader=reader, truth=truth, worth=worth, answer=answer, mine=mine, opened=opened)


def test_direct_receipts_and_the_gross_are_what_the_tables_say(world):
    """By transaction: with exchanges alone among its payers, with the wallet alone, or with neither."""
    truth, worth = world.truth, world.worth
    names = {row["entity_id"]: row["name"].lower() for row in truth["entities"]}
    heights = {row["txid"]: int(row["height"]) for row in truth["transactions"]}
    script_of = {(row["txid"], row["vout"]): (row["script_hash"], int(row["value_sat"])) for row in truth["outputs"]}
    payers, spent, paying = defaultdict(set), defaultdict(int), defaultdict(set)
    for row in truth["inputs"]:
        if not row["previous_txid"].strip("0"):
            continue
        script, sat = script_of[row["previous_txid"], row["previous_vout"]]
        payers[row["txid"]].add(names.get(row["entity_id"], ""))
        paying[row["txid"]].add(script in world.mine)
        spent[row["txid"]] += sat if script in world.mine else 0
    received, direct = defaultdict(int), defaultdict(list)
    for row in truth["outputs"]:
        if row["script_hash"] in world.mine:
            received[row["txid"]] += int(row["value_sat"])
            if len(payers[row["txid"]]) == 1:
                direct[next(iter(payers[row["txid"]]))].append((int(row["value_sat"]), heights[row["txid"]]))
    assert all(len(each) < 2 for txid, each in paying.items() if txid in received), "it never pays along with others"
    came = [(sat, heights[txid]) for txid, sat in received.items() if not spent[txid]]
    left = [(sat - received[txid], heights[txid]) for txid, sat in spent.items() if sat]
    assert told(world.answer.received.gross_fiat) == worth.total(came)
    assert told(world.answer.sent.gross_fiat) == worth.total(left)
    assert world.answer.received.gross_fiat.missing > 20
    found = {name.lower(): each for name, each in entities(world.answer.received).items()}
    for name in EXCHANGES:
        # An arrival is a part of what the exchange spent, not an output of the market: cents are rounded elsewhere.
        minor, arrivals, missing, missing_sat = told(found[name].direct.fiat)
        expected = worth.total(direct[name])
        assert missing > 0
        assert missing_sat == expected[3]
        assert abs(minor - expected[0]) <= arrivals + expected[1]


def test_figures_are_sums_of_their_ways(world):
    """Ways divide arrivals, so their rounded sums differ by half a cent each at most; gaps are the same satoshis."""
    for side in (world.answer.received, world.answer.sent):
        for each in entities(side).values():
            if each.ways_total != len(each.ways):
                continue
            known = [way.fiat.minor for way in each.ways if way.fiat.minor is not None]
            lacking = sum(way.sat for way in each.ways if way.fiat.minor is None)
            assert lacking == each.total.fiat.missing_sat
            assert abs(sum(known) - (each.total.fiat.minor or 0)) <= len(each.ways)
