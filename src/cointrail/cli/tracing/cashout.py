"""`cointrail cashout`."""

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
    from cointrail.service.tracing.cash_out import (
        ArrivalAnswer,
        CandidateAnswer,
        CandidateSetAnswer,
        CashOutAnswer,
        Destination,
    )
    from cointrail.service.worth import FiatPrices

_EPILOG = """\b
Examples:
  cointrail cashout cluster:bcrt1q... --tags services.yaml --ledger ledger
  cointrail cashout cluster:bcrt1q... --tags services.yaml --fiat EUR --prices "exchange X, daily close"
  cointrail cashout f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0 --tags services.yaml --json
  cointrail cashout cluster:bcrt1q... --tags services.yaml --csv cash-outs.csv --rounds 0"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cashout", epilog=_EPILOG)(cashout)


def cashout(
    seeds: Annotated[
        list[str],
        typer.Argument(metavar="SEED...", help="A txid, an outpoint txid:vout, an address, or cluster:ADDRESS."),
    ],
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    service_like: ServiceLikeOption = False,
    rounds: Annotated[
        int, typer.Option("--rounds", min=0, max=16, help="Look for candidates behind so many CoinJoins in a row.")
    ] = 4,
    hops: Annotated[int, typer.Option("--hops", min=0, help="Follow at most this many deep.")] = 100,
    min_sat: Annotated[int, typer.Option("--min-sat", min=0, help="Do not follow less than this.")] = 10_000,
    transactions: Annotated[
        int, typer.Option("--transactions", min=1, help="Stop after this many transactions.")
    ] = 1_000_000,
    overlay: OverlayOption = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the outputs that arrived, for legal requests.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --csv: replace a file that exists.")] = False,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    require_complete: RequireCompleteOption = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Find where money was cashed out: outputs that arrived at services, grouped by service.

    Follows by haircut, with FIFO beside it, and ends at whoever the file of tags names. What goes into a CoinJoin is
    answered with a set of candidates and their probabilities: leads, never a fact.
    """
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside
    from cointrail.service.tracing.cash_out import cash_out
    from cointrail.service.tracing.requests import write_arrivals
    from cointrail.trace.finders.cash_out import LIMITS

    choice = fiat_choice(fiat, prices)
    if not are_compiled("walk.walk"):
        note(COMPILING)
    with (
        open_ledger(required_ledger(ledger), as_of) as opened,
        beside(opened.reader, choice) as worth,
        watched() as watch,
    ):
        answer = cash_out(
            opened.reader,
            seeds,
            services=tag_choice(tags, known_at),
            service_like=service_like,
            overlay=overlay,
            limits=replace(LIMITS, hops=hops, min_sat=min_sat, transactions=transactions),
            rounds=rounds,
            watch=watch,
            scoring=watch.scored,
            worth=worth,
        )
        opened.reader.check_current()
    if csv is not None:
        write_arrivals(answer, csv, overwrite=overwrite)
        note(f"written: {csv}")
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    watch.say_if_cut_off(complete=answer.complete, required=require_complete)


def _print(answer: "CashOutAnswer", shown: int) -> None:
    print_fields(_head(answer))
    print()
    for each in answer.destinations:
        _print_destination(each, shown, answer.prices)
    for reason, sat in answer.rest_sat.items():
        print(f"  not at a service, {reason}: {btc(sat)}")
    for found in answer.candidate_sets:
        _print_set(found, shown, answer.prices)
    note_prices(answer.prices)
    note("note: an arrival is an inference by haircut upon an assertion of the tags; see docs/methods/cash-out.md")


def _head(answer: "CashOutAnswer") -> Iterator[tuple[str, str]]:
    yield ("seed" if len(answer.seeds) == 1 else "seeds"), ", ".join(answer.seeds[:3])
    yield "traced", f"{btc(answer.traced_sat)} forward from {number(answer.seed_outputs)} output(s)"
    came = sum(each.haircut_sat for each in answer.destinations)
    yield "at services", f"{btc(came)} at {number(len(answer.destinations))} service(s)"
    if answer.fiat:
        yield "worth", money(answer.fiat)
    if tags := answer.tags:
        yield "services", tags_line(tags)
    if answer.inferred:
        yield "inferred", inferred_line(answer.inferred)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _print_destination(each: "Destination", shown: int, prices: "FiatPrices | None") -> None:
    named, page = each.attributed, each.arrivals[:shown]
    haircut = f"{btc(each.haircut_sat)}{in_money(each.fiat)} by haircut"
    fifo = f"{btc(each.fifo_sat)}{in_money(each.fifo_fiat)} by FIFO"
    print(f"{named.service} ({named.category}): {haircut}, {fifo}, {each.first_utc} to {each.last_utc}")
    header = ("height", "time", "haircut", "fifo", "of", "known by", "output")
    worth = [("haircut", [row.fiat for row in page]), ("fifo", [row.fifo_fiat for row in page])]
    print_table(*with_worth(prices, header, map(_arrival, page), worth))
    note_page(0, len(page), len(each.arrivals), "outputs")
    print()


def _arrival(row: "ArrivalAnswer") -> tuple[str, ...]:
    return (
        number(row.output.height),
        row.output.time_utc,
        btc(row.haircut_sat),
        btc(row.fifo_sat),
        btc(row.output.value_sat),
        f"{row.deposit.standing}, {number(row.deposit.sweeps)} sweep(s)" if row.deposit else "tag or cluster",
        row.output.outpoint,
    )


def _print_set(found: "CandidateSetAnswer", shown: int, prices: "FiatPrices | None") -> None:
    count, page = number(len(found.candidates)), found.candidates[:shown]
    came = f"{btc(found.came_sat)}{in_money(found.fiat)}"
    print(f"\n{came} went into {found.kind} {found.transaction.outpoint}: {count} candidate(s), leads")
    if not found.complete:
        print("  a budget left candidates out")
    if page:
        header = ("probability", "expected", "of", "service", "time", "output")
        worth = [("expected", [row.fiat for row in page])]
        print_table(*with_worth(prices, header, map(_candidate, page), worth))
        note_page(0, len(page), len(found.candidates), "candidates")


def _candidate(row: "CandidateAnswer") -> tuple[str, ...]:
    whole, rest = divmod(row.probability_ppb // 100_000, 100)
    return (
        f"{whole}.{rest:02d} %",
        btc(row.expected_sat),
        btc(row.output.value_sat),
        row.attributed.service,
        row.output.time_utc,
        row.output.outpoint,
    )
