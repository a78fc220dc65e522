"""`cointrail funding`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.fiat_text import fiat_choice, in_money, money, note_prices, with_worth
from cointrail.cli.finding import inferred_line, tags_line, watched
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FiatOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    OverlayOption,
    PricesOption,
    RequireCompleteOption,
    ServiceLikeOption,
    TagsOption,
)
from cointrail.cli.output import COMPILING, btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.tracing.funding import FundingAnswer, PaymentAnswer

_EPILOG = """\b
Examples:
  cointrail funding bcrt1q... --tags services.yaml --ledger ledger
  cointrail funding cluster:bcrt1q... --tags services.yaml --csv requests.csv
  cointrail funding bcrt1q... --tags services.yaml --fiat USD
  cointrail funding cluster:bcrt1q... --tags services.yaml --hops 20 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("funding", epilog=_EPILOG)(funding)


def funding(
    wallet: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who was paid: an address, or cluster:ADDRESS.")],
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    service_like: ServiceLikeOption = False,
    hops: Annotated[int, typer.Option("--hops", min=0, help="Look back at most this far.")] = 100,
    transactions: Annotated[
        int, typer.Option("--transactions", min=1, help="Stop after this many transactions.")
    ] = 1_000_000,
    overlay: OverlayOption = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write withdrawals and payments, for legal requests.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --csv: replace a file that exists.")] = False,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    require_complete: RequireCompleteOption = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Find who paid an address or a wallet, and the withdrawals behind it, grouped by service.

    Looks back from every payment by haircut. It ends where a service's money was spent, at CoinJoins and at new coins;
    nothing is said beyond a mixer or a CoinJoin. Services are named as the file of tags does.
    """
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside
    from cointrail.service.tracing.funding import funding as find
    from cointrail.service.tracing.requests import write_funding
    from cointrail.trace.finders.funding import LIMITS

    choice = fiat_choice(fiat, prices)
    if not are_compiled("walk.walk"):
        note(COMPILING)
    with (
        open_ledger(required_ledger(ledger), as_of) as opened,
        beside(opened.reader, choice) as worth,
        watched() as watch,
    ):
        answer = find(
            opened.reader,
            wallet,
            services=tag_choice(tags, known_at),
            service_like=service_like,
            overlay=overlay,
            limits=replace(LIMITS, hops=hops, transactions=transactions),
            watch=watch,
            scoring=watch.scored,
            worth=worth,
        )
        opened.reader.check_current()
    if csv is not None:
        write_funding(answer, csv, overwrite=overwrite)
        note(f"written: {csv}")
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    watch.say_if_cut_off(complete=answer.complete, required=require_complete)


def _print(answer: "FundingAnswer", shown: int) -> None:
    print_fields(_head(answer))
    print()
    if answer.services:
        _print_services(answer)
    if answer.coinjoin_sat:
        print(f"  out of CoinJoins, not traceable beyond: {btc(answer.coinjoin_sat)}{in_money(answer.coinjoin_fiat)}")
    if answer.received_sat:
        print(
            "  received from somebody unknown, not traceable beyond: "
            f"{btc(answer.received_sat)}{in_money(answer.received_fiat)}"
        )
    for reason, sat in answer.rest_sat.items():
        print(f"  of nobody known, {reason}: {btc(sat)}")
    print(f"\n{number(len(answer.payments))} payment(s)")
    if answer.payments:
        page = answer.payments[:shown]
        header = ("height", "time", "paid", "verdict", "route", "from", "payment")
        worth = [each.payment.fiat for each in page]
        print_table(*with_worth(answer.prices, header, map(_row, page), [("paid", worth)]))
        note_page(0, min(shown, len(answer.payments)), len(answer.payments), "payments")
    note_prices(answer.prices)
    note("note: what came from a service is an inference by haircut upon an assertion of the tags; see docs/methods/")


def _print_services(answer: "FundingAnswer") -> None:
    rows = (
        (
            each.attributed.service,
            each.attributed.category,
            btc(each.sat),
            number(each.payments),
            number(each.direct),
            number(each.withdrawals),
        )
        for each in answer.services
    )
    header = ("service", "category", "came from it", "payments", "direct", "withdrawals")
    worth = [each.fiat for each in answer.services]
    print_table(*with_worth(answer.prices, header, rows, [("came from it", worth)]))


def _head(answer: "FundingAnswer") -> Iterator[tuple[str, str]]:
    yield "wallet", f"{answer.wallet}, {number(answer.scripts)} script(s)"
    yield "paid", f"{btc(answer.paid_sat)} by {number(len(answer.payments))} output(s) from outside"
    if answer.fiat:
        yield "worth", money(answer.fiat)
    yield "verdicts", ", ".join(f"{name} {number(count)}" for name, count in answer.verdicts.items()) or "none"
    if tags := answer.tags:
        yield "services", tags_line(tags)
    if answer.inferred:
        yield "inferred", inferred_line(answer.inferred)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _row(each: "PaymentAnswer") -> tuple[str, ...]:
    came = [f"{source.attributed.service} ({source.withdrawal.outpoint})" for source in each.sources]
    came += [f"CoinJoin {stop.transaction.outpoint}" for stop in each.coinjoins]
    came += [f"somebody unknown {stop.transaction.outpoint}" for stop in each.received]
    came = came or list(each.rest_sat)
    first = came[0] if came else "-"
    return (
        number(each.payment.height),
        each.payment.time_utc,
        btc(each.payment.value_sat),
        each.verdict,
        f"{each.route} ({each.transactions})" if each.transactions else each.route,
        f"{first} and {len(came) - 1} more" if len(came) > 1 else first,
        each.payment.outpoint,
    )
