"""`cointrail prices`: what a bitcoin was worth in money, from imported tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import DatabaseOption, JsonOption
from cointrail.cli.output import btc, note, number, one_line, print_fields, print_json
from cointrail.config import database as database_setting
from cointrail.errors import UsageError

if TYPE_CHECKING:
    from cointrail.service.prices.imports import PriceAnswer, SeriesAnswer

_SHOWN_GAPS = 10

_IMPORT = """\b
Examples:
  cointrail prices import btc-usd.csv --currency USD --source "exchange X, daily close"
  cointrail prices import hourly.csv --currency EUR --source Y --column unix=open_time --column close=last
  cointrail prices import prices.csv --json  # a table with the columns date,currency,close_minor,source"""
_LIST = """\b
Examples:
  cointrail prices list
  cointrail prices list --currency USD --json"""
_AT = """\b
Examples:
  cointrail prices at 2014-07-24T13:02:11Z --currency USD
  cointrail prices at 1406206931 --currency USD --value-sat 250000000 --json"""


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Import prices of bitcoin in money and ask what an amount was worth. Nothing is fetched.",
        epilog="\n".join([_IMPORT, *_LIST.splitlines()[2:], *_AT.splitlines()[2:]]),
        rich_markup_mode=None,
    )
    group.command("import", epilog=_IMPORT)(import_)
    group.command("list", epilog=_LIST)(list_)
    group.command("at", epilog=_AT)(at)
    app.add_typer(group, name="prices")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV table with a header; times are UTC.")],
    currency: Annotated[
        str | None,
        typer.Option("--currency", help="Three letters; of a table that does not say it, or picks its rows."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="WHO", help="Whose prices these are; the table may say it.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="ROLE=NAME",
            help="What a column is: time, unix, unix_ms, close, close_minor, currency, source. Repeatable.",
        ),
    ] = None,
    step: Annotated[
        int | None, typer.Option("--step", metavar="SECONDS", min=1, help="Distance of two prices; found if not given.")
    ] = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Import a table of prices: daily closes, or finer. The same prices again change nothing."""
    from cointrail.service.prices.imports import import_prices

    answer = import_prices(
        _where(database), file, currency=currency, source=source, columns=_mapping(column or []), step=step
    )
    if json:
        print_json(answer)
        return
    for series in answer.series:
        _print_series(series)
        note("imported" if series.new else "the same prices were there already: nothing was changed")
    if answer.rounded:
        note(f"{number(answer.rounded)} price(s) with more than 8 decimals were rounded, half to even")
    if answer.left_out:
        note(f"{number(answer.left_out)} row(s) of other currencies were left out")


def list_(
    currency: Annotated[str | None, typer.Option("--currency", help="Only this currency.")] = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List the series of prices with what they cover and where they have gaps, newest import first."""
    from cointrail.service.prices.imports import list_prices

    answer = list_prices(_where(database), currency=currency, most_gaps=None if json else _SHOWN_GAPS)
    if json:
        print_json(answer)
        return
    for series in answer.series:
        _print_series(series)
    if not answer.series:
        note("there are no prices: cointrail prices import FILE --currency USD --source WHO")


def at(
    time: Annotated[str, typer.Argument(metavar="TIME", help="2014-07-24T13:02:11Z, or seconds since 1970; UTC.")],
    currency: Annotated[str, typer.Option("--currency", help="Three letters.")] = "USD",
    source: Annotated[
        str | None, typer.Option("--source", metavar="WHO", help="Whose price; that of the newest import if not given.")
    ] = None,
    value_sat: Annotated[int, typer.Option("--value-sat", metavar="N", help="The amount; one bitcoin.")] = 10**8,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an amount was worth at a time, by which price and rule."""
    from cointrail.service.prices.imports import price_at

    answer = price_at(_where(database), time, currency=currency, source=source, value_sat=value_sat)
    if json:
        print_json(answer)
    else:
        _print_answer(answer)
    if answer.prices.chosen.startswith("newest"):
        note(f"note: no source was named; this is the {answer.prices.chosen}, by {one_line(answer.prices.source)}")


def _where(flag: str | None) -> str:
    return str(database_setting(flag).value)


def _mapping(stated: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in stated:
        role, equals, name = text.partition("=")
        if not (equals and role and name) or role in found:
            raise UsageError(
                f"--column {text!a} is no ROLE=NAME" if role not in found else f"--column gives {role!a} twice",
                hint="for example --column close=btc_close",
            )
        found[role] = name
    return found


def _print_series(series: "SeriesAnswer") -> None:
    step = "daily close, UTC" if series.step_seconds == 86_400 else f"every {number(series.step_seconds)} s"
    gaps = [f"{gap.first_utc} to {gap.last_utc} ({number(gap.steps)})" for gap in series.gaps[:_SHOWN_GAPS]]
    if series.gap_count > len(gaps):
        gaps.append(f"and {number(series.gap_count - len(gaps))} more gap(s), see --json")
    print_fields(
        [
            ("prices", f"{number(series.prices)} in {series.currency}, {step}"),
            ("source", one_line(series.source)),
            ("from", series.first_utc),
            ("to", series.last_utc),
            ("missing", f"{number(series.missing)} price(s)" + ("" if not gaps else ": " + "; ".join(gaps))),
            ("rule", series.rule),
            ("digest", series.digest),
            ("file", f"{one_line(series.file_name)}, sha256 {series.sha256}"),
            ("imported", f"{series.imported_utc} by {one_line(series.imported_by)}"),
            ("by default", "yes" if series.used_by_default else "no: a newer import is used unless --source names it"),
        ]
    )


def _print_answer(answer: "PriceAnswer") -> None:
    from cointrail.service.prices.fiat import format_minor

    fiat = answer.fiat
    worth = f"- ({fiat.gap})" if fiat.minor is None else f"{format_minor(fiat.minor, fiat.exponent)} {fiat.currency}"
    print_fields(
        [
            ("amount", btc(answer.value_sat)),
            ("worth", worth),
            ("time", answer.time_utc),
            ("price of", fiat.price_time_utc or "-"),
            ("rule", fiat.rule),
            ("source", one_line(fiat.source)),
            ("series", fiat.series),
        ]
    )
