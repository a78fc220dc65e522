"""`cointrail block`."""

from typing import Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, FirstOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note_page, number, print_fields, print_json
from cointrail.config import required_ledger

_EPILOG = """\b
Examples:
  cointrail block 170 --ledger ledger
  cointrail block 000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("block", epilog=_EPILOG)(block)


def block(
    which: Annotated[str, typer.Argument(metavar="HEIGHT|HASH", help="A height or a block hash.")],
    ledger: LedgerOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show a block and its transactions."""
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.block(which, first=first, limit=limit or (None if json else SHOWN))
    if json:
        print_json(answer)
        return
    print_fields(
        [
            ("height", number(answer.height)),
            ("block hash", answer.block_hash),
            ("previous", answer.previous_block_hash or "- (genesis block)"),
            ("merkle root", answer.merkle_root),
            ("time", f"{answer.time_utc} (miner-declared; median {answer.median_time_utc})"),
            ("size", f"{number(answer.size)} bytes, weight {number(answer.weight)}"),
            ("fees", btc(answer.fees_sat)),
            ("unclaimed", btc(answer.unclaimed_sat)),
            ("transactions", number(answer.transactions)),
        ]
    )
    for txid in answer.txids:
        print(f"  {txid}")
    note_page(first, len(answer.txids), answer.transactions, "transactions")
