"""Figures of arrivals: sums, shares, hops, times, and what came before, during and after a service was sanctioned.

The median of hops is by value: the smallest number of hops by which at least half of the satoshis came, each counted by
the fewest transactions between the wallet and where it arrived. A time is the miner-declared one of the block of the
service's transaction; it counts as during a listing from the listing's first second to its last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.exposure.exposure import Exposure
from cointrail.profile.exposure.ways import Way
from cointrail.trace.limits import MILLION
from cointrail.trace.services import Sanction

I64 = npt.NDArray[np.int64]

NOT_KNOWN: Final = 0
BEFORE: Final = 1
DURING: Final = 2
ENDED: Final = 3


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
    """What came before, during and after a service was on a list of sanctions.

    Attributes:
        before_sat, during_sat, ended_sat: by the time of the service's transaction; they sum to what came.
        own_during_sat: of `during_sat`, what the wallet's own transaction moved during the listing too; None if ways
            were not made.
    """

    before_sat: int
    during_sat: int
    ended_sat: int
    own_during_sat: int | None


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


def when_listed(sanction: Sanction | None, times: I64) -> npt.NDArray[np.uint8]:
    """Of times, seconds since 1970: before, during or after a listing; `NOT_KNOWN` if no tag says when it began."""
    if sanction is None or sanction.since is None:
        return np.full(len(times), NOT_KNOWN, np.uint8)
    found = np.where(times < sanction.since, BEFORE, DURING).astype(np.uint8)
    if sanction.until is not None:
        found[(found == DURING) & (times >= sanction.until)] = ENDED
    return found


def listing(
    reader: Reader, exposure: Exposure, times: I64, rows: I64, service: int, ways: Iterable[Way] | None
) -> Listing | None:
    """What of a service's arrivals came before, during and after its listing; None if no tag says when it began.

    Args:
        reader: the ledger at a snapshot.
        exposure: what was found.
        times: int64 (a,), of all its arrivals.
        rows: numbers of arrivals, all of this service.
        service: its number.
        ways: those to the same arrivals, if they were made.
    """
    sanction = exposure.services.sanction_of(service)
    if sanction is None or sanction.since is None:
        return None
    when = when_listed(sanction, times[rows])
    before, during, ended = (int(exposure.sat[rows][when == each].sum()) for each in (BEFORE, DURING, ENDED))
    own = None if ways is None else _own_during(reader, exposure, ways, sanction)
    return Listing(before, during, ended, own)


def _own_during(reader: Reader, exposure: Exposure, ways: Iterable[Way], sanction: Sanction) -> int:
    flow, listed = exposure.flow, list(ways)
    if flow is None or not listed:
        return 0
    first, last = (times_of(reader, flow.tx[flow.next_step[[way.parts[place] for way in listed]]]) for place in (0, -2))
    sat = np.array([way.sat for way in listed], np.int64)
    during = (when_listed(sanction, first) == DURING) & (when_listed(sanction, last) == DURING)
    return int(sat[during].sum())
