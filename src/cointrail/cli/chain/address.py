"""`cointrail address`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.fiat_text import fiat_choice, note_prices, with_worth
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FiatOption,
    FirstOption,
    JsonOption,
    LedgerOption,
    LimitOption,
    PricesOption,
)
from cointrail.cli.output import btc, note_page, number, print_fields, print_json, print_json_line, print_table
from cointrail.config import required_ledger
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.addresses import History
    from cointrail.service.answers import AddressAnswer

_EPILOG = """\b
Examples:
  cointrail address 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger
  cointrail address bcrt1q... --history --limit 100 --json
  cointrail address bcrt1q... --history --fiat USD
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
    fiat: FiatOption = None,
    prices: PricesOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an address received and spent, and when."""
    from cointrail.service.addresses import history as list_history
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside

    choice = fiat_choice(fiat, prices)
    if choice is not None and not history:
        raise UsageError(
            "--fiat values each amount at its own time, and these sums are given without times",
            hint="add --history, or ask `cointrail profile`",
        )
    with open_ledger(required_ledger(ledger), as_of) as opened:
        if history:
            with beside(opened.reader, choice) as worth:
                shown = limit or (None if json else SHOWN)
                page = list_history(opened.reader, text, first=first, limit=shown, worth=worth)
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
        asked = {} if page.prices is None else {"prices": asdict(page.prices)}
        print_json_line({"total": page.total, "first": page.first, **asked})
        for entry in page:
            print_json_line(asdict(entry))
        return
    print(f"{number(page.total)} transaction(s)")
    entries = list(page)
    rows = [
        (entry.time_utc, number(entry.height), btc(entry.received_sat), btc(entry.spent_sat), entry.txid)
        for entry in entries
    ]
    worth = [
        ("received", [entry.received_fiat for entry in entries]),
        ("spent", [entry.spent_fiat for entry in entries]),
    ]
    print_table(*with_worth(page.prices, ("time", "height", "received", "spent", "txid"), rows, worth))
    note_page(page.first, len(rows), page.total, "transactions")
    note_prices(page.prices)
