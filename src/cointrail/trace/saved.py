"""A trace that was stopped, in a file, to be taken up again: the question, the snapshot, and every column so far.

A plain NumPy archive without pickled objects: a header in JSON, and the arrays of `kernels.trace.state` for each
policy. The same file continues to the same result wherever the ledger holds the same blocks and clusters.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cointrail.bitcoin.amounts import MAX_MONEY
from cointrail.errors import InputRefused, SnapshotGone
from cointrail.ledger.reader import Reader
from cointrail.trace.fees import CoinbaseOrder, FeeMode, Fees
from cointrail.trace.flow import Direction
from cointrail.trace.limits import Limits
from cointrail.trace.policy import named
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Inferred, Sanction, Services
from cointrail.trace.walk import Walk, asked

_FORMAT: Final = "cointrail trace 3"
_BUDGETS: Final = ("transactions", "seconds", "megabytes")


def save(path: Path, walks: Sequence[Walk], note: dict[str, Any]) -> None:
    """Write traces of one question, each under its policy.

    Args:
        path: replaced only when the whole file is written.
        walks: at least one; none may be finished.
        note: what the asker wants back on `load`, as JSON.
    """
    first = walks[0]
    question, snapshot = first.asked, first.reader.snapshot
    header = {
        "format": _FORMAT,
        "network": snapshot.network,
        "height": snapshot.height,
        "digest": snapshot.digest,
        "clusters": _clusters_of(first.reader),
        "direction": question.direction,
        "limits": asdict(question.limits),
        "fees": asdict(question.fees),
        "policies": [walk.asked.policy.name for walk in walks],
        "coalesced": [walk.coalesced for walk in walks],
        "labels": first.seeds.names,
        "services": {name: getattr(question.services, name) for name in _SERVICE_TEXTS}
        | {"sanctions": [each and asdict(each) for each in question.services.sanctions]},
        "inferred": question.services.inferred and asdict(question.services.inferred),
        "note": note,
    }
    arrays: dict[str, Any] = {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        "seeds": first.seeds.outputs,
        "labels": first.seeds.labels,
        "targets": question.targets,
    }
    for name in _SERVICE_ARRAYS:
        arrays[f"services.{name}"] = getattr(question.services, name)
    for number, walk in enumerate(walks):
        arrays |= {f"{number}.{name}": cells for name, cells in walk.columns.items()}
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)


_SERVICE_TEXTS: Final = ("names", "kinds", "digest", "mixed", "categories", "said")
_SERVICE_ARRAYS: Final = ("scripts", "script_service", "roots", "root_service")


def load(path: Path, reader: Reader, budgets: Limits) -> tuple[list[Walk], dict[str, Any]]:
    """Read what `save` wrote.

    Args:
        path: the file.
        reader: the ledger at the height at which the trace was begun.
        budgets: whose `transactions`, `seconds` and `megabytes` count from here on; all else is as it was.

    Returns:
        (the traces, the note).

    Raises:
        InputRefused: it is no such file.
        SnapshotGone: the ledger holds other blocks or other clusters.
    """
    arrays = _read(path)
    try:
        header = json.loads(bytes(arrays["header"]))
        return _walks(header, arrays, reader, budgets), header["note"]
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(path) from error


def height_of(path: Path) -> int:
    """The height at which a saved trace was begun.

    Raises:
        InputRefused: it is no saved trace.
    """
    arrays = _read(path, "header")
    try:
        return int(json.loads(bytes(arrays["header"]))["height"])
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(path) from error


def _read(path: Path, *names: str) -> dict[str, Any]:
    if not path.is_file():
        raise _refused(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in names or file.files}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise _refused(path) from error


def _refused(path: Path) -> InputRefused:
    return InputRefused(f"{path} is no saved trace", hint="give a file that `trace --save` wrote")


def _walks(header: dict[str, Any], arrays: dict[str, Any], reader: Reader, budgets: Limits) -> list[Walk]:
    if header["format"] != _FORMAT:
        raise ValueError(header["format"])
    snapshot = reader.snapshot
    if (header["network"], header["height"], header["digest"]) != (
        snapshot.network,
        snapshot.height,
        snapshot.digest,
    ) or header["clusters"] != _clusters_of(reader):
        raise SnapshotGone(
            f"the trace was begun at height {header['height']} of {header['network']} over other blocks or clusters",
            hint="begin it anew",
        )
    limits = replace(Limits(**header["limits"]), **{name: getattr(budgets, name) for name in _BUDGETS})
    fees = Fees(FeeMode(header["fees"]["mode"]), CoinbaseOrder(header["fees"]["coinbase_order"]))
    told, inferred = header["services"], header["inferred"]
    services = Services(
        names=tuple(told["names"]),
        kinds=tuple(told["kinds"]),
        digest=told["digest"],
        mixed=told["mixed"],
        categories=tuple(map(tuple, told["categories"])),
        sanctions=tuple(each and Sanction(**each) for each in told["sanctions"]),
        said=tuple(told["said"]),
        inferred=inferred and Inferred(**inferred),
        **{name: arrays[f"services.{name}"] for name in _SERVICE_ARRAYS},
    )
    seeds = Seeds(arrays["seeds"], arrays["labels"], tuple(header["labels"]))
    walks = []
    for number, policy in enumerate(named(header["policies"])):
        question = asked(policy, Direction(header["direction"]), limits, fees, services, arrays["targets"])
        columns = _columns(arrays, number, len(seeds.names), reader)
        walks.append(Walk.resumed(reader, seeds, question, columns, int(header["coalesced"][number])))
    return walks


def _columns(arrays: dict[str, Any], number: int, labels: int, reader: Reader) -> dict[str, Any]:
    """The columns of one trace; rows that lead out of themselves or out of the ledger are refused."""
    from cointrail.kernels.trace.state import empty

    model = empty()._asdict()
    columns = {name: arrays[f"{number}.{name}"] for name in model if f"{number}.{name}" in arrays}
    for name, cells in columns.items():
        if cells.dtype != model[name].dtype or cells.ndim != 1:
            raise ValueError(name)
    parts, pieces, steps = (len(columns[name]) for name in ("output", "label", "tx"))
    transactions = reader.counts.transaction
    sound = all(len(columns[name]) == parts for name in ("sat", "hops", "reason", "detail", "next_step"))
    sound &= len(columns["offset"]) == len(columns["length"]) == pieces
    for ends, rows, below in (("first_piece", parts, pieces), ("first_part", steps, parts)):
        cells = columns[ends]
        sound &= len(cells) == rows + 1 and int(cells[-1]) == below and int(cells[0]) >= 0
        sound &= bool((np.diff(cells) >= 0).all())
    sound &= _inside(columns["output"], -1 - 2 * transactions, reader.counts.output)
    sound &= not (columns["output"] == -1).any()
    sound &= _inside(columns["tx"], 0, transactions) and _inside(columns["next_step"], -1, max(steps, 1))
    sound &= _inside(columns["label"], 0, labels)
    sound &= all(_inside(columns[name], 0, MAX_MONEY + 1) for name in ("sat", "offset", "length"))
    if not sound:
        raise ValueError("rows")
    return columns


def _inside(cells: Any, low: int, high: int) -> bool:
    return not len(cells) or (low <= int(cells.min()) and int(cells.max()) < high)


def _clusters_of(reader: Reader) -> list[Any]:
    """What decides clusters and signs: the rules and the lists, but not how far they reach."""
    clustering = reader.manifest.clustering
    return [[list(rule) for rule in clustering.rules], [[each.name, each.sha256] for each in clustering.lists]]
