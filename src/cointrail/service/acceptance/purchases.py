"""Receipts of test purchases (`undercover.csv`): which output of which transaction somebody paid to the market.

A receipt names the output, so nobody has to guess which one is the payer's change; its value is compared with the
chain's. Receipts of transactions that the ledger does not hold yet are left out (SCENARIO.md 4.1).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from cointrail.errors import InputRefused, NotFound
from cointrail.ledger.reader import Reader
from cointrail.service.names import find_transaction, name_of

_COLUMNS = ("purchase_no", "txid", "vout", "value_sat")
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Purchase:
    """A test purchase whose payment the ledger holds.

    Attributes:
        number: of the purchase.
        paid: what was paid: an address, or `script:HEX` for a script that has none.
    """

    number: int
    paid: str


def read_purchases(reader: Reader, path: Path) -> tuple[Purchase, ...]:
    """Read receipts and look up what they paid.

    Args:
        reader: the ledger at a snapshot.
        path: of the table; a txid is spelled as nodes display it.

    Returns:
        The purchases of this snapshot, in the order of the table.

    Raises:
        InputRefused: the table is missing or malformed, or a receipt contradicts the chain.
    """
    found = []
    for line, row in enumerate(_rows(path), 2):
        try:
            number, vout, value = (int(row[name]) for name in ("purchase_no", "vout", "value_sat"))
        except ValueError as error:
            raise InputRefused(f"line {line} of {path} lacks a number: {error}") from error
        try:
            outputs = reader.outputs_of(find_transaction(reader, row["txid"])[-1])
        except NotFound:
            continue
        if not 0 <= vout < len(outputs) or int(reader.column("output", "value_sat")[outputs[vout]]) != value:
            raise InputRefused(
                f"line {line} of {path}: output {vout} of {row['txid']} is not one of {value} sat",
                hint="compare the receipt with the chain",
            )
        found.append(Purchase(number, name_of(reader, int(reader.column("output", "script")[outputs[vout]]))))
    return tuple(found)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint="give a table of receipts only")
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(
            f"{path} cannot be read: {error}", hint="give a complete world, made by `cointrail simulate`"
        ) from error
    for line, row in enumerate(rows, 2):
        if any(row.get(name) is None for name in _COLUMNS):
            raise InputRefused(f"line {line} of {path} lacks one of the columns {', '.join(_COLUMNS)}")
    return rows
