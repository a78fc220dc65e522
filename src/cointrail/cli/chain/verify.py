"""`cointrail verify`."""

import typer

from cointrail.cli.options import JsonOption, LedgerOption
from cointrail.cli.output import print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import CheckFailed

_EPILOG = """\b
Examples:
  cointrail verify --ledger ledger
  cointrail verify --ledger ledger --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", epilog=_EPILOG)(verify)


def verify(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """Recompute everything in a ledger that can be recomputed and say where it is damaged.

    Exit code 5 if anything does not agree.
    """
    from cointrail.cli.progress import ProgressLine
    from cointrail.service import maintenance

    line = ProgressLine()
    try:
        answer = maintenance.verify(required_ledger(ledger), watch=line.verify)
    finally:
        line.clear()
    if json:
        print_json(answer)
    elif answer.sound:
        print(f"{answer.ledger}: everything agrees")
    else:
        print_table(("where", "what"), ((damage.where, damage.what) for damage in answer.damages))
    if not answer.sound:
        raise CheckFailed(
            f"{answer.ledger} is damaged in {len(answer.damages)} place(s)",
            hint="restore it from a copy, or build it again from the block files",
        )
