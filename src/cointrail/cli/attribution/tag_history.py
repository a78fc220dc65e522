"""`cointrail tags history`."""

from typing import Annotated

import typer

from cointrail.cli.attribution.tag_options import where
from cointrail.cli.attribution.tag_text import cell, then
from cointrail.cli.options import DatabaseOption, JsonOption, KnownAtOption
from cointrail.cli.output import note, print_json, print_table

EPILOG = """\b
Examples:
  cointrail tags history 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo
  cointrail tags history ofac --json"""


def history(
    asked: Annotated[str, typer.Argument(metavar="ADDRESS|COLLECTION", help="An address, or a collection's name.")],
    known_at: KnownAtOption = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show what happened to the tags of an address, or to a collection: imported, withdrawn, retracted."""
    from cointrail.service.attribution.history import history as history_of

    answer = history_of(where(database), asked, known_at)
    if json:
        print_json(answer)
        return
    print_table(
        ("time", "what", "by", "collection", "file", "text"),
        (
            tuple(
                map(cell, (each.utc, each.what, each.by, each.collection, each.file, _because(each.text, each.reason)))
            )
            for each in answer.events
        ),
    )
    note(f"note: assertions of their sources{then(answer.known_at)}; tag set {answer.tag_set}")


def _because(text: str, reason: str) -> str:
    return f"{text}; because: {reason}" if reason else text
