"""`cointrail address`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, FirstOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note_page, number, print_fields, print_json, print_json_line, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.addresses import History
    from cointrail.service.answers import AddressAnswer

_EPILOG = """\b
Examples:
  cointrail address 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger
  cointrail address bcrt1q... --history --limit 100 --json
  cointrail address 0411db93e1dcdb8a... --ledger ledger  # a public key: outputs that pay to it directly"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("address", epilog=_EPILOG)(address)


def address(
    text: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="An address, a public key in hex, or script:HEX (a scriptPubKey).")
    ],
    ledger: LedgerOption = None,
    history: Annotated[
        bool, typer.Option("--history", help="List its transactions, oldest first; with --json one a line.")
    ] = False,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an address received and spent, and when."""
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        if history:
            page = opened.history(text, first=first, limit=limit or (None if json else SHOWN))
            _print_history(page, json=json)
            opened.reader.check_current()
            return
        answer = opened.address(text)
    if json:
        print_json(answer)
    else:
        _print(answer)


def _print(answer: "AddressAnswer") -> None:
    print_fields(
        [
            ("address", answer.address or f"- ({answer.script_type} has none; script {answer.script_pubkey})"),
            ("type", answer.script_type),
            ("received", btc(answer.received_sat)),
            ("spent", btc(answer.spent_sat)),
            ("balance", f"{btc(answer.balance_sat)} in {number(answer.unspent_outputs)} unspent output(s)"),
            ("unspendable", btc(answer.unspendable_sat)),
            ("transactions", number(answer.transactions)),
            ("first seen", f"height {number(answer.first_seen.height)}, {answer.first_seen.time_utc}"),
            ("last seen", f"height {number(answer.last_seen.height)}, {answer.last_seen.time_utc}"),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )


def _print_history(page: "History", *, json: bool) -> None:
    if json:
        print_json_line({"total": page.total, "first": page.first})
        for entry in page:
            print_json_line(asdict(entry))
        return
    print(f"{number(page.total)} transaction(s)")
    rows = [
        (entry.time_utc, number(entry.height), btc(entry.received_sat), btc(entry.spent_sat), entry.txid)
        for entry in page
    ]
    print_table(("time", "height", "received", "spent", "txid"), rows)
    note_page(page.first, len(rows), page.total, "transactions")
