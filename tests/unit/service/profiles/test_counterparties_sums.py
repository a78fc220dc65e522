"""Counterparties are what a plain division of raw blocks by exact fractions says, and every satoshi is in one place."""

import csv
from random import Random

import pytest
from profile_questions import filters, wallets

from cointrail.cluster.forest.view import Forest
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.names import name_of
from cointrail.service.profiles.counterparties import Counterparties, counterparties_of
from cointrail.service.profiles.list_files import COUNTERPARTY_COLUMNS, write_counterparties

CASES = ("mainnet", "one", "two", "simulated")


def names(reader, by):
    """The name that a row has for each scriptPubKey."""
    forest = Forest(reader).partition().tolist()
    if by == "script":
        return {reader.script_pubkey(each): name_of(reader, each) for each in range(reader.counts.script)}
    return {reader.script_pubkey(each): name_of(reader, forest[each]) for each in range(reader.counts.script)}


def check(answer, rows, totals):
    found = {
        each.name: [each.received_sat, each.sent_sat, each.divided_sat, each.transactions, each.scripts]
        for each in answer.counterparties
    }
    assert found == {name: [*row[:3], len(row[3]), len(row[4])] for name, row in rows.items()}
    assert answer.total == len(rows)
    for each in answer.counterparties:
        heights = [height for _, height in rows[each.name][3]]
        assert (each.first_seen.height, each.last_seen.height) == (min(heights), max(heights))
        assert {bytes.fromhex(txid)[::-1] for txid in each.txids} <= {txid for txid, _ in rows[each.name][3]}
        assert len(each.txids) == min(3, each.transactions)
        assert each.net_sat == each.received_sat - each.sent_sat
    gross = [each.received_sat + each.sent_sat for each in answer.counterparties]
    assert gross == sorted(gross, reverse=True)
    told = answer.totals
    assert told.change_sat == totals["change"]
    assert told.fees_sat == totals["fees"]
    assert told.unspendable_sat == totals["nobody"]
    assert told.coinbase_sat == totals["coinbase"]
    assert (told.mixed_received_sat, told.mixed_spent_sat) == (totals["mixed_received"], totals["mixed_spent"])
    assert told.mixed_transactions == totals["mixes"]
    assert told.spent_sat == (
        told.sent_sat + told.change_sat + told.fees_sat + told.unspendable_sat + told.mixed_spent_sat
    )
    assert told.received_sat == (
        told.received_from_others_sat + told.change_sat + told.coinbase_sat + told.mixed_received_sat
    )


