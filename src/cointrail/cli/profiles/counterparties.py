"""`cointrail counterparties`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.fiat_text import fiat_choice, in_money, note_prices, with_worth
from cointrail.cli.finding import tags_line
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
from cointrail.cli.output import (
    COMPILING,
    btc,
    note,
    note_page,
    number,
    one_line,
    print_fields,
    print_json,
    print_table,
)
from cointrail.cli.profiles.profile import (
    FromOption,
    LeastOption,
    MostOption,
    OverwriteOption,
    ToOption,
    WalletArgument,
)
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.profiles.counterparties import CounterpartiesAnswer, CounterpartyAnswer

_EPILOG = """\b
Examples:
  cointrail counterparties bcrt1q... --ledger ledger
  cointrail counterparties cluster:bcrt1q... --by cluster --rank net --limit 50
  cointrail counterparties cluster:bcrt1q... --by entity --tags services.yaml --csv partners.csv
  cointrail counterparties cluster:bcrt1q... --by cluster --fiat USD
  cointrail counterparties bcrt1q... --direction out --from 2024-01-01 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("counterparties", epilog=_EPILOG)(counterparties)


def counterparties(
    wallet: WalletArgument,
    ledger: LedgerOption = None,
    by: Annotated[str, typer.Option("--by", help="A row each script, each L1 cluster, or each entity of the tags.")] = (
        "script"
    ),
    rank: Annotated[
        str, typer.Option("--rank", help="What comes first: gross, net, received, sent, transactions or last.")
    ] = "gross",
    direction: Annotated[str, typer.Option("--direction", help="Payments both ways, in only, or out only.")] = "both",
    begin: FromOption = None,
    end: ToOption = None,
    min_sat: LeastOption = None,
    max_sat: MostOption = None,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    first: FirstOption = 0,
    limit: LimitOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all rows.")] = None,
    overwrite: OverwriteOption = False,
    overlay: OverlayOption = None,
    fiat: FiatOption = None,
    prices: PricesOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Show whom an address or a wallet paid, and who paid it, ranked.

    An inference: where several pay for a transaction, it is divided by haircut. What went through collaborative
    transactions stands apart and is attributed to nobody.
    """
    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.prices.beside import beside
    from cointrail.service.profiles.asked import Asked
    from cointrail.service.profiles.counterparties import Counterparties
    from cointrail.service.profiles.list_files import write_counterparties

    choice = fiat_choice(fiat, prices)
    if not are_compiled("payments.payments"):
        note(COMPILING)
    with open_ledger(required_ledger(ledger), as_of) as opened, beside(opened.reader, choice) as worth:
        found = Counterparties(
            opened.reader,
            wallet,
            overlay=overlay,
            asked=Asked(begin, end, min_sat, max_sat),
            by=by,
            rank=rank,
            direction=direction,
            tags=tag_choice(tags, known_at),
            worth=worth,
        )
        if csv is not None:
            write_counterparties(found, csv, overwrite=overwrite)
            note(f"written: {csv}")
        answer = found.answer(first=first, limit=limit or (None if json else SHOWN))
        opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        _print(answer)


def _print(answer: "CounterpartiesAnswer") -> None:
    print_fields(_head(answer))
    print(f"\n{number(answer.total)} counterpart(ies), by {answer.rank}")
    if answer.counterparties:
        header = ("received", "sent", "net", "divided", "transactions", "last seen", answer.by, "who")
        worth = [
            ("received", [each.received_fiat for each in answer.counterparties]),
            ("sent", [each.sent_fiat for each in answer.counterparties]),
        ]
        print_table(*with_worth(answer.prices, header, map(_row, answer.counterparties), worth))
    note_page(answer.first, len(answer.counterparties), answer.total, "counterparties")
    note_prices(answer.prices)
    if answer.by == "entity" and answer.tags is None:
        note("note: no tags were used, so no entity is named; see --tags")
    note("note: where several pay for a transaction it is divided by haircut; see docs/methods/counterparties.md")


def _head(answer: "CounterpartiesAnswer") -> Iterator[tuple[str, str]]:
    totals = answer.totals
    yield "wallet", f"{answer.wallet}, {number(answer.scripts)} script(s)"
    if answer.overlay:
        yield "overlay", answer.overlay
    came = f"{btc(totals.received_from_others_sat)}{in_money(totals.received_from_others_fiat)} from others"
    yield "received", f"{btc(totals.received_sat)}{in_money(totals.received_fiat)}: {came}"
    left = f"{btc(totals.sent_sat)}{in_money(totals.sent_fiat)} to others, {btc(totals.fees_sat)} in fees"
    yield "spent", f"{btc(totals.spent_sat)}{in_money(totals.spent_fiat)}: {left}"
    yield "paid itself", btc(totals.change_sat)
    if totals.unspendable_sat:
        yield "to nobody", f"{btc(totals.unspendable_sat)} on scripts that can never be spent"
    if totals.coinbases:
        yield "mined", f"{btc(totals.coinbase_sat)} in {number(totals.coinbases)} coinbase(s)"
    if totals.mixed_transactions:
        yield (
            "mixed",
            (
                f"{btc(totals.mixed_spent_sat)}{in_money(totals.mixed_spent_fiat)} into and "
                f"{btc(totals.mixed_received_sat)}{in_money(totals.mixed_received_fiat)} out of "
                f"{number(totals.mixed_transactions)} collaborative transaction(s), attributed to nobody"
            ),
        )
    if answer.tags:
        yield "names", tags_line(answer.tags)
    asked = answer.asked
    yield "counted", f"heights {number(asked.first_height)} to {number(asked.last_height)}"
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"


def _row(each: "CounterpartyAnswer") -> tuple[str, ...]:
    said = [f"{one.statement} ({one.category})" for one in each.attributed]
    said += ["in a cluster of the wallet's own"] if each.same_cluster else []
    return (
        btc(each.received_sat),
        btc(each.sent_sat),
        btc(each.net_sat),
        btc(each.divided_sat),
        number(each.transactions),
        each.last_seen.time_utc,
        one_line(each.name),
        one_line("; ".join(said)),
    )
