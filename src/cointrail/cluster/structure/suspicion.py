"""Which merges of a cluster are doubtful: an order in which to look at the transactions that hold it together.

A PayJoin or a mix that no detector sees looks like any co-spend; what it leaves is a bridge between two parts that
differ. So bridges come first, and among them those between parts that hold different known actors, then by a score in
bits: how differently the two largest parts behave (`habits`), the size of the smaller of them, and an input that the
payment did not need (UIH2: true of about 30 % of ordinary transactions, so it counts one bit). Scores order; they are
no probabilities, and a high rank is a question, not a finding. Nothing here changes a cluster.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cointrail.cluster.structure.activity import Activity
from cointrail.cluster.structure.bridges import Bridges
from cointrail.cluster.structure.evidence import CO_SPEND, SAME_KEY, Evidence
from cointrail.cluster.structure.habits import Habit, bits_apart, habits_of
from cointrail.ledger.reader import Reader

I64 = npt.NDArray[np.int64]

RULE = ("suspicion", 1)

_UNNECESSARY_INPUT_BITS = 1.0
_DIGITS = 3  # of a score: the order must not hang on the last bits of a logarithm


@dataclass(frozen=True, slots=True)
class Tagged:
    """Scripts of known actors, as plain arrays: methods take no tags (METHODS.md, rooms).

    Attributes:
        script_id: int64 (k,); actor: int64 (k,), numbers from 0.
    """

    script_id: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    actor: I64 = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Difference:
    """One habit on the two sides of a bridge: how often each kind was seen, and how different that is."""

    habit: str
    kinds: tuple[str, ...]
    larger: tuple[int, ...]
    smaller: tuple[int, ...]
    bits: float


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a piece of evidence has its rank.

    Attributes:
        piece: number in `Evidence.joins`.
        score: bits.
        separated: pairs of known actors of which it alone holds the parts together.
        parts: scripts of each part that would be left, largest first; empty if it is no bridge.
        actors: known actors in each of these parts.
        unnecessary_input: it has an input that its larger output did not need.
        age_blocks: how long before it the younger of the two largest parts was first seen.
        differences: habits of the two largest parts without the transaction itself, most different first.
    """

    piece: int
    score: float
    separated: int
    parts: tuple[int, ...]
    actors: tuple[tuple[int, ...], ...]
    unnecessary_input: bool
    age_blocks: int | None
    differences: tuple[Difference, ...]


