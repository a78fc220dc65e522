"""`cointrail cluster`: figures, lists, levels, held merges, and what it refuses."""

import json

import pytest
from overlay_cases import WalletChain, clustered_ledger

import cointrail
from cointrail.cluster.forest.view import Forest
from cointrail.service.clustering.cluster import name_of


@pytest.fixture(scope="module")
def wallets(tmp_path_factory):
    """A ledger, and a script of its largest cluster."""
    ledger = clustered_ledger(tmp_path_factory.mktemp("wallets"), WalletChain(5).chain)
    with cointrail.open(ledger) as opened:
        partition = Forest(opened.reader).partition().tolist()
        return str(ledger), name_of(opened.reader, max(set(partition), key=partition.count))


def test_figures_say_that_they_are_a_lower_bound(cli, wallets):
    ledger, text = wallets
    answer = cli("cluster", text, "--ledger", ledger)
    assert answer.code == 0
    fields = dict(line.split("  ", 1) for line in answer.out.splitlines() if not line.startswith(" "))
    assert "inference, a lower bound" in fields["level"]
    assert "an inference at level L1, a lower bound" in answer.err
    assert f"showing 25 of {fields['size'].split()[0]} members" in answer.err or answer.out.count("\n  ") <= 25
    assert "owned by" not in answer.out + answer.err


LISTS = {
    "--transactions": ("co-spends\n", "transactions"),
    "--suppressed": ("co-spends not believed\n", "suppressed_transactions"),
    "--evolution": ("growth\n", "evolution"),
    "--bridges": ("bridges\n", "bridges"),
    "--suspicious": ("merges to look at\n", "suspicious"),
}


@pytest.mark.parametrize("option", LISTS)
def test_each_list_is_shown_and_is_the_one_of_json(cli, wallets, option):
    ledger, text = wallets
    title, field = LISTS[option]
    told = cli("cluster", text, option, "--ledger", ledger, "--json").json
    shown = cli("cluster", text, option, "--limit", "3", "--ledger", ledger)
    rows = shown.out.split(title)[1].split("\n\n")[0]
    for row in told[field][:3]:
        assert row["txid"] in rows
    if len(told[field]) > 3:
        assert told[field][3]["txid"] not in rows
        assert f"showing 3 of {len(told[field])}" in shown.err
    for other in {name for _, name in LISTS.values()} - {field}:
        assert told[other] is None
    assert len(told["members"]) <= 25


def test_members_are_all_there_when_asked_for(cli, wallets):
    ledger, text = wallets
    answer = cli("cluster", text, "--members", "--ledger", ledger, "--json").json
    assert len(answer["members"]) == answer["size"] == answer["totals"]["members"]
    page = cli("cluster", text, "--members", "--first", "2", "--limit", "4", "--ledger", ledger)
    shown = [line.strip() for line in page.out.splitlines() if line.startswith("  ")]
    assert shown == answer["members"][2:6]


def test_evolution_may_begin_with_the_largest_step(cli, wallets):
    ledger, text = wallets
    steps = cli("cluster", text, "--evolution", "--largest", "--ledger", ledger, "--json").json["evolution"]
    grown = [step["after"] - step["before"] for step in steps]
    assert grown == sorted(grown, reverse=True)


def test_levels(cli, wallets):
    ledger, text = wallets
    answer = cli("cluster", text, "--level", "L2", "--ledger", ledger)
    assert (answer.code, "clusters of L1" in answer.out, "at level L2" in answer.err) == (0, True, True)
    assert cli("cluster", text, "--level", "L2", "--evolution", "--ledger", ledger).code == 2


def test_held_needs_no_address(cli, wallets):
    ledger, _ = wallets
    told = cli("cluster", "--held", "--ledger", ledger, "--json").json
    assert (told["level"], len(told["held"])) == ("L2", told["held_total"])
    shown = cli("cluster", "--held", "--limit", "2", "--ledger", ledger)
    assert shown.code == 0
    assert f"{told['held_total']:,} merges for review" in shown.out


def test_tags_from_a_file(cli, wallets, tmp_path):
    ledger, text = wallets
    members = cli("cluster", text, "--members", "--ledger", ledger, "--json").json["members"]
    file = tmp_path / "tags.csv"
    file.write_text(f"address,actor\n{members[0]},one\n{members[-1]},two\n")
    answer = cli("cluster", text, "--suspicious", "--tagged", str(file), "--ledger", ledger, "--json").json
    separated = [each["separated"] for each in answer["suspicious"]]
    assert separated == sorted(separated, reverse=True)
    file.write_text("nonsense")
    refused = cli("cluster", text, "--suspicious", "--tagged", str(file), "--ledger", ledger)
    assert refused.code in (0, 4)
    file.write_text("address,actor\nnonsense,x\n")
    assert cli("cluster", text, "--suspicious", "--tagged", str(file), "--ledger", ledger).code == 4
    assert cli("cluster", text, "--tagged", str(tmp_path / "none"), "--ledger", ledger).code == 6


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no address"),
        (("TEXT", "--held"), "--held"),
        (("--held", "--bridges"), "--held"),
        (("--held", "--level", "L1"), "L1"),
        (("TEXT", "--level", "L0"), "L0"),
    ],
)
def test_what_makes_no_sense_is_usage(cli, wallets, words, told):
    ledger, text = wallets
    answer = cli("cluster", *(word.replace("TEXT", text) for word in words), "--ledger", ledger)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


def test_a_ledger_without_clusters_says_what_to_do(cli, wallets, tmp_path):
    from pathlib import Path

    from ledgers import copy_of

    from cointrail.ledger.writer import Writer

    ledger, text = wallets
    folder = copy_of(Path(ledger), tmp_path / "bare")
    with Writer(folder, "regtest") as writer:
        writer.forget_clusters()
    answer = cli("cluster", text, "--ledger", str(folder))
    assert answer.code == 6
    assert "cointrail ingest" in answer.err
    assert json.loads(cli("status", "--ledger", str(folder), "--json").out)["height"] > 0
