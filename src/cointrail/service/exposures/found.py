"""Both sides of a wallet's exposure as methods give them: what every answer of this room is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import LIMITS, Exposure, Side, find_exposures
from cointrail.profile.exposure.figures import times_of
from cointrail.profile.exposure.ways import Way, ways_of
from cointrail.service.attribution.choice import TagSource
from cointrail.service.tracing.found import Wallet, wallet_of
from cointrail.service.tracing.stops import find_stops
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.limits import Limits

I64 = npt.NDArray[np.int64]
Watched = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One side: the exposure, the block times of its arrivals, and the ways, None if too many or not asked for."""

    exposure: Exposure
    times: I64
    ways: tuple[Way, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Both sides of a wallet, and what was asked."""

    reader: Reader
    text: str
    wallet: Wallet
    sides: Mapping[Side, Half]
    limits: Limits
    tags: TagsUsed | None

    @property
    def complete(self) -> bool:
        """False if a budget left something unfollowed."""
        return all(half.exposure.complete for half in self.sides.values())


def find(
    reader: Reader,
    text: str,
    *,
    services: TagSource = None,
    overlay: Path | None = None,
    limits: Limits = LIMITS,
    ways: bool = True,
    service_like: bool = False,
    scoring: Watched = lambda _scored, _waiting: False,
    watch: Watched = lambda _passed, _waiting: False,
) -> Found:
    """Walk both ways from an address, or `cluster:ADDRESS`; for arguments and errors see `exposure.exposure`."""
    wallet = wallet_of(reader, text, overlay)
    known, tags = find_stops(reader, services, categories=None, service_like=service_like, scoring=scoring)
    sides = {
        side: Half(exposure, times_of(reader, exposure.tx), ways_of(exposure) if ways else None)
        for side, exposure in find_exposures(reader, wallet.scripts, known, limits=limits, watch=watch).items()
    }
    return Found(reader, text, wallet, sides, limits, tags)
