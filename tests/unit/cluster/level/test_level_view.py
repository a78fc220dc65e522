"""Views of a level over a real ledger: equal to plain sets over the L1 partition, at every snapshot."""

from collections import deque

import numpy as np
import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.edges import EdgeRule, Edges, payees_of, stored_changes
from cointrail.cluster.level.guard import OFF, CannotLink, Guards, Reason
from cointrail.cluster.level.view import build
from cointrail.errors import NotFound, UsageError
from cointrail.ledger.reader import Reader

VOTE, MODEL, HAND = EdgeRule.CHANGE_VOTE, EdgeRule.CHANGE_MODEL, EdgeRule.BY_HAND
SEEDS = st.integers(0, 2**32 - 1)


def random_edges(forest, seed, count=60, rules=(VOTE, MODEL, HAND)):
    """Edges between random scripts, each decided no earlier than both are on chain."""
    random = np.random.default_rng(seed)
    reader = forest.reader
    scripts = random.integers(0, reader.counts.script, (2, count))
    first = np.full(reader.counts.script, reader.counts.transaction)
    owner = reader.transaction_of_outputs(np.arange(reader.counts.output))
    np.minimum.at(first, reader.column("output", "script").astype(np.int64), owner)
    about = first[scripts].max(axis=0)
    decided = np.minimum(about + random.integers(0, 50, count), reader.counts.transaction - 1)
    return Edges.of(decided, about, *scripts, random.choice([int(rule) for rule in rules], count), np.arange(count))


def sets_over(partition, pairs):
    """The smallest script of each cluster that pairs of scripts make of a partition."""
    root = {int(each): int(each) for each in set(partition.tolist())}
    for one, two in pairs:
        low, high = sorted((root[int(partition[one])], root[int(partition[two])]))
        root = {each: low if above == high else above for each, above in root.items()}
    return [root[int(each)] for each in partition]


def pairs_of(edges, mask):
    return [(int(a), int(b)) for a, b in zip(edges.script_a[mask], edges.script_b[mask], strict=True)]


@examples(60, 5)
@given(seed=SEEDS)
def test_a_view_is_the_partition_of_its_accepted_edges(forest, seed):
    view = build(forest, "L3", random_edges(forest, seed), Guards(size=3))
    partition = view.partition()
    assert partition.tolist() == sets_over(forest.partition(), pairs_of(view.edges, view.accepted))
    assert len(view.held) == (~view.accepted).sum()
    for script in np.random.default_rng(seed).integers(0, len(partition), 20).tolist():
        inside = np.flatnonzero(partition == partition[script])
        assert view.size(script) == len(inside)
        assert sorted(view.members(script).tolist()) == inside.tolist()
        assert view.members(script, 2).tolist() == view.members(script).tolist()[:2]
        assert view.root_of(script) in inside
        assert set(view.roots(inside).tolist()) == {view.root_of(script)}
        rows = view.edges_of(script)
        assert rows.tolist() == [k for k in np.flatnonzero(view.accepted) if view.edges.script_a[k] in inside]
        evidence = view.evidence(script)
        assert sum(evidence.values()) == len(rows) + len(inside) - len(view.level_one_clusters(script))


@examples(60, 5)
@given(seed=SEEDS)
def test_paths_are_shortest_and_hang_together(forest, seed):
    view = build(forest, "L3", random_edges(forest, seed, 400), OFF)
    roots = forest.all_roots()
    near = {}
    for a, b in pairs_of(view.edges, view.accepted):
        near.setdefault(int(roots[a]), set()).add(int(roots[b]))
        near.setdefault(int(roots[b]), set()).add(int(roots[a]))
    random = np.random.default_rng(seed)
    for one in random.integers(0, len(roots), 6).tolist():
        distance, queue = {int(roots[one]): 0}, deque([int(roots[one])])
        while queue:
            here = queue.popleft()
            for other in near.get(here, set()) - set(distance):
                distance[other] = distance[here] + 1
                queue.append(other)
        for two in random.integers(0, len(roots), 12).tolist():
            path = view.path(one, two)
            if int(roots[two]) not in distance:
                assert path is None
                continue
            assert path is not None
            assert len(path) == distance[int(roots[two])]
            here = roots[one]
            for step in path:
                assert view.accepted[step.edge]
                ends = {int(view.edges.script_a[step.edge]), int(view.edges.script_b[step.edge])}
                assert ends == {step.script_x, step.script_y}
                assert roots[step.script_x] == here
                here = roots[step.script_y]
            assert here == roots[two]


