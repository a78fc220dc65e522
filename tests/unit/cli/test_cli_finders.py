"""`cointrail funding` and `cointrail cashout`: answers, files, and what they refuse."""

import csv
import json
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from chain_tree import BLOCK_INTERVAL, GENESIS, UnspentOutput
from finder_cases import BTC, Town
from regtest import write_block_files

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """An exchange pays the market; the market pays another exchange's deposit address, which is swept twice."""
    folder = tmp_path_factory.mktemp("finders")
    town = Town()
    alpha = town.pay([town.fresh()], ("alpha", 50 * BTC))
    beta = town.pay([town.fresh()], ("beta", 50 * BTC))
    town.pay(beta, ("beta", 40 * BTC), ("customer", 10 * BTC))
    paid = town.pay(alpha, ("market", 3 * BTC), ("market", 2 * BTC), ("alpha", 45 * BTC))
    deposits = [town.pay([each], ("deposit", each.value_sat - 5)) for each in paid[:2]]
    for (each,) in deposits:
        town.pay([each], ("beta", each.value_sat - 5))
    write_block_files(folder / "blocks", town.chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    names = {name: address_of(town.lock(name), REGTEST) for name in ("alpha", "beta", "market", "deposit")}
    tags = folder / "tags.csv"
    tags.write_text(f"address,actor,category\n{names['alpha']},=Alpha,exchange\n{names['beta']},Beta,exchange\n")
    return folder / "ledger", tags, names, paid, [each for (each,) in deposits]


def outpoint(coin: UnspentOutput):
    return f"{display(coin.txid)}:{coin.vout}"


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_funding(cli, case, tmp_path):
    ledger, tags, names, paid, _ = case
    path = tmp_path / "requests.csv"
    command = ("funding", names["market"], "--ledger", str(ledger), "--tags", str(tags))
    answer = cli(*command, "--json", "--csv", str(path)).json
    assert answer["paid_sat"] == 5 * BTC
    assert answer["verdicts"] == {"exchange": 2}
    assert [each["payment"]["outpoint"] for each in answer["payments"]] == [outpoint(each) for each in paid[:2]]
    assert answer["services"][0]["attributed"]["statement"] == "attributed to =Alpha by tags.csv"
    assert answer["basis"] == "inference"
    rows = read(path)
    assert [(row["withdrawal_txid"], row["withdrawal_vout"], row["came_sat"], row["route"]) for row in rows] == [
        (display(paid[0].txid), "0", str(3 * BTC), "direct"),
        (display(paid[0].txid), "1", str(2 * BTC), "direct"),
    ]
    assert {row["service"] for row in rows} == {"'=Alpha"}, "shielded from spreadsheets"
    text = cli(*command)
    assert text.code == 0
    for word in ("5.00000000 BTC by 2 output(s)", "=Alpha", "direct", outpoint(paid[1])):
        assert word in text.out


def test_cash_out(cli, case, tmp_path):
    ledger, tags, names, _, deposits = case
    path = tmp_path / "arrivals.csv"
    for seed in (names["market"], f"cluster:{names['market']}"):
        command = ("cashout", seed, "--ledger", str(ledger), "--tags", str(tags))
        answer = cli(*command, "--json", "--csv", str(path), "--overwrite").json
        (found,) = answer["destinations"]
        assert found["attributed"]["service"] == "Beta"
        assert [row["output"]["outpoint"] for row in found["arrivals"]] == [outpoint(each) for each in deposits]
        assert {row["deposit"]["standing"] for row in found["arrivals"]} == {"deposit address"}
        assert found["haircut_sat"] == found["fifo_sat"] == 5 * BTC - 10
        assert answer["rest_sat"] == {"fee": 10}
        assert answer["candidate_sets"] == []
        assert [row["txid"] for row in read(path)] == [display(each.txid) for each in deposits]
        text = cli(*command)
        assert text.code == 0
        assert "deposit address, 2 sweep(s)" in text.out


@pytest.mark.parametrize("command", ["funding", "cashout"])
def test_what_is_refused(cli, case, tmp_path, command):
    ledger, tags, names, _, _ = case
    at = ("--ledger", str(ledger))
    market = names["market"]
    assert cli(command).code == 2
    assert cli(command, "nobody", *at).code == 4
    assert cli(command, "cluster:nobody", *at).code == 4
    assert cli(command, "bcrt1q" + "q" * 38, *at).code == 4
    assert cli(command, market, *at, "--tags", str(tmp_path / "none.yaml")).code == 6
    assert cli(command, market, *at, "--hops", "-1").code == 2
    assert cli(command, market, *at, "--overlay", str(tmp_path / "none.json")).code == 2
    assert cli(command, f"cluster:{market}", *at, "--overlay", str(tags)).code == 4
    assert cli(command, market, "--ledger", str(tmp_path / "none")).code == 6
    (tmp_path / "kept.csv").write_text("precious")
    assert cli(command, market, *at, "--tags", str(tags), "--csv", str(tmp_path / "kept.csv")).code == 2
    assert (tmp_path / "kept.csv").read_text() == "precious"
    assert cli(command, market, *at, "--csv", str(tmp_path / "no" / "list.csv")).code == 2


@pytest.mark.parametrize("command", ["funding", "cashout"])
def test_a_budget_is_told(cli, case, command):
    ledger, _, names, _, _ = case
    asked = (command, names["market"], "--ledger", str(ledger), "--transactions", "1")
    done = cli(*asked)
    assert done.code == 0
    assert "cut off" in done.err
    assert cli(*asked, "--require-complete").code == 7


def test_without_tags_nobody_is_named(cli, case):
    ledger, _, names, _, _ = case
    found = cli("funding", names["market"], "--ledger", str(ledger), "--json").json
    assert found["services"] == []
    assert found["tags"] is None
    assert found["rest_sat"] == {"coinbase": 5 * BTC}
    assert cli("cashout", names["market"], "--ledger", str(ledger), "--json").json["destinations"] == []


# Money.

CLOSE = Decimal("12345.67")
PAID, FIRST, SECOND = 106, 107, 108  # blocks of the payment and of the two deposits, one a step of the table


def time_of(height):
    return int.from_bytes(GENESIS[68:72], "little") + BLOCK_INTERVAL * height


def dollars(sat):
    worth = (CLOSE * sat / 10**8).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return f"{worth:,} USD"


@pytest.fixture
def prices(cli, tmp_path, monkeypatch):
    """A table with a price a block, but none for the second deposit's; imported."""
    monkeypatch.delenv("COINTRAIL_DATABASE", raising=False)
    path = tmp_path / "prices.csv"
    times = [time_of(height) for height in range(PAID - 6, PAID + 6) if height != SECOND]
    path.write_text("unix,close\n" + "".join(f"{time},{CLOSE}\n" for time in times))
    done = cli("prices", "import", str(path), "--currency", "USD", "--source", "=a market")
    assert done.code == 0, done.err


def test_funding_in_money(cli, case, prices, tmp_path):
    ledger, tags, names, _, _ = case
    path = tmp_path / "requests.csv"
    command = ("funding", names["market"], "--ledger", str(ledger), "--tags", str(tags), "--fiat", "USD")
    text = cli(*command, "--csv", str(path))
    assert text.code == 0
    for sat in (5 * BTC, 3 * BTC, 2 * BTC):
        assert dollars(sat) in text.out
    assert "note: USD as =a market says by price.last_before/1" in text.err
    answer = cli(*command, "--json").json
    assert answer["prices"]["digest"] == answer["payments"][0]["payment"]["fiat"]["series"]
    assert answer["fiat"]["missing"] == 0
    rows = read(path)
    assert [int(row["fiat_minor"]) for row in rows] == [3 * int(CLOSE * 100), 2 * int(CLOSE * 100)]
    assert {(row["currency"], row["price_source"], row["price_gap"]) for row in rows} == {("USD", "'=a market", "")}


def test_a_total_of_cash_outs_says_what_it_lacks(cli, case, prices, tmp_path):
    ledger, tags, names, _, deposits = case
    path = tmp_path / "arrivals.csv"
    command = ("cashout", names["market"], "--ledger", str(ledger), "--tags", str(tags), "--fiat", "USD")
    text = cli(*command, "--csv", str(path))
    assert text.code == 0
    worth = dollars(deposits[0].value_sat)
    assert text.out.count(f"{worth} without 1 of 2 amounts (gap)") == 3, "in all, and of the service by both rules"
    lines = {row: line for line in text.out.splitlines() for row in map(outpoint, deposits) if row in line}
    assert lines[outpoint(deposits[0])].count(worth) == 2
    assert lines[outpoint(deposits[1])].count("- (gap)") == 2
    answer = cli(*command, "--json").json
    assert (answer["fiat"]["missing"], answer["fiat"]["missing_sat"]) == (1, deposits[1].value_sat)
    known, gap = read(path)
    assert (known["fiat_minor"], known["price_gap"]) == (
        worth.removesuffix(" USD").replace(",", "").replace(".", ""),
        "",
    )
    assert (gap["fiat_minor"], gap["currency"]) == ("", "USD")
    assert gap["price_gap"].startswith("no price is known in the 600 s up to 2011-02-03T")


def test_facts_in_money(cli, case, prices):
    ledger, _, names, _, deposits = case
    at = ("--ledger", str(ledger), "--fiat", "USD")
    text = cli("tx", display(deposits[0].txid), *at)
    assert text.code == 0
    assert dollars(3 * BTC) == dollars(3 * BTC - 5), "the fee is less than a cent"
    assert text.out.count(dollars(3 * BTC)) == 2
    assert f"0.00000005 BTC = {dollars(5)}" in text.out
    gap = cli("tx", display(deposits[1].txid), *at).out
    assert "0.00000005 BTC = - (gap)" in gap
    assert "USD" not in gap
    text = cli("address", names["market"], "--history", *at)
    received, first, second = text.out.splitlines()[2:]
    assert dollars(5 * BTC) in received
    assert dollars(3 * BTC) in first
    assert second.count("- (gap)") == 2
    lines = [json.loads(line) for line in cli("address", names["market"], "--history", *at, "--json").out.splitlines()]
    assert lines[0]["prices"]["source"] == "=a market"
    assert [line["spent_fiat"]["minor"] for line in lines[1:]] == [0, 3 * int(CLOSE * 100), None]
    assert lines[3]["spent_fiat"]["gap"].startswith("no price is known")
    assert cli("address", names["market"], *at).code == 2


def test_a_profile_in_money(cli, case, prices, tmp_path):
    """The market was paid 3 and 2 BTC in one block, and spent them in two; the later one has no price."""
    ledger, _, names, _, _ = case
    at, path = (names["market"], "--ledger", str(ledger), "--fiat", "USD"), tmp_path / "list.csv"
    text = cli("profile", *at, "--csv", str(path))
    assert text.code == 0
    assert f"5.00000000 BTC = {dollars(5 * BTC)}, net" in text.out
    assert f"5.00000000 BTC = {dollars(3 * BTC)} without 1 of 2 amounts (gap), net" in text.out
    assert "note: USD as =a market says by price.last_before/1" in text.err
    assert [row["price_gap"][:17] for row in read(path)] == ["", "", "no price is known"]
    answer = cli("profile", *at, "--json").json["profile"]
    assert (answer["spent_fiat"]["missing_sat"], answer["balance_fiat"]["minor"]) == (2 * BTC, 0)
    before = cli("profile", *at, "--as-of", str(PAID), "--unspent")
    assert before.out.count(dollars(3 * BTC)) == before.out.count(dollars(2 * BTC)) == 1
    assert "note: USD as =a market" in before.err
    lines = cli("profile", *at, "--as-of", str(PAID), "--unspent", "--json").out.splitlines()
    assert json.loads(lines[0])["prices"]["source"] == "=a market"
    assert json.loads(lines[1])["fiat"]["minor"] == 3 * int(CLOSE * 100)
    partners = cli("counterparties", *at)
    assert partners.code == 0
    assert "worth" in partners.out
    assert f"{dollars(3 * BTC)} without 1 of 2 amounts (gap)" in partners.out
    assert "note: USD as =a market" in partners.err
    rows = cli("counterparties", *at, "--json").json
    assert rows["prices"]["source"] == "=a market"
    assert rows["totals"]["sent_fiat"]["missing"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ("funding",),
        ("cashout",),
        ("address", "--history"),
        ("tx",),
        ("profile",),
        ("profile", "--unspent"),
        ("counterparties",),
        ("exposure",),
    ],
)
def test_money_that_cannot_be_had(cli, case, prices, monkeypatch, tmp_path, words):
    ledger, _, names, paid, _ = case
    asked = (*words, display(paid[0].txid) if words == ("tx",) else names["market"], "--ledger", str(ledger))
    plain = cli(*asked)
    assert plain.code == 0
    assert "worth" not in plain.out
    for currency in ("usd", "", "BTC", "\x1b[2J", "-1", "U" * 5_000):
        refused = cli(*asked, "--fiat", currency)
        assert (refused.code, refused.out) == (4, "")
        assert "\x1b" not in refused.err
    assert cli(*asked, "--fiat", "EUR").code == 3
    assert cli(*asked, "--fiat", "USD", "--prices", "nobody").code == 3
    assert cli(*asked, "--fiat", "USD", "--prices", "=a market").code == 0
    assert cli(*asked, "--prices", "=a market").code == 2
    monkeypatch.setenv("COINTRAIL_DATABASE", str(tmp_path / "none.sqlite"))
    missing = cli(*asked, "--fiat", "USD")
    assert (missing.code, missing.out) == (6, "")
    assert "no prices were imported" in missing.err
    assert "cointrail prices import FILE --currency USD" in missing.err
    if words[0] in ("tx", "address"):  # a look-up of facts opens no database
        (tmp_path / "none.sqlite").write_text("no database")
        assert cli(*asked) == plain


def test_services_that_nobody_names_are_asked_for(cli, case, tmp_path):
    """Here nobody is busy enough: an answer says that it looked, and by which rule and model."""
    ledger, tags, names, _, deposits = case
    questions = [
        ("funding", names["market"]), ("cashout", names["market"]), ("trace", outpoint(deposits[0])),
        ("paths", names["market"], names["deposit"]),
    ]  # fmt: skip
    for question in questions:
        command = (*question, "--ledger", str(ledger), "--tags", str(tags))
        assert cli(*command, "--json").json["inferred"] is None
        answer = cli(*command, "--service-like", "--json").json
        assert (answer["inferred"]["count"], answer["inferred"]["rule"]) == (0, "service_like")
        assert {"id": "service_like", "version": answer["inferred"]["version"]} in answer["rules"]
        text = cli(*command, "--service-like")
        assert text.code == 0
        assert "0 cluster(s) behave like a service (service_like " in text.out
    refused = cli("trace", "--resume", str(tmp_path / "kept.npz"), "--service-like", "--ledger", str(ledger))
    assert refused.code == 2
