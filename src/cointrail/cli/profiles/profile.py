"""`cointrail profile`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.attribution.who_text import print_who
from cointrail.cli.fiat_text import fiat_choice, in_money, money, note_prices, with_worth
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FiatOption,
    FirstOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    OverlayOption,
    PricesOption,
    TagsOption,
)
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json, print_json_line, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.answers import Moment
    from cointrail.service.profiles.profile import ClockAnswer, Profile, ProfileAnswer, UnspentAnswer
    from cointrail.service.worth import FiatPrices

_EPILOG = """\b
Examples:
  cointrail profile 12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S --ledger ledger
  cointrail profile cluster:bcrt1q... --from 2024-01-01 --to 2024-06-30
  cointrail profile bcrt1q... --min-sat 100000000 --as-of 500 --json
  cointrail profile bcrt1q... --known-at 2024-03-01
  cointrail profile bcrt1q... --fiat EUR --prices "exchange X, daily close"
  cointrail profile bcrt1q... --unspent --limit 100 --csv unspent.csv"""

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="From this height, or day or time in UTC, on.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="WHEN", help="Up to it; a day to its end.")]
LeastOption = Annotated[
    int | None, typer.Option("--min-sat", min=0, help="Only transactions that changed the balance by so much or more.")
]
MostOption = Annotated[
    int | None, typer.Option("--max-sat", min=0, help="Only transactions that changed the balance by no more.")
]
WalletArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="An address, or cluster:ADDRESS for all of its L1 cluster.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="With --csv: replace a file that exists.")]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHORT = 5  # unspent outputs, and types, on the one screen
_BARS = " ▁▂▃▄▅▆▇█"
_BLOCK_TIME = "hours and days are UTC, of the times that miners declared: no time of broadcast is on the chain"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("profile", epilog=_EPILOG)(profile)


def profile(
    wallet: WalletArgument,
    ledger: LedgerOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    min_sat: LeastOption = None,
    max_sat: MostOption = None,
    steps: Annotated[
        int, typer.Option("--steps", min=4, help="Steps of the balance in --json, at most; extremes are kept.")
    ] = 200,
    unspent: Annotated[
        bool, typer.Option("--unspent", help="List unspent outputs, the largest first; with --json one a line.")
    ] = False,
    first: FirstOption = 0,
    limit: LimitOption = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write the balance after every block; with --unspent, the outputs."),
    ] = None,
    overwrite: OverwriteOption = False,
    overlay: OverlayOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    facts: Annotated[
        bool, typer.Option("--facts", help="Facts alone: nothing of tags, of clusters or of behaviour.")
    ] = False,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an address or a wallet looks like, and who may be behind it.

    Balance, volumes, times, types, fees and unspent outputs are facts about the scripts. That the scripts of
    cluster:ADDRESS are one wallet is an inference and a lower bound, and so are roles. Names are assertions of the
    sources that stand beside them; rival ones are shown side by side.
    """
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside
    from cointrail.service.profiles.asked import Asked
    from cointrail.service.profiles.profile import Profile
    from cointrail.service.profiles.who import ProfilePage, who

    choice = fiat_choice(fiat, prices)
    with open_ledger(required_ledger(ledger), as_of) as opened, beside(opened.reader, choice) as worth:
        asked = Asked(begin, end, min_sat, max_sat)
        found = Profile(opened.reader, wallet, overlay=overlay, asked=asked, worth=worth)
        if csv is not None:
            _write(found, csv, unspent=unspent, overwrite=overwrite)
        if unspent:
            _print_unspent(found, first, limit or (None if json else SHOWN), json=json)
            opened.reader.check_current()
            return
        answer = found.answer(steps=steps, first=first, limit=limit or (SHOWN if json else _SHORT))
        behind = None if facts else who(opened.reader, wallet, tag_choice(tags, known_at), overlay=overlay)
        opened.reader.check_current()
    if json:
        print_json(ProfilePage(answer, behind))
        return
    _print(answer)
    if behind is not None:
        print_who(behind)
    note_prices(answer.prices)
    note(f"note: {_BLOCK_TIME}")
    if answer.basis != "fact":
        note("note: that these scripts are one wallet is an inference, a lower bound; see docs/howto/read-a-cluster.md")


def _write(found: "Profile", path: Path, *, unspent: bool, overwrite: bool) -> None:
    from cointrail.service.profiles.list_files import write_balance, write_unspent

    (write_unspent if unspent else write_balance)(found, path, overwrite=overwrite)
    note(f"written: {path}")


def _print(answer: "ProfileAnswer") -> None:
    print_fields(_figures(answer))
    print()
    print_fields(_activity(answer))
    if answer.script_types:
        print()
        rows = [
            (
                each.script_type,
                number(each.scripts),
                number(each.outputs),
                btc(each.received_sat),
                btc(each.unspent_sat),
            )
            for each in answer.script_types
        ]
        print_table(("type", "scripts", "outputs", "received", "unspent"), rows)
    if answer.unspent:
        print(f"\n{number(answer.unspent_outputs)} unspent output(s), the largest first")
        _print_outputs(answer.unspent, answer.prices)
        shown = len(answer.unspent)
        if shown < answer.unspent_outputs:
            note(f"showing {number(shown)} of {number(answer.unspent_outputs)} unspent outputs; --unspent lists them")


