"""`cointrail explain`: data on stdout, words on stderr, and the exit codes that scripts rely on."""

import json
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from kin_chain import co_spend_groups, kin_chain
from regtest import write_block_files

from cointrail.bitcoin.network import REGTEST
from cointrail.cluster.forest.extend import bring_up
from cointrail.ingest.pipeline import ingest


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
        (("script:51", "script:51", "--level", "L4"), 2, "level L4"),
        (("script:0102", "script:51"), 3, "no output up to height"),
        (("what", "script:51"), 4, "what"),
        (("--check-file", "nowhere.json"), 6, "cannot read nowhere.json"),
        (("--check-file", "."), 6, "cannot read ."),
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


def test_a_file_without_end_is_not_read_to_the_end(cli):
    answer = cli("explain", "--check-file", "/dev/zero")
    assert answer.code == 4
    assert "more than the 64,000,000" in answer.err
