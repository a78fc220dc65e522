"""Overlays through the Python API: files, what they change, and where two of them disagree."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest
from overlay_cases import WalletChain, clustered_ledger
from plain_overlay import plain_partition

import cointrail
from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.overlay import file
from cointrail.cluster.overlay.document import spelled
from cointrail.cluster.overlay.entries import Kind
from cointrail.errors import AddressError, InputRefused, NotFound, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service import overlays

SIGNED = {"author": "A", "reason": "R"}


@pytest.fixture(scope="module")
def wallets(tmp_path_factory) -> Path:
    return clustered_ledger(tmp_path_factory.mktemp("wallets"), WalletChain(5).chain)


@pytest.fixture
def reader(wallets):
    with Reader(wallets) as opened:
        yield opened


@pytest.fixture
def case(tmp_path, reader):
    path = tmp_path / "case.json"
    overlays.new(path, name="case", author="A", reader=reader)
    return path


def clusters_of(partition):
    return {root: {s for s, other in enumerate(partition) if other == root} for root in set(partition)}


def spelling(reader, script):
    return spelled(reader.script_pubkey(script), "regtest")


def test_a_new_file_notes_the_snapshot(tmp_path, reader):
    answer = overlays.new(tmp_path / "case.json", name="Case 7", author="J. Doe", reader=reader)
    assert (answer.name, answer.author, answer.network, answer.entries) == ("Case 7", "J. Doe", "regtest", ())
    assert answer.made_at == overlays.MadeAtAnswer(reader.height, reader.snapshot.block_hash, reader.snapshot.digest)
    assert answer.basis == "assertion"
    assert overlays.show(tmp_path / "case.json") == answer
    json.dumps(dataclasses.asdict(answer))


def test_a_new_file_without_a_ledger_needs_a_network(tmp_path, reader):
    with pytest.raises(UsageError, match="no network"):
        overlays.new(tmp_path / "case.json", name="N", author="A")
    with pytest.raises(UsageError, match="unknown network"):
        overlays.new(tmp_path / "case.json", name="N", author="A", network="moon")
    with pytest.raises(InputRefused, match="is for mainnet"):
        overlays.new(tmp_path / "case.json", name="N", author="A", network="mainnet", reader=reader)
    assert not list(tmp_path.iterdir())
    answer = overlays.new(tmp_path / "case.json", name="N", author="A", network="main")
    assert (answer.network, answer.made_at) == ("mainnet", None)


def test_entries_are_kept_in_order_and_change_the_digest(case, reader):
    digests = [overlays.show(case).digest]
    for kind, subjects in (
        (Kind.EXCLUDE_TRANSACTION, ["AB" * 32]),
        (Kind.RULE_OFF, ["coinjoin.stonewall"]),
        (Kind.SPLIT, [spelling(reader, 3)]),
        (Kind.MERGE, [spelling(reader, 3), spelling(reader, 5)]),
    ):
        digests.append(overlays.add(case, kind, subjects, **SIGNED).digest)
    shown = overlays.show(case)
    assert [(each.number, each.kind) for each in shown.entries] == list(enumerate(Kind))
    assert shown.entries[0].subjects == ("ab" * 32,)
    assert all((each.author, each.reason) == ("A", "R") for each in shown.entries)
    assert len(set(digests)) == 5
    assert shown.digest == digests[-1] == file.read(case).digest


def test_a_bad_entry_leaves_the_file_as_it_was(case):
    before = case.read_bytes()
    for kind, subjects, signed in (
        (Kind.EXCLUDE_TRANSACTION, ["x"], SIGNED),
        (Kind.RULE_OFF, ["x"], SIGNED),
        (Kind.SPLIT, [], SIGNED),
        (Kind.MERGE, ["x", "y"], SIGNED),
        (Kind.RULE_OFF, ["cospend"], {"author": "", "reason": "R"}),
        (Kind.RULE_OFF, ["cospend"], {"author": "A", "reason": " "}),
    ):
        with pytest.raises(InputRefused):
            overlays.add(case, kind, subjects, **signed)
    assert case.read_bytes() == before


def test_an_empty_overlay_changes_nothing(case, reader):
    answer = overlays.apply(reader, case)
    assert (answer.touched, answer.scripts, answer.total, answer.differences, answer.absent) == (0, 0, 0, (), ())
    assert (answer.address, answer.level, answer.basis) == (None, "L1", "assertion")
    assert answer.overlay == overlays.OverlayName("case", overlays.show(case).digest, 0)
    assert answer.snapshot.digest == reader.snapshot.digest


def test_what_changes_is_told_by_clusters_with_sizes(case, wallets, reader):
    forest = Forest(reader)
    partition = forest.partition().tolist()
    root, _ = Counter(partition).most_common(1)[0]
    merges = [forest.merge(each) for each in range(reader.counts.merge)]
    found = next(m for m in merges if partition[m.child] == root and not forest.same_keys_of(m.tx_index))
    txid = display(bytes(reader.column("transaction", "txid")[found.tx_index]))
    overlays.add(case, Kind.EXCLUDE_TRANSACTION, [txid], **SIGNED)
    overlays.add(case, Kind.SPLIT, [spelling(reader, root)], **SIGNED)
    after = plain_partition(reader, file.read(case))
    before_sets, after_sets = clusters_of(partition), clusters_of(after)
    with cointrail.open(wallets) as ledger:
        answer = ledger.overlay(case, spelling(reader, root))
    assert answer.touched == len(before_sets[root])
    (group,) = answer.differences
    assert [(each.cluster_id, each.size) for each in group.before] == [(spelling(reader, root), len(before_sets[root]))]
    parts = sorted({after[s] for s in before_sets[root]}, key=lambda each: (-len(after_sets[each]), each))
    assert [each.cluster_id for each in group.after] == [spelling(reader, each) for each in parts]
    assert [each.size for each in group.after] == [len(after_sets[each]) for each in parts]
    assert {each.basis for each in (*group.before, *group.after)} == {"inference"}
    assert (group.clusters_before, group.clusters_after, group.parts_total) == (1, len(parts), len(parts))
    assert answer.clusters_after == len(parts) >= 2
    size = len(before_sets[root])
    assert answer.address == overlays.AddressChange(
        spelling(reader, root),
        overlays.ClusterSize(spelling(reader, root), size, "inference"),
        overlays.ClusterSize(spelling(reader, root), 1, "inference"),
        stay=1,
        leave=size - 1,
        come=0,
    )
    json.dumps(dataclasses.asdict(answer))


def test_a_merge_by_hand_shows_as_an_assertion(case, reader):
    forest = Forest(reader)
    partition = forest.partition().tolist()
    a, b = sorted(set(partition))[4:6]
    overlays.add(case, Kind.MERGE, [spelling(reader, a), spelling(reader, b)], **SIGNED)
    answer = overlays.apply(reader, case, spelling(reader, b))
    sizes = [partition.count(each) for each in (a, b)]
    assert [each.basis for each in answer.differences[0].after] == ["assertion"]
    assert answer.address.after == overlays.ClusterSize(spelling(reader, a), sum(sizes), "assertion")
    assert (answer.address.stay, answer.address.leave, answer.address.come) == (sizes[1], 0, sizes[0])


def test_rules_switched_off_are_not_among_the_rules(case, reader):
    overlays.add(case, Kind.RULE_OFF, ["same_key"], **SIGNED)
    answer = overlays.apply(reader, case)
    assert [(rule.id, rule.version) for rule in answer.rules] == [r for r in Forest(reader).rules if r[0] != "same_key"]


def test_pages_show_large_groups_first(case, reader):
    overlays.add(case, Kind.RULE_OFF, ["cospend"], **SIGNED)
    overlays.add(case, Kind.RULE_OFF, ["same_key"], **SIGNED)
    everything = overlays.apply(reader, case)
    assert everything.total == len(everything.differences) > 5
    sizes = [each.scripts for each in everything.differences]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == everything.scripts == everything.clusters_after
    page = overlays.apply(reader, case, first=2, limit=3)
    assert page.differences == everything.differences[2:5]
    assert overlays.apply(reader, case, first=everything.total).differences == ()


def test_two_overlays_are_compared_by_what_they_give(case, tmp_path, reader):
    other = tmp_path / "other.json"
    overlays.new(other, name="other", author="B", network="regtest")
    roots = sorted(set(Forest(reader).partition().tolist()))
    names = [spelling(reader, each) for each in roots[2:5]]
    overlays.add(case, Kind.MERGE, names[:2], **SIGNED)
    overlays.add(other, Kind.MERGE, names[1:], **SIGNED)
    overlays.add(other, Kind.EXCLUDE_TRANSACTION, ["00" * 32], **SIGNED)
    answer = overlays.compare(reader, case, other)
    sizes = [Forest(reader).partition().tolist().count(each) for each in roots[2:5]]
    assert (answer.first.name, answer.second.name) == ("case", "other")
    assert (answer.absent_first, answer.absent_second) == ((), (f"entry 1: {'00' * 32}",))
    assert (answer.scripts, answer.total) == (sum(sizes), 1)
    assert (answer.clusters_first, answer.clusters_second) == (2, 2)
    (group,) = answer.differences
    assert {(part.size, part.before, part.after) for part in group.parts} == {
        (sizes[0], names[0], names[0]),
        (sizes[1], names[0], names[1]),
        (sizes[2], names[2], names[1]),
    }
    same = overlays.compare(reader, case, case)
    assert (same.scripts, same.total, same.differences) == (0, 0, ())


def test_an_overlay_is_read_at_any_height(case, reader, wallets):
    last = reader.counts.script - 1
    overlays.add(case, Kind.SPLIT, [spelling(reader, last)], **SIGNED)
    with Reader(wallets, 50) as early:
        answer = overlays.apply(early, case)
    assert answer.absent == (f"entry 0: {spelling(reader, last)}",)
    assert answer.snapshot.height == 50


def test_questions_about_what_is_not_there_are_refused(case, reader, tmp_path):
    with pytest.raises(AddressError):
        overlays.apply(reader, case, "nonsense")
    with pytest.raises(NotFound):
        overlays.apply(reader, case, "script:51515151")
    with pytest.raises(InputRefused, match="there is no overlay file"):
        overlays.open_view(reader, tmp_path / "none.json")
    overlays.new(tmp_path / "main.json", name="N", author="A", network="mainnet")
    with pytest.raises(InputRefused, match="is for mainnet, this ledger is regtest"):
        overlays.open_view(reader, tmp_path / "main.json")
    assert overlays.open_view(reader, case).touched.tolist() == []
