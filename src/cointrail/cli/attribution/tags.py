"""`cointrail tags`: importing, listing, taking back and exporting what lists say about addresses."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail import config
from cointrail.cli.attribution import tag_pools
from cointrail.cli.options import SHOWN, DatabaseOption, FirstOption, JsonOption, KnownAtOption, LimitOption
from cointrail.cli.output import note, note_page, number, one_line, print_fields, print_json, print_table
from cointrail.cli.progress import ProgressLine
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.attribution.formats.table import Mapping
    from cointrail.service.attribution.answers import ImportAnswer, TagAnswer, VersionAnswer

_IMPORT = """\b
Examples:
  cointrail tags import exchanges.yaml
  cointrail tags import packs/ --by "A. Analyst"
  cointrail tags import wallets.csv --source https://example.org/list --column address=wallet --column label=name
  cointrail tags import sdn_advanced.xml --collection ofac --json"""
_LIST = """\b
Examples:
  cointrail tags list 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo
  cointrail tags list binance --category exchange --confidence service_data
  cointrail tags list --collection ofac --valid-on 2024-03-01 --json"""
_COLLECTIONS = """\b
Examples:
  cointrail tags collections
  cointrail tags collections --known-at 2024-03-01 --json"""
_HISTORY = """\b
Examples:
  cointrail tags history 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo
  cointrail tags history ofac --json"""
_RETRACT = """\b
Examples:
  cointrail tags retract 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo --reason "typing error, see letter of 2 May"
  cointrail tags retract --collection leaks.csv --actor binance --reason "source withdrawn"
  cointrail tags retract 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo --undo"""
_EXPORT = """\b
Examples:
  cointrail tags export exchanges.yaml -o copy.yaml
  cointrail tags export ofac -o ofac.csv --format csv"""

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="WHO", help="Who does it. Default: the name you are logged in with.")
]
CollectionOption = Annotated[str | None, typer.Option("--collection", metavar="NAME", help="Only of this list.")]
ActorOption = Annotated[str | None, typer.Option("--actor", metavar="ID", help="Only of this actor.")]
SourceOption = Annotated[str | None, typer.Option("--source", metavar="WHERE", help="Only of this source.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Import and export what lists say about addresses; show what was known when; take tags back.",
        epilog="\n".join([_IMPORT, *_LIST.splitlines()[2:], *_HISTORY.splitlines()[2:], *_EXPORT.splitlines()[2:]]),
        rich_markup_mode=None,
    )
    group.command("import", epilog=_IMPORT)(import_)
    group.command("list", epilog=_LIST)(list_)
    group.command("collections", epilog=_COLLECTIONS)(collections)
    group.command("history", epilog=_HISTORY)(history)
    group.command("retract", epilog=_RETRACT)(retract)
    group.command("export", epilog=_EXPORT)(export)
    group.command("pools", epilog=tag_pools.EPILOG)(tag_pools.pools)
    app.add_typer(group, name="tags")


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of tags, or folders of them.")],
    collection: Annotated[
        str | None,
        typer.Option("--collection", metavar="NAME", help="The list that the file is a version of. Default: its name."),
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="How to read it. Default: found out.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="WHERE", help="Of a table: source of rows that name none.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="FIELD=COLUMN", help="Of a table: which column holds a field. Repeatable."),
    ] = None,
    delimiter: Annotated[
        str, typer.Option("--delimiter", metavar="CHAR", help="Of a table: what stands between cells.")
    ] = ",",
    by: ByOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Import files of tags: TagPacks, ActorPacks, sanctions and mining-pool lists, wallet labels, tables.

    Each file becomes the new version of its collection: new tags are added, those that are no longer in it withdrawn,
    whole or not at all. The same file again changes nothing. Nothing is deleted.
    """
    from cointrail.service.attribution.imports import import_files

    line = ProgressLine()
    try:
        answer = import_files(
            _where(database),
            files,
            by=_who(by),
            collection=collection,
            file_format=file_format,
            mapping=_mapping(column or [], source, delimiter),
            progress=lambda name, stage, tags: line.show(f"{one_line(name)}: {stage}, {number(tags)} tags"),
        )
    finally:
        line.clear()
    if json:
        print_json(answer)
        return
    for each in answer.imports:
        _print_import(each)
    print_fields([("database", answer.database), ("tag set", answer.tag_set)])


