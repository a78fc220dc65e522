"""Tagged addresses from a small table, for questions that compare a cluster with what is known about it.

A CSV file with the columns `address` and `actor`. Assertions of whoever wrote it; no cluster is made from them.
"""

import csv
from pathlib import Path

from cointrail.errors import AddressError, InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.names import find_script

_MOST_BYTES = 16 << 20


def read_tagged(path: Path) -> dict[str, str]:
    """Read a table of addresses and actors.

    Raises:
        InputRefused: it is no such table, or larger than 16 MiB.
    """
    if path.exists() and not path.is_file():
        raise InputRefused(f"{path} is no regular file", hint="give a table with the columns address,actor")
    if path.stat().st_size > _MOST_BYTES:
        raise InputRefused(f"{path} is larger than 16 MiB", hint="give a table of the addresses in question only")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(
            f"{path} is no CSV file: {error}", hint="give a table with the columns address,actor"
        ) from error
    tagged: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        address, actor = (row.get("address") or "").strip(), (row.get("actor") or "").strip()
        if not address or not actor:
            raise InputRefused(
                f"line {number} of {path} lacks an address or an actor",
                hint="give a table with the columns address,actor",
            )
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


def scripts_of(reader: Reader, tagged: dict[str, str]) -> tuple[list[int], list[int], tuple[str, ...]]:
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
