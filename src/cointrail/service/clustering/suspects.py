"""Suspicious merges of a cluster in words: the rank, and the figures behind it."""

from collections.abc import Callable, Iterable

import numpy as np

from cointrail.cluster.level.edges import EdgeRule
from cointrail.cluster.structure.suspicion import Difference, Suspicion, Suspicions, Tagged
from cointrail.errors import InputRefused
from cointrail.service.answers import HabitAnswer, SuspicionAnswer
from cointrail.service.clustering.cluster import Cluster
from cointrail.service.names import moment, txid_of

SHOWN_PARTS = 10
"""Parts that are named by size, the largest first."""

_CLEAR_BITS = 3.0  # differences that are worth a word
_MOST_ACTORS = 500  # pairs of them are compared at every bridge


def suspicious(found: Cluster, ranks: Callable[[int], Iterable[int]]) -> tuple[tuple[SuspicionAnswer, ...], int]:
    """(a page of the ranking, how many there are).

    Raises:
        InputRefused: too many actors are tagged inside.
    """
    marked, actors = _tagged_inside(found)
    ranking = Suspicions(found.reader, found.activity, found.evidence, found.bridges, marked)
    return tuple(_answer(found, ranking[rank], rank, actors) for rank in ranks(len(ranking))), len(ranking)


def _tagged_inside(found: Cluster) -> tuple[Tagged, tuple[str, ...]]:
    """The tagged scripts of a cluster, and the names of their actors by number."""
    tags = found.tags
    if tags is None:
        return Tagged(), ()
    inside = np.isin(tags.script_id, found.scripts)
    present, renumbered = np.unique(tags.actor[inside], return_inverse=True)
    if len(present) > _MOST_ACTORS:
        raise InputRefused(
            f"{len(present)} different actors are tagged inside this cluster",
            hint=f"give a table of at most {_MOST_ACTORS} that matter",
        )
    marked = Tagged(tags.script_id[inside], renumbered.astype(np.int64))
    return marked, tuple(tags.actors[number] for number in present.tolist())


def _answer(found: Cluster, each: Suspicion, rank: int, actors: tuple[str, ...]) -> SuspicionAnswer:
    tx_index, code = int(found.evidence.joins[each.piece]), int(found.evidence.rule[each.piece])
    by_hand = tx_index < 0
    named = tuple(tuple(actors[number] for number in part) for part in each.actors[:SHOWN_PARTS])
    return SuspicionAnswer(
        rank=rank + 1,
        txid=None if by_hand else txid_of(found.reader, tx_index),
        height=None if by_hand else moment(found.reader, tx_index).height,
        rule=EdgeRule(code).rule if code in list(EdgeRule) else "cospend",
        score_bits=each.score,
        reason=_reason(each, named, found.tags.lists if found.tags else ""),
        separated=each.separated,
        parts=len(each.parts),
        sizes=each.parts[:SHOWN_PARTS],
        actors=named,
        unnecessary_input=each.unnecessary_input,
        age_blocks=each.age_blocks,
        habits=tuple(_habit(difference) for difference in each.differences),
    )


def _habit(each: Difference) -> HabitAnswer:
    larger, smaller = (dict(zip(each.kinds, counts, strict=True)) for counts in (each.larger, each.smaller))
    return HabitAnswer(each.habit, larger, smaller, each.bits)


def _reason(each: Suspicion, actors: tuple[tuple[str, ...], ...], source: str) -> str:
    """The figures in one lower-case line."""
    told = []
    if len(each.parts) > 1:
        told.append(f"alone holds together parts of {each.parts[0]:,} and {each.parts[1]:,} scripts")
    if each.separated:
        parted = " | ".join("/".join(part) for part in actors if part)
        told.append(f"its parts are attributed to different actors by {source}: {parted}")
    clear = [difference.habit for difference in each.differences if difference.bits >= _CLEAR_BITS]
    if clear:
        told.append(f"the two largest differ in {', '.join(clear)}")
    if each.unnecessary_input:
        told.append("an input was not needed for the larger output")
    if each.age_blocks is not None:
        told.append(f"the younger part was {each.age_blocks:,} blocks old")
    return "; ".join(told) or "no bridge: other evidence joins the same scripts"
