"""`cointrail cluster`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, FirstOption, JsonOption, LedgerOption, LimitOption, ModelOption
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
  cointrail cluster bcrt1q... --level L2 --transactions
  cointrail cluster --held --level L2 --limit 100"""

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
        str, typer.Option("--level", help="L1: facts and co-spend; L2: with voted change; L3: with leads.")
    ] = "",
    members: Annotated[bool, _flag("--members", "List all members.")] = False,
    transactions: Annotated[bool, _flag("--transactions", "List the co-spends that are believed.")] = False,
    suppressed: Annotated[bool, _flag("--suppressed", "List the co-spends that are not, with every reason.")] = False,
    evolution: Annotated[bool, _flag("--evolution", "List how it grew, and former cluster ids.")] = False,
    largest: Annotated[bool, _flag("--largest", "Evolution: the largest steps first, not in time order.")] = False,
    bridges: Annotated[bool, _flag("--bridges", "List what alone holds it together.")] = False,
    suspicious: Annotated[bool, _flag("--suspicious", "Rank the merges that deserve a look.")] = False,
    tagged: Annotated[
        Path | None,
        typer.Option("--tagged", metavar="FILE", help="With --suspicious: a CSV file, columns address,actor."),
    ] = None,
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

    An inference: at level L1 same key and co-spend outside collaborative transactions. It is a lower bound; that a
    script is not in it does not mean that others control it.
    """
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
    _check(address, show, held=held, files=[file for file in (tagged, overlay) if file])
    rows = limit or (None if json else SHOWN)
    with open_ledger(required_ledger(ledger), as_of) as opened:
        if address is None:
            _show_held(opened.held(level=level_named(level or "L2"), first=first, limit=rows, model=model), first, json)
            return
        answer = opened.cluster(
            address,
            level=level_named(level or "L1"),
            show=show,
            first=first,
            limit=rows if show or limit else None,
            order="size" if largest else "time",
            overlay=overlay,
            tagged=_read_tagged(tagged),
            model=model,
        )
    if json:
        print_json(answer)
        return
    from cointrail.cli.cluster_text import print_cluster

    print_cluster(answer, first, members=members or not show)
    note(
        f"note: an inference at level {answer.level}, a lower bound: other scripts may be under the same control; "
        "see docs/howto/read-a-cluster.md"
    )
    if answer.note:
        note(f"note: {answer.note}")


def _check(address: str | None, show: list[str], *, held: bool, files: list[Path]) -> None:
    if held and (address is not None or show or files):
        raise UsageError(
            "--held lists the whole ledger and goes with no address and no other list", hint="leave out one of the two"
        )
    if not held and address is None:
        raise UsageError("no address is given", hint="name one, or ask for --held")


def _read_tagged(path: Path | None) -> dict[str, str] | None:
    if path is None:
        return None
    from cointrail.service.clustering.tagged import read_tagged

    return read_tagged(path)


def _show_held(answer: "HeldAnswer", first: int, json: bool) -> None:
    if json:
        print_json(answer)
        return
    from cointrail.cli.cluster_text import print_held

    print_held(answer, first)
    if answer.note:
        note(f"note: {answer.note}")
