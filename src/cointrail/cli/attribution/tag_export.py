"""`cointrail tags export`."""

from pathlib import Path
from typing import Annotated

import typer

from cointrail.cli.attribution.tag_options import where
from cointrail.cli.attribution.tag_text import known
from cointrail.cli.options import DatabaseOption, JsonOption, KnownAtOption
from cointrail.cli.output import note, number, one_line, print_fields, print_json
from cointrail.errors import UsageError

EPILOG = """\b
Examples:
  cointrail tags export exchanges.yaml -o copy.yaml
  cointrail tags export ofac -o ofac.csv --format csv
  cointrail tags export exchanges.yaml -o shared.yaml --for-graphsense"""


def export(
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Name of the list.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="tagpack, actorpack, bip329 or csv. Default: as it came."),
    ] = None,
    for_graphsense: Annotated[
        bool, typer.Option("--for-graphsense", help="Of a pack: without fields that GraphSense refuses.")
    ] = False,
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
    answer = export_collection(
        where(database),
        collection,
        output,
        form,
        known_at=known_at,
        overwrite=overwrite,
        own_fields=not for_graphsense,
    )
    for why, count in answer.left_out.items():
        note(f"left out: {number(count)} {one_line(why)}")
    if json:
        print_json(answer)
        return
    print_fields(
        [
            ("written", answer.file),
            ("as", answer.format),
            ("tags", number(answer.tags)),
            *([("actors", number(answer.actors))] if answer.actors else []),
            *known(answer.known_at),
        ]
    )
