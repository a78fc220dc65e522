"""Figures of arrivals: sums, shares, hops, times, and what came before and after a service was listed.

The median of hops is by value: the smallest number of hops by which at least half of the satoshis came, each counted by
the fewest transactions between the wallet and where it arrived. A time is the miner-declared one of the block of the
service's transaction; it counts as after a listing from the listing's first second on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Exposure
from cointrail.profile.exposure.ways import Way
from cointrail.trace.limits import MILLION

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some arrivals.

    Attributes:
        sat: what came.
        share_ppm: of the wallet's gross, in millionths, rounded down.
        outputs: how many outputs of services.
        hops_least, hops_median: see above; 0 if there are none.
        first_time, last_time: seconds since 1970 UTC; 0 if there are none.
    """

    sat: int
    share_ppm: int
    outputs: int
    hops_least: int
    hops_median: int
    first_time: int
    last_time: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What came before and after a service was listed.

    Attributes:
        since: first second of the listing, since 1970 UTC; None if no tag says, and then nothing is divided.
        before_sat, after_sat: by the time of the service's transaction; they sum to what came.
        own_after_sat: of `after_sat`, what the wallet's own transaction moved after the listing too; None if ways were
            not made.
    """

    since: int | None
    before_sat: int | None
    after_sat: int | None
    own_after_sat: int | None


def times_of(reader: Reader, tx_index: npt.ArrayLike) -> I64:
    """Block times of transactions, seconds since 1970 UTC, int64, same shape."""
    times: I64 = reader.column("block", "time")[reader.height_of_transactions(tx_index)].astype(np.int64)
    return times


def figures(exposure: Exposure, times: I64, rows: I64) -> Figures:
    """Of some arrivals.

    Args:
        exposure: what was found.
        times: int64 (a,), of all its arrivals.
        rows: numbers of arrivals.
    """
    if not len(rows):
        return Figures(0, 0, 0, 0, 0, 0, 0)
    sat, hops = exposure.sat[rows], exposure.hops[rows]
    total = int(sat.sum())
    return Figures(
        sat=total,
        share_ppm=share_ppm(total, exposure.gross_sat),
        outputs=len(np.unique(exposure.part[rows])),
        hops_least=int(hops.min()),
        hops_median=median_by_value(hops, sat),
        first_time=int(times[rows].min()),
        last_time=int(times[rows].max()),
    )


def share_ppm(part: int, whole: int) -> int:
    """Millionths of a whole, rounded down; 0 of nothing."""
    return part * MILLION // whole if whole else 0


def median_by_value(hops: I64, sat: I64) -> int:
    """The smallest number of hops by which at least half of the satoshis came; one or more rows."""
    order = np.argsort(hops, kind="stable")
    came = np.cumsum(sat[order])
    return int(hops[order[np.searchsorted(2 * came, came[-1])]])


def since_of(exposure: Exposure, service: int) -> int | None:
    """When a service was listed, if a tag says."""
    since = exposure.services.since
    return since[service] if service < len(since) else None


def listing(
    reader: Reader, exposure: Exposure, times: I64, rows: I64, service: int, ways: Iterable[Way] | None
) -> Listing:
    """What of a service's arrivals came before and after it was listed.

    Args:
        reader: the ledger at a snapshot.
        exposure: what was found.
        times: int64 (a,), of all its arrivals.
        rows: numbers of arrivals, all of this service.
        service: its number.
        ways: those to the same arrivals, if they were made.
    """
    since = since_of(exposure, service)
    if since is None:
        return Listing(None, None, None, None)
    sat, after = exposure.sat[rows], times[rows] >= since
    return Listing(
        since=since,
        before_sat=int(sat[~after].sum()),
        after_sat=int(sat[after].sum()),
        own_after_sat=None if ways is None else _own_after(reader, exposure, ways, since),
    )


def _own_after(reader: Reader, exposure: Exposure, ways: Iterable[Way], since: int) -> int:
    flow, listed = exposure.flow, list(ways)
    if flow is None or not listed:
        return 0
    first, last = (times_of(reader, flow.tx[flow.next_step[[way.parts[place] for way in listed]]]) for place in (0, -2))
    sat = np.array([way.sat for way in listed], np.int64)
    return int(sat[(first >= since) & (last >= since)].sum())
