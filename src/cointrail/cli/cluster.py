"""`cointrail cluster`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, FirstOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json
from cointrail.config import required_ledger
from cointrail.errors import Incomplete

if TYPE_CHECKING:
    from cointrail.service.answers import ClusterAnswer

_EPILOG = """\b
Examples:
  cointrail cluster 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger
  cointrail cluster bcrt1q... --as-of 500 --limit 1000 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cluster", epilog=_EPILOG)(cluster)


def cluster(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, a public key in hex, or script:HEX.")],
    ledger: LedgerOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Cut the search off after this many scripts.")
    ] = None,
    require_complete: Annotated[
        bool, typer.Option("--require-complete", help="Exit with code 7 if the search was cut off.")
    ] = False,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show the scripts that are spent together with an address.

    An inference at level L1: co-spend outside collaborative transactions. It is a lower bound; that a script is not in
    it does not mean that others control it.
    """
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.cluster(address, first=first, limit=limit or (None if json else SHOWN), most=most)
    if json:
        print_json(answer)
    else:
        _print(answer, first)
    if not answer.complete and require_complete:
        raise Incomplete(f"the search was cut off after {answer.size} scripts", hint="raise or leave out --most")


def _print(answer: "ClusterAnswer", first: int) -> None:
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in answer.rules)
    print_fields(
        [
            ("cluster", answer.cluster_id),
            ("level", f"{answer.level} (inference; rules: {rules})"),
            ("size", f"{number(answer.size)} scripts" + ("" if answer.complete else " (search cut off)")),
            ("evidence", f"{number(answer.co_spends)} co-spends; {number(answer.suppressed)} collaborative left out"),
            ("received", btc(answer.received_sat)),
            ("balance", btc(answer.balance_sat)),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )
    for member in answer.members:
        print(f"  {member}")
    note_page(first, len(answer.members), answer.size, "members")
    note("note: controlled by the same entity under the assumption of co-spend; see docs/methods/co-spend.md")
