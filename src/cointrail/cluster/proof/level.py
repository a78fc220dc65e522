"""Why two scripts are in one cluster of a level above L1: inferences between L1 clusters, L1 steps inside them.

The way has as few inferences as possible; from the script where one enters an L1 cluster to the script where the next
leaves it leads the explanation of L1. If guards hold what would join two scripts, `held_between` names it (METHODS.md
1.2, 1.3, 2.3-2.6).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from cointrail.cluster.change import vote
from cointrail.cluster.level.guard import Held
from cointrail.cluster.level.view import Crossing, LevelView
from cointrail.cluster.proof.explain import Step
from cointrail.cluster.proof.shorten import MOST_ROWS, MOST_SCRIPTS, explain_shortly
from cointrail.errors import Unavailable

_SEARCHED = 50  # L1 clusters on a way in which a shorter way than the forest's is looked for


class Inference(NamedTuple):
    """A transaction whose change was named puts two scripts under common control.

    Attributes:
        tx_index: the transaction.
        rule, version: what named it.
        script_x, script_y: script_ids in the order of the way: one is spent there, the other is the change output's.
        decided_at: the last transaction that was read.
        detail: bits of the rules that voted, or basis points of probability, as in `Edges.detail`.
    """

    tx_index: int
    rule: str
    version: int
    script_x: int
    script_y: int
    decided_at: int
    detail: int

    @property
    def basis(self) -> Literal["inference"]:
        """It is believed, never computed from the chain alone."""
        return "inference"


@dataclass(frozen=True, slots=True)
class LevelExplanation:
    """Why two scripts are in one cluster of a level.

    Attributes:
        steps: the way; each step begins with the script the one before ended with.
        forest_steps: steps if each L1 part goes the forest's own way.
        shortest: True if no way has fewer inferences and no L1 part of this one could be shorter; False if a search was
            cut off.
    """

    steps: tuple[Step | Inference, ...]
    forest_steps: int
    shortest: bool


def explain_level(view: LevelView, script_a: int, script_b: int) -> LevelExplanation | None:
    """The way between two scripts at a level; that of L1 if they are together there.

    Args:
        view: the level at a snapshot, without an overlay.
        script_a: where the way begins.
        script_b: where it ends.

    Returns:
        The way; None if they are not in one cluster.

    Raises:
        NotFound: a script is not in the snapshot.
        Unavailable: the ledger is damaged.

    Method: METHODS.md 1.3.
    """
    crossings = view.path(script_a, script_b)
    if crossings is None:
        return None
    found, here = LevelExplanation((), 0, shortest=True), script_a
    parts: list[tuple[Step | Inference, ...]] = []
    for number, crossing in enumerate([*crossings, None]):
        there = crossing.script_x if crossing else script_b
        inside = _inside(view, here, there, search=number < _SEARCHED)
        parts.append(inside.steps)
        if crossing:
            parts.append((_inference(view, crossing),))
            here = crossing.script_y
        steps = found.forest_steps + inside.forest_steps + (1 if crossing else 0)
        found = LevelExplanation((), steps, found.shortest and inside.shortest)
    return LevelExplanation(tuple(step for part in parts for step in part), found.forest_steps, found.shortest)


def _inside(view: LevelView, one: int, two: int, *, search: bool) -> LevelExplanation:
    """The L1 way inside one L1 cluster; a long way of inferences is not searched all along."""
    most = (MOST_SCRIPTS, MOST_ROWS) if search else (0, 0)
    found = explain_shortly(view.forest, one, two, most_scripts=most[0], most_rows=most[1])
    if found is None:
        view.forest.reader.check_current()
        raise Unavailable(
            f"scripts {one} and {two} lie in one L1 cluster that does not link them",
            hint="the ledger is damaged: run `cointrail verify`",
        )
    return LevelExplanation(found.steps, found.forest_steps, found.shortest)


def _inference(view: LevelView, crossing: Crossing) -> Inference:
    versions = {vote.RULE: vote.VERSION} | dict(view.forest.rules)
    return Inference(
        tx_index=crossing.tx_index,
        rule=crossing.rule,
        version=versions.get(crossing.rule, 1),
        script_x=crossing.script_x,
        script_y=crossing.script_y,
        decided_at=crossing.decided_at,
        detail=int(view.edges.detail[crossing.edge]),
    )


def held_between(view: LevelView, script_a: int, script_b: int) -> tuple[Held, ...]:
    """Held inferences without whose guards two scripts would be in one cluster.

    Returns:
        One smallest set that leads from the cluster of `script_a` to that of `script_b`, in the order of the way; empty
        if they are in one cluster already, or if no held inferences would join them.

    Method: METHODS.md 2.6.
    """
    from cointrail.kernels.cluster.bridges import adjacency
    from cointrail.kernels.cluster.level import shortest_path

    start, goal = view.root_of(script_a), view.root_of(script_b)
    if start == goal or not len(view.held):
        return ()
    roots = np.asarray(view.held.roots, np.int64)
    inside = np.unique(np.append(roots, (start, goal)))
    near = [np.searchsorted(inside, end) for end in roots]
    ends = np.searchsorted(inside, np.array([start, goal]))
    way = shortest_path(*adjacency(len(inside), *near), *ends.tolist())
    return tuple(view.held[k] for k in way.tolist())
