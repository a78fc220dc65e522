"""Exposure of one wallet in one direction: a haircut from all it sent, or back from all it received.

Seeds are the wallet's outputs, each with its whole value: for *sent* those that are spent, for *received* all. What
comes back to the wallet ends there. What does so by one transaction is change, and is taken off the total: a change
edge is no hop, and no exposure. Where a transaction takes outputs of the wallet and what came from it in other ways, as
a batch of withdrawals does, what is direct is told apart in proportion (`nearness`). The walk ends at every script that
tags name, whatever the category, and at CoinJoins.
Method: METHODS.md 7.3 and 4.2; docs/methods/exposure.md.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.structure.activity import activity
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.nearness import DIRECT_HOPS, nearness
from cointrail.profile.exposure.reach import ends_by_hops, walked_whole
from cointrail.trace.finders.own import apart_from
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import Watch, trace

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RULE: Final = "exposure"
VERSION: Final = 2

LIMITS: Final = Limits(hops=20, min_share_ppm=100, cluster=10_000, transactions=1_000_000)
"""METHODS.md 9 `exposure`, and the stop at large untagged clusters of 6.3."""


class Side(StrEnum):
    """Which way one looks from the wallet."""

    RECEIVED = "received"
    SENT = "sent"

    @property
    def direction(self) -> Direction:
        """Of the walk."""
        return Direction.FORWARD if self is Side.SENT else Direction.BACKWARD


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """What a walk found; arrivals are outputs of services at which it ended, by service, then in chain order.

    An arrival of which a part is direct and a part is not is there twice.

    Attributes:
        side: which way.
        flow: the walk; None if the wallet has nothing to walk from. It may look less far than was asked (`reach`).
        limits: those that were asked for.
        services: whom tags name, the wallet itself left out.
        part: int64 (a,), the part of the flow of each arrival.
        service: int64 (a,), number of its service.
        sat: int64 (a,), what came so far; hops: int64 (a,), fewest transactions between it and the wallet.
        tx: int64 (a,), the service's transaction: sent, the one that pays it; received, the one that spends its output.
        gross_sat: what the seeds hold less change; arrivals and `rest` sum to it.
        change_tx: int64 (c,), transactions that spent outputs of the wallet and paid it, as often as they did.
        change_part_sat: int64 (c,), what of each such output is change: it went back by that very transaction.
        rest: what ended elsewhere, by reason; SEED is what came back to the wallet by several transactions.
    """

    side: Side
    flow: Flow | None
    limits: Limits
    services: Services
    part: I64
    service: I64
    sat: I64
    hops: I64
    tx: I64
    gross_sat: int
    change_tx: I64
    change_part_sat: I64
    rest: dict[Reason, int]

    @property
    def change_sat(self) -> int:
        """All change."""
        return int(self.change_part_sat.sum())

    @property
    def whole_hops(self) -> int | None:
        """Within so many transactions all was followed; None if no number of hops ended the walk."""
        return self.limits.hops if self.flow is None else self.flow.asked.limits.hops

    @property
    def complete(self) -> bool:
        """False if a budget left something unfollowed."""
        return self.flow is None or (self.flow.complete and not _cut_off(self.flow, self.limits))

    @property
    def direct(self) -> Flags:
        """True for arrivals by a transaction of the wallet itself."""
        found: Flags = self.hops == DIRECT_HOPS
        return found


def find_exposure(
    reader: Reader,
    scripts: npt.ArrayLike,
    services: Services,
    side: Side,
    *,
    limits: Limits = LIMITS,
    watch: Watch = lambda _passed, _waiting: False,
) -> Exposure:
    """Find where the money of a wallet went, or where it came from.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        scripts: script_id of the wallet.
        services: everybody whom tags name; each ends a way.
        side: which way.
        limits: when else it ends.
        watch: sees progress, and may cancel.

    Raises:
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    return _Wallet(reader, scripts, services).exposure(side, limits, watch)


def find_exposures(
    reader: Reader,
    scripts: npt.ArrayLike,
    services: Services,
    *,
    limits: Limits = LIMITS,
    watch: Watch = lambda _passed, _waiting: False,
) -> dict[Side, Exposure]:
    """Both sides at once, each in a thread of its own: a walk waits for memory more than it computes.

    `watch` is called from both threads. For the rest see `find_exposure`.
    """
    wallet = _Wallet(reader, scripts, services)
    with ThreadPoolExecutor(len(Side)) as pool:
        found = pool.map(lambda side: wallet.exposure(side, limits, watch), Side)
        return dict(zip(Side, found, strict=True))


