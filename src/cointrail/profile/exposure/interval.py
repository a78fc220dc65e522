"""Bounds on an exposure that hold under every convention: by maximum flows over the arrivals that haircut found.

Sent: how much of the outputs at which it arrived can derive from what the wallet spent. Received: how much of the
wallet's outputs that it led to can derive from the services' outputs it came from. The search looks no farther than
the longest way that was found, and no more transactions than a budget; what it cannot see is counted both ways
(`trace.bounds`). What can have come through others whom tags name is taken off the lower bound.
Method: METHODS.md 5 and 7.3; docs/methods/exposure.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Exposure, Side
from cointrail.profile.exposure.ways import Way
from cointrail.trace.bounds import Interval, bounds
from cointrail.trace.limits import Limits
from cointrail.trace.policy import POISON
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.subgraph import as_far_as
from cointrail.trace.walk import Watch, trace

I64 = npt.NDArray[np.int64]

MOST_TRANSACTIONS: Final = 20_000
"""Transactions that are looked through for one interval; beyond that it is not computed."""


@dataclass(frozen=True, slots=True)
class ExposureInterval:
    """At least and at most so much, whatever the convention.

    Attributes:
        lower_sat, upper_sat: of the arrivals of haircut, or of the wallet's outputs that they led to.
        of_sat: what those outputs hold.
        exact: True if no limit made it wider.
    """

    lower_sat: int
    upper_sat: int
    of_sat: int
    exact: bool


def interval_of(
    reader: Reader,
    exposure: Exposure,
    ways: Sequence[Way],
    *,
    limits: Limits,
    transactions: int = MOST_TRANSACTIONS,
    watch: Watch = lambda _passed, _waiting: False,
) -> ExposureInterval | None:
    """Bounds on what came by some ways, taken together; None if that takes more than the budget.

    Args:
        reader: the ledger at a snapshot.
        exposure: what haircut found.
        ways: of one or several services, all of each; at least one.
        limits: those of the exposure.
        transactions: budget.
        watch: sees progress, and may cancel.
    """
    flow = exposure.flow
    if flow is None or not ways:
        return None
    ends = np.unique(flow.output[[way.parts[-1] for way in ways]])
    if exposure.side is Side.SENT:
        sources, targets, services = flow.seeds, ends, exposure.services
    else:
        sources, targets = Seeds.of(ends), np.unique(flow.output[[way.parts[0] for way in ways]])
        services = _without(exposure.services, {way.service for way in ways})
    allowed = replace(limits, hops=max(way.hops for way in ways), min_sat=0, min_share_ppm=0, transactions=transactions)
    question = _Question(reader, services, allowed, watch)
    found = question.bounds(sources, targets)
    if found is None:
        return None
    lower, exact = found.lower_sat, found.exact
    if lower:
        through = question.through_others(sources, targets)
        if through is None:
            return None
        lower, exact = max(0, lower - through), exact and not through
    return ExposureInterval(lower, found.upper_sat, found.value_sat, exact)


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What is the same for all flows of one interval."""

    reader: Reader
    services: Services
    limits: Limits
    watch: Watch

    def bounds(self, sources: Seeds, targets: I64) -> Interval | None:
        """Bounds on targets; None beyond the budget."""
        found = bounds(
            self.reader, sources, targets, limits=self.limits, services=self.services, alone=0, watch=self.watch
        )
        together = found.together
        return together if together.complete and found.passed < (self.limits.transactions or 0) else None

    def through_others(self, sources: Seeds, targets: I64) -> int | None:
        """The most of the targets that can have come through somebody else whom tags name: it is theirs, not counted.

        A walk ends there, a maximum flow goes on where it knows the next transaction all the same.
        """
        limits = as_far_as(self.reader, targets, self.limits)
        flow = trace(
            self.reader, Seeds.of(sources.outputs), POISON, limits=limits, services=self.services, watch=self.watch
        )
        others = np.setdiff1d(flow.output[flow.reason == Reason.SERVICE.code], targets)
        if not len(others):
            return 0
        others_services = _without(self.services, set(range(len(self.services.names))))
        found = replace(self, services=others_services).bounds(Seeds.of(others), targets)
        return None if found is None else found.upper_sat


def _without(services: Services, numbers: set[int]) -> Services:
    """Services of which some are left out: what they pay is followed, which a walk would not begin at their outputs."""
    gone = np.array(sorted(numbers), np.int64)
    scripts, roots = ~np.isin(services.script_service, gone), ~np.isin(services.root_service, gone)
    return replace(
        services,
        scripts=services.scripts[scripts],
        script_service=services.script_service[scripts],
        roots=services.roots[roots],
        root_service=services.root_service[roots],
    )
