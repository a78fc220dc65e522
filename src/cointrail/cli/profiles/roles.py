"""`cointrail roles`."""

from collections.abc import Iterator
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
from cointrail.cli.output import btc, note, note_page, number, one_line, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.roles.answers import RolesAnswer, SegmentRow

_EPILOG = """\b
Examples:
  cointrail roles bcrt1q... --ledger ledger
  cointrail roles cluster:bcrt1q... --tags services.yaml --limit 100
  cointrail roles cluster:bcrt1q... --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("roles", epilog=_EPILOG)(roles)


def roles(
    wallet: Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, or cluster:ADDRESS.")],
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the scripts of a wallet are for by how they are paid and spent: deposit, hot, change and so on.

    Inferences from behaviour, never a verdict. The score of behaving like a service is shown with every feature that
    makes it, and abstains where there is too little. Deposit addresses need tags: whose they are is an assertion.
    """
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.roles.roles import roles_of
    from cointrail.service.tracing.services import find_services

    with open_ledger(required_ledger(ledger), as_of) as opened:
        services, _ = find_services(opened.reader, tag_choice(tags, known_at), categories=None)
        shown = limit or (None if json else SHOWN)
        answer = roles_of(opened.reader, wallet, services, first=first, limit=shown)
        opened.reader.check_current()
    if json:
        print_json(answer)
        return
    _print(answer, first)
    note("note: inferences, measured on imitation economies; see docs/methods/wallet-segments.md and service-like.md")


def _print(answer: "RolesAnswer", first: int) -> None:
    print_fields(_head(answer))
    print()
    print_table(
        ("segment", "scripts", "received", "balance"),
        ((each.segment, number(each.scripts), btc(each.received_sat), btc(each.balance_sat)) for each in answer.totals),
    )
    print()
    like = answer.service_like
    print_table(
        ("feature", "value", "adds (millionths of a logit)"),
        ((each.words, str(each.value), number(each.adds_micro)) for each in like.features),
    )
    print(f"  start {number(like.start_micro)}, sum {number(like.score_micro)}")
    print()
    print_table(
        ("script", "segment", "from others", "gathered", "payouts", "dwell", "received"), map(_row, answer.segments)
    )
    note_page(first, len(answer.segments), answer.scripts, "scripts")


def _head(answer: "RolesAnswer") -> Iterator[tuple[str, str]]:
    yield "wallet", f"{answer.asked}, {number(answer.scripts)} script(s)"
    yield "behaviour", answer.service_like.statement
    if measured := answer.service_like.measured:
        yield "measured", f"{number(measured.errors)} of {number(measured.n)} wrong on held-out wallets"
    if answer.deposit:
        yield "deposit", one_line(answer.deposit.statement)
    yield "spends", ", ".join(f"{kind} {number(count)}" for kind, count in answer.kinds.items()) or "none"
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _row(each: "SegmentRow") -> tuple[str, ...]:
    return (
        each.address or f"script:{each.script_pubkey[:40]}",
        each.segment,
        number(each.external),
        number(each.gathered),
        number(each.payouts),
        f"{number(each.dwell_seconds // 3600)} h" if each.dwell_seconds >= 0 else "-",
        btc(each.received_sat),
    )
