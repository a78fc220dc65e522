"""`cointrail tx`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import SHOWN, AsOfOption, JsonOption, LedgerOption, LimitOption
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.answers import OutputAnswer, TransactionAnswer

_EPILOG = """\b
Examples:
  cointrail tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --ledger ledger
  cointrail tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tx", epilog=_EPILOG)(tx)


def tx(
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, 64 hex digits.")],
    ledger: LedgerOption = None,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show a transaction: what it spends, what it pays, and what spends that."""
    from cointrail.service.ledgers import open_ledger

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = opened.transaction(txid)
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
            ("fee", "- (coinbase)" if answer.coinbase else btc(answer.fee_sat)),
        ]
    )
    print(f"\n{number(len(answer.inputs))} input(s)")
    print_table(
        ("vin", "value", "type", "address", "spends"),
        (
            (
                str(each.vin),
                btc(each.value_sat),
                each.script_type or "coinbase",
                each.address or "-",
                each.outpoint or "new coins",
            )
            for each in answer.inputs[:shown]
        ),
    )
    note_page(0, min(shown, len(answer.inputs)), len(answer.inputs), "inputs")
    print(f"\n{number(len(answer.outputs))} output(s)")
    print_table(
        ("vout", "value", "type", "address", "spent by"),
        (
            (str(each.vout), btc(each.value_sat), each.script_type, each.address or "-", _spender(each))
            for each in answer.outputs[:shown]
        ),
    )
    note_page(0, min(shown, len(answer.outputs)), len(answer.outputs), "outputs")


def _spender(output: "OutputAnswer") -> str:
    return f"{output.spender.txid} input {output.spender.vin}" if output.spender else output.state
