"""`cointrail exposure`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.fiat_text import fiat_choice, in_money, note_prices, with_worth
from cointrail.cli.finding import inferred_line, tags_line, watched
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FiatOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    MostScriptsOption,
    OverlayOption,
    PricesOption,
    RequireCompleteOption,
    ServiceLikeOption,
    TagsOption,
)
from cointrail.cli.output import COMPILING, btc, note, number, one_line, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.exposures.answers import (
        BoundsAnswer,
        CategoryExposure,
        EntityExposure,
        ExposureAnswer,
        FiguresAnswer,
        SideExposure,
    )
    from cointrail.service.worth import FiatPrices

_WAYS = 3
_EPILOG = """\b
Examples:
  cointrail exposure bcrt1q... --tags services.yaml --ledger ledger
  cointrail exposure cluster:bcrt1q... --hops 5 --ways 20
  cointrail exposure cluster:bcrt1q... --tags services.yaml --csv ways.csv
  cointrail exposure cluster:bcrt1q... --tags services.yaml --fiat EUR
  cointrail exposure bcrt1q... --json --known-at 2024-01-31"""

HopsOption = Annotated[int, typer.Option("--hops", min=0, help="Look at most so many transactions far.")]
ShareOption = Annotated[
    int, typer.Option("--min-share", metavar="PPM", min=0, help="Not below this share of what an output holds.")
]
TransactionsOption = Annotated[
    int, typer.Option("--transactions", min=1, help="Stop after this many transactions a side.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("exposure", epilog=_EPILOG)(exposure)


def exposure(
    wallet: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who is asked about: an address, cluster:ADDRESS.")],
    ledger: LedgerOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    service_like: ServiceLikeOption = False,
    hops: HopsOption = 20,
    min_share: ShareOption = 100,
    max_cluster: MostScriptsOption = 10_000,
    transactions: TransactionsOption = 1_000_000,
    overlay: OverlayOption = None,
    ways: Annotated[int | None, typer.Option("--ways", min=0, help="Most ways listed of each service.")] = None,
    first_way: Annotated[int, typer.Option("--first-way", min=0, help="Number of the first way listed.")] = 0,
    no_bounds: Annotated[bool, typer.Option("--no-bounds", help="Do not compute bounds.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all ways.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --csv: replace a file that exists.")] = False,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    require_complete: RequireCompleteOption = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Find by category whom a wallet received from and sent to, straight and through others, with the ways.

    Follows by haircut to the first that tags name, and not through CoinJoins. An inference by convention that rests on
    assertions of tags. No hit is no clearance.
    """
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.profile.exposure.exposure import LIMITS
    from cointrail.profile.exposure.ways import MOST_WAYS
    from cointrail.service.exposures.exposure import LISTED_WAYS, Wanted
    from cointrail.service.exposures.exposure import exposure as find
    from cointrail.service.exposures.list_file import write_ways
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside

    choice = fiat_choice(fiat, prices)
    if not are_compiled("walk.walk"):
        note(COMPILING)
    listed = ways if ways is not None else LISTED_WAYS if json else _WAYS
    wanted = Wanted(first_way, listed, bounds=not no_bounds)
    whole = wanted if csv is None else replace(wanted, first_way=0, ways=MOST_WAYS)
    with (
        open_ledger(required_ledger(ledger), as_of) as opened,
        beside(opened.reader, choice) as worth,
        watched() as watch,
    ):
        answer = find(
            opened.reader,
            wallet,
            services=tag_choice(tags, known_at),
            overlay=overlay,
            limits=replace(LIMITS, hops=hops, min_share_ppm=min_share, cluster=max_cluster, transactions=transactions),
            wanted=whole,
            service_like=service_like,
            watch=watch,
            scoring=watch.scored,
            worth=worth,
        )
        opened.reader.check_current()
    if csv is not None:
        write_ways(answer, csv, overwrite=overwrite)
        note(f"written: {csv}")
    if json:
        print_json(answer)
    else:
        print_exposure(answer, limit or SHOWN, slice(first_way, first_way + listed) if csv else slice(0, listed))
    watch.say_if_cut_off(complete=answer.complete, required=require_complete)


