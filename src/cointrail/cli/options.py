"""Options that several commands share."""

from enum import StrEnum
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
TagsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--tags",
        metavar="FILE",
        help="Tags: a TagPack, a list, or a table address,actor; repeatable; `none` for no tags. "
        "Default: the imported ones.",
    ),
]
KnownAtOption = Annotated[
    str | None, typer.Option("--known-at", metavar="DATE", help="Imported tags as they were known at this time, UTC.")
]
ServiceLikeOption = Annotated[
    bool,
    typer.Option(
        "--service-like",
        help="Stop too at clusters that behave like services and that no tag names: an inference.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="WHERE",
        help="The database of tags and prices, a file or a URL. Default: COINTRAIL_DATABASE, then the settings file.",
    ),
]
FiatOption = Annotated[
    str | None,
    typer.Option("--fiat", metavar="CURRENCY", help="Amounts in money too, by imported prices: USD, EUR ..."),
]
PricesOption = Annotated[
    str | None,
    typer.Option("--prices", metavar="SOURCE", help="With --fiat: whose prices; those of the newest import if none."),
]
HopsOption = Annotated[int | None, typer.Option("--hops", min=0, help="Follow at most this many deep.")]
MostOutputsOption = Annotated[
    int | None, typer.Option("--max-outputs", min=0, help="Do not cross transactions of more outputs.")
]
MostScriptsOption = Annotated[
    int | None, typer.Option("--max-cluster", min=1, help="Nor follow into L1 clusters of more scripts.")
]
SecondsOption = Annotated[int | None, typer.Option("--seconds", min=1, help="Stop after this time.")]
AlsoSourceOption = Annotated[
    list[str] | None, typer.Option("--also-source", metavar="SOURCE", help="One more source; repeatable.")
]
AlsoTargetOption = Annotated[
    list[str] | None, typer.Option("--also-target", metavar="TARGET", help="One more target; repeatable.")
]
SourceArgument = Annotated[
    str, typer.Argument(metavar="SOURCE", help="A txid, an outpoint txid:vout, an address, or cluster:ADDRESS.")
]
OverlayOption = Annotated[
    Path | None, typer.Option("--overlay", metavar="FILE", help="Corrections to apply to the cluster.")
]
ThroughCoinJoinsOption = Annotated[
    bool, typer.Option("--through-coinjoins", help="Do not stop at collaborative transactions.")
]
RequireCompleteOption = Annotated[
    bool, typer.Option("--require-complete", help="Exit with code 7 if a budget stopped it.")
]


class FeeName(StrEnum):
    """What becomes of traced fees."""

    ACCOUNT = "account"
    PROPAGATE = "propagate"


FeesOption = Annotated[
    FeeName, typer.Option("--fees", help="Book fees where they are paid, or follow them into the coinbase.")
]

SHOWN = 25
"""Rows a text answer shows when no limit is given."""