class Suspicions:
    """The co-spends and inferences of a cluster, most suspicious first; each is explained when it is asked for.

    Args:
        reader: the ledger at a snapshot.
        found: the members and what happened to them.
        held: the evidence inside.
        split: its bridges.
        tagged: scripts of known actors.

    Method: METHODS.md 2.6; SCENARIO.md, criterion 1.
    """

    def __init__(
        self, reader: Reader, found: Activity, held: Evidence, split: Bridges, tagged: Tagged | None = None
    ) -> None:
        self._reader, self._held, self._split = reader, held, split
        self._bridge = np.full(len(held.joins), -1, np.int64)
        self._bridge[split.piece] = np.arange(len(split.piece))
        self._habits, self._sides = self._compare(found)
        self._bits = np.stack([bits_apart(larger, smaller) for larger, smaller in self._sides])
        self._actors = _actors_in_parts(found.scripts, split, tagged or Tagged())
        self._separated = _separated(self._actors, split)
        self._suspect = np.isin(held.joins, held.suspects) & (held.rule == CO_SPEND)
        self.order = self._ranked()

    def __len__(self) -> int:
        return len(self.order)

    def _compare(self, found: Activity) -> tuple[list[Habit], list[tuple[I64, I64]]]:
        """The habits, and for each (largest part, second largest part) of all bridges, int64 (kinds, bridges)."""
        held, split = self._held, self._split
        chosen = self._bridge[held.edges.owner] >= 0
        bridge, place = self._bridge[held.edges.owner[chosen]], held.edges.row[chosen]
        own_part = split.parts_of(bridge, place)
        habits = habits_of(self._reader, found, place, held.joins[held.edges.owner[chosen]])
        largest = split.first[:-1]
        sides = []
        for habit in habits:
            rows = [
                split.sums(counts) - np.bincount(own_part, weights=own, minlength=len(split.size)).astype(np.int64)
                for counts, own in zip(habit.counts, habit.own, strict=True)
            ]
            shown = np.stack(rows)
            sides.append((shown[:, largest], shown[:, largest + 1]))
        return habits, sides

    def _ranked(self) -> I64:
        asked = np.flatnonzero(self._held.rule != SAME_KEY)
        bridge = self._bridge[asked]
        inside = bridge >= 0
        score, separated, is_bridge = np.zeros(len(asked)), np.zeros(len(asked), np.int64), inside.astype(np.int64)
        score[inside] = self._scores()[bridge[inside]]
        separated[inside] = self._separated[bridge[inside]]
        score += self._suspect[asked] * _UNNECESSARY_INPUT_BITS
        self._score = np.zeros(len(self._held.joins))
        self._score[asked] = np.round(score, _DIGITS)
        keys = (asked, -self._score[asked], -is_bridge, -separated)
        return asked[np.lexsort(keys)]

    def _scores(self) -> npt.NDArray[np.float64]:
        return np.asarray(np.log2(self._split.smaller) + np.maximum(self._bits, 0).sum(axis=0), np.float64)

    def __getitem__(self, rank: int) -> Suspicion:
        piece = int(self.order[rank])
        bridge = int(self._bridge[piece])
        shown: tuple[Difference, ...] = ()
        parts: tuple[int, ...] = ()
        actors: tuple[tuple[int, ...], ...] = ()
        if bridge >= 0:
            parts = tuple(self._split.sizes(bridge))
            ends = slice(int(self._split.first[bridge]), int(self._split.first[bridge + 1]))
            actors = tuple(tuple(np.flatnonzero(row).tolist()) for row in self._actors[:, ends].T)
            shown = self._differences(bridge)
        return Suspicion(
            piece=piece,
            score=float(self._score[piece]),
            separated=int(self._separated[bridge]) if bridge >= 0 else 0,
            parts=parts,
            actors=actors,
            unnecessary_input=bool(self._suspect[piece]),
            age_blocks=self._age(piece, bridge) if bridge >= 0 else None,
            differences=shown,
        )

    def _differences(self, bridge: int) -> tuple[Difference, ...]:
        found = [
            Difference(
                habit.name,
                habit.kinds,
                tuple(larger[:, bridge].tolist()),
                tuple(smaller[:, bridge].tolist()),
                round(float(bits[bridge]), 1),
            )
            for habit, (larger, smaller), bits in zip(self._habits, self._sides, self._bits, strict=True)
        ]
        return tuple(sorted(found, key=lambda each: -each.bits))

    def _age(self, piece: int, bridge: int) -> int:
        """Scripts are numbered by their first appearance, so a part is as old as its smallest."""
        oldest = [int(self._held.scripts[self._split.side(bridge, number)[0]]) for number in (0, 1)]
        first_script = self._reader.column("block", "first_script")
        seen = int(np.searchsorted(first_script, np.uint32(max(oldest)), "right")) - 1
        return int(self._reader.height_of_transactions(int(self._held.joins[piece]))) - seen


def _actors_in_parts(scripts: I64, split: Bridges, tagged: Tagged) -> I64:
    """How many scripts of each actor lie in each part, int64 (actors, parts)."""
    actors = int(tagged.actor.max(initial=-1)) + 1
    at = np.minimum(np.searchsorted(scripts, tagged.script_id), len(scripts) - 1)
    inside = scripts[at] == tagged.script_id
    rows = np.zeros((actors, len(split.size)), np.int64)
    for actor in np.unique(tagged.actor[inside]).tolist():
        marked = np.zeros(len(scripts), np.int64)
        marked[at[inside & (tagged.actor == actor)]] = 1
        rows[actor] = split.sums(marked)
    return rows


def _separated(actors: I64, split: Bridges) -> I64:
    """Pairs of actors that lie wholly in different parts, for each bridge, int64 (b,)."""
    bridges = len(split.piece)
    found = np.zeros(bridges, np.int64)
    if not bridges:
        return found
    where = np.full((len(actors), bridges), -1, np.int64)  # the only part that holds the actor, if it is one
    for actor, counts in enumerate(actors):
        holding = np.add.reduceat((counts > 0).astype(np.int64), split.first[:-1])
        part = np.maximum.reduceat(np.where(counts > 0, np.arange(len(counts)), -1), split.first[:-1])
        where[actor] = np.where(holding == 1, part, -1)
    present = where >= 0
    for actor in range(len(actors)):
        apart = present[:actor] & present[actor] & (where[:actor] != where[actor])
        found += apart.sum(axis=0)
    return found
