"""`cointrail explain`: data on stdout, words on stderr, and the exit codes that scripts rely on."""

import json
import os
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from kin_chain import co_spend_groups, kin_chain
from level_cases import by_amount, economy_ledger, voted_pairs
from regtest import write_block_files

import cointrail
from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned.edges import model_edges
from cointrail.cluster.learned.model import load
from cointrail.cluster.level.view import build
from cointrail.ingest.pipeline import ingest
from cointrail.service.names import name_of


class Pair(NamedTuple):
    """Two scripts that are first spent together at a height."""

    ledger: str
    one: str
    two: str
    height: int


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("explain")
    chain = kin_chain(Random(7), 12)
    write_block_files(folder / "blocks", chain.chain.serialized(), REGTEST.magic)
    ingest(folder / "blocks", folder / "ledger", cluster=bring_up)
    groups = co_spend_groups(chain, 10**6)
    group = next(each for each in groups if len(each.scripts) == 2)
    one, two = (f"script:{script.hex()}" for script in sorted(group.scripts))
    return Pair(str(folder / "ledger"), one, two, group.height)


def test_a_way_is_printed_and_checked(cli, pair):
    answer = cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--check")
    assert answer.code == 0
    assert "yes, in 1 step(s)" in answer.out
    assert "the proof stands: 1 step(s) checked from raw transactions" in answer.err
    assert "not checked: that the transactions are in the chain" in answer.err
    step = next(line for line in answer.out.splitlines() if line.startswith("20"))
    assert step.split()[2:4] == ["cospend", "inference"]


def test_json_holds_the_check_and_the_proof_is_left_in_the_file(cli, pair, tmp_path):
    proof = tmp_path / "proof.json"
    answer = cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--check", "--proof", str(proof), "--json")
    assert answer.json["linked"] is True
    assert answer.json["check"]["valid"] is True
    assert answer.json["document"] == json.loads(proof.read_text())
    checked = cli("explain", "--check-file", str(proof), "--json")
    assert (checked.json["valid"], checked.json["steps"]) == (True, 1)
    assert "stands: 1 step(s)" in cli("explain", "--check-file", str(proof)).out
    again = cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--proof", str(proof))
    assert again.code == 4
    assert "is there already" in again.err


