"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

LedgerOption = Annotated[
    Path | None,
    typer.Option("--ledger", help="The ledger's folder. Default: COINTRAIL_LEDGER, then the settings file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AsOfOption = Annotated[
    int | None, typer.Option("--as-of", metavar="HEIGHT", min=0, help="Answer as of this height instead of the tip.")
]
FirstOption = Annotated[int, typer.Option("--first", min=0, help="Number of the first row shown.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Most rows shown; all of them with --json.")]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="FILE", help="With --level L3: a change model, whose names are leads."),
]

SHOWN = 25
"""Rows a text answer shows when no limit is given."""
