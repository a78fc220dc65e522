"""`cointrail ingest`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import JsonOption, LedgerOption
from cointrail.cli.output import COMPILING, note, number, print_fields, print_json
from cointrail.config import required_ledger
from cointrail.errors import InputRefused

if TYPE_CHECKING:
    from cointrail.service.maintenance import IngestAnswer

_EPILOG = """\b
Examples:
  cointrail ingest ~/.bitcoin --ledger ledger
  cointrail ingest /mnt/copy/blocks --ledger ledger --until 800000
  cointrail ingest ~/.bitcoin --network signet --ledger signet-ledger --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest", epilog=_EPILOG)(ingest)


def ingest(
    source: Annotated[
        Path, typer.Argument(help="A node's data directory, its blocks folder, or a folder of blk*.dat.")
    ],
    ledger: LedgerOption = None,
    network: Annotated[
        str | None, typer.Option("--network", help="mainnet, testnet3, testnet4, signet or regtest; else recognised.")
    ] = None,
    until: Annotated[int | None, typer.Option("--until", metavar="HEIGHT", min=0, help="Stop at this height.")] = None,
    json: JsonOption = False,
) -> None:
    """Build a ledger from a node's block files, or bring it up to date.

    May be interrupted and repeated at any time: it goes on where it stopped, and follows reorganisations.
    Exit code 4 if blocks are damaged or missing; what could be read is in the ledger then.
    """
    from cointrail import kernels
    from cointrail.cli.progress import ProgressLine, stop_on_interrupt
    from cointrail.service import maintenance

    if not kernels.are_compiled():
        note(COMPILING)

    line = ProgressLine()
    with stop_on_interrupt() as stop:
        try:
            answer = maintenance.ingest(
                source, required_ledger(ledger), network=network, until=until, watch=line.ingest, stop=stop
            )
        finally:
            line.clear()
    if json:
        print_json(answer)
    else:
        _print(answer)
    for text in (*answer.gaps, *answer.refused):
        note(f"note: {text}")
    if answer.rivals:
        note(f"note: {answer.rivals} other branch(es) have as much work; the one first in the files was taken")
    if not answer.complete:
        raise _incomplete(answer)


def _print(answer: "IngestAnswer") -> None:
    rate = answer.transactions / answer.seconds if answer.seconds else 0
    print_fields(
        [
            ("network", answer.network),
            ("source", answer.source),
            ("height", number(answer.height)),
            ("block hash", answer.block_hash),
            ("added", f"{number(answer.blocks)} blocks, {number(answer.transactions)} transactions"),
            ("withdrawn", f"{number(answer.rewound)} blocks by a reorganisation"),
            ("left out", f"{number(answer.stale)} stale and {number(answer.duplicates)} duplicate blocks"),
            ("time", f"{answer.seconds:.1f} s ({rate:,.0f} transactions/s)"),
            ("digest", answer.digest),
        ]
    )


def _incomplete(answer: "IngestAnswer") -> InputRefused:
    faults = [*answer.damaged, *answer.failed, *answer.orphans]
    more = f" (and {len(faults) - 1} more, see --json)" if len(faults) > 1 else ""
    return InputRefused(
        f"the block files are damaged or incomplete; the ledger ends at height {answer.height}: {faults[0]}{more}",
        hint="repair or complete the files (a node that is still downloading needs time) and run the command again",
    )
