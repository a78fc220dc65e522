"""Examples in help texts and snippets in how-to pages run, on real blocks."""

import contextlib
import io
import re
import shlex
import shutil
import tarfile
from pathlib import Path

import pytest
from minisigner import Minisigner
from ofac_list import Sanctioned, advanced
from typer.main import get_command
from vectors import shared_data

import cointrail
from cointrail.bitcoin.address import address_of
from cointrail.cli.main import app, run
from cointrail.service.names import network_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = {
    name: [line.strip() for line in (command.epilog or "").split("Examples:\n")[-1].splitlines()]
    for name, command in get_command(app).commands.items()
}
# Placeholders in examples, and what stands for them here.
KEY_9 = (
    "0411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c"
    "b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3"
)
# 600 blocks are too few for this address, and these commands need other folders than the examples have here.
NOT_YET = "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"
ELSEWHERE = ("simulate", "score")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with `node` and `ledger` (mainnet's first 600 blocks) and `signet` (a signet node's blocks)."""
    folder = tmp_path_factory.mktemp("examples")
    with tarfile.open(shared_data() / "blocks" / "mainnet-0-599" / "mainnet600_xor.datadir.tar.gz") as packed:
        packed.extractall(folder / "node", filter="data")
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["ingest", str(folder / "node"), "--ledger", str(folder / "ledger")]) == 0
    return folder


@pytest.fixture(scope="module")
def signet(place):
    """A signet ledger and an address in it, for examples with `bcrt1q...`."""
    source = shared_data() / "blocks" / "signet-0-120"
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(["ingest", str(source), "--ledger", str(place / "signet-ledger")]) == 0
    with cointrail.open(place / "signet-ledger") as ledger:
        reader = ledger.reader
        scripts = (reader.script_pubkey(script) for script in range(reader.counts.script))
        return next(address for script in scripts if (address := address_of(script, network_of(reader))))


@pytest.fixture(scope="module")
def files(place, signet):
    """A signed list, an overlay, tables of tags and seeds, under the names that examples give them."""
    (place / "tags.csv").write_text(f"address,actor\n{signet},Somebody\n")
    pack = (
        "title: services\ncreator: somebody\nlabel: Binance\nactor: binance\ncurrency: BTC\ncategory: exchange\n"
        "confidence: service_data\nsource: https://example.org/list\ntags:\n- address: {}\n"
    )
    (place / "services.yaml").write_text(pack.format(signet))
    (place / "exchanges.yaml").write_text(pack.format("34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"))
    (place / "packs").mkdir()
    (place / "packs" / "one.yaml").write_text(pack.format(signet))
    (place / "wallets.csv").write_text("wallet,name\n34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo,Somebody\n")
    sanctioned = Sanctioned(1, ("Somebody",), [("XBT", "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo")])
    (place / "sdn_advanced.xml").write_text("".join(advanced([sanctioned])))
    shutil.copy(shared_data() / "prices" / "btc-usd-daily-2010-2025.csv", place / "btc-usd.csv")
    (place / "hourly.csv").write_text("open_time,last\n1406203200,461.5\n1406206800,462\n")
    closes = 'date,currency,close_minor,source\n2014-07-24,EUR,46000,"exchange X, daily close"\n'
    (place / "prices.csv").write_text(closes)
    (place / "seized.csv").write_text(f"seed,label\n{KEY_9},block 9\n")
    signer, text = Minisigner(), f"{'ab' * 32}  # no transaction of these chains\n"
    (place / "known-coinjoins.txt").write_text(text)
    (place / "known-coinjoins.txt.minisig").write_text(signer.sign(text.encode()))
    at = ["--database", str(place / "cointrail.sqlite")]
    for kind, name in (("prices", "prices.csv"), ("tags", "services.yaml")):
        assert run([kind, "import", str(place / name), *at]) == 0
    priced = ["prices", "import", str(place / "btc-usd.csv"), "--currency", "USD", "--source", "somebody"]
    assert run([*priced, *at]) == 0
    command = ["overlay", "new", str(place / "case.json"), "--name", "case", "--author", "A. N. Other"]
    assert run([*command, "--network", "mainnet"]) == 0
    return {"RWQ...": signer.public_key}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ELSEWHERE])
def test_examples_in_help_texts_run(place, signet, files, monkeypatch, capsys, name):
    """In order: one may write what the next reads."""
    monkeypatch.chdir(place)
    for line in EXAMPLES[name]:
        monkeypatch.setenv("COINTRAIL_HOME", str(place))
        monkeypatch.setenv("COINTRAIL_LEDGER", "ledger")
        monkeypatch.delenv("COINTRAIL_CONFIG", raising=False)
        run_example(line, name, signet, files, monkeypatch, capsys)


def partition(words, at):
    """Words before, at and after one of them."""
    place = words.index(at) if at in words else len(words)
    return words[:place], words[place : place + 1], words[place + 1 :]


def run_example(line, name, signet, files, monkeypatch, capsys):
    words = shlex.split(line, comments=True)
    while "=" in words[0]:
        variable, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(variable, value)
    assert words.pop(0) == "cointrail"
    assert words[0] == name
    if any("bcrt1q..." in word for word in words):
        monkeypatch.setenv("COINTRAIL_LEDGER", "signet-ledger")
        stand_ins = {"bcrt1p...": signet, "500": "100", "ledger": "signet-ledger"}
        words = [stand_ins.get(word, word).replace("bcrt1q...", signet) for word in words]
    if "signet" in words:
        words[words.index("~/.bitcoin")] = str(shared_data() / "blocks" / "signet-0-120")
    words = ["node" if word in ("~/.bitcoin", "/mnt/copy/blocks") else word for word in words]
    words = [files.get(word, word) for word in words]
    words = [KEY_9 if word == f"{KEY_9[:16]}..." else word for word in words]
    words, _, kept = (list(part) for part in partition(words, ">"))
    code = run(words)
    out, err = capsys.readouterr()
    for name in kept:
        Path(name).write_text(out)
    assert code == (3 if NOT_YET in words else 0), err
    assert NOT_YET in words or out


def test_every_command_has_examples():
    assert all(line.startswith(("cointrail ", "COINTRAIL_")) for lines in EXAMPLES.values() for line in lines)
    assert all(EXAMPLES.values())


def snippets(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_snippets_of_the_python_api_run(place, monkeypatch, capsys):
    """In one name space, top to bottom, as a reader would."""
    monkeypatch.chdir(place)
    space: dict[str, object] = {}
    found = snippets(DOCS / "howto" / "use-the-python-api.md")
    assert len(found) >= 5
    for snippet in found:
        exec(compile(snippet, "use-the-python-api.md", "exec"), space)
    out = capsys.readouterr().out
    assert out.startswith("599\n0 1000000000 p2pk unspent\n")
    assert "holds heights 0 to 599" in out


def test_snippet_of_the_package_runs(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    lines = [line.strip() for line in (cointrail.__doc__ or "").splitlines()]
    first = lines.index("import cointrail")
    exec("\n".join([*lines[first : first + 2], "    " + lines[first + 2]]), {})
    assert capsys.readouterr().out == "599\n"
