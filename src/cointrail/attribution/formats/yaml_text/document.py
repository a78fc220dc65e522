"""A YAML file read as events, within bounds: what a stranger wrote may not take the machine (RELIABILITY.md H1).

Assumes one document: a mapping of a few fields, one of which is a long list of mappings, as packs are. Only plain data
is read: no aliases, no tags, no directives. Memory does not grow with the list; every entry knows its line.

Method: libyaml's parser gives events, values are built from them here. The list may stand before other fields, so the
fields are read first, skipping the list, and then the list.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from cointrail.attribution.formats.yaml_text.scalars import Value, resolve
from cointrail.errors import InputRefused, Unavailable

MOST_BYTES: Final = 64 << 20
MOST_DEPTH: Final = 64
MOST_TEXT: Final = 1 << 20
MOST_KEY: Final = 256
MOST_VALUES_HEAD: Final = 100_000
MOST_VALUES_ENTRY: Final = 10_000

_CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIVE: Final = re.compile(rb"(?:\A|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9])(?:\xef\xbb\xbf)?%")
_TEXT_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_ROOT_DEPTH: Final = 1
_Event: TypeAlias = Any  # of yaml.events: told apart by their class


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The bytes of a file, at most `MOST_BYTES`."""

    path: Path
    raw: bytes
    sha256: str

    def refused(self, line: int, what: str, hint: str = "") -> InputRefused:
        """The error that names the file and the line, counted from 1."""
        return InputRefused(f"{self.path}, line {line}: {what}", hint=hint)


class Field(NamedTuple):
    """A field of the file's mapping, and where its name stands."""

    value: Value
    line: int


class Entry(NamedTuple):
    """A mapping of the list, where it begins, and how many characters it takes."""

    fields: dict[str, Value]
    line: int
    size: int


