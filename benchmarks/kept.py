"""A benchmark document of which some parts were measured now and the others before.

Every part keeps the machine, the date and the command of the run that measured it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from machine import without_folders

Document = dict[str, Any]


def joined(before: Document, now: Document, parts: Sequence[str]) -> Document:
    """What was measured now, and of before what was not.

    Args:
        before: an earlier document, itself joined or not.
        now: this run's.
        parts: names of all parts, in their order.
    """
    anew = {name for name in parts if name in now}
    runs = []
    for machine, names in runs_of(before, parts):
        rest = [name for name in names if name not in anew]
        if rest:
            runs.append({"machine": machine, "parts": rest})
    kept = {name: before[name] for run in runs for name in run["parts"]}
    measured = {name: now[name] for name in parts if name in anew}
    head = {"machine": now["machine"], "parameters": now["parameters"], "before": runs}
    return head | {name: (measured | kept)[name] for name in parts if name in measured or name in kept}


def runs_of(document: Document, parts: Sequence[str]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """(machine, its parts) of each run that a document has parts of, oldest first."""
    earlier = document.get("before", [])
    for run in earlier:
        command = without_folders(run["machine"]["command"])
        yield run["machine"] | {"command": command}, run["parts"]
    taken = {name for run in earlier for name in run["parts"]}
    machine = document["machine"]
    command = without_folders(machine["command"])
    yield machine | {"command": command}, [name for name in parts if name in document and name not in taken]
