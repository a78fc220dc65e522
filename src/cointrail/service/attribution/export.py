"""Giving a collection back as a file: a TagPack, an ActorPack, wallet labels, or a table; as it was known at a day."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TextIO

from cointrail.attribution.formats.table import STATED, SUBJECTS
from cointrail.attribution.store.reader import TagStore
from cointrail.attribution.store.records import ImportRecord
from cointrail.attribution.tag import Pack, Statement, Tag
from cointrail.errors import NotFound, UsageError
from cointrail.ledger.columns import disk_error
from cointrail.reports.place import place_for
from cointrail.service.attribution.answers import ExportAnswer
from cointrail.service.attribution.database import reading


class ExportFormat(StrEnum):
    """Forms a collection can be written in."""

    TAGPACK = "tagpack"
    ACTORPACK = "actorpack"
    BIP329 = "bip329"
    CSV = "csv"


@dataclass
class _Counted:
    collection: str
    tags: int = 0
    actors: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a writer is given beside the tags: the store, the collection as a pack, and what is counted."""

    store: TagStore
    pack: Pack
    counted: _Counted
    own_fields: bool


_Writer = Callable[[_Wanted, Iterator[Tag], TextIO], dict[str, int]]

_PACKS: Final = (ExportFormat.TAGPACK, ExportFormat.ACTORPACK)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def export_collection(
    where: str,
    collection: str,
    path: Path,
    file_format: ExportFormat | None = None,
    *,
    known_at: str | None = None,
    overwrite: bool = False,
    own_fields: bool = True,
) -> ExportAnswer:
    """Write what holds of a collection, whole or not at all.

    Args:
        where: the database.
        collection: its name.
        path: the file.
        file_format: by default an ActorPack for actors, else a TagPack.
        known_at: as it was known at this day or time.
        overwrite: replace a file that exists.
        own_fields: whether packs have fields that GraphSense does not know, and whose packs it refuses.

    Raises:
        NotFound: there was no such collection.
        UsageError: the file exists, or is in no folder; or a form that is not GraphSense's is to be without the fields.
        Unavailable: the database or the disk cannot be used.
    """
    with reading(where, known_at) as store:
        record = store.collections.get(collection)
        if record is None:
            raise NotFound(f"there is no collection {collection!r}", hint="cointrail tags collections lists them")
        form = file_format or (ExportFormat.ACTORPACK if record.format == "actorpack" else ExportFormat.TAGPACK)
        if not own_fields and form not in _PACKS:
            raise UsageError(f"{form} is no form of GraphSense's", hint=f"choose {' or '.join(_PACKS)}")
        counted = _Counted(collection)
        tags = _tags(store, counted)
        wanted = _Wanted(store, _pack(record), counted, own_fields)
        write = _WRITERS[form]
        left_out = _written(path, lambda file: write(wanted, tags, file), overwrite=overwrite)
        return ExportAnswer(
            collection, str(path), str(form), counted.tags, counted.actors, left_out, store.known_at, store.digest
        )


def _tags(store: TagStore, counted: _Counted) -> Iterator[Tag]:
    for tag in store.tags_in(counted.collection):
        counted.tags += 1
        yield Tag(tag.subject, tag.statement, tag.line)


def _pack(record: ImportRecord) -> Pack:
    header = {} if record.format == "table" else record.header  # a table's is how it was read
    return Pack(record.file_name, record.sha256, record.format, record.reader_version, header, ())


def _written(path: Path, write: Callable[[TextIO], dict[str, int]], *, overwrite: bool) -> dict[str, int]:
    place = place_for(path, overwrite=overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix=".cointrail-", dir=place.parent) as folder:
            whole = Path(folder) / "new"
            with whole.open("w", encoding="utf-8", newline="") as file:
                left_out = write(file)
            whole.replace(place)
    except OSError as error:
        raise disk_error(error, path) from error
    return left_out


def _tagpack(wanted: _Wanted, tags: Iterator[Tag], file: TextIO) -> dict[str, int]:
    from cointrail.attribution.formats.tagpack import write_tagpack

    return write_tagpack(wanted.pack, tags, file, own_fields=wanted.own_fields)


def _actorpack(wanted: _Wanted, tags: Iterator[Tag], file: TextIO) -> dict[str, int]:
    from cointrail.attribution.formats.actorpack import write_actorpack

    del tags
    actors = [each.actor for each in wanted.store.actors(collection=wanted.counted.collection)]
    wanted.counted.actors = len(actors)
    return write_actorpack(wanted.pack, actors, file, own_fields=wanted.own_fields)


def _bip329(wanted: _Wanted, tags: Iterator[Tag], file: TextIO) -> dict[str, int]:
    from cointrail.attribution.formats.bip329 import write_bip329

    del wanted
    return write_bip329(tags, file)


def _csv(wanted: _Wanted, tags: Iterator[Tag], file: TextIO) -> dict[str, int]:
    """A table that `tags import` reads again; cells that a spreadsheet would run begin with an apostrophe."""
    del wanted
    kinds = {kind: name for name, kind in SUBJECTS.items()}
    left_out: dict[str, int] = {}
    rows = csv.writer(file)
    rows.writerow([*SUBJECTS, *STATED])
    for tag in tags:
        name = kinds.get(tag.subject.kind)
        if name is None:
            reason = f"tags about a {tag.subject.kind}, for which a table has no column"
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        if tag.statement.extra:
            reason = "fields a table has no column for"
            left_out[reason] = left_out.get(reason, 0) + 1
        about = [tag.subject.text if each == name else "" for each in SUBJECTS]
        cells = [*about, *(_cell(tag.statement, each) for each in STATED)]
        rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return left_out


def _cell(statement: Statement, name: str) -> str:
    value = getattr(statement, name)
    if name == "concepts":
        return ";".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or ""


_WRITERS: Final[dict[ExportFormat, _Writer]] = {
    ExportFormat.TAGPACK: _tagpack,
    ExportFormat.ACTORPACK: _actorpack,
    ExportFormat.BIP329: _bip329,
    ExportFormat.CSV: _csv,
}
