"""Clusters under an overlay: equal to a whole rebuild by the plain rules, and nothing read that is not touched."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from overlay_cases import FIRST_SPEND
from plain_overlay import plain_owned, plain_partition

from cointrail.bitcoin.hashes import display
from cointrail.cluster.forest.extend import RULES
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate.kinds import VETO, Sign
from cointrail.cluster.overlay import view as overlay_view
from cointrail.cluster.overlay.compare import differences
from cointrail.cluster.overlay.document import make_entry, spelled
from cointrail.cluster.overlay.entries import Kind, Overlay
from cointrail.cluster.overlay.view import OverlayView
from cointrail.errors import InputRefused, NotFound, Unavailable
from cointrail.ledger.reader import Reader
from cointrail.ledger.writer import Writer

NOW = "2021-03-01T12:00:00Z"
SIGNED = {"network": "regtest", "author": "A", "reason": "R", "at_utc": NOW}


def overlay_of(*entries):
    made = [make_entry(kind, subjects, **SIGNED) for kind, subjects in entries]
    return Overlay("case", "regtest", "A", NOW, None, tuple(made))


def txid_at(reader, tx_index):
    return display(bytes(reader.column("transaction", "txid")[tx_index]))


def spelling(reader, script):
    return spelled(reader.script_pubkey(int(script)), "regtest")


def joint(reader):
    """Transactions that spend several owned scripts."""
    return [tx for tx in range(reader.counts.transaction) if len(plain_owned(reader, tx)) > 1]


@st.composite
def cases(draw, ledgers):
    """A ledger, a height, and entries about what the tip holds."""
    ledger = draw(st.sampled_from(ledgers))
    with Reader(ledger) as tip:
        height = draw(st.one_of(st.just(None), st.integers(FIRST_SPEND - 1, tip.height)))
        scripts = [spelling(tip, each) for each in range(tip.counts.script)]
        txids = [txid_at(tip, each) for each in joint(tip)]
        any_script = st.sampled_from(scripts)
        entry = st.one_of(
            st.tuples(st.just(Kind.EXCLUDE_TRANSACTION), st.tuples(st.sampled_from(txids))),
            st.tuples(st.just(Kind.RULE_OFF), st.tuples(st.sampled_from([rule for rule, _ in RULES]))),
            st.tuples(st.just(Kind.SPLIT), st.lists(any_script, min_size=1, max_size=5, unique=True)),
            st.tuples(st.just(Kind.MERGE), st.lists(any_script, min_size=2, max_size=2, unique=True)),
        )
        return ledger, height, draw(st.lists(entry, max_size=8))


@given(data=st.data())
@settings(max_examples=60)
def test_an_overlay_gives_what_a_whole_rebuild_gives(ledgers, data):
    ledger, height, entries = data.draw(cases(ledgers))
    overlay = overlay_of(*entries)
    with Reader(ledger, height) as reader:
        forest = Forest(reader)
        view = OverlayView(forest, overlay)
        expected = plain_partition(reader, overlay)
        assert view.partition().tolist() == expected
        _agrees_with_itself(view, expected)
        _is_no_larger_than_needed(view, forest, expected)


@given(data=st.data())
@settings(max_examples=20)
def test_the_order_of_entries_decides_nothing(ledgers, data):
    ledger, height, entries = data.draw(cases(ledgers))
    with Reader(ledger, height) as reader:
        forest = Forest(reader)
        one, other = (OverlayView(forest, overlay_of(*some)) for some in (entries, data.draw(st.permutations(entries))))
        assert one.partition().tolist() == other.partition().tolist()
        assert one.touched.tolist() == other.touched.tolist()


def _agrees_with_itself(view, expected):
    scripts = np.arange(len(expected))
    roots = view.roots(scripts)
    assert view.all_roots().tolist() == roots.tolist() == [view.root(each) for each in scripts.tolist()]
    for script in scripts[:: max(1, len(scripts) // 20)].tolist():
        members, merges = view.members(script)
        assert sorted(members.tolist()) == [each for each in scripts.tolist() if expected[each] == expected[script]]
        assert len(merges) == len(members) == view.size(view.root(script))
        assert len(view.members(script, 2)[0]) == min(2, len(members))


def _is_no_larger_than_needed(view, forest, expected):
    """Whole clusters are touched, and of the transactions only those that spend touched scripts were looked at."""
    before = forest.partition()
    untouched = np.setdiff1d(np.arange(len(before)), view.touched)
    assert not np.intersect1d(before[untouched], before[view.touched]).size
    assert before[untouched].tolist() == np.array(expected)[untouched].tolist()
    if "cospend" in view.effect.rules_off:
        assert view.spends.tolist() == []
        return
    touched, reader = set(view.touched.tolist()), view.reader
    spent, script = reader.column("input", "output"), reader.column("output", "script")
    wanted = []
    for tx_index in range(reader.counts.transaction):
        inputs = [each for each in reader.inputs_of(tx_index) if spent[each] >= 0]
        if len(inputs) > 1 and touched & {int(script[spent[each]]) for each in inputs}:
            wanted.append(tx_index)
    assert view.spends.tolist() == wanted


@pytest.fixture
def reader(ledgers):
    with Reader(ledgers[0]) as opened:
        yield opened


def largest(forest):
    """The root of the largest cluster and its members, ascending."""
    roots = forest.all_roots()
    root = int(np.bincount(roots).argmax())
    return root, np.flatnonzero(roots == root)


def test_an_empty_overlay_changes_nothing_and_reads_nothing(reader):
    forest = Forest(reader)
    view = OverlayView(forest, overlay_of())
    assert (view.touched.tolist(), view.spends.tolist()) == ([], [])
    assert view.partition().tolist() == forest.partition().tolist()
    assert view.all_roots().tolist() == forest.all_roots().tolist()
    assert view.rules == forest.rules
    root, members = largest(forest)
    assert view.members(root)[0].tolist() == forest.members(root)[0].tolist()
    assert (view.size(root), view.root(int(members[0])), view.basis(root)) == (len(members), root, "inference")


def test_entries_without_a_subject_here_are_named_and_do_nothing(reader):
    foreign = "bcrt1q" + "w508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    overlay = overlay_of(
        (Kind.EXCLUDE_TRANSACTION, ["ab" * 32]), (Kind.SPLIT, ["script:51ab"]), (Kind.SPLIT, [foreign])
    )
    view = OverlayView(Forest(reader), overlay)
    assert view.effect.absent == ((0, "ab" * 32), (1, "script:51ab"), (2, foreign))
    assert not len(view.touched)


def test_an_excluded_transaction_counts_as_listed_and_touches_one_cluster(reader):
    forest = Forest(reader)
    believed = [tx for tx in joint(reader) if not forest.sign(tx)]
    view = OverlayView(forest, overlay_of((Kind.EXCLUDE_TRANSACTION, [txid_at(reader, believed[0])])))
    assert view.sign(believed[0]) == Sign.LISTED
    assert view.believed(np.array(believed)).tolist() == [False] + [True] * (len(believed) - 1)
    roots = np.unique(forest.roots(view.touched))
    assert roots.tolist() == [forest.root(min(plain_owned(reader, believed[0])))]
    assert len(view.touched) == forest.size(int(roots[0])) < reader.counts.script // 2


def test_excluding_what_is_not_believed_anyway_touches_nothing(reader):
    forest = Forest(reader)
    mix = next(tx for tx in joint(reader) if forest.sign(tx) & VETO)
    view = OverlayView(forest, overlay_of((Kind.EXCLUDE_TRANSACTION, [txid_at(reader, mix)])))
    assert not len(view.touched)
    assert Sign.LISTED in view.sign(mix)


def test_switching_off_every_rule_that_suppressed_a_mix_releases_it(reader):
    forest = Forest(reader)
    mix = next(tx for tx in joint(reader) if forest.sign(tx) & VETO)
    rules = ["coinjoin.generic", "coinjoin.blocksci", "coinjoin.stonewall", "coinjoin.joinmarket", "coinjoin.wasabi1.0"]
    overlay = overlay_of(*((Kind.RULE_OFF, [rule]) for rule in rules))
    view = OverlayView(forest, overlay)
    assert view.believed(np.array([mix])).all()
    assert view.sign(mix) == 0
    assert len(set(view.roots(sorted(plain_owned(reader, mix))).tolist())) == 1
    assert len(set(forest.roots(sorted(plain_owned(reader, mix))).tolist())) > 1
    assert [rule for rule, _ in view.rules] == [rule for rule, _ in RULES if rule not in rules]
    every_mix = [tx for tx in joint(reader) if view.believed([tx]).all() and forest.sign(tx) & VETO]
    kept_out = [make_entry(Kind.EXCLUDE_TRANSACTION, [txid_at(reader, tx)], **SIGNED) for tx in every_mix]
    assert not len(OverlayView(forest, replace(overlay, entries=(*overlay.entries, *kept_out))).touched)


def test_a_split_script_is_alone_and_split_together_stays_together(reader):
    forest = Forest(reader)
    root, members = largest(forest)
    one = OverlayView(forest, overlay_of((Kind.SPLIT, [spelling(reader, members[0])])))
    assert one.members(int(members[0]))[0].tolist() == [members[0]]
    assert one.touched.tolist() == members.tolist()
    everything = OverlayView(forest, overlay_of((Kind.SPLIT, [spelling(reader, each) for each in members])))
    assert everything.partition().tolist() == forest.partition().tolist()
    assert forest.root(int(members[0])) == root


def test_two_splits_part_their_scripts_from_one_another(reader):
    forest = Forest(reader)
    facts = [forest.same_keys_of(tx)[0][:2] for tx in np.unique(reader.column("same_key", "tx_index")).tolist()]
    a, b = next(pair for pair in facts if forest.size(forest.root(pair[0])) == 2)
    names = [spelling(reader, each) for each in (a, b)]
    assert forest.root(a) == forest.root(b)
    assert OverlayView(forest, overlay_of((Kind.SPLIT, names))).size(a) == 2
    apart = OverlayView(forest, overlay_of((Kind.SPLIT, names[:1]), (Kind.SPLIT, names[1:])))
    assert (apart.root(a), apart.root(b)) == (a, b)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("one_by_one", [True, False])
def test_an_overlay_that_touches_every_cluster_gives_what_a_whole_rebuild_gives(ledgers, seed, one_by_one, monkeypatch):
    """One script of each cluster is split off; clusters are collected one by one, or in one pass if they are many."""
    monkeypatch.setattr(overlay_view, "_MANY", 1_000_000 if one_by_one else 0)
    with Reader(ledgers[seed]) as reader:
        forest = Forest(reader)
        roots, sizes = np.unique(forest.all_roots(), return_counts=True)
        overlay = overlay_of(*((Kind.SPLIT, [spelling(reader, each)]) for each in roots[sizes > 1]))
        view = OverlayView(forest, overlay)
        assert len(view.touched) == sizes[sizes > 1].sum()
        assert view.partition().tolist() == plain_partition(reader, overlay)


def test_a_transaction_of_one_owned_script_touches_nothing(reader):
    forest = Forest(reader)
    spent = reader.column("input", "output")
    several = [tx for tx in range(reader.counts.transaction) if len(reader.inputs_of(tx)) > 1]
    alone = next(tx for tx in several if len(plain_owned(reader, tx)) == 1 and min(spent[reader.inputs_of(tx)]) >= 0)
    assert not len(OverlayView(forest, overlay_of((Kind.EXCLUDE_TRANSACTION, [txid_at(reader, alone)]))).touched)


def test_a_merge_by_hand_is_an_assertion_and_outlives_a_split(reader):
    forest = Forest(reader)
    roots = np.unique(forest.all_roots())
    a, b = int(roots[3]), int(roots[7])
    names = [spelling(reader, each) for each in (a, b)]
    view = OverlayView(forest, overlay_of((Kind.MERGE, names), (Kind.SPLIT, names[:1])))
    assert view.root(a) == view.root(b)
    assert view.basis(a) == view.basis(b) == "assertion"
    assert view.assertions(b).tolist() == [[a, b]]
    others = np.setdiff1d(np.arange(reader.counts.script), view.members(a)[0])
    assert view.basis(int(others[0])) == "inference"
    assert view.size(view.root(a)) == 1 + forest.size(b)


def test_facts_are_left_out_of_what_a_transaction_completes(reader):
    forest = Forest(reader)
    tx_index = int(reader.column("same_key", "tx_index")[0])
    (a, b, _), *_ = facts = forest.same_keys_of(tx_index)
    assert OverlayView(forest, overlay_of()).same_keys_of(tx_index) == facts
    assert OverlayView(forest, overlay_of((Kind.RULE_OFF, ["same_key"]))).same_keys_of(tx_index) == []
    split = OverlayView(forest, overlay_of((Kind.SPLIT, [spelling(reader, a)])))
    assert split.same_keys_of(tx_index) == [fact for fact in facts if a not in fact[:2]]
    assert (a, b) not in [fact[:2] for fact in split.same_keys_of(tx_index)]


def test_an_overlay_of_another_network_is_refused(reader):
    with pytest.raises(InputRefused, match=r"'case' is for mainnet, this ledger is regtest"):
        OverlayView(Forest(reader), Overlay("case", "mainnet", "A", NOW))
    with pytest.raises(NotFound):
        OverlayView(Forest(reader), overlay_of()).check_script(reader.counts.script)


@given(data=st.data())
@settings(max_examples=40)
def test_differences_are_the_smallest_groups_that_both_cut_in_their_own_way(ledgers, data):
    ledger, height, entries = data.draw(cases(ledgers))
    half = len(entries) // 2
    with Reader(ledger, height) as reader:
        forest = Forest(reader)
        one, other = (OverlayView(forest, overlay_of(*some)) for some in (entries[:half], entries[half:]))
        found = differences(np.union1d(one.touched, other.touched), one, other)
        before, after = one.partition().tolist(), other.partition().tolist()
    sets = [{c: {s for s, x in enumerate(p) if x == c} for c in set(p)} for p in (before, after)]
    differing = {s for s in range(len(before)) if sets[0][before[s]] != sets[1][after[s]]}
    groups = [found.parts(group) for group in range(found.groups)]
    assert found.scripts == len(differing) == sum(part.size for parts in groups for part in parts)
    assert found.clusters == tuple(len({p[s] for s in differing}) for p in (before, after))
    for parts in groups:
        for part in parts:
            scripts = sets[0][part.before] & sets[1][part.after]
            assert (part.size, part.smallest) == (len(scripts), min(scripts))
        inside = set().union(*(sets[0][part.before] for part in parts))
        assert inside == set().union(*(sets[1][part.after] for part in parts))
        assert _connected([(part.before, part.after) for part in parts])
    sizes = [sum(part.size for part in parts) for parts in groups]
    assert sizes == sorted(sizes, reverse=True)


def _connected(pairs):
    """Whether clusters before and after hang together through the parts they share."""
    reached, left = {("before", pairs[0][0])}, list(pairs)
    while some := [p for p in left if ("before", p[0]) in reached or ("after", p[1]) in reached]:
        reached |= {name for one, two in some for name in (("before", one), ("after", two))}
        left = [pair for pair in left if pair not in some]
    return not left


def test_clusters_that_do_not_reach_the_snapshot_are_refused(ledgers, tmp_path):
    shutil.copytree(ledgers[0], tmp_path / "ledger")
    with Writer(tmp_path / "ledger", "regtest") as writer:
        writer.forget_clusters()
    with Reader(tmp_path / "ledger") as reader, pytest.raises(Unavailable, match="reach 0 blocks"):
        Forest(reader)
