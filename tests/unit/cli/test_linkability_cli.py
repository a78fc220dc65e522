"""`cointrail linkability`: a summary with a matrix or the top links, candidates, JSON."""

import json
from typing import NamedTuple

import pytest
import typer
from mixed_chain import MixedChain
from typer.testing import CliRunner

from cointrail.cli.tracing import linkability

WHIRLPOOL = ([5_010_000, 5_000_000, 5_010_000, 5_000_000, 5_007_000], [5_000_000] * 5)


class Case(NamedTuple):
    ledger: str
    whirlpool: str
    wide: str
    large: str


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    chain = MixedChain()
    whirlpool = chain.add(*WHIRLPOOL)
    wide = chain.add([3_000_000], [10_000 + place for place in range(40)])
    large = chain.add([10**6 + 17 * place for place in range(22)] + [10**8], [10**8 - 5, *range(10**4, 10**4 + 22)])
    return Case(str(chain.write(tmp_path_factory.mktemp("mixed"))), whirlpool, wide, large)


@pytest.fixture
def ask(case):
    app = typer.Typer()
    linkability.register(app)
    app.command("other")(lambda: None)

    def run(*arguments):
        return CliRunner().invoke(app, ["linkability", *arguments, "--ledger", case.ledger])

    return run


def test_a_small_matrix(ask, case):
    answer = ask(case.whirlpool)
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    fields = dict(line.split("  ", 1) for line in lines if "  " in line)
    assert fields["interpretations"].strip() == "1,496 (10.55 bits)"
    assert fields["collaborative"].strip() == "whirlpool"
    assert fields["deterministic"].strip() == "0 link(s)"
    assert "inference; rules: linkability 1, coinjoin.whirlpool 1" in fields["basis"]
    header = next(line for line in lines if line.startswith("vin") and "vout 4" in line)
    assert header.split() == ["vin", "value", *(word for vout in range(5) for word in ("vout", str(vout)))]
    assert sum(line.count("0.342") for line in lines) == 25
    assert "a candidate set, not a fact" in answer.stdout
    assert "5 outputs of 0.05000000 BTC: no single one above 0.200" in answer.stdout
    assert "do not say which is true" in answer.stderr


def test_json_is_the_answer_of_the_service(ask, case):
    told = json.loads(ask(case.whirlpool, "--json", "--input", "3", "--input", "1").stdout)
    assert (told["interpretations"], told["basis"], told["complete"]) == (1_496, "inference", True)
    assert [each["vin"] for each in told["candidates"]] == [3, 1]


def test_top_links_of_a_wide_transaction(ask, case):
    answer = ask(case.wide, "--limit", "6")
    table = answer.stdout.split("\n\n")[1].splitlines()
    assert table[0].split() == ["vin", "vout", "share"]
    assert len(table) == 7
    assert "showing 6 of 40 links" in answer.stderr


def test_what_is_not_computed_still_shows_what_is_known(ask, case):
    answer = ask(case.large)
    assert answer.exit_code == 0
    assert "not computed: 23 inputs of 23 values" in answer.stdout
    assert "1 link(s), perhaps more" in answer.stdout
    assert answer.stdout.split("\n\n")[1].splitlines()[1].split() == ["22", "0", "1.000"]


def test_fees_and_effort_are_asked_for(ask, case):
    answer = ask(case.whirlpool, "--max-cj-fee", "5000000", "--steps", "10")
    assert "up to 0.05000000 BTC to one participant" in answer.stdout
    assert "not computed: more than 10 steps" in answer.stdout


@pytest.mark.parametrize(
    "options", [("--max-cj-fee", "-1"), ("--input", "-1"), ("--link-p", "2"), ("--limit", "0"), ("--steps", "x")]
)
def test_options_that_make_no_sense(ask, case, options):
    assert ask(case.whirlpool, *options).exit_code == 2


def test_an_input_that_is_not_there(ask, case):
    assert "no input 9" in str(ask(case.whirlpool, "--input", "9").exception)
