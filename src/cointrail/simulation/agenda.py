"""What is to be done at which height: the economy's clock.

Actions of one height run in the order in which they were entered, so nothing depends on hashing.
"""

import heapq
from collections.abc import Callable

from cointrail.simulation.chain import PRELUDE_BLOCKS, Chain

Action = Callable[[], None]

HOUR = 3_600
DAY = 24 * HOUR
WEEK = 7 * DAY
MONTH = 4 * WEEK


class Agenda:
    """Actions that wait for their height.

    Args:
        chain: whose height counts.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._entries: list[tuple[int, int, Action]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def now(self) -> int:
        """Seconds since the prelude ended, as the block that is being filled has them; negative in the prelude."""
        return (self._chain.height - PRELUDE_BLOCKS) * self._chain.spacing

    def height_at(self, seconds: int) -> int:
        """The first block at or after that many seconds since the prelude ended."""
        return PRELUDE_BLOCKS + max(0, -(-seconds // self._chain.spacing))

    def schedule(self, height: int, action: Action) -> None:
        """Do something in the block of that height, or in the block being filled if that has passed."""
        heapq.heappush(self._entries, (max(height, self._chain.height), self._order, action))
        self._order += 1

    def at_time(self, seconds: int, action: Action) -> None:
        """Do something that many seconds after the prelude ended."""
        self.schedule(self.height_at(seconds), action)

    def after(self, seconds: int, action: Action) -> None:
        """Do something that many seconds from now, in a later block."""
        blocks = max(1, -(-seconds // self._chain.spacing))
        self.schedule(self._chain.height + blocks, action)

    def every(self, first: int, interval: int, action: Action) -> None:
        """Do something at `first` seconds after the prelude ended, and again at each interval after it."""

        def turn() -> None:
            action()
            self.every(max(first + interval, self.now + 1), interval, action)

        self.at_time(first, turn)

    def run(self) -> None:
        """Do all that is due in the block being filled, also what is entered meanwhile for the same block.

        If the block gets crowded the rest is done in the next one.
        """
        while self._entries and self._entries[0][0] <= self._chain.height and not self._chain.crowded:
            heapq.heappop(self._entries)[2]()
