"""`cointrail cluster`: figures, lists, levels, held merges, and what it refuses."""

import json
import os
from hashlib import sha256

import pytest
from level_cases import economy_ledger, voted_pairs
from overlay_cases import WalletChain, clustered_ledger

import cointrail
from cointrail.attribution.formats import table
from cointrail.cluster.forest.view import Forest
from cointrail.service.names import name_of


@pytest.fixture(scope="module")
def wallets(tmp_path_factory):
    """A ledger, and a script of its largest cluster."""
    ledger = clustered_ledger(tmp_path_factory.mktemp("wallets"), WalletChain(5).chain)
    with cointrail.open(ledger) as opened:
        partition = Forest(opened.reader).partition().tolist()
        return str(ledger), name_of(opened.reader, max(set(partition), key=partition.count))


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """A ledger, and two addresses of several L1 scripts that a vote on change joins."""
    ledger = economy_ledger(tmp_path_factory.mktemp("voted"))
    with cointrail.open(ledger) as opened:
        forest = Forest(opened.reader)
        pairs = [pair for pair in voted_pairs(opened.reader) if forest.root(pair[0]) != forest.root(pair[1])]
        one, two = max(pairs, key=lambda pair: len(forest.members(pair[0])[0]))
        return str(ledger), name_of(opened.reader, one), name_of(opened.reader, two)


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


def digest_of(file):
    """The name of a tag set of one table, as docs/explanation/what-was-known.md says."""
    state = [file.name, "table", table.VERSION, sha256(file.read_bytes()).hexdigest()]
    document = json.dumps({"collections": [state], "retractions": []}, separators=(",", ":"))
    return sha256(document.encode()).hexdigest()


def test_tags_from_a_file(cli, wallets, tmp_path):
    ledger, text = wallets
    members = cli("cluster", text, "--members", "--ledger", ledger, "--json").json["members"]
    file = tmp_path / "tags.csv"
    file.write_text(f"address,actor\n{members[0]},one\n{members[-1]},two\n")
    answer = cli("cluster", text, "--suspicious", "--tags", str(file), "--ledger", ledger, "--json").json
    separated = [each["separated"] for each in answer["suspicious"]]
    assert separated == sorted(separated, reverse=True)
    for content, told in (
        ("nonsense", "tags.csv"),
        ("address,actor\nnonsense,x\n", "line 2 of tags.csv: 'nonsense' is no address of regtest"),
    ):
        file.write_text(content)
        refused = cli("cluster", text, "--suspicious", "--tags", str(file), "--ledger", ledger)
        assert (refused.code, refused.out) == (4, "")
        assert told in refused.err
    assert cli("cluster", text, "--suspicious", "--tags", str(tmp_path / "none"), "--ledger", ledger).code == 6
    os.mkfifo(tmp_path / "pipe")
    refused = cli("cluster", text, "--suspicious", "--tags", str(tmp_path / "pipe"), "--ledger", ledger)
    assert (refused.code, "is no regular file" in refused.err) == (4, True)


def test_an_answer_names_the_tags_that_it_rests_on(cli, wallets, tmp_path):
    ledger, text = wallets
    members = cli("cluster", text, "--members", "--ledger", ledger, "--json").json["members"]
    file = tmp_path / "tags.csv"
    file.write_text(f"address,actor\n{members[0]},one\n{members[1]},one\n{members[-1]},two\n{members[-1]},two\n")
    digest = digest_of(file)
    command = ("cluster", text, "--suspicious", "--tags", str(file), "--ledger", ledger)
    told = cli(*command, "--json").json["tagged"]
    assert told == {
        "lists": "tags.csv",
        "digest": digest,
        "tags": 3,
        "rules": [{"id": "suspicion", "version": 1}],
        "actors": 2,
        "attributed": [
            {"actor": "one", "addresses": 2, "statement": "attributed to one by tags.csv"},
            {"actor": "two", "addresses": 1, "statement": "attributed to two by tags.csv"},
        ],
        "basis": "assertion",
    }
    shown = cli(*command)
    line = next(line for line in shown.out.splitlines() if line.startswith("tagged "))
    assert f"attributed to one (2), two (1) by tags.csv, an assertion: 3 tags, tag set {digest}" in line
    assert "attributed to different actors by tags.csv" in shown.out
    assert cli("cluster", text, "--suspicious", "--ledger", ledger, "--json").json["tagged"] is None
    assert cli("cluster", text, "--tags", str(file), "--ledger", ledger, "--json").json["tagged"] == told | {
        "rules": []
    }


