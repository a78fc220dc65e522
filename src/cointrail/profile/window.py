"""Which transactions of a wallet count: a range of heights, and how much they moved.

Times go by the median time of blocks, which never decreases (BIP113); the times that miners declare do, and order
nothing.
"""

from dataclasses import dataclass

import numpy as np

from cointrail.errors import NotFound, UsageError
from cointrail.ledger.reader import Reader


@dataclass(frozen=True, slots=True)
class Window:
    """A filter of transactions.

    Attributes:
        first, last: heights, both inside; `last` is `first - 1` where no block lies between two times.
        least_sat, most_sat: how much a transaction changed what the wallet holds, either way, both inside; None: any.
    """

    first: int
    last: int
    least_sat: int | None = None
    most_sat: int | None = None

    @property
    def by_value(self) -> bool:
        """True if small or large transactions are left out."""
        return self.least_sat is not None or self.most_sat is not None


def everything(reader: Reader) -> Window:
    """All of a snapshot."""
    return Window(0, reader.height)


def window(
    reader: Reader,
    *,
    first: int | None = None,
    last: int | None = None,
    from_time: int | None = None,
    to_time: int | None = None,
    least_sat: int | None = None,
    most_sat: int | None = None,
) -> Window:
    """A filter inside a snapshot.

    Args:
        reader: the ledger at a snapshot.
        first: height, inside.
        last: height, inside.
        from_time: seconds since 1970 UTC, inside, by median time; narrows the heights further.
        to_time: likewise.
        least_sat: of a transaction's change of the balance.
        most_sat: likewise.

    Raises:
        NotFound: a height is not in the snapshot.
        UsageError: the range ends before it begins, or an amount is negative.
    """
    for height in (first, last):
        if height is not None and not 0 <= height <= reader.height:
            raise NotFound(f"height {height} is not in this snapshot", hint=f"it holds heights 0 to {reader.height}")
    if first is not None and last is not None and first > last:
        raise UsageError(f"the range ends at height {last}, before it begins at {first}", hint="turn it round")
    if from_time is not None and to_time is not None and from_time > to_time:
        raise UsageError("the range of times ends before it begins", hint="turn it round")
    for sat in (least_sat, most_sat):
        if sat is not None and sat < 0:
            raise UsageError(f"an amount of {sat} sat is negative", hint="give the amount without a sign")
    if least_sat is not None and most_sat is not None and least_sat > most_sat:
        raise UsageError(f"no amount lies between {least_sat} and {most_sat} sat", hint="turn the limits round")
    low, high = heights_between(reader, from_time, to_time)
    low, high = max(low, first or 0), min(high, reader.height if last is None else last)
    return Window(low, max(high, low - 1), least_sat, most_sat)


def heights_between(reader: Reader, from_time: int | None, to_time: int | None) -> tuple[int, int]:
    """First and last height whose median times lie in a range; the last is below the first if there is none."""
    median = reader.column("block", "median_time")
    low = 0 if from_time is None else int(np.searchsorted(median, from_time, "left"))
    high = reader.height if to_time is None else int(np.searchsorted(median, to_time, "right")) - 1
    return low, high