def open_yaml(path: Path) -> YamlFile:
    """Read the bytes of a file.

    Raises:
        Unavailable: there is no such file, or it cannot be read.
        InputRefused: it is no regular file, too large, not UTF-8 by its first bytes, or has directives.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputRefused(f"{path} is no regular file", hint="give a YAML file")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise Unavailable(f"cannot read {path}: {reason}", hint="correct the path, or who may read the file") from error
    if len(raw) > MOST_BYTES:
        raise InputRefused(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint="split it into several packs")
    opened = YamlFile(path, raw, hashlib.sha256(raw).hexdigest())
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise opened.refused(1, "it is UTF-16", hint="save it as UTF-8")
    if found := _DIRECTIVE.search(raw):
        # libyaml compares every %TAG with all before it: a file of them would take hours
        raise opened.refused(_line_at(raw, found.end()), "a line begins with %", hint="remove YAML directives")
    return opened


def head(file: YamlFile, list_name: str) -> dict[str, Field]:
    """The fields of the file's mapping; the list is only looked at, and its value is None.

    Raises:
        InputRefused: with the line.
    """
    with _in_words(file):
        events = _Events(file)
        events.values = MOST_VALUES_HEAD
        fields: dict[str, Field] = {}
        for name, line in events.root():
            if name in fields:
                raise file.refused(line, f"the field {name!r} stands twice", hint="keep one of them")
            event = events.take()
            if name == list_name:
                events.skip_list(event, name)
                fields[name] = Field(None, line)
            else:
                fields[name] = Field(events.value(event, _ROOT_DEPTH), line)
        return fields


def entries(file: YamlFile, list_name: str) -> Iterator[Entry]:
    """The mappings of the list, in the order of the file.

    Raises:
        InputRefused: with the line.
    """
    with _in_words(file):
        events = _Events(file)
        events.values = MOST_VALUES_HEAD
        for name, _ in events.root():
            event = events.take()
            if name != list_name:
                events.value(event, _ROOT_DEPTH)
                continue
            while type(event := events.take()) is not SequenceEndEvent:
                begin = event.start_mark
                if type(event) is not MappingStartEvent:
                    raise file.refused(begin.line + 1, f"an entry of `{name}` is no mapping", "write `- field: value`")
                events.values = MOST_VALUES_ENTRY
                fields = events.mapping(event, _ROOT_DEPTH + 2)
                yield Entry(fields, begin.line + 1, events.position - begin.index)
            events.values = MOST_VALUES_HEAD


class _Events:
    """The events of a file, and the values that they make.

    Attributes:
        values: how many more may be made until the caller sets it again.
        position: in the file, of the end of the last collection.
    """

    def __init__(self, file: YamlFile) -> None:
        try:
            from yaml import CSafeLoader
        except ImportError as error:
            raise Unavailable("PyYAML was built without libyaml", hint="install PyYAML's own wheel") from error
        self.file = file
        self.take: Callable[[], _Event] = CSafeLoader(file.raw).get_event
        self.values = 0
        self.position = 0

    def root(self) -> Iterator[tuple[str, int]]:
        """Names and lines of the fields of the document's mapping; whoever iterates takes the value of each."""
        take = self.take
        take()  # the begin of the stream
        if type(event := take()) is not DocumentStartEvent:
            raise self.file.refused(1, "it is empty", hint="give a YAML file with a mapping")
        if type(event := take()) is not MappingStartEvent:
            raise self._refused(event, "it is no mapping", "give a YAML file of the form `field: value`")
        self._check(event, _ROOT_DEPTH)
        while type(event := take()) is not MappingEndEvent:
            self._count(event)
            yield self._key(event), event.start_mark.line + 1
        take()  # the end of the document
        if type(event := take()) is not StreamEndEvent:
            raise self._refused(event, "a second document begins", "keep one document a file")

    def skip_list(self, event: _Event, name: str) -> None:
        """Pass over a list of which `event` is the begin."""
        if type(event) is not SequenceStartEvent:
            raise self._refused(event, f"`{name}` is no list", f"write `{name}:` and then one `- field: value` each")
        depth = _ROOT_DEPTH + 1
        while depth > _ROOT_DEPTH:
            event = self.take()
            kind = type(event)
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                depth += 1
                self._check(event, depth)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                depth -= 1

    def value(self, event: _Event, depth: int) -> Value:
        """The value that begins with an event, which stands in a collection of this depth."""
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is MappingStartEvent:
            return self.mapping(event, depth + 1)
        if kind is SequenceStartEvent:
            self._check(event, depth + 1)
            items: list[Value] = []
            while type(event := self.take()) is not SequenceEndEvent:
                self._count(event)
                items.append(self.value(event, depth + 1))
            self.position = _end(event)
            return items
        what = f"an alias, *{event.anchor}" if kind is AliasEvent else f"a {kind.__name__}"
        raise self._refused(event, f"{what}: aliases are not read", "write the value out where it is used")

    def mapping(self, event: _Event, depth: int) -> dict[str, Value]:
        """The mapping that begins with an event."""
        self._check(event, depth)
        take, fields = self.take, dict[str, Value]()
        while type(event := take()) is not MappingEndEvent:
            self._count(event)
            name = self._key(event)
            if name in fields:
                raise self._refused(event, f"the field {name!r} stands twice", "keep one of them")
            event = take()
            fields[name] = self._scalar(event) if type(event) is ScalarEvent else self.value(event, depth)
        self.position = _end(event)
        return fields

    def _key(self, event: _Event) -> str:
        name = self._scalar(event) if type(event) is ScalarEvent else None
        if not isinstance(name, str):
            raise self._refused(event, "the name of a field is not text", "put it into quotes")
        if len(name) > MOST_KEY:
            raise self._refused(event, f"the name of a field has more than {MOST_KEY} characters", "shorten it")
        return name

    def _scalar(self, event: _Event) -> Value:
        text: str = event.value
        if len(text) > MOST_TEXT:
            raise self._refused(event, f"a text of {len(text):,} characters", f"at most {MOST_TEXT:,} are read")
        if not text.isprintable() and (found := _CONTROL.search(text)):
            raise self._refused(event, f"a control character, U+{ord(found[0]):04X}", "remove it")
        if event.tag not in _TEXT_TAGS:
            self._check(event, 0)
        if event.tag is None and event.implicit[0]:
            try:
                return resolve(text)
            except ValueError as error:
                raise self._refused(event, f"{error}", "put it into quotes, or correct it") from error
        return text

    def _check(self, event: _Event, depth: int) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            hint = "paste what it includes" if tag == "!include" else "write plain text, numbers, lists and mappings"
            raise self._refused(event, f"the YAML tag {str(tag)[:80]!r} is not read", hint)
        if depth > MOST_DEPTH:
            raise self._refused(event, f"nested more than {MOST_DEPTH} deep", "write it flatter")

    def _count(self, event: _Event) -> None:
        self.values -= 1
        if self.values < 0:
            raise self._refused(event, "too many values in the header or in one entry", "split it")

    def _refused(self, event: _Event, what: str, hint: str) -> InputRefused:
        return self.file.refused(event.start_mark.line + 1, what, hint)


@contextmanager
def _in_words(file: YamlFile) -> Iterator[None]:
    """Say libyaml's errors with file and line."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise file.refused(line, f"no YAML: {error.problem or error.context}", hint="correct the line") from error
    except yaml.reader.ReaderError as error:
        line = _line_at(file.raw, error.position)
        raise file.refused(line, f"no YAML: {error.reason}", hint="save it as plain text in UTF-8") from error


def _end(event: _Event) -> int:
    position: int = event.end_mark.index
    return position


def _line_at(raw: bytes, position: int) -> int:
    return raw.count(b"\n", 0, position) + 1
