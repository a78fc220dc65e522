"""`cointrail funding` and `cointrail cashout`: answers, files, and what they refuse."""

import csv

import pytest
from chain_tree import UnspentOutput
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
    assert cli(command, market, *at, "--tags", str(tmp_path / "none.yaml")).code == 4
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