@examples(60, 5)
@given(seed=SEEDS)
def test_a_view_depends_on_neither_order_nor_origin_of_its_edges(forest, seed):
    edges = random_edges(forest, seed)
    order = np.random.default_rng(seed + 1).permutation(len(edges))
    columns = (edges.decided_at, edges.tx_index, edges.script_a, edges.script_b, edges.rule, edges.detail)
    shuffled = Edges.of(*(each[order] for each in columns))
    parts = [edges.where(edges.rule == rule) for rule in (HAND, VOTE, MODEL)]
    guards = Guards(size=2)
    one = build(forest, "L3", edges, guards)
    for other in (build(forest, "L3", shuffled, guards), build(forest, "L3", Edges.together(parts), guards)):
        assert one.partition().tobytes() == other.partition().tobytes()
        assert list(one.held) == list(other.held)


@examples(20, 3)
@given(seed=SEEDS)
def test_a_view_as_of_a_height_is_the_view_of_a_ledger_that_ends_there(level_ledger, cut_ledger, seed):
    with Reader(cut_ledger) as short, Reader(level_ledger, short.height) as past, Reader(level_ledger) as all_:
        edges = random_edges(Forest(all_), seed, 300)
        edges = Edges.together([edges, stored_changes(all_)])
        known = edges.where(edges.decided_at < short.counts.transaction)
        assert 0 < len(known) < len(edges)
        guards = Guards(size=2, cannot_link=CannotLink(np.array([3, 40]), np.array([0, 1]), "aa"))
        then, now = build(Forest(short), "L3", known, guards), build(Forest(past), "L3", edges, guards)
        assert then.partition().tobytes() == now.partition().tobytes()
        assert list(then.held) == list(now.held)
        assert len(build(Forest(all_), "L3", edges, guards).edges) == len(edges)


