"""How clusters grew, against sets that are merged one transaction after the other."""

import pytest

from cointrail.cluster.structure.evolution import evolution


def replay(plain):
    """(tx, kept id, before, after, parts, largest other) and (ended id, size, tx, kept id), naively."""
    groups = [(tx, scripts) for tx, scripts in plain.co_spends.items()] + [(tx, {a, b}) for tx, a, b in plain.facts]
    by_tx = {}
    for tx, scripts in groups:
        by_tx.setdefault(tx, []).append(scripts)
    part = {script: frozenset([script]) for script in plain.scripts}
    steps, ended = [], []
    for tx in sorted(by_tx):
        before = dict(part)
        for scripts in by_tx[tx]:
            union = frozenset().union(*(part[script] for script in scripts))
            part.update(dict.fromkeys(union, union))
        for union in {part[script] for scripts in by_tx[tx] for script in scripts}:
            parts = {before[script] for script in union}
            if len(parts) > 1:
                kept = next(each for each in parts if min(union) in each)
                others = parts - {kept}
                steps.append((tx, min(union), len(kept), len(union), len(parts), max(map(len, others))))
                ended += [(min(each), len(each), tx, min(union)) for each in others]
    return sorted(steps), sorted(ended)


@pytest.mark.parametrize(("kind", "below"), [("few keys", 0), ("some keys", 0), ("some keys", 4), ("many keys", 2)])
def test_steps_are_those_of_merged_sets(kin, kind, below):
    ledger = kin(kind, below)
    joined_clusters = 0
    for found in ledger.clusters():
        plain = ledger.search.cluster(int(found.scripts[0]))
        grown = evolution(found.forest, found.scripts, found.hung_by)
        steps, ended = replay(plain)
        columns = (grown.tx_index, grown.kept, grown.before, grown.after, grown.parts, grown.largest)
        assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == steps
        of_step = grown.tx_index[grown.ended_step].tolist(), grown.kept[grown.ended_step].tolist()
        assert sorted(zip(grown.ended.tolist(), grown.ended_size.tolist(), *of_step, strict=True)) == ended
        line = grown.line(int(found.scripts[0])).tolist()
        sizes = [(int(grown.before[step]), int(grown.after[step])) for step in line]
        assert [before for before, _ in sizes] == [1, *(after for _, after in sizes)][: len(sizes)]
        assert not sizes or sizes[-1][1] == len(found.scripts)
        aliases = [(int(grown.ended[at]), int(grown.ended_size[at])) for at in grown.aliases().tolist()]
        assert aliases == sorted(
            ((one, size) for one, size, *_ in ended if size > 1), key=lambda each: (-each[1], each[0])
        )
        joined_clusters += len(aliases)
    assert joined_clusters > 0


def test_an_id_stays_when_a_cluster_grows(kin):
    """The cluster_id of the oldest script is the same at every height; what it absorbed is named at the tip."""
    tip = kin("some keys")
    largest = tip.clusters(1)[0]
    grown = evolution(largest.forest, largest.scripts, largest.hung_by)
    ended = set(grown.ended.tolist())
    before = kin("some keys", 6)
    oldest = int(largest.scripts[0])
    partition = before.forest.partition().tolist()
    assert partition[oldest] == oldest
    ids = {partition[script] for script in largest.scripts.tolist() if script < len(partition)}
    assert ids - {oldest} <= ended