def _figures(answer: "ProfileAnswer") -> Iterator[tuple[str, str]]:
    many = answer.scripts > 1 or answer.basis != "fact"
    yield "wallet", f"{answer.wallet}, {number(answer.scripts)} script(s)" if many else answer.wallet
    if answer.basis != "fact":
        yield "basis", f"{answer.basis}, level L1; facts about the scripts"
    if answer.overlay:
        yield "overlay", answer.overlay
    if narrowed := _narrowed(answer):
        yield "counted", narrowed
    yield "balance", f"{btc(answer.balance_sat)}{in_money(answer.balance_fiat)}, at most {_highest(answer)}"
    yield "received", f"{btc(answer.received_sat)}{in_money(answer.received_fiat)}, net {btc(answer.received_net_sat)}"
    yield "spent", f"{btc(answer.spent_sat)}{in_money(answer.spent_fiat)}, net {btc(answer.spent_net_sat)}"
    yield "paid itself", f"{btc(answer.returned_sat)}{in_money(answer.returned_fiat)}"
    if answer.unspendable_sat:
        yield "unspendable", btc(answer.unspendable_sat)
    if answer.coinbases:
        yield "mined", f"{btc(answer.coinbase_sat)} in {number(answer.coinbases)} coinbase(s)"
    paid = answer.fees
    yield "fees", f"{btc(paid.paid_sat)} in {number(paid.paid_transactions)} transaction(s) of its own inputs alone"
    if paid.shared_transactions:
        yield (
            "shared fees",
            f"{btc(paid.shared_sat)} in {number(paid.shared_transactions)} shared with others, whole",
        )
    parts = f"{number(answer.receiving)} receiving, {number(answer.sending)} sending"
    yield "transactions", f"{number(answer.transactions)}: {parts}"
    yield "outputs", f"{number(answer.outputs)} received, {number(answer.inputs)} spent"
    left = f"{btc(answer.unspent_sat)} in {number(answer.unspent_outputs)} output(s)"
    yield "unspent", f"{left}, worth {money(answer.unspent_fiat)} when received" if answer.unspent_fiat else left
    again = answer.reuse
    yield (
        "reuse",
        (
            f"{number(again.reused)} of {number(again.paid_scripts)} script(s) paid again, "
            f"{number(again.after_spending)} after spending; up to {number(again.most_transactions)} payments"
        ),
    )
    yield "first seen", _moment(answer.first_seen)
    yield "last seen", _moment(answer.last_seen)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _narrowed(answer: "ProfileAnswer") -> str:
    asked, parts = answer.asked, []
    if asked.first_height or asked.last_height < answer.snapshot.height:
        parts.append(f"heights {number(asked.first_height)} to {number(asked.last_height)}")
    if asked.min_sat is not None:
        parts.append(f"transactions of {btc(asked.min_sat)} and more")
    if asked.max_sat is not None:
        parts.append(f"transactions of {btc(asked.max_sat)} at most")
    return ", ".join(parts)


def _highest(answer: "ProfileAnswer") -> str:
    top = answer.balance.highest
    if top is None or top.balance_sat < answer.balance.opening_sat:
        return f"{btc(answer.balance.opening_sat)} before"
    return f"{btc(top.balance_sat)}{in_money(top.fiat)} at height {number(top.height)}, {top.time_utc}"


def _moment(moment: "Moment | None") -> str:
    return f"height {number(moment.height)}, {moment.time_utc}" if moment else "-"


def _activity(answer: "ProfileAnswer") -> Iterator[tuple[str, str]]:
    for name, clock in (("receives", answer.receipts), ("spends", answer.spends)):
        yield f"{name}, hour", f"0h |{_bars(clock.hours)}| 23h  most at {_most(clock)}"
        yield f"{name}, day", "  ".join(f"{day} {number(n)}" for day, n in zip(_DAYS, clock.days, strict=True))


def _bars(counts: Sequence[int]) -> str:
    """A bar a count; the least that is above none shows."""
    top = max(counts) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts)


def _most(clock: "ClockAnswer") -> str:
    top = max(clock.hours)
    return f"{clock.hours.index(top)}h UTC ({number(top)})" if top else "none"


def _print_outputs(rows: "Sequence[UnspentAnswer]", prices: "FiatPrices | None") -> None:
    header = ("height", "time", "value", "output", "address")
    cells = [
        (number(each.height), each.time_utc, btc(each.value_sat), each.outpoint, each.address or "-") for each in rows
    ]
    print_table(*with_worth(prices, header, cells, [("value", [each.fiat for each in rows])]))


def _print_unspent(found: "Profile", first: int, limit: int | None, *, json: bool) -> None:
    total, prices = found.unspent_outputs, found.worth.prices
    rows = found.unspent(first, limit)
    if json:
        asked = {} if prices is None else {"prices": asdict(prices)}
        print_json_line({"total": total, "first": first, **asked})
        for each in rows:
            print_json_line(asdict(each))
        return
    shown = list(rows)
    print(f"{number(total)} unspent output(s), the largest first")
    if shown:
        _print_outputs(shown, prices)
    note_page(first, len(shown), total, "unspent outputs")
    note_prices(prices)
