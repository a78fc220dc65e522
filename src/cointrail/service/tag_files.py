"""Tags from a file: who says that an address belongs to whom. TagPack (YAML) or a small CSV table.

A tag is an assertion of whoever made the file. This reads what a question needs of GraphSense's TagPack schema: a
header whose fields hold for every tag that does not say otherwise, and a list `tags`. A CSV table has the columns
`address` and `actor` (or `label`), and may have `category`, `source`, `confidence`, `is_cluster_definer`, `lastmod`.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cointrail.errors import InputRefused

CONFIDENCE: Final[Mapping[str, int]] = {
    "override": 100,
    "ownership": 100,
    "ledger_immanent": 100,
    "manual_transaction": 90,
    "service_api": 70,
    "forensic_investigation": 70,
    "authority_data": 60,
    "trusted_provider": 50,
    "service_data": 50,
    "forensic": 50,
    "untrusted_transaction": 40,
    "web_crawl": 20,
    "heuristic": 10,
    "unknown": 5,
}
"""GraphSense's scale (RELIABILITY.md, FEATURES.md 6)."""

_MOST_BYTES = 64 << 20
_HINT = "give a TagPack (YAML), or a CSV table with the columns address,actor"
_TRUE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Tag:
    """One assertion.

    Attributes:
        address: as written; whether it is one is not asked here.
        actor: who is said to be behind it.
        category: `exchange` and the like; empty if not said.
        source: who says so, empty if not said.
        confidence: of `CONFIDENCE`; `unknown` if not said.
        is_cluster_definer: whether it speaks for the whole cluster of the address.
        lastmod: date of the statement as written; empty if not said.
    """

    address: str
    actor: str
    category: str = ""
    source: str = ""
    confidence: str = "unknown"
    is_cluster_definer: bool = False
    lastmod: str = ""


@dataclass(frozen=True, slots=True)
class TagFile:
    """The tags of a file.

    Attributes:
        name: of the file, without its folder.
        sha256: of its bytes, in hex.
        tags: in the order of the file.
    """

    name: str
    sha256: str
    tags: tuple[Tag, ...]


def read_tags(path: Path) -> TagFile:
    """Read a file of tags.

    Raises:
        InputRefused: it is no regular file, larger than 64 MiB, or no table of tags.
    """
    if not path.is_file():
        raise InputRefused(f"{path} is no file" if not path.exists() else f"{path} is no regular file", hint=_HINT)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint="split it")
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputRefused(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is not UTF-8: {error}", hint=_HINT) from error
    rows = _pack(text, path) if path.suffix.lower() in (".yaml", ".yml") else _table(text, path)
    return TagFile(path.name, hashlib.sha256(raw).hexdigest(), tuple(_tags(rows, path)))


def _pack(text: str, path: Path) -> list[Mapping[str, Any]]:
    import yaml

    try:
        pack = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputRefused(f"{path} is no YAML: {' '.join(str(error).split())}", hint=_HINT) from error
    tags = pack.get("tags") if isinstance(pack, dict) else None
    if not isinstance(tags, list) or not all(isinstance(each, dict) for each in tags):
        raise InputRefused(f"{path} is no TagPack: it has no list `tags`", hint=_HINT)
    header = {key: value for key, value in pack.items() if key != "tags"}
    return [header | each for each in tags]


def _table(text: str, path: Path) -> list[Mapping[str, Any]]:
    try:
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InputRefused(f"{path} is no CSV file: {error}", hint=_HINT) from error


def _tags(rows: Iterable[Mapping[str, Any]], path: Path) -> Iterator[Tag]:
    for number, row in enumerate(rows, 1):
        if "address" not in row and "tx_hash" in row:
            continue  # a tag about a transaction says nothing about an address

        def field(name: str, row: Mapping[str, Any] = row) -> str:
            value = row.get(name)
            return "" if value is None or isinstance(value, (list, dict)) else str(value).strip()

        address, actor = field("address"), field("actor") or field("label")
        if not address or not actor:
            raise InputRefused(f"tag {number} of {path} lacks an address or an actor", hint=_HINT)
        confidence, definer = field("confidence") or "unknown", field("is_cluster_definer").lower()
        if confidence not in CONFIDENCE or definer not in _TRUE:
            wrong = f"confidence {confidence!r}" if confidence not in CONFIDENCE else f"is_cluster_definer {definer!r}"
            raise InputRefused(f"tag {number} of {path}: unknown {wrong}", hint=f"one of {', '.join(CONFIDENCE)}")
        tag = Tag(address, actor, field("category"), field("source"), confidence, _TRUE[definer], field("lastmod"))
        if not all(text.isprintable() for text in (address, actor, tag.category, tag.source, tag.lastmod)):
            raise InputRefused(
                f"tag {number} of {path} holds characters that cannot be printed on one line", hint="give plain text"
            )
        yield tag
