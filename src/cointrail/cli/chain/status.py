"""`cointrail status`."""

import typer

from cointrail.cli.options import AsOfOption, JsonOption, LedgerOption
from cointrail.cli.output import btc, note, number, print_fields, print_json
from cointrail.config import required_ledger

_EPILOG = """\b
Examples:
  cointrail status --ledger ledger
  cointrail status --ledger ledger --as-of 170 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", epilog=_EPILOG)(status)


def status(ledger: LedgerOption = None, as_of: AsOfOption = None, json: JsonOption = False) -> None:
    """Show what a ledger holds: height, counts, unspent outputs and digest."""
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.status()
    if json:
        print_json(answer)
        return
    print_fields(
        [
            ("network", answer.network),
            ("height", number(answer.height)),
            ("block hash", answer.block_hash),
            ("block time", f"{answer.time_utc} (miner-declared)"),
            ("transactions", number(answer.transactions)),
            ("inputs", number(answer.inputs)),
            ("outputs", number(answer.outputs)),
            ("scripts", number(answer.scripts)),
            ("unspent", f"{number(answer.unspent_outputs)} outputs, {btc(answer.unspent_value_sat)}"),
            ("digest", answer.digest),
        ]
    )
    for reason in answer.refused:
        note(f"note: {reason}")