def test_not_linked_is_an_answer(cli, pair, tmp_path):
    proof = tmp_path / "proof.json"
    before = str(pair.height - 1)
    answer = cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--as-of", before, "--proof", str(proof))
    assert answer.code == 0
    assert "linked  no" in answer.out
    assert "that is no proof that others control them" in answer.err
    assert "no proof was written" in answer.err
    assert not proof.exists()
    assert (
        cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--as-of", before, "--json").json["linked"] is False
    )


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Two scripts that a named change output joins, and the height that decided it."""
    ledger = economy_ledger(tmp_path_factory.mktemp("voted"))
    with cointrail.open(ledger) as opened:
        reader, forest = opened.reader, Forest(opened.reader)
        one, two = next(pair for pair in voted_pairs(reader) if forest.root(pair[0]) != forest.root(pair[1]))
        answer = opened.explain(name_of(reader, one), name_of(reader, two), level="L2")
        decided = [step.change.decided_at.height for step in answer.steps if step.change]
        return Pair(str(ledger), answer.a, answer.b, max(decided))


def test_a_named_change_is_printed_with_what_names_it(cli, voted, tmp_path):
    command = ("explain", voted.one, voted.two, "--ledger", voted.ledger)
    assert "linked  no" in cli(*command).out
    told = cli(*command, "--level", "L2", "--json").json
    answer = cli(*command, "--level", "L2", "--check", "--proof", str(tmp_path / "proof.json"))
    assert answer.code == 0
    assert "of them named change" in answer.out
    for step in told["steps"]:
        if step["change"]:
            row = next(line for line in answer.out.splitlines() if step["change"]["decided_by"] in line)
            assert all(f"{each['family']}: {', '.join(each['names'])}" in row for each in step["change"]["votes"])
            assert f"that {step['txid']}, which spends one of both scripts, pays change to the other" in answer.err
    assert "the proof has no fault" in answer.err
    assert "the proof stands" not in answer.err
    assert "that the named output is change" in answer.err
    checked = cli("explain", "--check-file", str(tmp_path / "proof.json"))
    assert (checked.code, "named change(s) not checked" in checked.out) == (0, True)
    before = cli(*command, "--level", "L2", "--as-of", str(voted.height - 1))
    assert (before.code, "linked  no" in before.out) == (0, True)


def test_a_model_is_named_and_what_it_would_link_is_held(cli, voted, tmp_path):
    model = by_amount().save(tmp_path)
    command = ("--level", "L3", "--model", str(model), "--ledger", voted.ledger)
    held = cli("cluster", "--held", *command, "--json").json
    row = next(each for each in held["held"] if not each["joined_otherwise"])
    answer = cli("explain", row["cluster_a"], row["cluster_b"], *command)
    assert f"SHA-256 {model.stem}, names change from 800.0 per mille" in answer.out
    assert "held for review; these would link them" in answer.out
    assert row["txid"] in answer.out
    shown = cli("cluster", row["cluster_a"], *command)
    assert f"SHA-256 {model.stem}" in shown.out
    assert "names of a change model are leads, never evidence" in shown.err
    bare = cli("cluster", row["cluster_a"], "--level", "L3", "--ledger", voted.ledger)
    assert "no change model was given, so L3 shows what L2 shows" in bare.err


def test_a_lead_has_a_probability(cli, voted, tmp_path):
    model = by_amount().save(tmp_path)
    with cointrail.open(voted.ledger) as opened:
        forest = Forest(opened.reader)
        leads = model_edges(opened.reader, forest, load(model))
        view = build(forest, "L3", leads)
        apart = forest.roots(leads.script_a) != forest.roots(leads.script_b)
        row = int((view.accepted & apart).argmax())
        one, two = (name_of(opened.reader, int(each[row])) for each in (leads.script_a, leads.script_b))
    answer = cli("explain", one, two, "--level", "L3", "--model", str(model), "--ledger", voted.ledger)
    assert "linked  yes" in answer.out
    if "change_model" in answer.out:
        assert "change_model 1  probability 900.0 per mille" in answer.out
        assert "  inference (lead)  " in answer.out
        assert "L3 (leads only; rules of the steps: " in answer.out
    else:
        assert "change_vote" in answer.out


def test_a_proof_that_was_changed_fails(cli, pair, tmp_path):
    proof = tmp_path / "proof.json"
    cli("explain", pair.one, pair.two, "--ledger", pair.ledger, "--proof", str(proof))
    found = json.loads(proof.read_text())
    found["steps"][0]["x"] = "51"
    proof.write_text(json.dumps(found))
    answer = cli("explain", "--check-file", str(proof))
    assert answer.code == 5
    assert "fault: step 1: begins with script 51" in answer.out
    assert "does not stand" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "two addresses are needed"),
        (("script:51",), 2, "two addresses are needed"),
        (("script:51", "script:52", "--check-file", "proof.json"), 2, "--check-file takes no addresses"),
        (("script:51", "script:51", "--level", "L4"), 2, "there is no level L4"),
        (("script:51", "script:51", "--level", "L2", "--model", "m.npz"), 2, "level L2 takes no model"),
        (("script:51", "script:51", "--level", "L3", "--model", "m.npz"), 6, "model m.npz cannot be read"),
        (("script:51", "script:51", "--level", "L3", "--model", "/dev/zero"), 4, "/dev/zero is no change model"),
        (("script:0102", "script:51"), 3, "no output up to height"),
        (("what", "script:51"), 4, "what"),
        (("--check-file", "nowhere.json"), 6, "cannot read nowhere.json"),
        (("--check-file", "."), 4, ". is no regular file"),
        (("script:51", "script:52", "--tags", "tags.csv"), 2, "--tags changes nothing at level L1"),
        (("script:51", "script:52", "--level", "L2", "--tags", "tags.csv"), 6, "cannot read tags.csv"),
        (("--check-file", "proof.json", "--tags", "tags.csv"), 2, "--tags changes nothing with --check-file"),
    ],
)
def test_what_cannot_be_answered(cli, pair, arguments, code, words):
    answer = cli("explain", *arguments, "--ledger", pair.ledger)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1_000,
        b"[" * 1_000_000,
        b'{"format": "cointrail.proof", "version": 1}',
        b'{"format": "cointrail.proof", "version": 1' + b"0" * 10_000 + b"}",
        b"{" + b'"steps": [{"x": ' * 100_000,
        b'"' + b"a" * 10_000_000 + b'"',
    ],
    ids=range(7),
)
def test_hostile_files_are_refused_by_name(cli, tmp_path: Path, content: bytes):
    path = tmp_path / "proof.json"
    path.write_bytes(content)
    answer = cli("explain", "--check-file", str(path))
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.startswith("error: the proof")
    assert "Traceback" not in answer.err


def test_only_a_regular_file_of_a_proofs_size_is_read(cli, tmp_path):
    """A pipe that nobody writes to would keep the reader waiting for ever, and a device never ends."""
    pipe, large = tmp_path / "pipe", tmp_path / "large.json"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(64_000_001)
    for path, words in ((pipe, "is no regular file"), ("/dev/zero", "is no regular file"), (large, "64,000,000 bytes")):
        answer = cli("explain", "--check-file", str(path))
        assert (answer.code, answer.out) == (4, "")
        assert words in answer.err


def test_a_script_and_itself_need_no_step(cli, pair, tmp_path):
    proof = tmp_path / "proof.json"
    command = ("explain", pair.one, pair.one, "--ledger", pair.ledger)
    answer = cli(*command, "--check", "--proof", str(proof))
    assert answer.code == 0
    assert "linked  yes: both name one script" in answer.out
    assert "step(s)" not in answer.out + answer.err
    assert "under the assumption of co-spend" not in answer.err
    assert "stands: both ends are one script" in answer.err
    assert "both ends are one script" in cli("explain", "--check-file", str(proof)).out
    told = cli(*command, "--json").json
    assert (told["linked"], told["basis"], told["steps"]) == (True, "fact", [])
    assert told["note"] == "both name one script, so there is no step to show"
