"""The ways behind an exposure: chains of transactions from the wallet to a service, with the satoshis of each.

Haircut says how much passes every output, not how what met in a transaction goes on. Read back from the arrivals, each
transaction's money is taken from what arrived at it in proportion, by largest remainder, one service after the other
out of what is left: exact both ways. What is taken is then laid over it in order, which cuts it into no more chains
than there are outputs. The chains of an arrival sum to it, those from an output of the wallet never exceed it.
Method: docs/methods/exposure.md; O(outputs that lead to arrivals + length of the chains).
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.profile.exposure.exposure import Exposure
from cointrail.trace.flow import Flow

I64 = npt.NDArray[np.int64]

MOST_WAYS: Final = 20_000
"""Chains that are made at most; beyond that none is listed, since a part of them would not sum."""


@dataclass(frozen=True, slots=True)
class Way:
    """A chain.

    Attributes:
        service: number of the service at its end.
        sat: satoshis that took it.
        parts: numbers of the parts of the flow, from the wallet's output to the service's.
    """

    service: int
    sat: int
    parts: tuple[int, ...]

    @property
    def hops(self) -> int:
        """Transactions between the wallet and the service, the last one included."""
        return len(self.parts) - 1


_Chain = tuple[int, "_Chain | None"]
"""A part and the chain that follows it to the service."""


@dataclass(slots=True)
class _Piece:
    """Satoshis of one service on one part, and how they go on."""

    service: int
    sat: int
    chain: _Chain

    def order(self) -> tuple[bool, int]:
        """Who is served first."""
        return self.chain[1] is not None, self.service


def ways_of(exposure: Exposure, most: int = MOST_WAYS) -> tuple[Way, ...] | None:
    """All ways to all services, by service, the greatest first, then by the parts; None if there are too many.

    Args:
        exposure: what was found.
        most: how many to make.
    """
    flow = exposure.flow
    if flow is None:
        return ()
    arrivals = dict(zip(exposure.part.tolist(), exposure.service.tolist(), strict=True))
    if len(arrivals) > most:
        return None
    back = _Back(flow)
    for part, service in arrivals.items():
        back.put(part, _Piece(service, int(flow.sat[part]), (part, None)))
    done = []
    for piece in back.to_wallet(most):
        if piece is None:
            return None
        done.append(Way(piece.service, piece.sat, tuple(_parts(piece.chain))))
    return tuple(sorted(done, key=lambda way: (way.service, -way.sat, way.parts)))


def _parts(chain: _Chain) -> Iterator[int]:
    at: _Chain | None = chain
    while at is not None:
        yield at[0]
        at = at[1]


class _Back:
    """Carries pieces back, the last transaction of the walk first.

    Args:
        flow: the walk.
    """

    def __init__(self, flow: Flow) -> None:
        self._sat, self._maker = flow.sat, flow.maker
        self._order = np.argsort(flow.next_step, kind="stable")
        self._begins = np.searchsorted(flow.next_step[self._order], np.arange(len(flow.tx) + 1))
        self._held: defaultdict[int, list[_Piece]] = defaultdict(list)  # by the step that made the part
        self._agenda: list[int] = []
        self._home: list[_Piece] = []
        self.made = 0

    def put(self, part: int, piece: _Piece) -> None:
        """A piece lies on a part, and waits for the step that made it."""
        step = int(self._maker[part])
        self.made += 1
        if step < 0:
            self._home.append(piece)
            return
        if step not in self._held:
            heapq.heappush(self._agenda, -step)
        self._held[step].append(piece)

    def to_wallet(self, most: int) -> Iterator[_Piece | None]:
        """Pieces on outputs of the wallet; None if there are more than that."""
        while self._agenda:
            if self.made > most:
                yield None
                return
            step = -heapq.heappop(self._agenda)
            self._cross(step, self._held.pop(step))
        yield from self._home

    def _cross(self, step: int, pieces: list[_Piece]) -> None:
        arrived = self._order[self._begins[step] : self._begins[step + 1]].tolist()
        self.made -= len(pieces)
        if len(arrived) == 1:
            for piece in pieces:
                self.put(arrived[0], _Piece(piece.service, piece.sat, (arrived[0], piece.chain)))
            return
        left = self._sat[arrived].tolist()
        # What ends here is served before what goes on, as `nearness` does: both agree on what is direct.
        pieces.sort(key=_Piece.order)
        for _, group in groupby(pieces, key=_Piece.order):
            own = list(group)
            taken = in_proportion(sum(piece.sat for piece in own), left)
            left = [have - gone for have, gone in zip(left, taken, strict=True)]
            self._lay(own, arrived, taken)

    def _lay(self, pieces: list[_Piece], arrived: list[int], taken: list[int]) -> None:
        """Cut pieces at the edges of what was taken from each part."""
        waiting = iter(pieces)
        piece, missing = next(waiting), 0
        missing = piece.sat
        for part, room in zip(arrived, taken, strict=True):
            while room:
                cut = min(room, missing)
                self.put(part, _Piece(piece.service, cut, (part, piece.chain)))
                room -= cut
                missing -= cut
                if not missing:
                    piece = next(waiting, piece)
                    missing = piece.sat


def in_proportion(total: int, weights: list[int]) -> list[int]:
    """Divide by largest remainder, ties to the first; never more than a weight while the total is no more than all."""
    whole = sum(weights) or 1
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return parts