@examples(40, 4)
@given(seed=SEEDS)
def test_an_overlay_may_replace_the_forest(forest, seed):
    """The overlay here: every cluster of L1 taken apart, then scripts joined by fours."""
    base = (np.arange(forest.reader.counts.script, dtype=np.uint32) // 4) * 4
    view = build(forest, "L3", random_edges(forest, seed), Guards(size=5), base)
    partition = view.partition()
    assert partition.tolist() == sets_over(base, pairs_of(view.edges, view.accepted))
    for script in np.random.default_rng(seed).integers(0, len(base), 10).tolist():
        inside = np.flatnonzero(partition == partition[script]).tolist()
        assert sorted(view.members(script).tolist()) == inside
        assert view.size(script) == len(inside)
        assert view.members(script, 3).tolist() == view.members(script).tolist()[:3]
    same = build(forest, "L3", random_edges(forest, seed), Guards(size=5), forest.all_roots())
    plain = build(forest, "L3", random_edges(forest, seed), Guards(size=5))
    assert same.partition().tobytes() == plain.partition().tobytes()
    assert list(same.held) == list(plain.held)


def test_payees_are_what_the_other_output_pays(forest):
    reader = forest.reader
    rows = reader.column("output", "script")
    asked, expected = [], []
    for tx in range(reader.counts.transaction):
        outputs = np.array(reader.outputs_of(tx))
        paid = [int(each) for each in rows[outputs[~reader.unspendable_scripts(rows[outputs])]]]
        for change in {*paid, 0}:
            others = [each for each in paid if each != change]
            asked.append((tx, change))
            expected.append(others[0] if len(paid) == 2 and change in paid and len(others) == 1 else -1)
    tx, change = np.array(asked).T
    found = payees_of(reader, Edges.of(tx, tx, 0, change, VOTE))
    edges = Edges.of(tx, tx, 0, change, VOTE)
    by_pair = dict(zip(zip(edges.tx_index.tolist(), edges.script_b.tolist(), strict=True), found.tolist(), strict=True))
    assert by_pair == dict(zip(asked, expected, strict=True))
    assert (found >= 0).sum() > 20
    assert payees_of(reader, Edges.of([5], [-1], [0], [1], HAND)).tolist() == [-1]


def test_the_payee_guard_reads_the_transaction(forest):
    """The vote names one output as change: another edge that joins the other output is held."""
    reader, roots = forest.reader, forest.all_roots()
    script = reader.column("output", "script")
    for tx in range(1, reader.counts.transaction):
        outputs = np.array(reader.outputs_of(tx))
        paid = script[outputs[~reader.unspendable_scripts(script[outputs])]].astype(np.int64)
        spent = reader.column("input", "output")[reader.inputs_of(tx).start]
        if spent >= 0 and len(paid) == 2 and len({*roots[paid].tolist(), int(roots[script[spent]])}) == 3:
            break
    else:
        pytest.fail("no such transaction")
    edges = Edges.of([tx, tx + 1], [tx, -1], int(script[spent]), paid, [VOTE, HAND])
    view = build(forest, "L2", edges)
    assert [(held.edge, held.reason, held.joined_otherwise) for held in view.held] == [(1, Reason.PAYEE, False)]
    assert view.held.counts()[Reason.PAYEE] == 1
    assert view.held[0] == view.held[-1] == view.held[0:5][0]
    assert view.held[0].rule == "by_hand"
    assert not build(forest, "L2", edges, Guards(payee=False)).held
    with pytest.raises(IndexError):
        view.held[1]


def test_known_actors_are_kept_apart_and_conflicts_are_named(forest):
    partition = forest.partition()
    ids, sizes = np.unique(partition, return_counts=True)
    inside = np.flatnonzero(partition == ids[sizes >= 2][0])[:2]
    lone = [int(each) for each in ids[ids != partition[inside[0]]][:3]]
    tags = CannotLink(np.array([*lone[:2], *inside, 2**40]), np.array([0, 1, 0, 1, 7]), "aa")
    edges = Edges.of([0, 0, 0], -1, [lone[0], lone[0], int(inside[0])], [lone[1], lone[2], lone[2]], HAND)
    view = build(forest, "L2", edges, Guards(cannot_link=tags))
    assert view.conflicted == (forest.root(int(inside[0])),)
    assert [held.reason for held in view.held] == [Reason.CANNOT_LINK] * 2
    assert view.root_of(lone[0]) == view.root_of(lone[2]) != view.root_of(lone[1])


def test_stored_changes_are_the_rows_of_the_snapshot(level_ledger):
    with Reader(level_ledger) as now, Reader(level_ledger, now.height - 8) as then:
        edges, before = stored_changes(now), stored_changes(then)
        assert (before.decided_at < then.counts.transaction).all()
        known = edges.decided_at < then.counts.transaction
        assert before.script_b.tolist() == edges.script_b[known].tolist()
        assert sorted(zip(edges.decided_at, edges.tx_index, edges.script_b, edges.detail, strict=True)) == sorted(
            zip(
                *(now.column("change", name).tolist() for name in ("decided_at", "tx_index", "script_b", "votes")),
                strict=True,
            )
        )
        assert {int(each) for each in edges.rule} <= {VOTE}


def test_no_edges_leave_the_forest(forest):
    view = build(forest, "L2", Edges.together([]))
    assert view.partition().tobytes() == forest.partition().tobytes()
    assert view.size(0) == forest.size(forest.root(0))
    assert view.evidence(0) == {"L1": view.size(0) - 1}
    assert view.path(0, 0) == ()


def test_what_is_no_edge_of_the_level_is_refused(forest):
    scripts = forest.reader.counts.script
    with pytest.raises(UsageError, match="change_model are leads"):
        build(forest, "L2", Edges.of([0], [-1], [0], [1], MODEL))
    with pytest.raises(UsageError, match="level L1"):
        build(forest, "L1", Edges.together([]))
    with pytest.raises(UsageError, match=f"names script {scripts}"):
        build(forest, "L2", Edges.of([0], [-1], [0], [scripts], HAND))
    with pytest.raises(UsageError, match="names script -1"):
        build(forest, "L2", Edges.of([0], [-1], [-1], [0], HAND))
    with pytest.raises(NotFound, match=f"script {scripts}"):
        build(forest, "L2", Edges.together([])).root_of(scripts)
