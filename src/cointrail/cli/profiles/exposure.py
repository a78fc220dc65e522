"""`cointrail exposure`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.finding import tags_line, watched
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    MostScriptsOption,
    OverlayOption,
    RequireCompleteOption,
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

_WAYS = 3
_EPILOG = """\b
Examples:
  cointrail exposure bcrt1q... --tags services.yaml --ledger ledger
  cointrail exposure cluster:bcrt1q... --hops 5 --ways 20
  cointrail exposure cluster:bcrt1q... --tags services.yaml --csv ways.csv
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

    if not are_compiled("walk.walk"):
        note(COMPILING)
    listed = ways if ways is not None else LISTED_WAYS if json else _WAYS
    wanted = Wanted(first_way, listed, bounds=not no_bounds)
    whole = wanted if csv is None else replace(wanted, first_way=0, ways=MOST_WAYS)
    with open_ledger(required_ledger(ledger), as_of) as opened, watched() as watch:
        answer = find(
            opened.reader,
            wallet,
            services=tag_choice(tags, known_at),
            overlay=overlay,
            limits=replace(LIMITS, hops=hops, min_share_ppm=min_share, cluster=max_cluster, transactions=transactions),
            wanted=whole,
            watch=watch,
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
    print_fields(_head(answer))
    for side in (answer.received, answer.sent):
        _print_side(side, shown, ways)
    if answer.sanctions:
        print("\nsanctions")
    for each in answer.sanctions:
        print(one_line(f"  {each.side}: {each.attributed.statement}: {each.statement}"))
    note(f"note: {answer.statement} See docs/methods/exposure.md")


def _head(answer: "ExposureAnswer") -> Iterator[tuple[str, str]]:
    yield "wallet", f"{answer.wallet}, {number(answer.scripts)} script(s)"
    yield "tags", tags_line(answer.tags) if answer.tags else "none: nobody can be named"
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _print_side(side: "SideExposure", shown: int, ways: slice) -> None:
    print(f"\n{side.side}: {btc(side.gross_sat)} by {number(side.outputs)} output(s), change left out")
    if side.categories:
        print_table(
            ("category", "value", "share", "direct", "indirect", "hops", "at least", "at most"),
            map(_category, side.categories),
        )
    for reason, sat in side.rest_sat.items():
        print(f"  of nobody known, {reason}: {btc(sat)}")
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
    total, listing = each.total, each.listing
    print(one_line(f"{each.attributed.statement} ({each.attributed.category})"))
    print(f"  {btc(total.value_sat)}, {_hops(total)} hop(s), {total.first_utc} to {total.last_utc}")
    if listing.since_utc:
        print(f"  named so since {listing.since_utc}: {btc(listing.before_sat)} before, {btc(listing.after_sat)} after")
    for way in each.ways[ways]:
        print(f"  {btc(way.sat)} by {' '.join(way.txids)}")
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