def list_(
    text: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS|TEXT]", help="An address, or the begin of a label or actor.")
    ] = None,
    known_at: KnownAtOption = None,
    valid_on: Annotated[
        str | None, typer.Option("--valid-on", metavar="DATE", help="Only tags whose validity dates hold then.")
    ] = None,
    actor: ActorOption = None,
    category: Annotated[str | None, typer.Option("--category", help="Only of this category.")] = None,
    source: SourceOption = None,
    collection: CollectionOption = None,
    confidence: Annotated[
        str | None, typer.Option("--confidence", metavar="NAME", help="At least this confidence.")
    ] = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List tags that hold now, or were known at a time."""
    from cointrail.attribution.store.choice import TagFilter
    from cointrail.service.attribution.listing import MOST, level_named, list_tags

    level = None if confidence is None else level_named(confidence)
    chosen = TagFilter(None, actor, category, source, collection, level, valid_on)
    shown = limit or (MOST if json else SHOWN)
    answer = list_tags(_where(database), text, known_at=known_at, choice=chosen, first=first, limit=shown)
    if json:
        print_json(answer)
        return
    if answer.tags:
        _print_tags(answer.tags)
    else:
        note("no tag is so")
    note_page(answer.first, len(answer.tags), answer.total, "tags")
    note(f"note: assertions of their sources{_then(answer.known_at)}; tag set {answer.tag_set}")


def collections(known_at: KnownAtOption = None, database: DatabaseOption = None, json: JsonOption = False) -> None:
    """Show every collection with its version, and the digest of the whole tag set."""
    from cointrail.service.attribution.listing import list_collections

    answer = list_collections(_where(database), known_at)
    if json:
        print_json(answer)
        return
    if answer.collections:
        _print_versions(answer.collections)
    print_fields([("database", answer.database), ("tag set", answer.tag_set), *_known(answer.known_at)])


def history(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS|COLLECTION", help="An address, or a collection's name.")],
    known_at: KnownAtOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show what happened to the tags of an address, or to a collection: imported, withdrawn, retracted."""
    from cointrail.service.attribution.history import history as history_of

    answer = history_of(_where(database), asked, known_at)
    if json:
        print_json(answer)
        return
    print_table(
        ("time", "what", "by", "collection", "file", "text"),
        (
            tuple(
                map(_cell, (each.utc, each.what, each.by, each.collection, each.file, _because(each.text, each.reason)))
            )
            for each in answer.events
        ),
    )
    note(f"note: assertions of their sources{_then(answer.known_at)}; tag set {answer.tag_set}")


