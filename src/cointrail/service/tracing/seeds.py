"""From what people have to the outputs a trace begins at: txids, outpoints, addresses, clusters, or a file of them."""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.errors import AddressError, InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.names import find_script, find_seed
from cointrail.trace.seeds import Collision, Seeds

I64 = npt.NDArray[np.int64]

CLUSTER: Final = "cluster:"
_SHOWN = 20
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A file of seeds: how many of its rows are on the chain.

    `refused`: rows that are no seed of this network, the first of them at the lines `unreadable`.
    """

    file: str
    sha256: str
    rows: int
    found: int
    absent: int
    refused: int
    unreadable: tuple[int, ...]


def outputs_of_seed(reader: Reader, seed: str, *, before: Callable[[], Forest] | None = None) -> I64:
    """Outputs that a seed names: of an outpoint one, of a txid all, of an address or `cluster:ADDRESS` all that pay it.

    Raises:
        InputRefused: it is none of these.
        NotFound: not in this snapshot.
        Unavailable: a cluster is asked for and the ledger's do not reach the snapshot.
    """
    if not seed.startswith(CLUSTER):
        return find_seed(reader, seed)
    try:
        script = find_script(reader, seed.removeprefix(CLUSTER))
    except AddressError as error:
        raise InputRefused(f"{seed!r}: {error}", hint="give cluster: and an address of the cluster") from error
    forest = before() if before else Forest(reader)
    members, _ = forest.members(script)
    return outputs_of_scripts(reader, members.tolist())


def outputs_of_scripts(reader: Reader, scripts: Iterable[int]) -> I64:
    """All outputs that pay any of these scripts, int64, ascending."""
    found = [output for script in scripts for output in reader.outputs_of_script(script)]
    return np.array(sorted(found), np.int64)


def find_seeds(
    reader: Reader,
    texts: Sequence[str],
    path: Path | None = None,
    *,
    collision: Collision = Collision.FIRST,
    watch: Callable[[int], None] = lambda _rows: None,
) -> tuple[Seeds, SeedFile | None]:
    """The outputs that seeds on the command line and in a file name, each under its label.

    A seed that is given by itself is its own label. A file has a seed a line, and may have its label behind a comma.

    Raises:
        InputRefused, NotFound: a seed on the command line is none, or not in this snapshot; the file is not readable.
    """
    names: dict[str, int] = {}
    outputs: list[I64] = []
    labels: list[tuple[int, int]] = []  # (label, how many outputs)

    def add(label: str, found: I64) -> None:
        number = names.setdefault(label, len(names))
        outputs.append(found)
        labels.append((number, len(found)))

    for text in dict.fromkeys(texts):
        add(text, outputs_of_seed(reader, text))
    summary = None if path is None else _read(reader, path, add, watch)
    joined = np.concatenate([*outputs, np.empty(0, np.int64)])
    numbers = np.repeat([number for number, _ in labels], [count for _, count in labels]).astype(np.uint32)
    return Seeds.labelled(joined, numbers, tuple(names), collision), summary


def _read(reader: Reader, path: Path, add: Callable[[str, I64], None], watch: Callable[[int], None]) -> SeedFile:
    rows = found = absent = refused = 0
    unreadable: list[int] = []
    for line, seed, label in _rows(path):
        rows += 1
        try:
            add(_label(label or seed), outputs_of_seed(reader, seed))
            found += 1
        except NotFound:
            absent += 1
        except InputRefused:
            # What stands there may be a secret: it is not repeated.
            refused += 1
            if len(unreadable) < _SHOWN:
                unreadable.append(line)
        if not rows % 1_000:
            watch(rows)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return SeedFile(path.name, digest.hexdigest(), rows, found, absent, refused, tuple(unreadable))


def _label(text: str) -> str:
    if not text.isprintable():
        raise InputRefused("a label holds characters that cannot be printed on one line")
    return text


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, seed, label) of a file; a first line `seed,label` or `address,...` is a header."""
    if not path.is_file():
        raise InputRefused(f"{path} is no regular file", hint="give a text file with a seed a line")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 30} GiB", hint="split it")
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in enumerate(csv.reader(file, strict=True), 1):
                seed = row[0].strip() if row else ""
                if not seed or seed.startswith("#") or (line == 1 and seed.lower() in ("seed", "address")):
                    continue
                yield line, seed, row[1].strip() if len(row) > 1 else ""
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(f"{path} is no text table: {error}", hint="give a text file with a seed a line") from error
