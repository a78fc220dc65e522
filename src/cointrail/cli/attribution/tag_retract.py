"""`cointrail tags retract`."""

from typing import Annotated

import typer

from cointrail.cli.attribution.tag_options import ActorOption, ByOption, CollectionOption, SourceOption, where, who
from cointrail.cli.options import DatabaseOption, JsonOption
from cointrail.cli.output import number, print_fields, print_json
from cointrail.errors import UsageError

EPILOG = """\b
Examples:
  cointrail tags retract 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo --reason "typing error, see letter of 2 May"
  cointrail tags retract --collection leaks.csv --actor binance --reason "source withdrawn"
  cointrail tags retract 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo --undo"""


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

    All tags are taken back for which everything holds that is given. A retraction outlives later imports of the list,
    also where they give the tag another date, category or confidence. --undo takes it back.
    """
    from cointrail.attribution.store.changes.retraction import Which
    from cointrail.service.attribution.retraction import lift_retractions, retract_tags

    which = Which(address, collection, source, actor, label)
    if undo and reason:
        raise UsageError("--undo takes no reason", hint="leave --reason out")
    if undo:
        answer = lift_retractions(where(database), which, by=who(by))
    else:
        answer = retract_tags(where(database), which, reason=reason, by=who(by))
    if json:
        print_json(answer)
        return
    print_fields([(answer.what, f"{number(answer.tags)} tag(s)"), ("since", answer.utc), ("tag set", answer.tag_set)])
