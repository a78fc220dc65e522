"""What of a large flow is shown one by one: the largest money first, and nothing without all that feeds it.

Because a transaction is shown only if everything that flows into it is, nothing flows back from the rest to what is
shown, and the rest can stand as one node at the end. Nothing is left out: what is not shown by itself is counted.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.reports.flows.endings import Endings
from cointrail.trace.flow import Flow

I64 = npt.NDArray[np.int64]
Bundles = list[list[int]]

SEEDS = -1
"""In place of a step: what makes the seeds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is shown one by one; None for everything.

    Attributes:
        nodes: most nodes, but for those that stand for the rest.
        fan: most ended outputs, and most seeds, of one transaction.
    """

    nodes: int | None = 120
    fan: int | None = 8


EVERYTHING = Bounds(None, None)


@dataclass(frozen=True, slots=True)
class Cut:
    """The choice. A bundle of one part is shown by itself.

    Attributes:
        shown: bool (steps,), transactions that are nodes.
        ends: by step (`SEEDS` too), bundles of parts that ended behind it.
        seeds: by step, bundles of seeds that go into it.
        rest: bundles of parts that ended behind transactions that are not shown.
        rest_seeds: the bundle of seeds that go into these, or nothing.
    """

    shown: npt.NDArray[np.bool_]
    ends: dict[int, Bundles]
    seeds: dict[int, Bundles]
    rest: Bundles
    rest_seeds: Bundles


def cut(flow: Flow, endings: Endings, bounds: Bounds) -> Cut:
    """Choose what is shown.

    Args:
        flow: a trace.
        endings: of it.
        bounds: how much.
    """
    choice = _Choice(flow, endings, bounds)
    choice.add_ends_of_seeds()
    for step in choice.ready_first():
        if not choice.add(step):
            break
    return Cut(choice.shown, choice.ends, choice.seeds, choice.rest(), choice.rest_seeds())


class _Choice:
    def __init__(self, flow: Flow, endings: Endings, bounds: Bounds) -> None:
        self.flow, self.endings, self.bounds = flow, endings, bounds
        self.drawn, self.count = endings.drawn, int(flow.first_part[0])
        self.order = np.argsort(flow.next_step, kind="stable")
        self.first = np.searchsorted(flow.next_step[self.order], np.arange(len(flow.tx) + 1))
        self.shown = np.zeros(len(flow.tx), np.bool_)
        self.ends: dict[int, Bundles] = {}
        self.seeds: dict[int, Bundles] = {}
        self.nodes = 0
        self.services: set[int] = set()

    def made(self, step: int) -> I64:
        """Parts that a step made, or the seeds."""
        if step == SEEDS:
            return np.arange(self.count)
        return np.arange(self.flow.first_part[step], self.flow.first_part[step + 1])

    def ready_first(self) -> Iterator[int]:
        """Steps whose feeders were all given before, the one that takes most first."""
        flow, steps = self.flow, len(self.flow.tx)
        going = np.flatnonzero(flow.next_step >= 0)
        inflow = np.zeros(steps, np.int64)
        np.add.at(inflow, flow.next_step[going], flow.sat[going])
        missing = np.bincount(flow.next_step[going[going >= self.count]], minlength=steps)
        ready = [(-int(inflow[step]), step) for step in np.flatnonzero(missing == 0).tolist()]
        heapq.heapify(ready)
        while ready:
            _, step = heapq.heappop(ready)
            yield step
            onward = flow.next_step[self.made(step)]
            for after in onward[onward >= 0].tolist():
                missing[after] -= 1
                if not missing[after]:
                    heapq.heappush(ready, (-int(inflow[after]), after))

    def add_ends_of_seeds(self) -> None:
        """Show seeds that went nowhere: each is an end, too."""
        seeds = self.made(SEEDS)
        self.ends[SEEDS] = self._bundled(seeds[self.drawn[seeds]])
        self.nodes += len(self.ends[SEEDS])

    def add(self, step: int) -> bool:
        """Show a step; False if there is no room any more. The first is always shown."""
        taken, made = self.order[self.first[step] : self.first[step + 1]], self.made(step)
        seeds, ends = self._bundled(taken[taken < self.count]), self._bundled(made[self.drawn[made]])
        services = {self.endings.service(bundle[0]) for bundle in ends} - {-1} - self.services
        nodes = 1 + len(seeds) + len(ends) + len(services)
        if self.bounds.nodes is not None and self.shown.any() and self.nodes + nodes > self.bounds.nodes:
            return False
        self.nodes += nodes
        self.services |= services
        self.shown[step], self.seeds[step], self.ends[step] = True, seeds, ends
        return True

    def rest(self) -> Bundles:
        """Ends behind what is not shown, with their like."""
        made_by = self.flow.maker[self.count :]
        behind = self.count + np.flatnonzero(~self.shown[made_by])
        return self._alike(behind[self.drawn[behind]])

    def rest_seeds(self) -> Bundles:
        """Seeds that go into what is not shown."""
        seeds = np.flatnonzero(self.flow.next_step[: self.count] >= 0)
        seeds = seeds[~self.shown[self.flow.next_step[seeds]]]
        return [seeds.tolist()] if len(seeds) else []

    def _bundled(self, parts: I64) -> Bundles:
        """The largest parts by themselves, the others with their like."""
        most = self.bounds.fan
        if most is None or len(parts) <= most + 1:
            return [[part] for part in parts.tolist()]
        order = parts[np.lexsort((parts, -self.flow.sat[parts]))]
        return [[part] for part in sorted(order[:most].tolist())] + self._alike(np.sort(order[most:]))

    def _alike(self, parts: I64) -> Bundles:
        """Parts by how they ended, in the order of the reasons."""
        kinds = self.endings.kinds(parts)
        order = np.argsort(kinds, kind="stable")
        edges = np.flatnonzero(np.diff(kinds[order])) + 1
        return [each.tolist() for each in np.split(parts[order], edges)] if len(parts) else []
