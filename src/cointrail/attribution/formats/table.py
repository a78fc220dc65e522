"""A table of tags: CSV, with a mapping that says which column is what.

Anybody's list becomes tags without being rewritten. A table is read a line at a time, so one of fifty million lines
needs no memory. Columns that the mapping does not name are ignored; every fault is an error with its line.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from cointrail.attribution.confidence import CONFIDENCE, NO_CONFIDENCE, UNKNOWN
from cointrail.attribution.dates import normal_date
from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused, UsageError

FORMAT: Final = "table"
VERSION: Final = 2
MOST_BYTES: Final = 64 << 30
LONGEST_FIELD: Final = 8_192

SUBJECTS: Final[AnyMapping[str, SubjectKind]] = {
    "address": SubjectKind.ADDRESS,
    "tx_hash": SubjectKind.TRANSACTION,
    "output": SubjectKind.OUTPUT,
    "pubkey": SubjectKind.PUBKEY,
    "xpub": SubjectKind.XPUB,
}
"""Fields that say what a tag is about; the first that a row fills is taken."""

STATED: Final = (
    "label", "source", "confidence", "actor", "category", "abuse", "tag_type", "is_cluster_definer", "context",
    "lastmod", "valid_from", "valid_to", "author", "currency", "network", "concepts",
)  # fmt: skip
"""Fields of a statement that a column or a constant may fill; `concepts` are separated by `;`."""

FIELDS: Final = (*SUBJECTS, *STATED)

_CONFIDENCE: Final = STATED.index("confidence")

_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": None}
_HINT: Final = "give a CSV table whose first line names its columns, among them address and actor (or label)"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column of a table is what.

    Attributes:
        columns: name of the column for each of `FIELDS`; a field that is not here is the column of its own name.
        constants: text for a field in every row; a filled cell goes before it.
        delimiter: one character between cells.
        source_is_file: whether the file's name is the source where neither a column nor a constant says one; otherwise
            such a row is refused.
    """

    columns: AnyMapping[str, str] = field(default_factory=dict)
    constants: AnyMapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    source_is_file: bool = False

    def __post_init__(self) -> None:
        if unknown := sorted({*self.columns, *self.constants} - set(FIELDS)):
            raise UsageError(f"a tag has no field {unknown[0]!a}", hint=f"fields are {', '.join(FIELDS)}")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n\0':
            raise UsageError(
                f"the delimiter {self.delimiter!a} is not one plain character", hint="give , or ; or a tab"
            )

    def as_json(self) -> dict[str, object]:
        """What of it differs from the default, for the header of a pack."""
        said = {"columns": dict(self.columns), "constants": dict(self.constants), "delimiter": self.delimiter}
        return {name: value for name, value in said.items() if value and value != ","}


def read_table(path: Path, mapping: Mapping | None = None) -> Pack:
    """Read a table; its rows are read as the tags are iterated.

    Args:
        path: of a CSV file in UTF-8, at most 64 GiB, with column names in its first line.
        mapping: which column is what; by default each column is the field of its name, and the source must be said.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no such table; about a row, when the tags are iterated, with its line.
    """
    chosen = mapping or Mapping()
    file = open_source(path, MOST_BYTES)
    rows = _Rows(file, chosen)
    return Pack(path.name, file.sha256, FORMAT, VERSION, chosen.as_json(), rows.tags(), skipped=rows.skipped)


