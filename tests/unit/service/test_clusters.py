"""Clusters through the Python API: lists, levels, overlays, what is held; on wallets that spend together and mix."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from cluster_search import Search
from overlay_cases import WalletChain, clustered_ledger

import cointrail
from cointrail.cluster import accuracy
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import kind_of
from cointrail.cluster.overlay.entries import Kind
from cointrail.errors import InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service import overlays, proofs
from cointrail.service.clustering.tagged import Tags
from cointrail.service.clusters import VIEWS
from cointrail.service.names import name_of, txid_of

ALL = tuple(VIEWS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return clustered_ledger(tmp_path_factory.mktemp("wallets"), WalletChain(5).chain)


@pytest.fixture
def ledger(folder):
    with cointrail.open(folder) as opened:
        yield opened


@pytest.fixture
def largest(ledger):
    """(name of a script in the largest cluster, its cluster by a plain search)."""
    partition = Forest(ledger.reader).partition().tolist()
    root = max(set(partition), key=partition.count)
    found = Search(ledger.reader).cluster(root)
    return name_of(ledger.reader, max(found.scripts)), found


def test_every_list_is_that_of_a_plain_search(ledger, largest):
    text, plain = largest
    answer = ledger.cluster(text, show=ALL)
    reader = ledger.reader
    assert answer.cluster_id == name_of(reader, min(plain.scripts))
    assert list(answer.members) == [name_of(reader, script) for script in sorted(plain.scripts)]
    assert (answer.size, answer.co_spends, answer.same_keys) == (
        len(plain.scripts), len(plain.co_spends), len(plain.facts),
    )  # fmt: skip
    assert answer.suppressed == len(plain.suppressed) > 0
    assert [each.txid for each in answer.transactions] == [txid_of(reader, tx) for tx in sorted(plain.co_spends)]
    assert [each.members for each in answer.transactions] == [
        len(plain.co_spends[tx]) for tx in sorted(plain.co_spends)
    ]
    forest = Forest(reader)
    for each, tx in zip(answer.suppressed_transactions, sorted(plain.suppressed), strict=True):
        assert (each.txid, each.kind) == (txid_of(reader, tx), str(kind_of(int(forest.sign(tx)))))
        assert len(each.reasons) == len(each.rules) > 0
        assert all(each.reasons)
    search = Search(reader)
    sizes = [parts for tx in plain.co_spends if len(parts := search.parts_without(plain, tx=tx)) > 1]
    facts = [search.parts_without(plain, fact=number) for number in range(len(plain.facts))]
    sizes += [parts for parts in facts if len(parts) > 1]
    assert sorted(list(each.sizes) for each in answer.bridges) == sorted(parts[:10] for parts in sizes)
    assert answer.evolution[-1].after == answer.size
    assert sum(each.evidence for each in answer.evidence) == answer.co_spends + answer.same_keys
    assert sum(each.share for each in answer.evidence) == pytest.approx(1)
    bases = {each.id: each.basis for each in answer.evidence}
    assert bases == {"cospend": "inference"} | ({"same_key": "fact"} if plain.facts else {})
    assert [each.rank for each in answer.suspicious] == list(range(1, answer.co_spends + 1))
    lists = {"suppressed": "suppressed_transactions"}
    assert {name: len(getattr(answer, lists.get(name, name))) for name in answer.totals} == answer.totals
    json.dumps(asdict(answer))


def test_an_answer_is_small_unless_it_is_asked_for_more(ledger, largest):
    text, plain = largest
    brief, whole = ledger.cluster(text, show=()), ledger.cluster(text)
    assert len(brief.members) == min(25, len(plain.scripts))
    assert len(whole.members) == whole.size == brief.size
    assert brief.totals == {"members": brief.size}
    for name in ("transactions", "suppressed_transactions", "evolution", "aliases", "bridges", "suspicious"):
        assert getattr(brief, name) is None


def test_pages_cut_every_list(ledger, largest):
    text, _ = largest
    whole, page = ledger.cluster(text, show=ALL), ledger.cluster(text, show=ALL, first=1, limit=2)
    for name in ("members", "transactions", "suppressed_transactions", "evolution", "aliases", "bridges", "suspicious"):
        assert getattr(page, name) == getattr(whole, name)[1:3]
    assert page.totals == whole.totals
    by_size = ledger.cluster(text, show=("evolution",), order="size").evolution
    grown = [step.after - step.before for step in by_size]
    assert grown == sorted(grown, reverse=True)
    assert sorted(by_size, key=lambda step: step.txid) == sorted(whole.evolution, key=lambda step: step.txid)


def test_a_height_in_the_past_shows_the_cluster_of_then(folder, ledger, largest):
    text, _ = largest
    steps = ledger.cluster(text, show=("evolution",)).evolution
    oldest = ledger.cluster(text).cluster_id
    for step in steps[:: max(1, len(steps) // 4)]:
        with cointrail.open(folder, as_of=step.height - 1) as before:
            try:
                then = before.cluster(oldest)
            except NotFound:  # not paid yet
                continue
            assert (then.cluster_id, then.size <= step.before) == (oldest, True)


def test_levels_above_hold_the_level_below(ledger, largest):
    text, _ = largest
    one = ledger.cluster(text)
    for level in ("L2", "L3"):
        above = ledger.cluster(text, level=level, show=("members", "bridges", "suspicious", "transactions"))
        assert (above.level, above.basis) == (level, "inference")
        assert set(one.members) <= set(above.members)
        assert above.inferences == sum(each.evidence for each in above.evidence if each.id == "change_vote")
        assert all("+" in each.detail for each in above.evidence if each.id == "change_vote")
        assert ("change_vote", 1) in {(rule.id, rule.version) for rule in above.rules}
    assert "change_vote" not in {rule.id for rule in one.rules}
    with pytest.raises(UsageError, match="no history"):
        ledger.cluster(text, level="L2", show=("evolution",))


def test_an_overlay_takes_a_transaction_away(ledger, largest, tmp_path):
    text, plain = largest
    with Reader(ledger.reader.folder) as reader:
        path = tmp_path / "case.json"
        overlays.new(path, name="case", author="A", reader=reader)
    bridge = ledger.cluster(text, show=("bridges",)).bridges[0]
    digest = overlays.add(path, Kind.EXCLUDE_TRANSACTION, (bridge.txid,), author="A", reason="R").digest
    after = ledger.cluster(text, show=("members", "suppressed", "bridges"), overlay=path)
    assert after.overlay == digest
    assert after.size in bridge.sizes
    assert bridge.txid in {each.txid for each in after.suppressed_transactions}
    reasons = {reason for each in after.suppressed_transactions if each.txid == bridge.txid for reason in each.reasons}
    assert "excluded by the overlay" in reasons
    with pytest.raises(UsageError, match="an overlay have no history"):
        ledger.cluster(text, show=("evolution",), overlay=path)
    other = next(each for each in ledger.cluster(text).members if each not in after.members)
    overlays.add(path, Kind.MERGE, (text, other), author="A", reason="R")
    again = ledger.cluster(text, overlay=path)
    assert (again.assertions, again.basis) == (1, "assertion")
    assert {each.basis for each in again.evidence if each.id == "by_hand"} == {"assertion"}
    assert again.size > after.size
    assert len(plain.scripts) >= again.size


def test_tags_move_what_separates_them_to_the_front(ledger, largest):
    text, plain = largest
    search = Search(ledger.reader)
    tx = max(plain.co_spends, key=lambda each: [*search.parts_without(plain, tx=each), 0, 0][1])
    low, high = sorted(plain.co_spends[tx])[:2]
    tagged = {name_of(ledger.reader, low): "one", name_of(ledger.reader, high): "two"}
    answer = ledger.cluster(text, show=("suspicious",), tagged=tagged)
    separated = [each.separated for each in answer.suspicious]
    assert separated == sorted(separated, reverse=True)
    first = answer.suspicious[0]
    if first.separated:
        assert "its parts are attributed to different actors by the caller: " in first.reason
        assert {actor for part in first.actors for actor in part} <= {"one", "two"}


def test_what_makes_no_sense_is_refused(ledger, largest, tmp_path):
    text, _ = largest
    for ask, message in (
        (lambda: ledger.cluster(text, level="L4"), "no level L4"),
        (lambda: ledger.cluster(text, show=("member",)), "no list member"),
        (lambda: ledger.held(level="L1"), "holds nothing"),
        (lambda: ledger.cluster(text, order="size"), "order by size"),
        (lambda: proofs.explain(ledger.reader, text, text, tagged={text: "x"}), "level L1 takes no tags"),
    ):
        with pytest.raises(UsageError, match=message):
            ask()
    with pytest.raises(InputRefused, match="'nonsense' is no address of regtest"):
        ledger.cluster(text, show=("suspicious",), tagged={"nonsense": "x"})
    file = tmp_path / "tags.csv"
    for content in (b"address,actor\nx,\n", b"\xff\xfe\x00", b'address,actor\n"x', b""):
        file.write_bytes(content)
        with pytest.raises(InputRefused, match=r"tags\.csv"):
            ledger.cluster(text, show=("suspicious",), tagged=file)
    file.write_bytes(b"\xef\xbb\xbfaddress,actor\n " + text.encode() + b" , y \n")
    assert Tags.of(ledger.reader, file).actors == ("y",)


def test_held_merges_and_alarms_come_in_pages(ledger):
    whole = ledger.held()
    assert (len(whole.held), len(whole.alarms)) == (whole.held_total, whole.alarms_total)
    assert sum(whole.by_reason.values()) == whole.held_total
    page = ledger.held(first=1, limit=1)
    assert page.held == whole.held[1:2]
    assert (page.level, page.basis) == ("L2", "inference")


def test_measured_rates_are_those_of_the_table(ledger, largest):
    text, _ = largest
    for level in ("L1", "L2"):
        for each in ledger.cluster(text, level=level).evidence:
            row = accuracy.measured(each.id, each.version, f"families {each.detail}" if each.detail else None)
            if row is None:
                assert each.measured is None
            else:
                assert (each.measured.n, each.measured.errors, each.measured.stratum) == (
                    row.n,
                    row.errors,
                    row.stratum,
                )
                assert each.measured.models == "holdout"