@pytest.mark.parametrize("name", CASES)
def test_counterparties_are_sums_over_raw_blocks(cases, name):
    case, random, mixes, divided, asked_for = cases(name), Random(f"{name} partners"), 0, 0, 0
    tip = len(case.raw) - 1
    for height in (tip, random.randrange(tip // 2, tip)):
        plain = case.plain(height)
        with Reader(case.ledger, height) as reader:
            named = {by: names(reader, by) for by in ("script", "cluster")}
            for text, scripts in wallets(reader, random, 16):
                for asked, first, last in filters(random, plain):
                    by = random.choice(("script", "cluster"))
                    answer = counterparties_of(reader, text, asked=asked, by=by, limit=None)
                    rows, totals = plain.counterparties(
                        scripts, first, last, asked.min_sat, asked.max_sat, named[by].__getitem__
                    )
                    check(answer, rows, totals)
                    mixes += totals["mixes"]
                    divided += sum(row[2] > 0 for row in rows.values())
                    asked_for += len(rows)
    assert asked_for > 15
    if name == "simulated":
        assert mixes
        assert divided


def test_whoever_mixes_is_nobodys(cases):
    """Wallets of a CoinJoin: what went through it is in no row, and the transaction is named."""
    case, seen = cases("simulated"), 0
    plain = case.plain(len(case.raw) - 1)
    with Reader(case.ledger) as reader:
        for tx_index in reader.column("collaborative", "tx_index")[:5].tolist():
            outputs = reader.outputs_of(tx_index)
            script = int(reader.column("output", "script")[outputs.start])
            key = reader.script_pubkey(script)
            answer = counterparties_of(reader, name_of(reader, script), limit=None)
            check(answer, *plain.counterparties({key}, 0, plain.height, who=names_of(reader)))
            txid = bytes(reader.column("transaction", "txid")[tx_index])[::-1].hex()
            assert txid in {each.txid for each in answer.mixed}
            seen += answer.totals.mixed_transactions
    assert seen


def names_of(reader):
    return lambda script: name_of(reader, reader.find_script(script))


def test_directions_ranks_and_pages(cases):
    case = cases("simulated")
    ranks = {
        "gross": lambda each: each.received_sat + each.sent_sat,
        "net": lambda each: abs(each.net_sat),
        "received": lambda each: each.received_sat,
        "sent": lambda each: each.sent_sat,
        "transactions": lambda each: each.transactions,
        "last": lambda each: each.last_seen.height,
    }
    with Reader(case.ledger) as reader:
        for text, _ in wallets(reader, Random(1), 400):
            whole = {each.name: each for each in counterparties_of(reader, text, limit=None).counterparties}
            if len(whole) > 7 and any(each.received_sat and each.sent_sat for each in whole.values()):
                break
        assert len(whole) > 7
        for rank, measure in ranks.items():
            answer = counterparties_of(reader, text, rank=rank, limit=None)
            found = [measure(each) for each in answer.counterparties]
            assert found == sorted(found, reverse=True)
            page = counterparties_of(reader, text, rank=rank, first=2, limit=5)
            assert page.counterparties == answer.counterparties[2:7]
            assert page.total == len(whole)
        came = counterparties_of(reader, text, direction="in", limit=None).counterparties
        left = counterparties_of(reader, text, direction="out", limit=None).counterparties
    assert {e.name: e.received_sat for e in came if e.received_sat} == {
        n: e.received_sat for n, e in whole.items() if e.received_sat
    }
    assert {e.name: e.sent_sat for e in left if e.sent_sat} == {n: e.sent_sat for n, e in whole.items() if e.sent_sat}
    assert not any(each.sent_sat for each in came)


def test_entities_are_named_as_tags_do(cases, tmp_path):
    """Half of a wallet's counterparties are tagged: their rows merge under the actor, the rest stands as clusters."""
    case, tags = cases("simulated"), tmp_path / "tags.csv"
    with Reader(case.ledger) as reader:
        found = ((t, s) for t, s in wallets(reader, Random(2), 400) if not t.startswith("cluster:"))
        for text, _ in found:
            single = counterparties_of(reader, text, limit=None)
            if single.total > 10 and all(len(each.name) < 70 for each in single.counterparties):
                break
        tagged = [each.name for each in single.counterparties][::2]
        tags.write_text("address,actor\n" + "".join(f"{each},=Someone\n" for each in tagged))
        answer = counterparties_of(reader, text, by="entity", tags=tags, limit=None)
        write_counterparties(Counterparties(reader, text, by="entity", tags=tags), tmp_path / "list.csv")
    rows = {each.name: each for each in answer.counterparties if each.kind == "entity"}
    assert set(rows) == {"=Someone"}
    row = rows["=Someone"]
    assert "attributed to =Someone by" in row.attributed[0].statement
    assert row.basis == "inference resting on an assertion"
    for name in ("received_sat", "sent_sat"):
        assert getattr(row, name) >= sum(getattr(each, name) for each in single.counterparties if each.name in tagged)
        assert sum(getattr(each, name) for each in answer.counterparties) == sum(
            getattr(each, name) for each in single.counterparties
        )
    assert {each.kind for each in answer.counterparties} <= {"entity", "cluster"}
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert list(listed[0]) == [column.name for column in COUNTERPARTY_COLUMNS]
    assert [each["name"] for each in listed] == [each.name.replace("=", "'=") for each in answer.counterparties]
    assert [int(each["net_sat"]) for each in listed] == [each.net_sat for each in answer.counterparties]
    assert [each["basis"] for each in listed] == [each.basis for each in answer.counterparties]
    assert [each["last_height"] for each in listed] == [str(e.last_seen.height) for e in answer.counterparties]


def test_own_clusters_are_marked(cases):
    """A script of a cluster pays along with its fellows: they are marked, strangers are not."""
    case, marked = cases("simulated"), 0
    with Reader(case.ledger) as reader:
        roots = Forest(reader).all_roots()
        for text, scripts in wallets(reader, Random(5), 60):
            own = {int(roots[reader.find_script(each)]) for each in scripts}
            for each in counterparties_of(reader, text, limit=None).counterparties:
                script = bytes.fromhex(each.name[7:]) if each.name.startswith("script:") else None
                number = reader.find_script(script) if script else find(reader, each.name)
                assert each.same_cluster == (int(roots[number]) in own)
                marked += each.same_cluster
    assert marked


def find(reader, name):
    from cointrail.service.names import find_script

    return find_script(reader, name)


@pytest.mark.parametrize("words", [{"by": "address"}, {"rank": "volume"}, {"direction": "sideways"}])
def test_unknown_words_are_refused(cases, words):
    with Reader(cases("one").ledger) as reader, pytest.raises(UsageError, match="there is no"):
        counterparties_of(reader, name_of(reader, 5), **words)
