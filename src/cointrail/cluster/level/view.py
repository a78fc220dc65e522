"""Clusters of level L2 or L3 at a snapshot: a view over the L1 forest, computed and never stored.

L1 roots that accepted inferences connect form one cluster. The view is a pure function of the snapshot, the edges, the
guards and, with an overlay, its `base`; it is not part of the ledger and can be dropped. Every cluster of it is an
inference and a lower bound at L2; at L3 it is a lead (METHODS.md 1.2, 2.3-2.6).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest, smallest_of
from cointrail.cluster.level.edges import EdgeRule, Edges, payees_of
from cointrail.cluster.level.guard import Guards, HeldEdges
from cointrail.cluster.level.joining import LEADS, Graph, Outcome, join_under_guards
from cointrail.cluster.level.nodes import Nodes, actors_of, level_one_roots
from cointrail.errors import UsageError

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

Level = Literal["L2", "L3"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """An edge on the way from one script to another, in the direction of the way.

    Attributes:
        edge: its row in the view's edges.
        decided_at, tx_index, rule: of the edge.
        script_x, script_y: its scripts; x lies in the L1 cluster that the way comes from, y in the next.
    """

    edge: int
    decided_at: int
    tx_index: int
    rule: str
    script_x: int
    script_y: int


def build(
    forest: Forest, level: Level, edges: Edges, guards: Guards | None = None, base: U32 | None = None
) -> "LevelView":
    """Compute a level.

    Args:
        forest: L1 at the snapshot.
        level: "L2" takes voted changes and edges by hand only; "L3" takes leads as well.
        edges: inferences; those that read beyond the snapshot are ignored.
        guards: parameters; the defaults of METHODS.md 2.6 if not given.
        base: uint32 (scripts,), L1 root of every script if an overlay replaces the forest's.

    Raises:
        UsageError: an edge is not one of the level, or names a script that is not in the snapshot.
        Unavailable: the ledger is damaged.

    Method: METHODS.md 2.3-2.6.
    """
    guards = guards or Guards()
    edges = edges.where(edges.decided_at < forest.transactions)
    _check(forest, level, edges)
    ends = [level_one_roots(forest, base, each) for each in (edges.script_a, edges.script_b)]
    nodes = Nodes.of(forest, base, *ends)
    payee = np.full(len(edges), -1, np.int64)
    if guards.payee:
        payee = payees_of(forest.reader, edges)
        asked = np.flatnonzero(payee >= 0)
        payee[asked] = nodes.places(level_one_roots(forest, base, payee[asked]))
    held_by, actors = actors_of(forest, base, guards.cannot_link)
    a, b = (nodes.places(each) for each in ends)
    actor = _actors(nodes, held_by, actors)
    outcome = join_under_guards(Graph(a, b, payee, edges.tx_index, edges.rule, nodes.weight, actor), guards)
    conflicted = tuple(held_by[actors < 0].tolist())
    return LevelView(level, forest, edges, guards, base, nodes, (a, b), outcome, conflicted)


def _check(forest: Forest, level: Level, edges: Edges) -> None:
    if level not in ("L2", "L3"):
        raise UsageError(f"level {level} is no view of inferences", hint="choose L2 or L3; L1 is the forest itself")
    lead = np.isin(edges.rule, [int(rule) for rule in LEADS])
    if level == "L2" and lead.any():
        name = EdgeRule(int(edges.rule[lead][0])).rule
        raise UsageError(f"edges of rule {name} are leads and do not belong to level L2", hint="build level L3")
    scripts = forest.reader.counts.script
    for each in (edges.script_a, edges.script_b):
        if len(each) and not (int(each.min()) >= 0 and int(each.max()) < scripts):
            raise UsageError(
                f"an edge names script {int(each.max())}", hint=f"this snapshot holds scripts 0 to {scripts - 1}"
            )


def _actors(nodes: Nodes, held_by: I64, actors: I64) -> I64:
    from cointrail.kernels.cluster.level import NOBODY

    found = np.full(len(nodes), NOBODY, np.int64)
    place = nodes.places(held_by)
    found[place[place >= 0]] = actors[place >= 0]
    return found


class LevelView:
    """Clusters of a level; made by `build`.

    Attributes:
        level: "L2" or "L3".
        forest: L1 at the snapshot.
        edges: the inferences inside the snapshot.
        guards: as given.
        base: L1 root of every script if an overlay replaces the forest's, or None.
        accepted: bool (e,), edges that are not held.
        held: the others.
        conflicted: L1 roots of clusters that already hold scripts of different actors; nothing extends them.
    """

    def __init__(
        self,
        level: Level,
        forest: Forest,
        edges: Edges,
        guards: Guards,
        base: U32 | None,
        nodes: Nodes,
        ends: tuple[I64, I64],
        outcome: Outcome,
        conflicted: tuple[int, ...],
    ) -> None:
        self.level, self.forest, self.edges, self.guards, self.base = level, forest, edges, guards, base
        self.conflicted = conflicted
        self._nodes, self._ends, self._component = nodes, ends, outcome.component
        self._size = np.zeros(len(nodes), np.int64)
        np.add.at(self._size, outcome.component, nodes.weight)
        self.accepted: Mask = np.asarray(outcome.reason == 0, np.bool_)
        row = np.flatnonzero(~self.accepted)
        roots = np.stack([nodes.root[outcome.component[end[row]]] for end in ends])
        sizes = np.stack([outcome.size_a[row], outcome.size_b[row]])
        self.held = HeldEdges(edges, row, outcome.reason[row], roots, sizes)

    # Who is with whom.

    def root_of(self, script_id: int) -> int:
        """Root of a script's cluster: the smallest L1 root inside.

        Raises:
            NotFound: the script is not in the snapshot.
        """
        self.forest.check_script(script_id)
        return int(self.roots(np.array([script_id]))[0])

    def roots(self, scripts: npt.ArrayLike) -> I64:
        """Roots of many scripts, int64 (n,)."""
        asked = np.asarray(scripts, np.int64).reshape(-1)
        return self._above(level_one_roots(self.forest, self.base, asked))

    def all_roots(self) -> U32:
        """Root of every script of the snapshot, uint32 (scripts,)."""
        base = self.forest.all_roots() if self.base is None else self.base
        return self._above(base.astype(np.int64)).astype(np.uint32)

    def partition(self) -> U32:
        """The cluster_id of every script, uint32 (scripts,): the smallest script_id of its cluster."""
        return smallest_of(self.all_roots())

    def _above(self, level_one: I64) -> I64:
        """Level roots of L1 roots."""
        place = self._nodes.places(level_one)
        found, inside = level_one.copy(), place >= 0
        found[inside] = self._nodes.root[self._component[place[inside]]]
        return found

    def size(self, script_id: int) -> int:
        """How many scripts the cluster of a script has."""
        root, place = self._cluster(script_id)
        return int(self._size[place]) if place >= 0 else self._level_one_size(root)

    def level_one_clusters(self, script_id: int) -> I64:
        """L1 roots inside the cluster of a script, int64, ascending."""
        root, place = self._cluster(script_id)
        if place < 0:
            return np.array([root], np.int64)
        return np.asarray(self._nodes.root[self._component == place], np.int64)

    def members(self, script_id: int, most: int | None = None) -> I64:
        """Scripts of a cluster, int64: one L1 cluster after the other, as `level_one_clusters` lists them.

        Args:
            script_id: any of its scripts.
            most: most scripts to collect, None for all.
        """
        roots = self.level_one_clusters(script_id)
        if self.base is not None:
            found = np.flatnonzero(np.isin(self.base, roots))
            return found[np.argsort(self.base[found], kind="stable")][:most]
        parts: list[I64] = []
        left = self.size(script_id) if most is None else min(most, self.size(script_id))
        for root in roots.tolist():
            if left <= 0:
                break
            parts.append(self.forest.members(root, left)[0])
            left -= len(parts[-1])
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _cluster(self, script_id: int) -> tuple[int, int]:
        """Root of a script's cluster, and the root's number, -1 if no edge touches the cluster."""
        root = self.root_of(script_id)
        return root, int(self._nodes.places(np.array([root]))[0])

    def _level_one_size(self, root: int) -> int:
        return self.forest.size(root) if self.base is None else int((self.base == root).sum())

    # Why.

    def edges_of(self, script_id: int) -> I64:
        """Accepted edges inside the cluster of a script, int64 rows of `edges`, ascending."""
        _, place = self._cluster(script_id)
        if place < 0:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.accepted & (self._component[self._ends[0]] == place))

    def evidence(self, script_id: int) -> dict[str, int]:
        """What a cluster rests on: joins made at L1, and accepted edges by rule."""
        rules, counts = np.unique(self.edges.rule[self.edges_of(script_id)], return_counts=True)
        joins = self.size(script_id) - len(self.level_one_clusters(script_id))
        found = {EdgeRule(code).rule: count for code, count in zip(rules.tolist(), counts.tolist(), strict=True)}
        return {"L1": joins} | found

    def path(self, one: int, two: int) -> tuple[Crossing, ...] | None:
        """The edges of a shortest way between the L1 clusters of two scripts.

        Returns:
            The edges from `one` to `two`, empty if they are together at L1; None if they are not in one cluster.
            Between two edges, and at both ends, scripts are linked at L1.
        """
        from cointrail.kernels.cluster.bridges import adjacency
        from cointrail.kernels.cluster.level import shortest_path

        if self.root_of(one) != self.root_of(two):
            return None
        start, goal = level_one_roots(self.forest, self.base, np.array([one, two], np.int64)).tolist()
        if start == goal:
            return ()
        rows = self.edges_of(one)
        a, b = (end[rows] for end in self._ends)
        inside = np.unique(np.append(a, b))
        near = [np.searchsorted(inside, end) for end in (a, b)]
        ends = np.searchsorted(inside, self._nodes.places(np.array([start, goal])))
        way = shortest_path(*adjacency(len(inside), *near), *ends.tolist())
        steps, here = [], int(ends[0])
        for k in way.tolist():
            turned = int(near[0][k]) != here
            here = int(near[0][k] if turned else near[1][k])
            steps.append(self._crossing(int(rows[k]), turned=turned))
        return tuple(steps)

    def _crossing(self, row: int, *, turned: bool) -> Crossing:
        edges = self.edges
        scripts = (int(edges.script_a[row]), int(edges.script_b[row]))
        name = EdgeRule(int(edges.rule[row])).rule
        x, y = scripts[::-1] if turned else scripts
        return Crossing(row, int(edges.decided_at[row]), int(edges.tx_index[row]), name, x, y)