class _Wallet:
    """What both sides begin with.

    Args:
        reader: the ledger at a snapshot.
        scripts: script_id of the wallet.
        services: everybody whom tags name.
    """

    def __init__(self, reader: Reader, scripts: npt.ArrayLike, services: Services) -> None:
        # With indices numpy sorts, which takes a tenth of the time that it takes to hash a million numbers.
        own, _ = np.unique(np.asarray(scripts, np.int64), return_index=True)
        self._reader = reader
        self._services = apart_from(services, Forest(reader), own)
        self._outputs = np.sort(activity(reader, own).outputs)
        self._spent = reader.spenders(self._outputs) >= 0

    def exposure(self, side: Side, limits: Limits, watch: Watch) -> Exposure:
        """One side."""
        own, spent = self._outputs, self._spent
        seeds, targets = (own[spent], own[~spent]) if side is Side.SENT else (own, own[:0])
        if not len(seeds):
            none = np.empty(0, np.int64)
            return Exposure(side, None, limits, self._services, none, none, none, none, none, 0, none, none, {})
        begins = Seeds(seeds, np.zeros(len(seeds), np.uint32), ("",))

        def ask(within: Limits) -> Flow:
            return trace(
                self._reader,
                begins,
                HAIRCUT,
                direction=side.direction,
                limits=within,
                services=self._services,
                targets=targets,
                watch=watch,
            )

        return _read(side, walked_whole(ask, limits, len(seeds)), limits, self._services)


def _read(side: Side, flow: Flow, limits: Limits, services: Services) -> Exposure:
    came = np.flatnonzero(flow.reason == Reason.SERVICE.code)
    part = came[np.lexsort((flow.output[came], flow.detail[came]))]
    back = np.flatnonzero(returned(flow))
    group = np.concatenate([flow.detail[part].astype(np.int64), np.full(len(back), len(services.names))])
    near = nearness(flow, np.concatenate([part, back]), group)
    whole = flow.sat[part]
    rows = np.repeat(np.arange(len(part)), 2)
    is_direct = np.tile([True, False], len(part))
    direct, far = near.direct_sat[: len(part)], near.far_hops[: len(part)]
    sat = np.where(is_direct, direct[rows], (whole - direct)[rows])
    kept = sat > 0
    change = near.direct_sat[len(part) :]
    change_sat = int(change.sum())
    return Exposure(
        side=side,
        flow=flow,
        limits=limits,
        services=services,
        part=part[rows][kept],
        service=group[rows][kept],
        sat=sat[kept],
        hops=np.where(is_direct, DIRECT_HOPS, far[rows])[kept],
        tx=flow.tx[flow.maker[part]][rows][kept],
        gross_sat=flow.traced_sat - change_sat,
        change_tx=flow.tx[flow.maker[back]],
        change_part_sat=change,
        rest=_rest(flow, limits, change_sat),
    )


def returned(flow: Flow) -> Flags:
    """True for parts that ended at an output of the wallet, bool (p,)."""
    return np.isin(flow.reason, (Reason.SEED.code, Reason.TARGET.code))


def _rest(flow: Flow, limits: Limits, change_sat: int) -> dict[Reason, int]:
    reasons = np.where(returned(flow), Reason.SEED.code, flow.reason)
    sums = np.zeros(len(REASONS), np.int64)
    np.add.at(sums, reasons, flow.sat)
    sums[Reason.SEED.code] -= change_sat
    sums[Reason.SERVICE.code] = 0
    if _cut_off(flow, limits):  # by the budget, whatever the walk calls it
        sums[Reason.TRANSACTIONS.code] += sums[Reason.HOPS.code]
        sums[Reason.HOPS.code] = 0
    return {reason: int(sums[reason.code]) for reason in Reason if sums[reason.code]}


def _cut_off(flow: Flow, limits: Limits) -> bool:
    """Whether the budget ended it within fewer hops than were asked for."""
    return flow.asked.limits.hops != limits.hops and ends_by_hops(flow)
