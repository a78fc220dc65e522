"""What guards hold for review, and blocks that made a cluster grow at once: the list that somebody has to read."""

from pathlib import Path

import numpy as np

from cointrail.cluster.change import vote
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.growth import Alarm, growth_alarms
from cointrail.cluster.level.guard import Held
from cointrail.cluster.structure.evidence import I64
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import GrowthAlarm, HeldAnswer, HeldMerge, Rule
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.clustering.levels import (
    GUARD,
    MODEL,
    Level,
    edges_of_level,
    guards_with,
    level_named,
    lists_used,
    model_of,
    name_of_model,
    note_of,
)
from cointrail.service.clustering.tagged import Tags
from cointrail.service.names import moment, name_of, snapshot_name, txid_of


def held(
    reader: Reader,
    *,
    level: Level = "L2",
    first: int = 0,
    limit: int | None = None,
    model: Path | None = None,
    tagged: TagSource | Resolved = None,
) -> HeldAnswer:
    """All inferences of a level that its guards hold, and the growth alarms of L1.

    Args:
        reader: the ledger at a snapshot.
        level: L2 or L3; L1 is never guarded.
        first: number of the first row of both lists.
        limit: most rows of each, None for all.
        model: file of the change model that gives leads at L3.
        tagged: files of tags, the database, or actor by address: what would join scripts of different actors is held.

    Raises:
        UsageError: another level, or one that takes no model.
        InputRefused: the model or a tagged address is refused.
        Unavailable: the ledger has no clusters up to the snapshot, or is damaged.
    """
    from cointrail.cluster.level.view import build

    level = level_named(level)
    if level == "L1":
        raise UsageError("level L1 holds nothing for review", hint="ask for level L2 or L3; its alarms come with them")
    leads, tags = model_of(level, model), Tags.of(reader, tagged)
    forest = Forest(reader)
    view = build(forest, level, edges_of_level(forest, level, leads), guards_with(tags))
    alarms = growth_alarms(forest)
    shown = slice(first, None if limit is None else first + limit)
    rows, named = view.held[shown], alarms[shown]
    asked = [root for row in rows for root in (row.root_a, row.root_b)]
    names = _cluster_ids(reader, view.all_roots().astype(np.int64), asked) if rows else {}
    roots = (
        _cluster_ids(reader, forest.all_roots().astype(np.int64), [forest.root(a.root) for a in named]) if named else {}
    )
    return HeldAnswer(
        level=level,
        held=tuple(_held(reader, row, names) for row in rows),
        held_total=len(view.held),
        by_reason={str(reason): count for reason, count in view.held.counts().items()},
        alarms=tuple(_alarm(reader, alarm, roots[forest.root(alarm.root)]) for alarm in named),
        alarms_total=len(alarms),
        model=name_of_model(leads),
        guards=view.guards.parameters(),
        note=note_of(level, leads),
        rules=(Rule(vote.RULE, vote.VERSION), Rule(*GUARD), *([Rule(MODEL, 1)] if leads else [])),
        snapshot=snapshot_name(reader),
        lists=lists_used(forest),
        tagged=tags.used((GUARD,)) if tags else None,
    )


def _cluster_ids(reader: Reader, root_of: I64, roots: list[int]) -> dict[int, str]:
    """The cluster_id of each root: the name of the first script below it."""
    first: dict[int, str] = {}
    wanted = np.unique(np.array(roots, np.int64))
    scripts = np.flatnonzero(np.isin(root_of, wanted))
    found, at = np.unique(root_of[scripts], return_index=True)
    for root, place in zip(found.tolist(), at.tolist(), strict=True):
        first[root] = name_of(reader, int(scripts[place]))
    return first


def _held(reader: Reader, row: Held, names: dict[int, str]) -> HeldMerge:
    about = row.tx_index >= 0
    return HeldMerge(
        txid=txid_of(reader, row.tx_index) if about else None,
        height=moment(reader, row.tx_index).height if about else None,
        rule=row.rule,
        reason=str(row.reason),
        cluster_a=names[row.root_a],
        cluster_b=names[row.root_b],
        size_a=row.size_a,
        size_b=row.size_b,
        joined_otherwise=row.joined_otherwise,
    )


def _alarm(reader: Reader, alarm: Alarm, cluster_id: str) -> GrowthAlarm:
    return GrowthAlarm(alarm.height, txid_of(reader, alarm.tx_index), cluster_id, alarm.before, alarm.after)
