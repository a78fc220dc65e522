"""Any file of tags: which form it has is seen in its content, and what no tag may hold is refused with its line.

A bare list of addresses does not say whose list it is: it is taken for sanctions only if its name says so, or if the
form was named. Every reader hashes a file before it believes a byte of it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.formats.table import SUBJECTS, Mapping
from cointrail.attribution.homoglyphs import forbidden
from cointrail.attribution.tag import Pack, Tag
from cointrail.errors import InputRefused, UsageError

LONGEST_SUBJECT: Final = 300
LONGEST_NAME: Final = 1_000

_HEAD = 64 << 10
_MOST_BYTES = 64 << 30
_HINT = "name the format, one of: "


def _table(path: Path, mapping: Mapping | None) -> Pack:
    from cointrail.attribution.formats.table import read_table

    return read_table(path, mapping or Mapping(source_is_file=True))


def _tagpack(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.tagpack import read_tagpack

    return read_tagpack(path)


def _actorpack(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.actorpack import read_actorpack

    return read_actorpack(path)


def _ofac_xml(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.ofac_xml import read_ofac_xml

    return read_ofac_xml(path)


def _ofac_text(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.ofac_text import read_ofac_text

    return read_ofac_text(path)


def _pools(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.pools import read_pools

    return read_pools(path)


def _bip329(path: Path, _: Mapping | None) -> Pack:
    from cointrail.attribution.formats.bip329 import read_bip329

    return read_bip329(path)


READERS: Final[dict[str, Callable[[Path, Mapping | None], Pack]]] = {
    "tagpack": _tagpack,
    "actorpack": _actorpack,
    "ofac-xml": _ofac_xml,
    "ofac-text": _ofac_text,
    "pools": _pools,
    "bip329": _bip329,
    "table": _table,
}
"""Readers by the name of their format."""


def read_pack(path: Path, format: str | None = None, mapping: Mapping | None = None) -> Pack:
    """Read a file of tags.

    Args:
        path: of the file.
        format: a name of `READERS`; by default it is recognised.
        mapping: of a table; a file with one is a table. Without, a table's columns are the fields of their names, and
            the file's name is the source where no column says one.

    Raises:
        UsageError: no such format, or a mapping for another format than a table.
        Unavailable: the file cannot be read.
        InputRefused: it is no regular file, has no form that is known, or breaks its rules; with the line. About what
            stands in its tags, when they are iterated.
    """
    if format is not None and format not in READERS:
        raise UsageError(f"unknown format {format!a}", hint=_HINT + ", ".join(READERS))
    if mapping is not None and format not in (None, "table"):
        raise UsageError(f"a mapping of columns is for tables, not for {format}", hint="leave one of them out")
    chosen = format or ("table" if mapping is not None else recognise(path))
    pack = READERS[chosen](path, mapping)
    for actor in pack.actors:
        for text in (actor.id, actor.label, *actor.aliases):
            if reason := forbidden(text):
                raise InputRefused(f"an actor of {path} holds {reason}", hint="correct its name")
    return replace(pack, tags=_checked(path, pack))


def _checked(path: Path, pack: Pack) -> Iterator[Tag]:
    last = None
    for tag in pack.tags:
        text, statement = tag.subject.text, tag.statement
        if len(text) > LONGEST_SUBJECT or not text or not text.isprintable():
            shown = f"{text[:60]!a}"
            raise InputRefused(f"{_place(path, tag)}: {shown} is nothing a tag can be about", hint="correct it")
        if statement is not last:
            _check_names(path, tag)
            last = statement
        yield tag


def _place(path: Path, tag: Tag) -> str:
    return f"line {tag.line} of {path}" if tag.line else f"{path}"


def _check_names(path: Path, tag: Tag) -> None:
    statement = tag.statement
    for name in (statement.label, statement.actor, statement.category, statement.author):
        reason = forbidden(name)
        if len(name) > LONGEST_NAME:
            reason = f"a name of {len(name):,} characters"
        if reason:
            raise InputRefused(
                f"{_place(path, tag)}: the name {name[:60]!a} holds {reason}", hint="write the name as it is read"
            )


def recognise(path: Path) -> str:
    """Name the format of a file, by its first 64 KiB and its name.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no regular file, or has no form that is known.
    """
    file = open_source(path, _MOST_BYTES)
    head = file.head(_HEAD).decode("utf-8", "replace").lstrip()
    found = _by_name(file, head) or _by_content(path, head)
    if found is None:
        raise file.refused(0, "the format of this file is not recognised", _HINT + ", ".join(READERS))
    return found


def _by_name(file: SourceFile, head: str) -> str | None:
    name = file.path.name.lower()
    if name.endswith((".yaml", ".yml")):
        return "actorpack" if _first_list(file) == b"actors" else "tagpack"
    sanctions = "ofac" in name or "sdn" in name or "sanction" in name
    return "ofac-text" if sanctions and not head.startswith(("<", "{")) and not _is_table(head) else None


def _first_list(file: SourceFile) -> bytes:
    """Which of the two lists a YAML file has, at the beginning of a line."""
    tail = b""
    for chunk in file.chunks():
        if found := re.search(rb"""(?:^|[\n{,])\s{0,8}["']?(tags|actors)["']?\s{0,8}:""", tail + chunk):
            return found[1]
        tail = chunk[-64:]
    return b""


def _by_content(path: Path, head: str) -> str | None:
    if head.startswith("<"):
        return "ofac-xml"
    if re.search(r"Digital\s+Currency\s+Address", head):
        return "ofac-text"
    if head.startswith("["):
        return "pools" if re.match(r"\[\s*\{", head) else None
    if head.startswith("{"):
        return "pools" if re.search(r'"(coinbase_tags|payout_addresses)"\s*:', head) else "bip329"
    if path.suffix.lower() == ".jsonl":
        return "bip329"
    return "table" if _is_table(head) or path.suffix.lower() == ".csv" else None


def _is_table(head: str) -> bool:
    """Whether the first line names a column that says what a tag is about."""
    columns = {cell.strip(' \t\r"') for cell in re.split(r"[,;\t]", head.partition("\n")[0])}
    return bool(columns & SUBJECTS.keys()) and len(columns) > 1
