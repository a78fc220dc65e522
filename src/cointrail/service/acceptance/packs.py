"""Tag packs of a case, as far as the acceptance scenario needs them: which actor stands behind an address.

Reads the plain part of GraphSense's schema that the scenario uses, line by line: `key: value`, and a list `tags` of
such pairs. Anything else is refused, never guessed. A tag is an assertion of whoever made the pack.
"""

from collections.abc import Iterator
from pathlib import Path

from cointrail.errors import InputRefused

SERVICE_DATA = "service_data"
"""Confidence of packs whose makers dealt with the services themselves."""

_MOST_BYTES = 16 << 20


def tagged_by(folder: Path, confidence: str = SERVICE_DATA) -> dict[str, str]:
    """The tagged addresses of the packs of one confidence.

    Args:
        folder: of `*.yaml` files.
        confidence: what a pack has to say of itself; all others are left out.

    Returns:
        The actor of each address, or its label where no actor is named.

    Raises:
        InputRefused: there is no pack, one is malformed, or two actors claim one address.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise InputRefused(
            f"there is no tag pack in {folder}", hint="give a complete world, made by `cointrail simulate`"
        )
    found: dict[str, str] = {}
    for path in paths:
        head, tags = _read(path)
        for tag in tags if head.get("confidence") == confidence else []:
            address, actor = tag.get("address"), tag.get("actor") or tag.get("label")
            if not address or not actor:
                raise InputRefused(f"a tag of {path} lacks an address or an actor")
            if found.setdefault(address, actor) != actor:
                raise InputRefused(f"{path} gives {address} a second actor", hint="decide which one holds")
    return found


def _read(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    """(what the pack says of itself, its tags)."""
    head: dict[str, str] = {}
    tags: list[dict[str, str]] = []
    inside = False
    for number, line in _lines(path):
        begins, nested = line.startswith("- "), line.startswith("  ")
        key, colon, value = (line[2:] if begins or nested else line).partition(":")
        if not colon or not key.replace("_", "").isalnum() or ((begins or nested) != inside and line != "tags:"):
            raise InputRefused(
                f"line {number} of {path} is not `key: value`", hint="tag packs are read in plain form only"
            )
        if line == "tags:":
            inside = True
            continue
        if begins:
            tags.append({})
        if nested and not tags:
            raise InputRefused(f"line {number} of {path} stands before the first tag")
        (tags[-1] if inside else head)[key] = value.strip().strip("'\"")
    return head, tags


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.rstrip()
