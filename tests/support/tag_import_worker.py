"""Imports a second version of a list and is killed on the way: `python tag_import_worker.py WHERE STAGE [BYTES]`.

STAGE is `reading`, `comparing`, `written` (all rows are there, the transaction is not yet kept), or `never`. With BYTES
no file can become longer than that, as on a disk that is full.
"""

import os
import resource
import signal
import sys

from tag_packs import locate, pack, tag

from cointrail.attribution.store.changes import importing
from cointrail.database import Database

FIRST = [tag(f"old{number}", number % 3) for number in range(12_000)]
SECOND = [*FIRST[:6_000], *(tag(f"new{number}", number % 5) for number in range(30_000))]


def die(*_: object, **__: object) -> None:
    """End this process as the kernel ends it."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(where: str, stage: str) -> None:
    """Import, and die."""

    def progress(what: str, tags: int) -> None:
        if what == stage and tags > 15_000:
            die()

    if stage == "written":
        importing.Imported = die  # type: ignore[misc,assignment]
    with Database(where) as database:
        importing.import_pack(database, pack(SECOND), "list.yaml", by="x", locate=locate, progress=progress)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    main(sys.argv[1], sys.argv[2])
