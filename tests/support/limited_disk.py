"""Writes a ledger under a limit on the size of files: `python limited_disk.py SOURCE LEDGER WORK LIMIT...`.

A process of its own, with one thread when it forks. Each child meets the limit as a disk that is full: SIGXFSZ is
ignored, so a write beyond it fails. Prints a line of JSON for each limit.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

from ledgers import content, copy_of, follow

from cointrail.errors import CointrailError
from cointrail.ledger.verify import verify


def main(source: Path, ledger: Path, work: Path, limits: list[int]) -> None:
    """Try each limit on a copy of the ledger."""
    before = content(ledger)
    follow(source, work / "whole")  # compiled once here, not in every child
    whole = content(work / "whole")
    for limit in limits:
        copy = copy_of(ledger, work / "copy")
        outcome = _limited(source, copy, limit)
        outcome["limit"] = limit
        outcome["unchanged"] = content(copy) == before
        outcome["sound"] = verify(copy) == []
        follow(source, copy)
        outcome["completed"] = content(copy) == whole
        print(json.dumps(outcome), flush=True)


def _limited(source: Path, ledger: Path, limit: int) -> dict[str, object]:
    """Ingest in a child that cannot make a file longer than that."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        outcome: dict[str, object] = {"error": None, "exit_code": 0}
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            follow(source, ledger, batch=10**6)
        except CointrailError as error:
            outcome = {"error": f"{type(error).__name__}: {error}", "exit_code": error.exit_code, "hint": error.hint}
        except BaseException as error:
            outcome = {"error": f"{type(error).__name__}: {error}", "exit_code": -1}
        os.write(writing, json.dumps(outcome).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    found: dict[str, object] = json.loads(answer)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), [int(each) for each in sys.argv[4:]])
