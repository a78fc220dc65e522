"""Tagged addresses from a small table: what somebody says about who is behind an address.

A CSV file with the columns `address` and `actor`. Assertions of whoever wrote it, named by the file and its SHA-256: no
cluster is made from them, and none of level L1 depends on them. They order suspicious merges, and above L1 the collapse
guard keeps scripts of different actors apart.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cointrail.cluster.level.guard import CannotLink
from cointrail.errors import AddressError, InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Attribution, Rule, TaggedTable
from cointrail.service.clustering.files import read_file
from cointrail.service.names import find_script

I64 = npt.NDArray[np.int64]

MOST_ACTORS = 100
"""Actors that an answer names, those of most addresses first."""

_MOST_BYTES = 16 << 20
_COLUMNS = "give a table with the columns address,actor"
_CALLER = "the caller"


class TagTable(Mapping[str, str]):
    """Actor by address, and where that stands.

    Args:
        actors: actor by address.
        source: who says so: the file's name.
        sha256: of the file's bytes.
        rows: of the file; a row may be there twice.
    """

    def __init__(self, actors: Mapping[str, str], source: str, sha256: str, rows: int) -> None:
        self._actors, self.source, self.sha256, self.rows = dict(actors), source, sha256, rows

    def __getitem__(self, address: str) -> str:
        return self._actors[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._actors)

    def __len__(self) -> int:
        return len(self._actors)

    @classmethod
    def of(cls, tagged: Mapping[str, str]) -> "TagTable":
        """A table as it is; any other mapping by the SHA-256 of its JSON, keys sorted."""
        if isinstance(tagged, cls):
            return tagged
        content = json.dumps(dict(tagged), sort_keys=True, separators=(",", ":"))
        return cls(tagged, _CALLER, hashlib.sha256(content.encode()).hexdigest(), len(tagged))


def read_tagged(path: Path) -> TagTable:
    """Read a table of addresses and actors.

    Raises:
        Unavailable: it cannot be read.
        InputRefused: it is no such table, or larger than 16 MiB.
    """
    content = read_file(path, _MOST_BYTES, "give a CSV file of the addresses in question, columns address,actor")
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        rows, columns = list(table), table.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(f"{path} is no CSV file: {error}", hint=_COLUMNS) from error
    if missing := [name for name in ("address", "actor") if name not in columns]:
        raise InputRefused(f"{path} lacks the column {missing[0]}", hint=_COLUMNS)
    return TagTable(_actors(path, rows), path.name, hashlib.sha256(content).hexdigest(), len(rows))


def _actors(path: Path, rows: list[dict[str, Any]]) -> dict[str, str]:
    tagged: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        address, actor = (row["address"] or "").strip(), (row["actor"] or "").strip()
        if not address or not actor:
            raise InputRefused(f"line {number} of {path} lacks an address or an actor", hint=_COLUMNS)
        if not address.isprintable() or not actor.isprintable():
            raise InputRefused(
                f"line {number} of {path} holds characters that cannot be printed on one line",
                hint="give plain names",
            )
        if tagged.setdefault(address, actor) != actor:
            raise InputRefused(
                f"line {number} of {path} gives {address} a second actor",
                hint="decide which one holds, or leave it out",
            )
    return tagged


def scripts_of(reader: Reader, tagged: Mapping[str, str]) -> tuple[list[int], list[int], tuple[str, ...]]:
    """The tagged scripts of a snapshot.

    Returns:
        (script_ids, number of each one's actor, names of the actors); addresses that nothing pays are left out.

    Raises:
        InputRefused: a text is no address of this network.
    """
    actors = tuple(sorted(set(tagged.values())))
    number_of = {actor: number for number, actor in enumerate(actors)}
    scripts, numbers = [], []
    for address, actor in tagged.items():
        try:
            script = find_script(reader, address)
        except NotFound:
            continue
        except AddressError as error:
            raise InputRefused(f"tagged address: {error}", hint="correct the table of tagged addresses") from error
        scripts.append(script)
        numbers.append(number_of[actor])
    return scripts, numbers, actors


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """A table at a snapshot.

    Attributes:
        table: as it was given.
        script_id, actor: int64 (k,), the tagged scripts that the snapshot holds, ascending, and the number of each
            one's actor; a script that is tagged twice is there twice.
        actors: their names, by number.
    """

    table: TagTable
    script_id: I64
    actor: I64
    actors: tuple[str, ...]

    @classmethod
    def of(cls, reader: Reader, tagged: Mapping[str, str] | None) -> "Tags | None":
        """Resolve a table, if there is one.

        Raises:
            InputRefused: a text is no address of this network.
        """
        if tagged is None:
            return None
        table = TagTable.of(tagged)
        scripts, numbers, actors = scripts_of(reader, table)
        script_id, actor = np.unique(np.array([scripts, numbers], np.int64), axis=1)  # two spellings of one are one
        return cls(table, script_id, actor, actors)

    def cannot_link(self) -> CannotLink:
        """For the collapse guard."""
        return CannotLink(self.script_id, self.actor, self.table.sha256)

    def used(self, rules: tuple[tuple[str, int], ...], scripts: I64 | None = None) -> TaggedTable:
        """How an answer names the table.

        Args:
            rules: that read it.
            scripts: int64 (n,), those that the answer is about; all if not given.
        """
        actor = self.actor if scripts is None else self.actor[np.isin(self.script_id, scripts)]
        numbers, counts = np.unique(actor, return_counts=True)
        found = sorted(zip((-counts).tolist(), numbers.tolist(), strict=True))
        return TaggedTable(
            source=self.table.source,
            sha256=self.table.sha256,
            rows=self.table.rows,
            rules=tuple(Rule(*rule) for rule in rules),
            actors=len(found),
            attributed=tuple(
                Attribution(self.actors[number], -less, f"attributed to {self.actors[number]} by {self.table.source}")
                for less, number in found[:MOST_ACTORS]
            ),
        )
