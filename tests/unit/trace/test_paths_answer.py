"""What people are told of paths, and what the command prints."""

import json
from dataclasses import asdict

import pytest
from command_lines import run_command
from trace_cases import BTC, created, pays

from cointrail.bitcoin.hashes import display
from cointrail.cli.tracing import paths as command
from cointrail.errors import Incomplete, InputRefused, NotFound, UsageError
from cointrail.service.tracing.paths import MOST_COUNTED, paths
from cointrail.trace.limits import Limits


@pytest.fixture
def case(chain, open_ledger):
    """A coin pays 20 and 30; the 30 go on alone; both meet in the end, with another coin."""
    coins = chain.spendable()[:2]
    first = chain.spend(coins[:1], pays(20 * BTC, 30 * BTC))
    side = chain.spend([created(first, 1)], pays(30 * BTC))
    last = chain.spend([created(first, 0), created(side), coins[1]], pays(25 * BTC, 75 * BTC))
    chain.mine([first, side, last])
    names = [display(tx.txid) for tx in (first, side, last)]
    return open_ledger(chain), f"{display(coins[0].txid)}:0", names


def ways(answer):
    return [[hop.outpoint for hop in path.hops] for path in answer.paths]


def test_paths_are_told_in_the_names_people_use(case):
    reader, coin, (first, side, last) = case
    answer = paths(reader, [coin], [f"{last}:1"])
    long, short = [coin, f"{first}:1", f"{side}:0", f"{last}:1"], [coin, f"{first}:0", f"{last}:1"]
    assert ways(answer) == [long, short]
    # 30 of 50 go along the side way, and three quarters of what meets there into the target.
    assert [(path.transactions, path.carried_sat, path.share_ppm) for path in answer.paths] == [
        (3, 2_250_000_000, 450_000),
        (2, 1_500_000_000, 300_000),
    ]
    hop = answer.paths[0].hops[-1]
    assert (hop.value_sat, hop.inputs_sat, hop.height, hop.script_type) == (
        75 * BTC,
        100 * BTC,
        reader.height,
        "nonstandard",
    )
    assert answer.paths[0].hops[0].inputs_sat is None
    assert (answer.total, answer.complete, answer.stops, answer.statement) == (
        2,
        True,
        {},
        "2 paths within these limits",
    )
    assert (answer.basis, answer.carried_basis) == ("fact", "inference")
    assert {rule.id for rule in answer.rules} >= {"paths", "taint.haircut"}
    for by in ("hops", "time"):
        assert ways(paths(reader, [coin], [f"{last}:1"], by=by)) == [short, long]
    assert ways(paths(reader, [coin], [f"{last}:1"], k=1, by="hops")) == [short]


def test_that_there_is_none_is_an_answer(case):
    reader, coin, (_, _, last) = case
    answer = paths(reader, [f"{last}:0"], [coin])
    assert (answer.paths, answer.total, answer.statement) == ((), 0, "no paths within these limits")
    stopped = paths(reader, [coin], [last], limits=Limits(hops=1))
    assert (stopped.paths, stopped.complete, stopped.stops) == ((), True, {"hop limit": 2})
    cut = paths(reader, [coin], [last], limits=Limits(transactions=1))
    assert (cut.complete, cut.stops) == (False, {"transaction budget": 2})
    assert cut.statement == "no paths within these limits; search incomplete"


def test_more_paths_than_are_counted(chain, open_ledger):
    (coin,) = chain.spendable()[:1]
    taken, made = [coin], []
    for _ in range(70):
        made.append(chain.spend(taken, pays(25 * BTC, 25 * BTC)))
        taken = [created(made[-1], vout) for vout in (0, 1)]
    chain.mine(made)
    answer = paths(open_ledger(chain), [f"{display(coin.txid)}:0"], [display(made[-1].txid)], k=2)
    assert (answer.total, len(answer.paths)) == (MOST_COUNTED, 2)
    assert answer.statement == "more than 1000000000000000000 paths within these limits"


def test_what_makes_no_sense_is_refused(case):
    reader, coin, (first, _, last) = case
    with pytest.raises(UsageError, match="'luck'"):
        paths(reader, [coin], [last], by="luck")
    with pytest.raises(UsageError, match="0 paths"):
        paths(reader, [coin], [last], k=0)
    with pytest.raises(UsageError, match="no target"):
        paths(reader, [coin], [])
    with pytest.raises(InputRefused):
        paths(reader, [coin], ["nonsense"])
    with pytest.raises(NotFound):
        paths(reader, [coin], [f"{first}:9"])


def test_the_command_prints_the_answer(case):
    reader, coin, (first, side, last) = case
    asked = (coin, f"{last}:1", "--ledger", reader.folder)
    printed = run_command(command, *asked, "--by", "hops", "-k", 1, "--json")
    assert printed.json == json.loads(json.dumps(asdict(paths(reader, [coin], [f"{last}:1"], by="hops", k=1))))
    text = run_command(command, *asked)
    assert "2 paths within these limits" in text.out
    assert text.out.index(f"{side}:0") < text.out.index(f"{first}:0")
    assert "carries 22.50000000 BTC under haircut, 45.0000 % of its first output" in text.out
    one = run_command(command, *asked, "--limit", 1)
    assert f"{side}:0" in one.out
    assert f"{first}:0" not in one.out
    assert "the best 1 of all paths" in one.err


def test_the_command_says_when_the_search_is_incomplete(case):
    reader, coin, (_, _, last) = case
    asked = (coin, last, "--ledger", reader.folder, "--transactions", 1)
    printed = run_command(command, *asked)
    assert "search incomplete" in printed.out
    assert "search incomplete after 1 transactions" in printed.err
    assert isinstance(run_command(command, *asked, "--require-complete").error, Incomplete)
