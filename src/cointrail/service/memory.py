"""How much memory a run took, measured from outside the code under measure."""

from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

_STATUS = Path("/proc/self/status")
_INTERVAL_SECONDS = 0.02


class PeakMemory:
    """Samples this process's memory while it is open. A context manager.

    Attributes:
        anonymous: most memory that belongs to the process alone, in bytes; 0 where the system does not tell.
        resident: most resident memory, mapped ledger files included, which the system may take back at any time.
    """

    def __init__(self) -> None:
        self.anonymous = self.resident = 0
        self._stop = Event()
        self._thread = Thread(target=self._sample, name="cointrail-memory", daemon=True)

    def __enter__(self) -> Self:
        self._read()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._read()

    def _sample(self) -> None:
        while not self._stop.wait(_INTERVAL_SECONDS):
            self._read()

    def _read(self) -> None:
        try:
            lines = _STATUS.read_text(encoding="ascii").splitlines()
        except OSError:
            return
        sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
        self.anonymous = max(self.anonymous, int(sizes.get("RssAnon", 0)) * 1024)
        self.resident = max(self.resident, int(sizes.get("VmRSS", 0)) * 1024)
