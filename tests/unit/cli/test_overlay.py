"""`cointrail overlay`: every command, its texts and its JSON, and what it refuses."""

from pathlib import Path

import pytest
from overlay_cases import WalletChain, clustered_ledger

from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.overlay.document import spelled
from cointrail.ledger.reader import Reader

SIGNED = ("--author", "J. Doe", "--reason", "exhibit 3")
TXID = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
WIF = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"  # published in the Bitcoin wiki


@pytest.fixture(scope="module")
def wallets(tmp_path_factory) -> Path:
    return clustered_ledger(tmp_path_factory.mktemp("wallets"), WalletChain(6).chain)


@pytest.fixture
def case(cli, tmp_path):
    path = str(tmp_path / "case.json")
    assert cli("overlay", "new", path, "--name", "Case 7", "--author", "J. Doe", "--network", "regtest").code == 0
    return path


@pytest.fixture(scope="module")
def largest(wallets):
    """The largest cluster's scripts as addresses, and a co-spend that made it."""
    with Reader(wallets) as reader:
        partition = Forest(reader).partition().tolist()
        root = max(set(partition), key=partition.count)
        names = [spelled(reader.script_pubkey(s), "regtest") for s, each in enumerate(partition) if each == root]
        merges = [Forest(reader).merge(each) for each in range(reader.counts.merge)]
        tx_index = next(each.tx_index for each in merges if partition[each.child] == root)
        return names, display(bytes(reader.column("transaction", "txid")[tx_index]))


def test_a_case_from_the_first_entry_to_what_it_changes(cli, case, wallets, largest):
    names, txid = largest
    steps = [
        ("exclude", case, txid),
        ("rule-off", case, "coinjoin.stonewall"),
        ("split", case, names[0], names[1]),
        ("merge", case, names[0], names[-1]),
    ]
    digests = set()
    for number, step in enumerate(steps, start=1):
        answer = cli("overlay", *step, *SIGNED, "--json").json
        assert len(answer["entries"]) == number
        assert answer["entries"][-1]["reason"] == "exhibit 3"
        digests.add(answer["digest"])
    shown = cli("overlay", "show", case)
    assert shown.code == 0
    assert len(digests) == 4
    digest = cli("overlay", "show", case, "--json").json["digest"]
    assert f"digest   {digest}" in shown.out
    assert f"0  exclude_transaction {txid}" in shown.out
    assert "J. Doe, 20" in shown.out
    applied = cli("overlay", "apply", case, names[0], "--ledger", str(wallets), "--json").json
    assert applied["overlay"] == {"name": "Case 7", "digest": digest, "entries": 4}
    assert applied["address"]["after"]["basis"] == "assertion"
    text = cli("overlay", "apply", case, names[0], "--ledger", str(wallets))
    assert text.code == 0
    assert digest in text.out
    assert f"{len(names)} scripts, inference" in text.out
    assert "somebody's assertion" in text.err
    limited = cli("overlay", "apply", case, "--ledger", str(wallets), "--limit", "1")
    assert limited.out.count("\ngroup ") == 1


def test_a_folder_that_is_not_there_is_named(cli, tmp_path):
    path = tmp_path / "nodir" / "case.json"
    answer = cli("overlay", "new", str(path), "--name", "N", "--author", "A", "--network", "regtest")
    assert (answer.code, answer.out) == (6, "")
    assert f"there is no folder {path.parent}" in answer.err
    assert "hint: make the folder first" in answer.err
    assert "room" not in answer.err


def test_two_files_are_compared(cli, case, tmp_path, wallets, largest):
    names, _ = largest
    other = str(tmp_path / "other.json")
    made = cli("overlay", "new", other, "--name", "Other", "--author", "B", "--ledger", str(wallets), "--json").json
    assert made["network"] == "regtest"
    assert made["made_at"]["height"] > 100
    cli("overlay", "split", other, names[0], *SIGNED)
    cli("overlay", "exclude", case, TXID, *SIGNED)
    answer = cli("overlay", "compare", case, other, "--ledger", str(wallets), "--json").json
    assert (answer["scripts"], answer["clusters_first"]) == (len(names), 1)
    assert answer["absent_first"] == [f"entry 0: {TXID}"]
    text = cli("overlay", "compare", case, other, "--ledger", str(wallets))
    assert "group 0: " in text.out
    assert f"not in this snapshot, Case 7: entry 0: {TXID}" in text.err


def test_new_never_overwrites(cli, case):
    before = Path(case).read_bytes()
    code, out, err = cli("overlay", "new", case, "--name", "X", "--author", "A", "--network", "regtest")
    assert (code, out) == (2, "")
    assert "exists already" in err
    assert Path(case).read_bytes() == before


REFUSED = {
    "no author": (2, ("exclude", "CASE", TXID, "--reason", "R")),
    "no reason": (2, ("exclude", "CASE", TXID, "--author", "A")),
    "an empty reason": (4, ("exclude", "CASE", TXID, "--author", "A", "--reason", "")),
    "no transaction": (4, ("exclude", "CASE", "12", *SIGNED)),
    "no rule": (4, ("rule-off", "CASE", "coinjoin", *SIGNED)),
    "no script": (4, ("split", "CASE", "me", *SIGNED)),
    "a private key": (4, ("split", "CASE", WIF, *SIGNED)),
    "one end": (2, ("merge", "CASE", "me", *SIGNED)),
    "a name for a terminal": (2, ("new", "CASE", "--name", "\x1b[31m", "--author", "A", "--network", "moon")),
    "no file": (4, ("show", "nowhere.json")),
    "no overlay": (4, ("show", "LEDGER/MANIFEST.json")),
    "no ledger": (6, ("apply", "CASE", "--ledger", "nowhere")),
    "no address": (4, ("apply", "CASE", "me", "--ledger", "LEDGER")),
    "no command": (2, ("delete",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_arguments_end_with_a_sentence(cli, case, wallets, name):
    expected, words = REFUSED[name]
    before = Path(case).read_bytes()
    code, out, err = cli("overlay", *(each.replace("CASE", case).replace("LEDGER", str(wallets)) for each in words))
    assert (code, out) == (expected, ""), err
    assert err.startswith("error: ")
    assert err.replace("\n", "").isprintable()
    assert WIF not in err
    assert Path(case).read_bytes() == before


def test_every_command_shows_an_example(cli):
    listed = cli("overlay", "--help").out
    for name in ("new", "exclude", "rule-off", "split", "merge", "show", "apply", "compare"):
        assert f"  {name} " in listed
        text = cli("overlay", name, "--help").out
        assert "Examples:" in text
        assert f"cointrail overlay {name} " in text
