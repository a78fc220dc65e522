"""`cointrail tags collections`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cointrail.cli.attribution.tag_options import where
from cointrail.cli.attribution.tag_text import cell, known
from cointrail.cli.options import DatabaseOption, JsonOption, KnownAtOption
from cointrail.cli.output import number, print_fields, print_json, print_table

if TYPE_CHECKING:
    from cointrail.service.attribution.answers import VersionAnswer


EPILOG = """\b
Examples:
  cointrail tags collections
  cointrail tags collections --known-at 2024-03-01 --json"""


def collections(known_at: KnownAtOption = None, database: DatabaseOption = None, json: JsonOption = False) -> None:
    """Show every collection with its version, and the digest of the whole tag set."""
    from cointrail.service.attribution.listing import list_collections

    answer = list_collections(where(database), known_at)
    if json:
        print_json(answer)
        return
    if answer.collections:
        _print_versions(answer.collections)
    print_fields([("database", answer.database), ("tag set", answer.tag_set), *known(answer.known_at)])


def _print_versions(versions: Sequence["VersionAnswer"]) -> None:
    print_table(
        ("collection", "tags", "imported", "by", "read as", "sha256"),
        (
            (
                cell(each.collection),
                number(each.tags),
                each.imported_utc,
                cell(each.imported_by),
                f"{each.format} {each.reader_version}",
                each.sha256[:16],
            )
            for each in versions
        ),
    )
    print()
