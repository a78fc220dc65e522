"""Bridges and their parts, against the removal of one piece of evidence after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cointrail.cluster.spans import Span
from cointrail.cluster.structure.bridges import bridges
from cointrail.cluster.structure.evidence import CO_SPEND, Evidence
from cointrail.kernels.cluster.bridges import cut_nodes


def parts_without(scripts, groups, gone):
    """Sets of scripts that groups join, one of them left out."""
    part = {script: frozenset([script]) for script in range(scripts)}
    for number, group in enumerate(groups):
        if number != gone:
            union = frozenset().union(*(part[script] for script in group))
            part.update(dict.fromkeys(union, union))
    return sorted(set(part.values()), key=lambda each: (-len(each), min(each)))


def held_together(scripts, groups):
    """Evidence of these groups; what a bridge does not need is left empty."""
    edges = [(number, script) for number, group in enumerate(groups) for script in sorted(group)]
    owner, row = np.array(edges, np.int64).reshape(-1, 2).T
    none = np.empty(0, np.int64)
    return Evidence(
        scripts=np.arange(scripts) * 3 + 5,
        joins=np.arange(len(groups)) + 100,
        rule=np.full(len(groups), CO_SPEND, np.uint8),
        edges=Span(owner, row),
        suppressed=none,
        signs=none.astype(np.uint32),
        postmix=none,
        forced=none,
        suspects=none,
        detail=np.zeros(len(groups), np.uint32),
    )


@st.composite
def joined_groups(draw):
    """Groups of two and more scripts that hang together."""
    scripts = draw(st.integers(1, 14))
    groups = [{script, draw(st.integers(0, script - 1))} for script in range(1, scripts)]
    if scripts > 1:
        groups += draw(st.lists(st.sets(st.integers(0, scripts - 1), min_size=2, max_size=5), max_size=6))
    merged = []
    for group in groups:  # some neighbours become one larger group
        if merged and merged[-1] & group and draw(st.booleans()):
            merged[-1] = merged[-1] | group
        else:
            merged.append(group)
    return scripts, draw(st.permutations(merged))


@settings(max_examples=150, deadline=None)
@given(joined_groups(), st.randoms(use_true_random=False))
def test_bridges_are_the_groups_whose_removal_splits(case, random):
    scripts, groups = case
    held = held_together(scripts, groups)
    found = bridges(held)
    wanted = {number: parts_without(scripts, groups, number) for number in range(len(groups))}
    wanted = {number: parts for number, parts in wanted.items() if len(parts) > 1}
    assert found.piece.tolist() == sorted(wanted)
    counted = np.array([random.randrange(5) for _ in range(scripts)], np.int64)
    sums = found.sums(counted)
    for bridge, piece in enumerate(found.piece.tolist()):
        parts = wanted[piece]
        assert found.sizes(bridge) == [len(part) for part in parts]
        sides = [frozenset(found.side(bridge, number).tolist()) for number in range(len(parts))]
        assert set(sides) == set(parts)
        first = int(found.first[bridge])
        assert sums[first : first + len(parts)].tolist() == [int(counted[list(side)].sum()) for side in sides]
        asked = np.arange(scripts)
        part_of = found.parts_of(np.full(scripts, bridge), asked) - first
        assert [int(asked[script]) in sides[part_of[script]] for script in range(scripts)] == [True] * scripts
        assert int(found.smaller[bridge]) == len(parts[1])
    smaller = found.smaller[found.ranked()].tolist()
    assert smaller == sorted(smaller, reverse=True)


@settings(max_examples=60, deadline=None)
@given(joined_groups())
def test_both_kernels_agree_on_cut_nodes(case):
    scripts, groups = case
    held = held_together(scripts, groups)
    found = bridges(held)
    nodes = scripts + len(groups)
    weight = np.zeros(nodes, np.int64)
    weight[:scripts] = 1
    is_cut, largest = cut_nodes(nodes, held.edges.row, held.edges.owner + scripts, weight)
    assert np.flatnonzero(is_cut[scripts:]).tolist() == found.piece.tolist()
    assert largest[scripts:][found.piece].tolist() == [found.sizes(at)[0] for at in range(len(found.piece))]


def test_a_cluster_of_one_script_hangs_on_nothing():
    found = bridges(held_together(1, []))
    assert (found.piece.tolist(), found.ranked().tolist(), found.sums(np.ones(1, np.int64)).tolist()) == ([], [], [])


def test_a_long_chain_needs_no_recursion():
    length = 200_000
    found = bridges(held_together(length, [(at, at + 1) for at in range(length - 1)]))
    assert len(found.piece) == length - 1
    assert found.sizes(length // 2 - 1) == [length // 2, length // 2]


@pytest.mark.parametrize("kind", ["some keys", "many keys"])
def test_bridges_of_ledgers(kin, kind):
    ledger = kin(kind)
    several = 0
    for found in ledger.clusters():
        plain = ledger.search.cluster(int(found.scripts[0]))
        split = found.bridges
        co_spends = {int(found.evidence.joins[piece]): at for at, piece in enumerate(split.piece.tolist())
                     if found.evidence.rule[piece] == CO_SPEND}  # fmt: skip
        for tx in plain.co_spends:
            parts = ledger.search.parts_without(plain, tx=tx)
            assert (tx in co_spends) == (len(parts) > 1)
            if tx in co_spends:
                assert split.sizes(co_spends[tx]) == parts
                several += 1
        facts = sum(len(ledger.search.parts_without(plain, fact=number)) > 1 for number in range(len(plain.facts)))
        assert len(split.piece) == len(co_spends) + facts
    assert several > 3
