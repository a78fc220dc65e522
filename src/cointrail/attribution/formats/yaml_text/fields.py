"""The fields of tags and actors as GraphSense defines them: which there are, what each may be, and as what it is kept.

A field that is kept as something else than was written (a date in quotes, a context that is a mapping, an empty list)
is kept a second time as it was written, so that a pack can be written again as it was. Faults are `Unfit`; who knows
the line says it.
"""

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from cointrail.attribution.confidence import CONFIDENCE
from cointrail.attribution.dates import normal_date
from cointrail.attribution.formats.yaml_text.plain import canonical, decode, encode, parsed
from cointrail.attribution.formats.yaml_text.scalars import Value
from cointrail.attribution.homoglyphs import forbidden

MOST_IDENTIFIER: Final = 256
MOST_NAME: Final = 4_096
_TEXT: Final = "!text"
_DAY: Final = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)", re.ASCII)
_KINDS: Final = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "empty",
    datetime.date: "a date",
    datetime.datetime: "a time",
}


class Unfit(Exception):
    """A field that is not what its name says; `hint` is what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Reads(Protocol):
    def __call__(self, name: str, value: Value, /) -> Any: ...


class _Writes(Protocol):
    def __call__(self, kept: Any, /) -> Value: ...


class Kind(NamedTuple):
    """How a field is read from YAML and written to it."""

    read: _Reads
    write: _Writes


def read_text(name: str, value: Value, most: int = MOST_NAME) -> str:
    """A name, an address and the like: text that stands on one line and hides nothing.

    Raises:
        Unfit: it is something else.
    """
    if not isinstance(value, str):
        hint = "leave the field out" if value is None else f"write it as text, in quotes: {name}: '...'"
        raise Unfit(f"{name} is {_KINDS.get(type(value), 'no text')}, not text", hint)
    if not value.strip():
        raise Unfit(f"{name} is empty", "leave the field out, or say something")
    if len(value) > most:
        raise Unfit(f"{name} has {len(value):,} characters", f"at most {most:,} are read")
    if hidden := forbidden(value):
        raise Unfit(f"{name} holds {hidden}", "remove that character")
    return value


def read_texts(name: str, value: Value) -> tuple[str, ...]:
    """A list of identifiers.

    Raises:
        Unfit: it is something else.
    """
    if not isinstance(value, list):
        raise Unfit(f"{name} is {_KINDS.get(type(value), 'no list')}, not a list", f"write {name}: [one, another]")
    return tuple(_read_identifier(f"an entry of {name}", each) for each in value)


def _read_identifier(name: str, value: Value) -> str:
    return read_text(name, value, MOST_IDENTIFIER)


def _read_context(name: str, value: Value) -> str:
    """Text of any form; a mapping is kept as JSON with its dates as text, as GraphSense does."""
    if isinstance(value, dict):
        return json.dumps(value, default=str, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if not isinstance(value, str) or not value.strip():
        raise Unfit(f"{name} is {_KINDS.get(type(value), 'no text') if value != '' else 'empty'}", "write it as text")
    return value


def _read_boolean(name: str, value: Value) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"{name} is {_KINDS.get(type(value), 'neither')}, not true or false", "write it without quotes")
    return value


def _read_confidence(name: str, value: Value) -> str:
    text = _read_identifier(name, value)
    if text not in CONFIDENCE:
        raise Unfit(f"unknown {name} {text!r}", f"one of {', '.join(CONFIDENCE)}")
    return text


def _read_day(name: str, value: Value) -> str:
    """A day, or a time in UTC; a time that says no zone is one in UTC, as YAML defines."""
    if not isinstance(value, (str, datetime.date)):
        kind = _KINDS.get(type(value), "something else")
        raise Unfit(f"{name} is {kind}, not a date", "write it as YEAR-MONTH-DAY")
    try:
        return normal_date(value)
    except ValueError as error:
        raise Unfit(f"{name} is no date that can be read", "write it as YEAR-MONTH-DAY") from error


def _write_day(text: str) -> Value:
    try:
        if _DAY.fullmatch(text):
            return datetime.date.fromisoformat(text)
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text  # of a format that promises no dates
    return time if time.tzinfo else text


def _write_as_is(kept: Any) -> Value:
    value: Value = kept
    return value


_NAME: Final = Kind(read_text, _write_as_is)
_IDENTIFIER: Final = Kind(_read_identifier, _write_as_is)
_TEXTS: Final = Kind(read_texts, list)
_DAYS: Final = Kind(_read_day, _write_day)
_CONTEXT: Final = Kind(_read_context, _write_as_is)

TAG_FIELDS: Final[Mapping[str, Kind]] = {
    "label": _NAME,
    "actor": _IDENTIFIER,
    "category": _IDENTIFIER,
    "concepts": _TEXTS,
    "abuse": _IDENTIFIER,
    "source": _NAME,
    "confidence": Kind(_read_confidence, _write_as_is),
    "currency": _IDENTIFIER,
    "network": _IDENTIFIER,
    "tag_type": _IDENTIFIER,
    "is_cluster_definer": Kind(_read_boolean, _write_as_is),
    "context": _CONTEXT,
    "lastmod": _DAYS,
    "valid_from": _DAYS,
    "valid_to": _DAYS,
    "author": _NAME,
}
"""Fields of a tag beside what it is about, in the order in which they are written."""

ACTOR_FIELDS: Final[Mapping[str, Kind]] = {
    "id": _IDENTIFIER,
    "uri": _NAME,
    "label": _NAME,
    "lastmod": _DAYS,
    "categories": _TEXTS,
    "jurisdictions": _TEXTS,
    "aliases": _TEXTS,
    "context": _CONTEXT,
}

OWN_FIELDS: Final = frozenset({"valid_from", "valid_to", "author"})
"""Fields that GraphSense does not know, and whose packs it refuses."""


class Read(NamedTuple):
    """Fields by the names of attributes, and what is kept as it was written, as `Statement.extra`."""

    known: dict[str, Any]
    extra: tuple[tuple[str, str], ...]


def read_fields(fields: Mapping[str, Value], kinds: Mapping[str, Kind]) -> Read:
    """Read the fields of a tag or an actor.

    Raises:
        Unfit: one of them is not what its name says.
    """
    known, extra = dict[str, Any](), list[tuple[str, str]]()
    for name, value in fields.items():
        kind = kinds.get(name)
        if kind is not None:
            known[name] = kind.read(name, value)
            if kind is not _DAYS and isinstance(value, str):
                continue
            if value != [] and canonical(kind.write(known[name])) == canonical(value):
                continue
        extra.append((name, canonical(value)))
    return Read(known, tuple(sorted(extra)))


def written_fields(
    known: Mapping[str, Any], extra: tuple[tuple[str, str], ...], kinds: Mapping[str, Kind]
) -> dict[str, Value]:
    """What `read_fields` read, as it was written; empty fields are left out."""
    fields: dict[str, Value] = {
        name: kind.write(known[name]) for name, kind in kinds.items() if known[name] not in ("", (), None)
    }
    for name, text in extra:
        value = parsed(text)
        if name not in kinds or _says(name, value, known[name], kinds[name]):
            fields[name] = value
    return fields


def _says(name: str, value: Value, kept: Any, kind: Kind) -> bool:
    """Whether what was written is what is kept: else somebody changed it, and what is kept holds."""
    try:
        return bool(kind.read(name, value) == kept)
    except Unfit:
        return False


def header_plain(name: str, value: Value, kinds: Mapping[str, Kind]) -> Any:
    """A field of a header as plain JSON; days are ISO 8601 texts there, so other texts in their place are marked."""
    if kinds.get(name) is not _DAYS:
        return encode(value)
    day = _read_day(name, value)
    if canonical(_write_day(day)) == canonical(value):
        return day
    return {_TEXT: value} if isinstance(value, str) else encode(value)


def header_written(name: str, plain: Any, kinds: Mapping[str, Kind]) -> Value:
    """The field as it was written, of what `header_plain` gave."""
    if kinds.get(name) is not _DAYS:
        return decode(plain)
    if isinstance(plain, str):
        return _write_day(plain)
    return str(plain[_TEXT]) if isinstance(plain, dict) and _TEXT in plain else decode(plain)
