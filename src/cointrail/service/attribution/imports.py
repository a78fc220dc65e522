"""Importing files of tags: each becomes the new version of its collection, whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from cointrail.attribution.formats.read import read_pack, recognise
from cointrail.attribution.formats.table import Mapping
from cointrail.attribution.homoglyphs import doubt
from cointrail.attribution.store.changes.importing import Imported, import_pack
from cointrail.attribution.store.reader import open_tags
from cointrail.attribution.store.rows import canonical
from cointrail.attribution.tag import Pack, Tag
from cointrail.database import Database
from cointrail.errors import InputRefused, UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.attribution.answers import ImportAnswer, ImportsAnswer, PoolConflictAnswer, PoolsAnswer
from cointrail.service.attribution.database import retraction_answer, version_answer
from cointrail.service.attribution.pools import name_from_chain
from cointrail.service.names import snapshot_name

SUFFIXES: Final = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".xml"})
"""Files that are taken from a folder."""

_NO_TABLES: Final = SUFFIXES - {".csv", ".tsv", ".txt"}

MOST_FILES: Final = 10_000
_MOST_DOUBTS = 20


def import_files(
    where: str,
    paths: Sequence[Path],
    *,
    by: str,
    collection: str | None = None,
    file_format: str | None = None,
    mapping: Mapping | None = None,
    progress: Callable[[str, str, int], None] = lambda _file, _stage, _tags: None,
) -> ImportsAnswer:
    """Import files, one transaction each: a fault in one leaves those before it imported.

    Args:
        where: the database; a file of SQLite is made if it is not there.
        paths: files, or folders with files of tags, searched to any depth.
        by: who imports.
        collection: name of the list, for a single file; its file name if None.
        file_format: how to read; found out if None.
        mapping: which column of a table is what; in a folder, of its tables.
        progress: called with a file's name, what is being done, and how many tags were read.

    Raises:
        UsageError: files that would be versions of one collection, or no file at all.
        InputRefused: a file is no list of tags; those before it are imported.
        Unavailable: a file or the database cannot be used.
    """
    files = _files(paths, collection)
    answers = []
    with Database(where, create=True) as database:
        for path in files:
            pack = _read(path, file_format, mapping, alone=len(files) == 1)
            doubts: list[str] = []
            told = canonical(mapping.as_json()) if mapping is not None and pack.format == "table" else "{}"
            done = import_pack(
                database,
                replace(pack, tags=_doubting(pack, doubts)),
                path.name if collection is None else collection,
                by=by,
                options={"mapping": told} if told != "{}" else {},
                progress=lambda stage, tags, name=path.name: progress(name, stage, tags),  # type: ignore[misc]
            )
            answers.append(_answer(database, done, doubts))
        return ImportsAnswer(str(database.address), tuple(answers), answers[-1].tag_set)


def _read(path: Path, file_format: str | None, mapping: Mapping | None, *, alone: bool) -> Pack:
    """Read a file; a table must say its source, or be told it, for a file's name is none."""
    named = mapping is not None and path.suffix.lower() not in _NO_TABLES
    chosen = file_format or ("table" if named else recognise(path))
    if chosen == "table":
        return read_pack(path, chosen, mapping or Mapping())
    return read_pack(path, chosen, mapping if alone else None)


def import_pools(
    where: str,
    path: Path,
    reader: Reader,
    *,
    by: str,
    progress: Callable[[str, int], None] = lambda _stage, _tags: None,
) -> PoolsAnswer:
    """Name mining pools from the coinbases of a ledger, by a list of their texts, and import the tags.

    Args:
        where: the database; a file of SQLite is made if it is not there.
        path: the list of pools.
        reader: the ledger at a snapshot, with its block files at hand.
        by: who imports.
        progress: called with what is being done, and how many tags were read.

    Raises:
        InputRefused: the file is no list of pools, or names no text.
        Unavailable: the block files or the database cannot be used.
    """
    from cointrail.attribution.formats.read import read_pack

    named = name_from_chain(reader, read_pack(path, "pools").tags)
    collection = f"coinbases of {reader.snapshot.network}, by {path.name}"
    with Database(where, create=True) as database:
        done = import_pack(database, named.pack, collection, by=by, progress=progress)
        imported = _answer(database, done, ())
    conflicts = tuple(PoolConflictAnswer(**asdict(each)) for each in named.conflicts)
    return PoolsAnswer(imported, conflicts, snapshot_name(reader))


def _answer(database: Database, done: Imported, doubts: Sequence[str]) -> ImportAnswer:
    with open_tags(database) as store:
        retracted, first = store.kept_out(done.record.collection)
        return ImportAnswer(
            version=version_answer(done.record),
            unchanged=done.unchanged,
            doubtful_names=tuple(doubts),
            retracted=retracted,
            first_retraction=None if first is None else retraction_answer(first),
            tag_set=store.digest,
        )


def _files(paths: Sequence[Path], collection: str | None) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        try:
            files += sorted(_inside(path)) if path.is_dir() else [path]
        except (OSError, ValueError) as error:
            raise InputRefused(f"{str(path)[:100]!r} cannot be the name of a file") from error
        if len(files) > MOST_FILES:
            raise UsageError(f"these are more than {MOST_FILES:,} files", hint="import fewer at once")
    if not files:
        raise UsageError(f"no file of tags is in {paths[0]}", hint=f"files end in {', '.join(sorted(SUFFIXES))}")
    if collection is not None:
        if len(files) > 1:
            raise UsageError(
                f"{len(files)} files cannot all be the one version of collection {collection!r}",
                hint="import them one after another under names of their own, or leave --collection out",
            )
        if not collection.strip():
            raise UsageError("a collection needs a name")
        return files
    seen: dict[str, Path] = {}
    for path in files:
        if (other := seen.setdefault(path.name, path)) is not path:
            raise UsageError(
                f"{other} and {path} have one name, so one would replace the other",
                hint="import them one after another, each with --collection NAME",
            )
    return files


def _inside(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def _doubting(pack: Pack, doubts: list[str]) -> Iterator[Tag]:
    """The same tags; names that may be in disguise are noted, some of them."""
    last = None
    for tag in pack.tags:
        # Neighbours mostly share their statement.
        if tag.statement is not last and len(doubts) < _MOST_DOUBTS:
            last = tag.statement
            if not (last.label.isascii() and last.actor.isascii()):
                for name in {last.label, last.actor}:
                    said = f"{name!a}: {reason}" if (reason := doubt(name)) else ""
                    if said and all(said not in each for each in doubts):
                        doubts.append(f"line {tag.line}: {said}")
        yield tag