def print_exposure(answer: "ExposureAnswer", shown: int, ways: slice) -> None:
    """Print both sides."""
    from cointrail.service.exposures.sanctions import sentence

    print_fields(_head(answer))
    for side in (answer.received, answer.sent):
        _print_side(side, shown, ways, answer.prices)
    if answer.sanctions:
        print("\nsanctions")
    for each in answer.sanctions:
        print(
            one_line(
                f"  {each.side}: {btc(each.value_sat)}: {each.attributed.statement}: {sentence(each.listing, btc)}"
            )
        )
    note_prices(answer.prices)
    note(f"note: {answer.statement} See docs/methods/exposure.md")


def _head(answer: "ExposureAnswer") -> Iterator[tuple[str, str]]:
    yield "wallet", f"{answer.wallet}, {number(answer.scripts)} script(s)"
    yield "tags", tags_line(answer.tags) if answer.tags else "none: nobody can be named"
    if answer.inferred:
        yield "inferred", inferred_line(answer.inferred)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _print_side(side: "SideExposure", shown: int, ways: slice, prices: "FiatPrices | None") -> None:
    gross = f"{btc(side.gross_sat)}{in_money(side.gross_fiat)}"
    print(f"\n{side.side}: {gross} by {number(side.outputs)} output(s), change left out")
    if side.categories:
        header = ("category", "value", "share", "direct", "indirect", "hops", "at least", "at most")
        worth = [
            ("value", [each.total.fiat for each in side.categories]),
            ("direct", [each.direct.fiat for each in side.categories]),
            ("indirect", [each.indirect.fiat for each in side.categories]),
        ]
        print_table(*with_worth(prices, header, map(_category, side.categories), worth))
    for reason, sat in side.rest_sat.items():
        print(f"  of nobody known, {reason}: {btc(sat)}")
    if not side.complete and side.whole_hops is not None:
        print(f"  followed whole within {number(side.whole_hops)} transaction(s): the budget allows no more")
    for category in side.categories:
        for each in category.entities[:shown]:
            _print_entity(each, ways)
        if len(category.entities) > shown:
            note(f"showing {number(shown)} of {number(len(category.entities))} in {one_line(category.category)}")


def _category(each: "CategoryExposure") -> tuple[str, ...]:
    return (
        one_line(each.category),
        btc(each.total.value_sat),
        percent(each.total.share_ppm),
        btc(each.direct.value_sat),
        btc(each.indirect.value_sat),
        _hops(each.total),
        *_bounds(each.bounds),
    )


def _bounds(found: "BoundsAnswer | None") -> tuple[str, str]:
    if found is None:
        return "-", "-"
    if not found.computed:
        return "not computed", "not computed"
    return btc(found.lower_sat), btc(found.upper_sat)


def _print_entity(each: "EntityExposure", ways: slice) -> None:
    total = each.total
    print(one_line(f"{each.attributed.statement} ({each.attributed.category})"))
    print(
        f"  {btc(total.value_sat)}{in_money(total.fiat)}, {_hops(total)} hop(s), {total.first_utc} to {total.last_utc}"
    )
    for way in each.ways[ways]:
        print(f"  {btc(way.sat)}{in_money(way.fiat)} by {' '.join(way.txids)}")
    if each.ways_total is None:
        print("  ways are not listed: there are too many, or none was asked for")
    elif len(each.ways[ways]) < each.ways_total:
        print(f"  {number(each.ways_total)} way(s) in all; see --ways, --first-way and --csv")


def _hops(found: "FiguresAnswer") -> str:
    return "-" if found.hops_min is None else f"{found.hops_min} to half at {found.hops_median}"


def percent(share_ppm: int) -> str:
    """A share as people read it."""
    whole, rest = divmod(share_ppm, 10_000)
    return f"{whole}.{rest:04d} %"
