"""`cointrail tx`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.fiat_text import fiat_choice, in_money, note_prices, with_worth
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FiatOption,
    JsonOption,
    LedgerOption,
    LimitOption,
    PricesOption,
)
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.answers import OutputAnswer, TransactionAnswer

_EPILOG = """\b
Examples:
  cointrail tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --ledger ledger
  cointrail tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --json
  cointrail tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --fiat USD"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tx", epilog=_EPILOG)(tx)


def tx(
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, 64 hex digits.")],
    ledger: LedgerOption = None,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show a transaction: what it spends, what it pays, and what spends that."""
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside
    from cointrail.service.transactions import transaction

    choice = fiat_choice(fiat, prices)
    with open_ledger(required_ledger(ledger), as_of) as opened, beside(opened.reader, choice) as worth:
        answer = transaction(opened.reader, txid, worth=worth)
        opened.reader.check_current()
    if json:
        print_json(answer)
        return
    _print(answer, limit or SHOWN)
    if len(answer.heights) > 1:
        note(f"note: this txid stands in blocks {answer.heights}; the later overwrote the earlier (BIP30)")


def _print(answer: "TransactionAnswer", shown: int) -> None:
    print_fields(
        [
            ("txid", answer.txid),
            ("block", f"{number(answer.height)} · {answer.block_hash}"),
            ("time", f"{answer.time_utc} (miner-declared)"),
            ("confirmations", number(answer.confirmations)),
            ("size", f"{number(answer.size)} bytes, weight {number(answer.weight)}"),
            ("fee", "- (coinbase)" if answer.coinbase else f"{btc(answer.fee_sat)}{in_money(answer.fee_fiat)}"),
        ]
    )
    print(f"\n{number(len(answer.inputs))} input(s)")
    inputs, outputs = answer.inputs[:shown], answer.outputs[:shown]
    spends = (
        (
            str(each.vin),
            btc(each.value_sat),
            each.script_type or "coinbase",
            each.address or "-",
            each.outpoint or "new coins",
        )
        for each in inputs
    )
    header = ("vin", "value", "type", "address", "spends")
    print_table(*with_worth(answer.prices, header, spends, [("value", [each.fiat for each in inputs])]))
    note_page(0, len(inputs), len(answer.inputs), "inputs")
    print(f"\n{number(len(answer.outputs))} output(s)")
    pays = (
        (str(each.vout), btc(each.value_sat), each.script_type, each.address or "-", _spender(each)) for each in outputs
    )
    header = ("vout", "value", "type", "address", "spent by")
    print_table(*with_worth(answer.prices, header, pays, [("value", [each.fiat for each in outputs])]))
    note_page(0, len(outputs), len(answer.outputs), "outputs")
    note_prices(answer.prices)


def _spender(output: "OutputAnswer") -> str:
    return f"{output.spender.txid} input {output.spender.vin}" if output.spender else output.state