def retract(
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="What the tags are about. May be left out.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the retraction.")] = "",
    collection: CollectionOption = None,
    source: SourceOption = None,
    actor: ActorOption = None,
    label: Annotated[str | None, typer.Option("--label", metavar="TEXT", help="Only with this label.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take retractions back instead.")] = False,
    by: ByOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Take tags back, with a reason: they no longer hold here, whatever their list says. Nothing is deleted.

    All tags are taken back for which everything holds that is given. A retraction outlives later imports of the list.
    """
    from cointrail.attribution.store.changes.retraction import Which
    from cointrail.service.attribution.retraction import lift_retractions, retract_tags

    which = Which(address, collection, source, actor, label)
    if undo and reason:
        raise UsageError("--undo takes no reason", hint="leave --reason out")
    if undo:
        answer = lift_retractions(_where(database), which, by=_who(by))
    else:
        answer = retract_tags(_where(database), which, reason=reason, by=_who(by))
    if json:
        print_json(answer)
        return
    print_fields([(answer.what, f"{number(answer.tags)} tag(s)"), ("since", answer.utc), ("tag set", answer.tag_set)])


def export(
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Name of the list.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="tagpack, actorpack, bip329 or csv. Default: as it came."),
    ] = None,
    known_at: KnownAtOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Write what holds of a collection to a file."""
    from cointrail.service.attribution.export import ExportFormat, export_collection

    names = [str(each) for each in ExportFormat]
    if file_format is not None and file_format not in names:
        raise UsageError(f"there is no format {file_format!r} to export", hint=f"one of: {', '.join(names)}")
    form = None if file_format is None else ExportFormat(file_format)
    answer = export_collection(_where(database), collection, output, form, known_at=known_at, overwrite=overwrite)
    if json:
        print_json(answer)
        return
    print_fields(
        [
            ("written", answer.file),
            ("as", answer.format),
            ("tags", number(answer.tags)),
            *([("actors", number(answer.actors))] if answer.actors else []),
            *_known(answer.known_at),
        ]
    )
    for why, count in answer.left_out.items():
        note(f"left out: {number(count)} {one_line(why)}")


# From options.


def _where(database: str | None) -> str:
    return str(config.database(database).value)


def _who(by: str | None) -> str:
    if by is not None:
        if not by.strip():
            raise UsageError("--by needs a name")
        return by
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError("nobody is logged in by a name", hint="say who does it: --by WHO") from None


def _mapping(columns: Sequence[str], source: str | None, delimiter: str) -> "Mapping | None":
    if not columns and source is None and delimiter == ",":
        return None
    from cointrail.attribution.formats.table import Mapping

    said: dict[str, str] = {}
    for each in columns:
        name, equals, column = each.partition("=")
        if not equals or not name or not column:
            raise UsageError(f"--column {each!r} is no FIELD=COLUMN", hint="such as --column address=wallet")
        if name in said:
            raise UsageError(f"--column {name} is given twice")
        said[name] = column
    return Mapping(said, {} if source is None else {"source": source}, "\t" if delimiter == r"\t" else delimiter)


# To words.


def _then(known_at: str | None) -> str:
    return "" if known_at is None else f" as known at {known_at}"


def _known(known_at: str | None) -> list[tuple[str, str]]:
    return [] if known_at is None else [("known at", known_at)]


def _because(text: str, reason: str) -> str:
    return f"{text}; because: {reason}" if reason else text


def _cell(text: str) -> str:
    return one_line(text) or "-"


def _print_import(each: "ImportAnswer") -> None:
    version = each.version
    print_fields(
        [
            ("collection", one_line(version.collection)),
            ("file", f"{one_line(version.file)} (SHA-256 {version.sha256})"),
            ("read as", f"{version.format} {version.reader_version}"),
            ("tags", number(version.tags)),
            ("added", number(version.added)),
            ("withdrawn", number(version.withdrawn)),
        ]
    )
    print()
    for why, count in version.skipped.items():
        note(f"{number(count)} {one_line(why)}")
    for doubt in each.doubtful_names:
        note(f"a name that may be in disguise: {one_line(doubt)}")
    if each.unchanged:
        note(f"this version was there since {version.imported_utc}: nothing was changed")


def _print_tags(tags: Sequence["TagAnswer"]) -> None:
    print_table(
        ("subject", "attributed to", "category", "confidence", "by source", "collection", "since"),
        (
            (
                *map(
                    _cell,
                    (tag.subject, tag.actor or tag.label, tag.category, tag.confidence, tag.source, tag.collection),
                ),
                tag.imported_utc,
            )
            for tag in tags
        ),
    )


def _print_versions(versions: Sequence["VersionAnswer"]) -> None:
    print_table(
        ("collection", "tags", "imported", "by", "read as", "sha256"),
        (
            (
                _cell(each.collection),
                number(each.tags),
                each.imported_utc,
                _cell(each.imported_by),
                f"{each.format} {each.reader_version}",
                each.sha256[:16],
            )
            for each in versions
        ),
    )
    print()
