"""A line of progress on a terminal, and a clean way to stop."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cointrail.ingest.report import Progress

_INTERVAL_SECONDS = 0.2


class ProgressLine:
    """Rewrites one line on stderr if that is a terminal; otherwise silent. A callable for `service.maintenance`."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = 0.0
        self._width = 0

    def show(self, text: str, *, last: bool = False) -> None:
        """Show a text unless another was shown a moment ago."""
        now = time.monotonic()
        if not self._terminal or (now - self._shown < _INTERVAL_SECONDS and not last):
            return
        self._shown = now
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def ingest(self, progress: "Progress") -> None:
        """Progress of an ingest."""
        if progress.stage == "scan":
            self.show(f"reading headers: file {progress.bytes_done + 1:,} of {progress.bytes_total:,}")
            return
        share = progress.bytes_done / max(progress.bytes_total, 1)
        rate = progress.transactions / max(progress.seconds, 1e-9)
        left = progress.seconds * (1 - share) / max(share, 1e-9)
        self.show(
            f"{share:4.0%}  height {progress.height:,} of {progress.target_height:,}  {rate:,.0f} transactions/s  "
            f"{duration(left)} left"
        )

    def verify(self, what: str, done: int, total: int) -> None:
        """Progress of a check."""
        self.show(f"checking {what}: {done:,} of {total:,}")


def duration(seconds: float) -> str:
    """Hours, minutes, seconds, the two largest that are not zero."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class StopFlag:
    """Set by the first Ctrl-C; the second one interrupts at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """True once the user has asked to stop."""
        return self.asked


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Turn Ctrl-C and SIGTERM into a request that the work asks for between batches."""
    flag = StopFlag()

    def handle(signum: int, frame: FrameType | None) -> None:
        del frame
        if flag.asked and signum == signal.SIGINT:
            raise KeyboardInterrupt
        flag.asked = True
        print("\nstopping after this batch; press Ctrl-C again to stop at once", file=sys.stderr)

    before = {signum: signal.signal(signum, handle) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
