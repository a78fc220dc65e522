"""`cointrail profile` and `cointrail counterparties`: text, JSON, files, and what is refused."""

import csv
import json
import os
import subprocess
import sys

import pytest

AT_9 = (
    "script:410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464"
    "f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac"
)
COIN = 100_000_000


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_payer_of_mainnet(cli, mainnet):
    """Block 9's miner paid 10 BTC in block 170, and on in blocks 181 to 248; everybody knows these transactions."""
    at = ("--ledger", str(mainnet))
    answer = cli("profile", AT_9, *at, "--json").json["profile"]
    assert (answer["coinbases"], answer["coinbase_sat"]) == (1, 50 * COIN)
    assert answer["first_seen"]["height"] == 9
    assert answer["basis"] == "fact"
    assert answer["script_types"][0]["script_type"] == "p2pk"
    assert answer["fees"]["paid_sat"] == 0
    assert answer["balance_sat"] == answer["unspent_sat"] == sum(each["value_sat"] for each in answer["unspent"])
    first = cli("profile", AT_9, *at, "--from", "170", "--to", "2009-01-12", "--as-of", "170", "--json").json["profile"]
    assert (first["transactions"], first["spent_sat"], first["returned_sat"]) == (1, 50 * COIN, 40 * COIN)
    assert first["spent_net_sat"] == 10 * COIN
    assert [each["balance_sat"] for each in first["balance"]["steps"]] == [40 * COIN]
    partners = cli("counterparties", AT_9, *at, "--as-of", "170", "--json").json
    (finney,) = partners["counterparties"]
    assert (finney["sent_sat"], finney["received_sat"], finney["net_sat"]) == (10 * COIN, 0, -10 * COIN)
    assert finney["txids"] == ["f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"]
    assert (finney["basis"], finney["divided_sat"]) == ("fact", 0)
    assert partners["totals"]["change_sat"] == 40 * COIN
    assert partners["basis"] == "inference"


def test_text_is_one_screen(cli, regtest):
    at = ("--ledger", str(regtest.ledger))
    for text in (regtest.addresses[0], f"cluster:{regtest.addresses[0]}"):
        shown = cli("profile", text, *at)
        assert shown.code == 0
        assert len(shown.out.splitlines()) < 50
        for word in ("balance", "received", "net", "fees", "receives, hour", "Mon", "first seen"):
            assert word in shown.out
        assert "miners declared" in shown.err
        shown = cli("counterparties", text, *at, "--by", "cluster")
        assert shown.code == 0
        assert "by gross" in shown.out
        assert "haircut" in shown.err
    assert "no tags were used" in cli("counterparties", text, *at, "--by", "entity", "--tags", "none").err


def test_unspent_outputs_come_in_pages_lines_and_files(cli, regtest, tmp_path):
    at = ("--ledger", str(regtest.ledger))
    text = next(
        each
        for each in regtest.addresses
        if cli("profile", f"cluster:{each}", *at, "--json").json["profile"]["unspent_outputs"] > 2
    )
    asked = ("profile", f"cluster:{text}", *at, "--unspent")
    lines = [json.loads(line) for line in cli(*asked, "--json").out.splitlines()]
    assert lines[0] == {"total": len(lines) - 1, "first": 0}
    assert [each["value_sat"] for each in lines[1:]] == sorted((e["value_sat"] for e in lines[1:]), reverse=True)
    page = [json.loads(line) for line in cli(*asked, "--json", "--first", "1", "--limit", "1").out.splitlines()]
    assert page == [{"total": len(lines) - 1, "first": 1}, lines[2]]
    assert lines[1]["outpoint"] in cli(*asked).out
    path = tmp_path / "list.csv"
    assert cli(*asked, "--csv", str(path)).code == 0
    assert [f"{row['txid']}:{row['vout']}" for row in read(path)] == [each["outpoint"] for each in lines[1:]]
    assert cli(*asked, "--csv", str(path)).code == 2
    whole = cli("profile", f"cluster:{text}", *at, "--json", "--csv", str(path), "--overwrite").json["profile"]
    rows = read(path)
    assert [int(row["balance_sat"]) for row in rows] == [e["balance_sat"] for e in whole["balance"]["steps"]]
    assert cli("counterparties", f"cluster:{text}", *at, "--csv", str(tmp_path / "partners.csv")).code == 0
    answer = cli("counterparties", f"cluster:{text}", *at, "--json").json
    assert [row["name"] for row in read(tmp_path / "partners.csv")] == [e["name"] for e in answer["counterparties"]]


@pytest.mark.parametrize("command", ["profile", "counterparties"])
def test_what_is_refused(cli, regtest, tmp_path, command):
    at, text = ("--ledger", str(regtest.ledger)), regtest.addresses[0]
    assert cli(command).code == 2
    assert cli(command, "nobody", *at).code == 4
    assert cli(command, text, *at, "--from", "soon").code == 4
    assert cli(command, text, *at, "--from", "5", "--to", "4").code == 2
    assert cli(command, text, *at, "--to", "999999").code == 3
    assert cli(command, text, *at, "--min-sat", "2", "--max-sat", "1").code == 2
    assert cli(command, text, *at, "--min-sat", "-1").code == 2
    assert cli(command, text, *at, "--overlay", str(tmp_path / "none.json")).code == 2
    assert cli(command, text, "--ledger", str(tmp_path / "none")).code == 6
    assert cli(command, text, *at, "--csv", str(tmp_path / "no" / "list.csv")).code == 2
    if command == "counterparties":
        assert cli(command, text, *at, "--by", "owner").code == 2


def test_the_profile_of_an_address_needs_no_kernels(regtest):
    code = (
        "import sys, contextlib, io\n"
        "for name in ('numba', 'llvmlite'):\n    sys.modules[name] = None\n"
        "from cointrail.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = run(['profile', {regtest.addresses[0]!r}, '--facts', '--ledger', {str(regtest.ledger)!r}])\n"
        "assert code == 0, code\n"
        "assert not [name for name in sys.modules if name.startswith('cointrail.kernels')]\n"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COINTRAIL_")}
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