class _Rows:
    """The rows of a table; the header is read at once, so that a wrong file is refused at once."""

    def __init__(self, file: SourceFile, mapping: Mapping) -> None:
        self.skipped: dict[str, int] = {}
        self._file = file
        self._lines = file.lines()
        self._cells = csv.reader(self._lines, delimiter=mapping.delimiter, strict=True)
        fallback = file.path.name if mapping.source_is_file else ""
        self._statement = lru_cache(maxsize=4_096)(partial(_stated, fallback))
        try:
            self._read_header(mapping)
        except InputRefused:
            self._lines.close()
            raise

    def _read_header(self, mapping: Mapping) -> None:
        file = self._file
        names = [name.strip() for name in self._next() or []]
        places = {name: place for place, name in reversed(list(enumerate(names)))}
        for name in mapping.columns.values():
            if name not in places:
                raise file.refused(1, f"there is no column {name!a}", f"columns are {', '.join(map(ascii, names))}")
        column = {name: places.get(mapping.columns.get(name, name)) for name in FIELDS}
        self._subjects = [(place, kind) for name, kind in SUBJECTS.items() if (place := column[name]) is not None]
        self._stated_at = [column[name] for name in STATED]
        self._defaults = [mapping.constants.get(name, "") for name in STATED]
        named = [column["actor"], column["label"]] != [None, None] or {"actor", "label"} & set(mapping.constants)
        if not self._subjects or not named:
            raise file.refused(1, "there is no column address, or none for the actor or label", _HINT)

    def tags(self) -> Iterator[Tag]:
        line = self._cells.line_num + 1
        while (row := self._next()) is not None:
            if row:
                yield self._tag([cell.strip() for cell in row], line)
            line = self._cells.line_num + 1

    def _next(self) -> list[str] | None:
        try:
            return next(self._cells, None)
        except csv.Error as error:
            raise self._file.refused(self._cells.line_num, f"no CSV: {error}", _HINT) from error

    def _tag(self, row: Sequence[str], line: int) -> Tag:
        width = len(row)
        subject = None
        for place, kind in self._subjects:
            if place < width and row[place]:
                subject = Subject(kind, row[place])
                break
        cells = tuple(
            (row[place] if place is not None and place < width else "") or default
            for place, default in zip(self._stated_at, self._defaults, strict=True)
        )
        if subject is None or not (cells[0] or cells[3]):
            raise self._file.refused(line, "it lacks an address or an actor", _HINT)
        for text in (subject.text, *cells):
            if len(text) > LONGEST_FIELD:
                raise self._file.refused(line, f"a cell has more than {LONGEST_FIELD:,} characters", "shorten it")
            if not text.isprintable():
                raise self._file.refused(
                    line, "a cell holds characters that cannot be printed on one line", "give plain text"
                )
        try:
            statement = self._statement(cells)
        except ValueError as error:
            reason, hint = error.args
            raise self._file.refused(line, reason, hint) from error
        graded = bool(cells[_CONFIDENCE])
        if not graded:
            self.skipped[NO_CONFIDENCE] = self.skipped.get(NO_CONFIDENCE, 0) + 1
        return Tag(subject, statement, line, graded)


def _date(name: str, text: str) -> str:
    try:
        return normal_date(text) if text else ""
    except ValueError:
        raise ValueError(
            f"{name} {text[:60]!a} is no date", "write it like 2024-01-31 or 2024-01-31T12:00:00Z"
        ) from None


def _stated(fallback: str, cells: tuple[str, ...]) -> Statement:
    """A statement; rows that say the same share it. Raises ValueError(what is wrong, what to do)."""
    said = dict(zip(STATED, map(sys.intern, cells), strict=True))  # rows repeat their words
    confidence, definer = said["confidence"] or UNKNOWN, said["is_cluster_definer"].lower()
    if confidence not in CONFIDENCE:
        raise ValueError(f"unknown confidence {confidence!a}", f"one of {', '.join(CONFIDENCE)}")
    if definer not in _BOOLEANS:
        raise ValueError(f"unknown is_cluster_definer {definer!a}", "true, false, or nothing")
    source = said["source"] or fallback
    if not source:
        raise ValueError("it lacks a source", "every tag says where it stands: add a column source, or say it for all")
    return Statement(
        label=said["label"] or said["actor"],
        source=source,
        confidence=confidence,
        actor=said["actor"],
        category=said["category"],
        concepts=tuple(each for part in said["concepts"].split(";") if (each := part.strip())),
        abuse=said["abuse"],
        tag_type=said["tag_type"],
        is_cluster_definer=_BOOLEANS[definer],
        context=said["context"],
        lastmod=_date("lastmod", said["lastmod"]),
        valid_from=_date("valid_from", said["valid_from"]),
        valid_to=_date("valid_to", said["valid_to"]),
        author=said["author"],
        currency=said["currency"],
        network=said["network"],
    )
