"""What the exchanges answer to a legal request, each in its own form, each with six things that are wrong.

A row's number counts from 1 for the head, as a person sees it in the file (Beta: in the sheet Transfers). Alpha: UTF-8,
comma, ISO 8601 UTC, BTC. Beta: a workbook, local time of UTC+9 without saying so, day first, satoshi with thousands
separators, no vout. Gamma: Windows-1252, semicolon, decimal comma, mBTC, milliseconds since 1970, addresses, no txid.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cointrail.bitcoin.address import address_of
from cointrail.bitcoin.hashes import display
from cointrail.bitcoin.network import REGTEST
from cointrail.simulation.inputs.contradictions import Habits, Planted, Transfer, plant
from cointrail.simulation.inputs.formats.xlsx import workbook
from cointrail.simulation.inputs.tables import utc
from cointrail.simulation.plot.records import Movement
from cointrail.simulation.truth import AccountRow, ContradictionRow
from cointrail.simulation.world import World

_COIN = 100_000_000
_MILLICOIN = 100_000
_BETA_OFFSET = timedelta(hours=9)

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Customer:
    """Whom an account belongs to, as the exchange knows it."""

    account_id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class _Form:
    """How an exchange answers: the file, its fee for withdrawals, a transfer as a row, and how the file is made."""

    file: str
    fee_sat: int
    habits: Habits
    row: Callable[[Transfer, Customer], Row]
    fields: Mapping[str, str]
    """Type of contradiction: field that is wrong."""
    content: Callable[[Sequence[Row], Sequence[Customer]], bytes]


def write_returns(
    folder: Path, world: World, accounts: Sequence[AccountRow], movements: Sequence[Movement], names: Mapping[int, str]
) -> list[ContradictionRow]:
    """Write all returns.

    Args:
        folder: an existing, empty folder.
        world: gives the streams.
        accounts: of all exchanges; those that moved anything are answered for.
        movements: of these accounts, in chain order.
        names: of account holders, by entity.

    Returns:
        What is wrong in them.
    """
    rows: list[ContradictionRow] = []
    for exchange, form in _FORMS.items():
        own = [each for each in movements if each.exchange == exchange]
        asked = {each.account_id for each in own}
        customers = {
            each.account_id: Customer(each.account_id, names[each.holder_id], each.country)
            for each in accounts
            if each.account_id in asked
        }
        transfers = sorted((_transfer(each, form.fee_sat) for each in own), key=lambda each: each.time)
        lines, planted = plant(transfers, form.habits, world.stream(f"return {exchange}"))
        content = form.content([form.row(line, customers[line.account_id]) for line in lines], list(customers.values()))
        (folder / form.file).write_bytes(content)
        rows += [_contradiction(exchange, form, each, lines, customers) for each in planted]
    return rows


def _transfer(movement: Movement, fee_sat: int) -> Transfer:
    address = address_of(movement.script_pubkey, REGTEST)
    assert address is not None, "deposits and withdrawals have addresses"
    fee = fee_sat if movement.type == "withdrawal" else 0
    return Transfer(
        movement.account_id,
        movement.type,
        movement.time,
        movement.value_sat,
        fee,
        address,
        movement.txid,
        movement.vout,
    )


def _contradiction(
    exchange: str, form: _Form, planted: Planted, lines: Sequence[Transfer], customers: Mapping[str, Customer]
) -> ContradictionRow:
    """The row of the truth; of a duplicate the true value is the number of the first of both."""
    first_row = 2
    field = form.fields.get(planted.type, "")
    true_value = ""
    if planted.type == "duplicate_row":
        true_value = str(first_row + next(at for at, line in enumerate(lines) if line == planted.right))
    elif planted.right is not None:
        true_value = form.row(planted.right, customers[planted.right.account_id])[field]
    return ContradictionRow(exchange, form.file, first_row + planted.line, planted.type, field, true_value)


def _alpha_row(transfer: Transfer, customer: Customer) -> Row:
    return {
        "account_id": customer.account_id,
        "name": customer.name,
        "country": customer.country,
        "type": transfer.type,
        "time_utc": utc(transfer.time),
        "amount_btc": _decimal(transfer.value_sat, _COIN, 8),
        "fee_btc": _decimal(transfer.fee_sat, _COIN, 8),
        "address": transfer.address,
        "txid": display(transfer.txid),
        "vout": str(transfer.vout),
    }


def _beta_row(transfer: Transfer, customer: Customer) -> Row:
    local = datetime.fromtimestamp(transfer.time, UTC) + _BETA_OFFSET
    return {
        "Account": customer.account_id,
        "Direction": {"deposit": "IN", "withdrawal": "OUT"}[transfer.type],
        "Time": local.strftime("%d/%m/%Y %H:%M:%S"),
        "Amount (sat)": f"{transfer.value_sat:,}",
        "Fee (sat)": f"{transfer.fee_sat:,}",
        "Address": transfer.address,
        "TXID": display(transfer.txid),
    }


def _gamma_row(transfer: Transfer, customer: Customer) -> Row:
    return {
        "Kontonummer": customer.account_id,
        "Name": customer.name,
        "Land": customer.country,
        "Art": {"deposit": "Einzahlung", "withdrawal": "Überweisung"}[transfer.type],
        "Zeit (ms)": str(1_000 * transfer.time),
        "Betrag (mBTC)": _decimal(transfer.value_sat, _MILLICOIN, 5).replace(".", ","),
        "Gebühr (mBTC)": _decimal(transfer.fee_sat, _MILLICOIN, 5).replace(".", ","),
        "Adresse": transfer.address,
    }


def _decimal(value_sat: int, unit_sat: int, digits: int) -> str:
    return f"{value_sat // unit_sat}.{value_sat % unit_sat:0{digits}d}"


def _separated(rows: Sequence[Row], *, delimiter: str, line_end: str, encoding: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _beta_workbook(rows: Sequence[Row], customers: Sequence[Customer]) -> bytes:
    people = [["Account", "Name", "Country"], *([each.account_id, each.name, each.country] for each in customers)]
    transfers = [list(rows[0]), *(list(row.values()) for row in rows)]
    return workbook([("Customers", people), ("Transfers", transfers)])


_FORMS = {
    "Alpha": _Form(
        file="alpha.csv",
        fee_sat=20_000,
        habits=Habits(unit_factor=1_000, by_address=False),
        row=_alpha_row,
        fields={
            "wrong_amount": "amount_btc",
            "one_hour_shift": "time_utc",
            "foreign_txid": "txid",
            "wrong_unit": "amount_btc",
            "absent_transfer": "txid",
        },
        content=lambda rows, _: _separated(rows, delimiter=",", line_end="\n", encoding="utf-8"),
    ),
    "Beta": _Form(
        file="beta.xlsx",
        fee_sat=15_000,
        habits=Habits(unit_factor=1_000, by_address=False),
        row=_beta_row,
        fields={
            "wrong_amount": "Amount (sat)",
            "one_hour_shift": "Time",
            "foreign_txid": "TXID",
            "wrong_unit": "Amount (sat)",
            "absent_transfer": "TXID",
        },
        content=_beta_workbook,
    ),
    "Gamma": _Form(
        file="gamma.csv",
        fee_sat=25_000,
        habits=Habits(unit_factor=_MILLICOIN, by_address=True),
        row=_gamma_row,
        fields={
            "wrong_amount": "Betrag (mBTC)",
            "one_hour_shift": "Zeit (ms)",
            "foreign_txid": "Adresse",
            "wrong_unit": "Betrag (mBTC)",
            "absent_transfer": "Adresse",
        },
        content=lambda rows, _: _separated(rows, delimiter=";", line_end="\r\n", encoding="cp1252"),
    ),
}
