"""One cluster at a level, under an overlay or not: its members, and whatever else is asked about them."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.level.edges import EdgeRule, Edges
from cointrail.cluster.structure.activity import Activity, activity, first_and_last
from cointrail.cluster.structure.bridges import Bridges, bridges
from cointrail.cluster.structure.evidence import Evidence, Inferences, evidence
from cointrail.cluster.structure.evolution import Evolution, evolution
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.choice import TagSource
from cointrail.service.attribution.gathered import Resolved
from cointrail.service.clustering.levels import (
    Level,
    edges_of_level,
    guards_with,
    level_named,
    model_of,
    rules_of_level,
)
from cointrail.service.clustering.tagged import Tags
from cointrail.service.names import name_of

if TYPE_CHECKING:
    from cointrail.cluster.level.view import LevelView
    from cointrail.cluster.overlay.view import OverlayView

I64 = npt.NDArray[np.int64]

SHOWN_MEMBERS = 25
"""Members that an answer names if the list was not asked for."""


class Cluster:
    """The cluster of a script; every part is computed once, when it is first asked for.

    Args:
        reader: the ledger at a snapshot.
        script_id: any of its scripts.
        level: at which it is seen.
        overlay: file of the corrections to apply.
        model: file of the change model that gives leads at L3.
        tagged: files of tags, the database, or actor by address: above L1 the guard keeps scripts of different actors
            apart.

    Raises:
        UsageError: an unknown level, or one that takes no model.
        InputRefused: the overlay, the model or a tagged address is refused.
        Unavailable: the ledger has no clusters up to the snapshot, or is damaged.
    """

    def __init__(
        self,
        reader: Reader,
        script_id: int,
        *,
        level: Level = "L1",
        overlay: Path | None = None,
        model: Path | None = None,
        tagged: TagSource | Resolved = None,
    ) -> None:
        self.reader, self.script_id, self.level = reader, script_id, level_named(level)
        self.model = model_of(level, model)
        self._tagged = tagged
        self.clusters: Forest | OverlayView
        self.corrected: OverlayView | None = None
        if overlay is None:
            self.clusters = self.forest = Forest(reader)
        else:
            from cointrail.service.overlays import open_view

            self.clusters = self.corrected = open_view(reader, overlay)
            self.forest = self.corrected.forest

    @cached_property
    def tags(self) -> Tags | None:
        """Who attributes scripts: above L1 of the whole ledger, since a guard asks about all of them."""
        return Tags.of(self.reader, self._tagged, self.scripts if self.level == "L1" else None)

    @property
    def overlay_digest(self) -> str | None:
        """Which corrections were applied."""
        return self.corrected.overlay.digest if self.corrected else None

    @cached_property
    def view(self) -> "LevelView | None":
        """The level's view, None for L1."""
        if self.level == "L1":
            return None
        from cointrail.cluster.level.view import build

        edges, guards = edges_of_level(self.forest, self.level, self.model), guards_with(self.tags)
        if not self.corrected:
            return build(self.forest, self.level, edges, guards)
        edges = edges.where(self._stand(edges))
        return build(self.forest, self.level, edges, guards, base=self.corrected.all_roots())

    def _stand(self, edges: Edges) -> npt.NDArray[np.bool_]:
        """Which inferences an overlay leaves standing."""
        assert self.corrected
        effect = self.corrected.effect
        stand = ~np.isin(edges.tx_index, effect.excluded)
        stand &= effect.sides(edges.script_a) == effect.sides(edges.script_b)
        for rule in EdgeRule:
            if rule.rule in effect.rules_off:
                stand &= edges.rule != rule
        return np.asarray(stand, np.bool_)

    @cached_property
    def _members(self) -> tuple[I64, I64]:
        if self.view:
            found = self.view.members(self.script_id)
            return found, np.full(len(found), -1, np.int64)
        return self.clusters.members(self.script_id)

    @cached_property
    def scripts(self) -> I64:
        """The members, script_ids, ascending."""
        return np.sort(self._members[0])

    @cached_property
    def level_one_clusters(self) -> int:
        """How many L1 clusters the level joins."""
        return len(self.view.level_one_clusters(self.script_id)) if self.view else 1

    @cached_property
    def is_conflicted(self) -> bool:
        """True if an L1 cluster inside holds scripts that are tagged with different actors: nothing extends it."""
        if not self.view or not self.view.conflicted:
            return False
        return bool(np.isin(self.view.level_one_clusters(self.script_id), self.view.conflicted).any())

    @cached_property
    def activity(self) -> Activity:
        """What happened to the members."""
        return activity(self.reader, self.scripts)

    @cached_property
    def first_and_last(self) -> tuple[int, int]:
        """The first and the last transaction."""
        return first_and_last(self.reader, self.activity)

    @cached_property
    def evidence(self) -> Evidence:
        """What holds it together."""
        return evidence(self.clusters, self.activity, self._inferences())

    def _inferences(self) -> Inferences:
        edges = Edges.of([], [], [], [], [])
        if self.view:
            edges = self.view.edges.where(self.view.edges_of(self.script_id))
        if self.corrected:
            merges = self.corrected.effect.merges
            merges = merges[np.isin(merges[:, 0], self.scripts)]
            by_hand = Edges.of(np.zeros(len(merges)), -1, merges[:, 0], merges[:, 1], EdgeRule.BY_HAND)
            edges = Edges.together((edges, by_hand))
        return Inferences(edges.tx_index, edges.script_a, edges.script_b, edges.rule, edges.detail)

    @cached_property
    def bridges(self) -> Bridges:
        """What it hangs on."""
        return bridges(self.evidence)

    @cached_property
    def evolution(self) -> Evolution:
        """How it grew.

        Raises:
            UsageError: at a level above L1, or under an overlay, which have no history.
        """
        if self.level != "L1" or self.corrected:
            of = "an overlay" if self.corrected else f"level {self.level}"
            raise UsageError(f"clusters of {of} have no history", hint="ask for the evolution at level L1 alone")
        return evolution(self.forest, self.scripts, self._members[1])

    def name(self, script_id: int) -> str:
        """The address of a script, or `script:HEX` for one that has none."""
        return name_of(self.reader, script_id)


def rules_of(found: Cluster) -> tuple[tuple[str, int], ...]:
    """The rules that decide at the level; those above L1 are named only where they do."""
    rules = rules_of_level(found.clusters.rules, found.level, found.model)
    off = found.corrected.effect.rules_off if found.corrected else frozenset()
    return tuple(rule for rule in rules if rule[0] not in off)
