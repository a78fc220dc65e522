"""`cointrail cluster`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FirstOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    ModelOption,
    TagsOption,
)
from cointrail.cli.output import note, print_json
from cointrail.config import required_ledger
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.answers import HeldAnswer

_EPILOG = """\b
Examples:
  cointrail cluster 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger
  cointrail cluster bcrt1q... --as-of 500 --members --limit 1000 --json
  cointrail cluster bcrt1q... --suspicious --bridges --limit 5
  cointrail cluster bcrt1q... --suspicious --tags tags.csv
  cointrail cluster bcrt1q... --level L2 --transactions
  cointrail cluster --held --level L2 --limit 100"""

_LOWER_BOUND = (
    "note: an inference at level {}, a lower bound: other scripts may be under the same control; "
    "see docs/howto/read-a-cluster.md"
)
_LEADS = (
    "note: level L3 is leads only: it says where to look next, and is no evidence; rely on L1, or on L2 link by link; "
    "see docs/explanation/levels.md"
)
_ADDRESS = "An address, a public key in hex, or script:HEX; none with --held."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cluster", epilog=_EPILOG)(cluster)


def _flag(name: str, text: str) -> object:
    return typer.Option(name, help=text)


def cluster(
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help=_ADDRESS)] = None,
    ledger: LedgerOption = None,
    level: Annotated[
        str, typer.Option("--level", help="L1: facts and co-spend; L2: with voted change; L3: leads only.")
    ] = "",
    members: Annotated[bool, _flag("--members", "List all members.")] = False,
    transactions: Annotated[bool, _flag("--transactions", "List the co-spends that are believed.")] = False,
    suppressed: Annotated[bool, _flag("--suppressed", "List the co-spends that are not, with every reason.")] = False,
    evolution: Annotated[bool, _flag("--evolution", "List how it grew, and former cluster ids.")] = False,
    largest: Annotated[bool, _flag("--largest", "Evolution: the largest steps first, not in time order.")] = False,
    bridges: Annotated[bool, _flag("--bridges", "List what alone holds it together.")] = False,
    suspicious: Annotated[bool, _flag("--suspicious", "Rank the merges that deserve a look.")] = False,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    model: ModelOption = None,
    overlay: Annotated[
        Path | None, typer.Option("--overlay", metavar="FILE", help="Apply the corrections of an overlay file.")
    ] = None,
    held: Annotated[bool, _flag("--held", "List held merges and growth alarms of the whole ledger.")] = False,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what is under common control with an address, and what says so.

    An inference: at level L1 same key and co-spend outside collaborative transactions. L1 and L2 are lower bounds; that
    a script is not in one does not mean that others control it. L3 is leads only: where to look next, never evidence.
    """
    from cointrail.service.clustering.held import held as held_merges
    from cointrail.service.clustering.levels import level_named
    from cointrail.service.ledgers import open_ledger

    asked = {
        "members": members,
        "transactions": transactions,
        "suppressed": suppressed,
        "evolution": evolution,
        "bridges": bridges,
        "suspicious": suspicious,
    }
    show = [name for name, wanted in asked.items() if wanted]
    at = level_named(level or ("L2" if held else "L1"))
    _check(address, show, held=held, overlay=overlay)
    if largest and not evolution:
        raise UsageError(
            "--largest changes nothing without --evolution: it orders that list",
            hint="add --evolution, or leave --largest out",
        )
    choice, rows = tag_choice(tags, known_at), limit or (None if json else SHOWN)
    with open_ledger(required_ledger(ledger), as_of) as opened:
        if address is None:
            merges = held_merges(opened.reader, level=at, first=first, limit=rows, model=model, tagged=choice)
            opened.reader.check_current()
            _show_held(merges, first, json)
            return
        answer = opened.cluster(
            address,
            level=at,
            show=show,
            first=first,
            limit=rows if show or limit else None,
            order="size" if largest else "time",
            overlay=overlay,
            tagged=choice,
            model=model,
        )
    if json:
        print_json(answer)
        return
    from cointrail.cli.clusters.cluster_text import print_cluster

    print_cluster(answer, first, members=members or not show)
    note(_LEADS if at == "L3" else _LOWER_BOUND.format(at))
    if answer.note:
        note(f"note: {answer.note}")


def _check(address: str | None, show: list[str], *, held: bool, overlay: Path | None) -> None:
    if held and (address is not None or show or overlay):
        raise UsageError(
            "--held lists the whole ledger and goes with no address and no other list", hint="leave out one of the two"
        )
    if not held and address is None:
        raise UsageError("no address is given", hint="name one, or ask for --held")


def _show_held(answer: "HeldAnswer", first: int, json: bool) -> None:
    if json:
        print_json(answer)
        return
    from cointrail.cli.clusters.cluster_text import print_held

    print_held(answer, first)
    if answer.note:
        note(f"note: {answer.note}")
