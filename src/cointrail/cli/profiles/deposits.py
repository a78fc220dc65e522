"""`cointrail deposits`."""

from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FirstOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    TagsOption,
)
from cointrail.cli.output import note, note_page, number, one_line, print_fields, print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.roles.answers import DepositRow, DepositsAnswer

_EPILOG = """\b
Examples:
  cointrail deposits --tags services.yaml --ledger ledger
  cointrail deposits --sure --limit 100
  cointrail deposits --tags services.yaml --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deposits", epilog=_EPILOG)(deposits)


def deposits(
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    sure: Annotated[bool, typer.Option("--sure", help="Leave likely ones out.")] = False,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """List the deposit addresses of the services that tags name: where accounts are credited.

    An inference apart from who holds the keys: all of its money goes to the service. It is nobody's name; the service
    can say whose account it was.
    """
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.roles.deposits import find_deposits
    from cointrail.service.tracing.services import find_services

    with open_ledger(required_ledger(ledger), as_of) as opened:
        services, used = find_services(opened.reader, tag_choice(tags, known_at))
        if used is None:
            raise UsageError(
                "no tags name a service", hint="give --tags FILE, or import some: cointrail tags import FILE"
            )
        answer = find_deposits(
            opened.reader, services, first=first, limit=limit or (None if json else SHOWN), sure=sure
        )
        opened.reader.check_current()
    if json:
        print_json(answer)
        return
    _print(answer, first)
    note("note: inferences resting on assertions; see docs/methods/deposit-address.md for how often they are wrong")


def _print(answer: "DepositsAnswer", first: int) -> None:
    by_service = ", ".join(f"{name} {number(count)}" for name, count in answer.by_service.items()) or "none"
    print_fields(
        [
            ("deposits", f"{number(answer.total)}, of them {number(answer.sure)} surely"),
            ("by service", one_line(by_service)),
            ("tag set", answer.tag_set_digest),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
        ]
    )
    print()
    print_table(("address", "service", "standing", "sweeps", "funders", "siblings"), map(_row, answer.rows))
    note_page(first, len(answer.rows), answer.total, "deposit addresses")


def _row(each: "DepositRow") -> tuple[str, ...]:
    return (
        each.address or f"script:{each.script_pubkey[:40]}",
        one_line(each.service),
        each.standing,
        number(each.sweeps),
        number(each.funders),
        number(each.siblings),
    )
