"""At which hours of the day and on which days of the week a wallet moved.

By the time that the miner of each block declared, in UTC: no time of broadcast is on the chain, and blocks come ten
minutes apart with a wide spread. Hints at a time zone at most.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cointrail.ledger.reader import Reader
from cointrail.profile.moves import Selection

I64 = npt.NDArray[np.int64]

_HOUR, _DAY = 3_600, 86_400
_THURSDAY = 3  # 1970-01-01 was one; Monday is 0


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Numbers of transactions.

    Attributes:
        hours: int64 (24,), from midnight on, UTC.
        days: int64 (7,), from Monday on.
    """

    hours: I64
    days: I64


def clocks(reader: Reader, found: Selection) -> tuple[Clock, Clock]:
    """(of the transactions that pay the wallet and spend nothing of it, of those that spend from it)."""
    times = np.asarray(reader.column("block", "time")[found.touched.height], np.int64)
    spends = found.touched.inputs > 0
    return _clock(times[found.keep & ~spends]), _clock(times[found.keep & spends])


def _clock(times: I64) -> Clock:
    hours = np.bincount(times // _HOUR % 24, minlength=24)
    days = np.bincount((times // _DAY + _THURSDAY) % 7, minlength=7)
    return Clock(hours, days)
