"""`cointrail tags list`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_options import ActorOption, CollectionOption, SourceOption, where
from cointrail.cli.attribution.tag_text import cell, then
from cointrail.cli.options import SHOWN, DatabaseOption, FirstOption, JsonOption, KnownAtOption, LimitOption
from cointrail.cli.output import note, note_page, print_json, print_table

if TYPE_CHECKING:
    from cointrail.service.attribution.answers import TagAnswer


EPILOG = """\b
Examples:
  cointrail tags list 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo
  cointrail tags list binance --category exchange --confidence service_data
  cointrail tags list --collection ofac --valid-on 2024-03-01 --json"""


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
    answer = list_tags(where(database), text, known_at=known_at, choice=chosen, first=first, limit=shown)
    if json:
        print_json(answer)
        return
    if answer.tags:
        _print_tags(answer.tags)
    else:
        note("no tag is so")
    note_page(answer.first, len(answer.tags), answer.total, "tags")
    note(f"note: assertions of their sources{then(answer.known_at)}; tag set {answer.tag_set}")


def _print_tags(tags: Sequence["TagAnswer"]) -> None:
    print_table(
        ("subject", "attributed to", "category", "confidence", "by source", "collection", "since"),
        (
            (
                *map(
                    cell,
                    (tag.subject, tag.actor or tag.label, tag.category, tag.confidence, tag.source, tag.collection),
                ),
                tag.imported_utc,
            )
            for tag in tags
        ),
    )
