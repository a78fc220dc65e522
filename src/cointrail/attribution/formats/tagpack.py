"""TagPacks, GraphSense's files of tags: read with the line of every tag, and written so that an equal pack comes back.

A pack is a YAML mapping: a header, whose fields hold for every tag that does not say otherwise, and a list `tags`.
What GraphSense fills in itself may be missing (`network`; `confidence` is `unknown` then). What it does not know is
kept. A fault is an error with the line; no tag is ever left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from cointrail.attribution.confidence import NO_CONFIDENCE, UNKNOWN
from cointrail.attribution.formats.yaml_text.document import Entry, Field, YamlFile, entries, head, open_yaml
from cointrail.attribution.formats.yaml_text.fields import (
    MOST_IDENTIFIER,
    OWN_FIELDS,
    TAG_FIELDS,
    Kind,
    Unfit,
    header_plain,
    header_written,
    read_fields,
    read_text,
    written_fields,
)
from cointrail.attribution.formats.yaml_text.heads import count_lost, flat_head, write_head
from cointrail.attribution.formats.yaml_text.plain import canonical
from cointrail.attribution.formats.yaml_text.scalars import Value
from cointrail.attribution.formats.yaml_text.writer import line
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused

FORMAT: Final = "tagpack"
VERSION: Final = 2

NO_CURRENCY: Final = "tags' currency, which GraphSense asks for and nobody said"
"""What `write_tagpack` counts beside what it left out, if the pack is for GraphSense."""

_LIST: Final = "tags"
_SUBJECTS: Final[Mapping[str, SubjectKind]] = {"address": SubjectKind.ADDRESS, "tx_hash": SubjectKind.TRANSACTION}
_SUBJECT_NAMES: Final = {kind: name for name, kind in _SUBJECTS.items()}
_INHERITED: Final = frozenset({*TAG_FIELDS, *_SUBJECTS})
_NOT_GIVEN: Final = ("confidence", "null")
_KNOWN_STATEMENTS: Final = 4_096
_SMALL_ENTRY: Final = 4_096


def read_tagpack(path: Path) -> Pack:
    """Open a TagPack; its tags are read as `Pack.tags` is iterated.

    Args:
        path: of a YAML file of at most 64 MiB.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no TagPack; with the line. Faults of tags are raised while they are read.
    """
    file = open_yaml(path)
    fields = flat_head(file, head(file, _LIST), _LIST)
    inherited = {name: field for name, field in fields.items() if name in _INHERITED}
    for name, field in inherited.items():
        _check(file, name, field)
    header = {name: header_plain(name, field.value, TAG_FIELDS) for name, field in fields.items()}
    skipped: dict[str, int] = {}
    tags = _tags(file, {name: field.value for name, field in inherited.items()}, skipped)
    return Pack(path.name, file.sha256, FORMAT, VERSION, header, tags, skipped=skipped)


def write_tagpack(pack: Pack, tags: Iterable[Tag], file: TextIO, *, own_fields: bool = True) -> dict[str, int]:
    """Write tags as a TagPack.

    Args:
        pack: whose header is written; `title` and `creator` are made up from its name and format if it has none.
        tags: written in their order, as they come.
        file: opened for text in UTF-8.
        own_fields: whether fields are written that GraphSense does not know; it refuses packs that have them.

    Returns:
        How many tags or fields were left out, by reason.

    Raises:
        InputRefused: the header says what does not hold for a tag.
    """
    header = {name: header_written(name, plain, TAG_FIELDS) for name, plain in pack.header.items() if name != _LIST}
    left_out = write_head(pack, header, file, own_fields=own_fields, kinds=TAG_FIELDS)
    spoken = {name: canonical(value) for name, value in header.items() if name in _INHERITED}
    bodies, begun = dict[Statement, _Body](), False
    for tag in tags:
        name = _SUBJECT_NAMES.get(tag.subject.kind)
        if name is None:
            _count(left_out, f"tags about an object of the kind {tag.subject.kind.value}, which a TagPack cannot have")
            continue
        body = bodies.get(tag.statement)
        if body is None:
            body = _body(tag, spoken, pack, own_fields=own_fields)
            if len(bodies) >= _KNOWN_STATEMENTS:
                bodies.clear()
            if len(body.text) < _SMALL_ENTRY:
                bodies[tag.statement] = body
        if not own_fields and not tag.statement.currency:
            _count(left_out, NO_CURRENCY)
        count_lost(left_out, "tags'", body.lost)
        file.write("" if begun else f"{_LIST}:\n")
        file.write(f"- {line(name, tag.subject.text)}\n{body.text}")
        begun = True
    file.write("" if begun else f"{_LIST}: []\n")
    return left_out


def _tags(file: YamlFile, inherited: Mapping[str, Value], skipped: dict[str, int]) -> Iterator[Tag]:
    statements: dict[str, Statement] = {}
    for entry in entries(file, _LIST):
        subject = _subject(file, entry, inherited)
        # Thousands of tags say the same of other addresses: what they say is read once. Types count (1 is not True).
        key = repr(entry.fields) if entry.size < _SMALL_ENTRY else ""
        statement = statements.get(key) if key else None
        if statement is None:
            try:
                statement = _statement({**inherited, **entry.fields})
            except Unfit as error:
                raise file.refused(entry.line, f"{error}", error.hint) from error
            if len(statements) >= _KNOWN_STATEMENTS:
                statements.clear()
            if key:
                statements[key] = statement
        if _NOT_GIVEN in statement.extra:
            _count(skipped, NO_CONFIDENCE)
        yield Tag(subject, statement, entry.line)


def _subject(file: YamlFile, entry: Entry, inherited: Mapping[str, Value]) -> Subject:
    """What a tag is about; its field is taken out of the entry."""
    given = {name: entry.fields.pop(name) for name in _SUBJECTS if name in entry.fields}
    given = given or {name: inherited[name] for name in _SUBJECTS if name in inherited}
    if len(given) != 1:
        what = "both an address and a tx_hash" if given else "neither an address nor a tx_hash"
        raise file.refused(entry.line, f"a tag has {what}", "give one of them")
    (name, value), *_ = given.items()
    try:
        return Subject(_SUBJECTS[name], read_text(name, value, MOST_IDENTIFIER))
    except Unfit as error:
        raise file.refused(entry.line, f"{error}", error.hint) from error


def _statement(fields: dict[str, Value]) -> Statement:
    for name in _SUBJECTS:
        fields.pop(name, None)
    for name in ("label", "source"):
        if name not in fields:
            raise Unfit(f"a tag has no {name}", f"add `{name}: ...` to it, or to the header for all tags")
    known, extra = read_fields(fields, TAG_FIELDS)
    if "confidence" not in known:
        known["confidence"], extra = UNKNOWN, tuple(sorted((*extra, _NOT_GIVEN)))
    return Statement(**known, extra=extra)


def _check(file: YamlFile, name: str, field: Field) -> None:
    kind: Kind | None = TAG_FIELDS.get(name)
    try:
        if kind:
            kind.read(name, field.value)
        else:
            read_text(name, field.value, MOST_IDENTIFIER)
    except Unfit as error:
        raise file.refused(field.line, f"{error}", error.hint) from error


class _Body(NamedTuple):
    """The lines of a tag beside its subject, and the fields that are missing there."""

    text: str
    lost: tuple[str, ...]


def _body(tag: Tag, spoken: Mapping[str, str], pack: Pack, *, own_fields: bool) -> _Body:
    """Write what the header does not say."""
    statement = tag.statement
    known = {name: getattr(statement, name) for name in TAG_FIELDS}
    fields = written_fields(known, statement.extra, TAG_FIELDS)
    if statement.confidence == UNKNOWN and _NOT_GIVEN in statement.extra:
        fields.pop("confidence", None)
    for name in spoken:
        if name in TAG_FIELDS and name not in fields:
            raise InputRefused(
                f"the header of {pack.name} says the {name} of every tag, and a tag about {tag.subject.text} has none",
                hint=f"write the tags without {name} in the header",
            )
    written = {
        name: value
        for name, value in fields.items()
        if name not in _SUBJECTS and (own_fields or (name in TAG_FIELDS and name not in OWN_FIELDS))
    }
    lines = [f"  {line(name, value)}\n" for name, value in written.items() if spoken.get(name) != canonical(value)]
    return _Body("".join(lines), tuple(name for name in fields if name not in written and name not in _SUBJECTS))


def _count(reasons: dict[str, int], reason: str) -> None:
    reasons[reason] = reasons.get(reason, 0) + 1
