"""`cointrail tags import`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.attribution.confidence import NO_CONFIDENCE
from cointrail.cli.attribution.tag_options import ByOption, where, who
from cointrail.cli.options import DatabaseOption, JsonOption
from cointrail.cli.output import note, number, one_line, print_fields, print_json
from cointrail.cli.progress import ProgressLine
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.attribution.formats.table import Mapping
    from cointrail.service.attribution.answers import ImportAnswer


EPILOG = """\b
Examples:
  cointrail tags import exchanges.yaml
  cointrail tags import packs/ --by "A. Analyst"
  cointrail tags import wallets.csv --source https://example.org/list --column address=wallet --column label=name
  cointrail tags import wallets.csv --source exhibit-7 --confidence forensic --column address=wallet --column label=name
  cointrail tags import sdn_advanced.xml --collection ofac --json"""


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
    confidence: Annotated[
        str | None,
        typer.Option("--confidence", metavar="NAME", help="Of a table: confidence of rows that give none."),
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

    Tags for which nobody gives a confidence are of confidence unknown: leads, which neither stop a trace nor name a
    cluster.
    """
    from cointrail.service.attribution.imports import import_files

    line = ProgressLine()
    try:
        answer = import_files(
            where(database),
            files,
            by=who(by),
            collection=collection,
            file_format=file_format,
            mapping=_mapping(column or [], source, confidence, delimiter),
            progress=lambda name, stage, tags: line.show(f"{one_line(name)}: {stage}, {number(tags)} tags"),
        )
    finally:
        line.clear()
    for each in answer.imports:
        _note_ungraded(each)
    if json:
        print_json(answer)
        return
    for each in answer.imports:
        _print_import(each)
    print_fields([("database", answer.database), ("tag set", answer.tag_set)])


def _mapping(columns: Sequence[str], source: str | None, confidence: str | None, delimiter: str) -> "Mapping | None":
    if not columns and source is None and confidence is None and delimiter == ",":
        return None
    from cointrail.attribution.formats.table import Mapping
    from cointrail.service.attribution.listing import level_named

    if confidence is not None:
        level_named(confidence)
    constants = {name: text for name, text in (("source", source), ("confidence", confidence)) if text is not None}
    said: dict[str, str] = {}
    for each in columns:
        name, equals, column = each.partition("=")
        if not equals or not name or not column:
            raise UsageError(f"--column {each!r} is no FIELD=COLUMN", hint="such as --column address=wallet")
        if name in said:
            raise UsageError(f"--column {name} is given twice")
        said[name] = column
    return Mapping(said, constants, "\t" if delimiter == r"\t" else delimiter)


def _note_ungraded(each: "ImportAnswer") -> None:
    count, version = each.version.skipped.get(NO_CONFIDENCE, 0), each.version
    if count:
        how = "--confidence NAME gives them one" if version.format == "table" else "a field of the pack gives them one"
        note(
            f"note: {number(count)} tag(s) of {one_line(version.file)} give no confidence, so it is unknown: they are "
            f"leads, and neither stop a trace nor name a cluster; {how}"
        )


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
        if why != NO_CONFIDENCE:
            note(f"{number(count)} {one_line(why)}")
    for doubt in each.doubtful_names:
        note(f"a name that may be in disguise: {one_line(doubt)}")
    if (first := each.first_retraction) is not None:
        since = f"the first since {first.retracted_utc} by {one_line(first.retracted_by)}: {one_line(first.reason)}"
        note(f"{number(each.retracted)} tag(s) of this version stay retracted here, {since}")
    if each.unchanged:
        note(f"this version was there since {version.imported_utc}: nothing was changed")