def test_tags_keep_apart_what_a_vote_would_join(cli, voted, tmp_path):
    """Above L1 only, and what is held is listed under the same digest."""
    ledger, one, two = voted
    file = tmp_path / "tags.csv"
    file.write_text(f"address,actor\n{one},first\n{two},second\n")
    digest = digest_of(file)
    above, tags = ("--level", "L2", "--ledger", ledger, "--json"), ("--tags", str(file))
    free, apart = (cli("cluster", one, "--members", *more, *above).json for more in ((), tags))
    assert two in free["members"]
    assert two not in apart["members"]
    assert (free["guards"]["cannot_link"], apart["guards"]["cannot_link"]) == ("", digest)
    assert [each["actor"] for each in apart["tagged"]["attributed"]] == ["first"]
    assert apart["tagged"]["rules"] == [{"id": "collapse_guard", "version": 1}]
    held = cli("cluster", "--held", *tags, *above).json
    assert held["by_reason"]["cannot_link"] > 0
    assert held["tagged"]["digest"] == held["guards"]["cannot_link"] == digest
    assert digest in cli("cluster", "--held", *tags, "--ledger", ledger).out
    linked, parted = (cli("explain", one, two, *more, *above).json for more in ((), tags))
    assert (linked["linked"], parted["linked"]) == (True, False)
    assert {each["reason"] for each in parted["held"]} >= {"cannot_link"}
    assert parted["tagged"]["digest"] == digest
    assert digest in cli("explain", one, two, *tags, "--level", "L2", "--ledger", ledger).out
    same = cli("cluster", one, "--suspicious", "--members", *tags, "--ledger", ledger, "--json").json
    assert same["members"] == cli("cluster", one, "--members", "--ledger", ledger, "--json").json["members"]


def test_a_cluster_of_two_actors_is_extended_by_nothing(cli, voted, tmp_path):
    ledger, one, _ = voted
    plain = cli("cluster", one, "--members", "--ledger", ledger, "--json").json["members"]
    file = tmp_path / "tags.csv"
    file.write_text(f"address,actor\n{plain[0]},first\n{plain[-1]},second\n")
    answer = cli("cluster", one, "--members", "--level", "L2", "--tags", str(file), "--ledger", ledger, "--json").json
    assert (len(plain) > 1, answer["members"]) == (True, plain)
    assert "attributed to different actors, so no inference extends it" in answer["note"]


def test_the_third_level_is_leads_only(cli, wallets):
    ledger, text = wallets
    answer = cli("cluster", text, "--level", "L3", "--ledger", ledger)
    assert "L3 (leads only; rules: " in answer.out
    assert "lower bound" not in answer.out + answer.err
    assert "level L3 is leads only" in answer.err
    assert "level   L3 (leads only)" in cli("cluster", "--held", "--level", "L3", "--ledger", ledger).out


def test_doubtful_merges_name_their_rule(cli, wallets):
    ledger, text = wallets
    out = cli("cluster", text, "--suspicious", "--limit", "2", "--ledger", ledger).out
    header, *rows = out.split("merges to look at\n")[1].splitlines()
    assert header.split()[:3] == ["rank", "height", "rule"]
    assert {row.split()[2] for row in rows[:2]} <= {"cospend", "same_key"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no address"),
        (("TEXT", "--held"), "--held"),
        (("--held", "--bridges"), "--held"),
        (("--held", "--level", "L1"), "L1"),
        (("TEXT", "--level", "L0"), "L0"),
        (("TEXT", "--tags", "none", "--tags", "tags.csv"), "--tags none goes with no other file"),
        (("TEXT", "--largest"), "--largest changes nothing without --evolution"),
        (("--held", "--largest"), "--evolution"),
        (("--held", "--overlay", "case.json"), "--held"),
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
