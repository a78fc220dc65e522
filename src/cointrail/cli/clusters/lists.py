"""`cointrail lists`: signed lists of transactions whose co-spend is not believed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import JsonOption, LedgerOption
from cointrail.cli.output import note, number, print_fields, print_json
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.lists import ListAnswer

_EPILOG = """\b
Examples:
  cointrail lists add known-coinjoins.txt --key RWQ... --ledger ledger
  cointrail lists show --ledger ledger --json
  cointrail lists remove known-coinjoins.txt --ledger ledger"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Show, add and remove signed lists of transactions whose co-spend is not believed.", epilog=_EPILOG
    )
    for command in (show, add, remove):
        group.command(command.__name__, epilog=_EPILOG)(command)
    app.add_typer(group, name="lists")


def show(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """Show the lists that the clusters of a ledger were built with."""
    from cointrail.service.lists import lists

    found = lists(required_ledger(ledger))
    if json:
        print_json(found)
        return
    for each in found.lists:
        _print(each)
    if not found.lists:
        note("no list is in force")


def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One txid a line; FILE.minisig is its signature.")],
    key: Annotated[str, typer.Option("--key", help="minisign public key (RW...) of whom you trust to have signed it.")],
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Put a signed list in force: the clusters of the ledger are built again without its co-spends.

    A list can only keep scripts apart. It is a parameter of every answer about clusters, by name and SHA-256.
    """
    from cointrail.service.lists import add_list

    _done(add_list(required_ledger(ledger), file, key), json=json)


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or SHA-256 of a list in force.")],
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Take a list out of force: the clusters of the ledger are built again."""
    from cointrail.service.lists import remove_list

    _done(remove_list(required_ledger(ledger), name), json=json)


def _done(answer: "ListAnswer", *, json: bool) -> None:
    if json:
        print_json(answer)
    else:
        _print(answer)
    note("the clusters were built again")


def _print(answer: "ListAnswer") -> None:
    fields = [("list", answer.name), ("sha256", answer.sha256)]
    if answer.transactions is not None:
        fields.append(("transactions", number(answer.transactions)))
    if answer.key_id:
        fields += [("signed by", f"key {answer.key_id}"), ("comment", answer.comment or "")]
    print_fields(fields)
