"""`cointrail score`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import JsonOption, LedgerOption
from cointrail.cli.output import number, print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import CheckFailed

if TYPE_CHECKING:
    from cointrail.simulation.score.rows import Row

_EPILOG = """\b
Examples:
  cointrail score world --ledger ledger
  cointrail score world --ledger ledger --results results --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score", epilog=_EPILOG)(score)


def score(
    world: Annotated[Path, typer.Argument(metavar="WORLD", help="A world made by `cointrail simulate`.")],
    ledger: LedgerOption = None,
    results: Annotated[Path | None, typer.Option("--results", help="Keep the result files in this folder.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure the product on a world whose truth is known: what is right, what is wrong, how sure that is.

    Exit code 5 if a row fails. Rows that are not built yet do not fail.
    """
    from cointrail.service import scoring

    answer = scoring.score(world, required_ledger(ledger), results=results)
    if json:
        print_json(answer)
    else:
        print_table(
            ("row", "status", "value", "checks", "errors", "error rate, 95 %", "what"), map(_cells, answer.rows)
        )
    failed = [row.id for row in answer.rows if row.status == "fail"]
    if failed:
        raise CheckFailed(f"{len(failed)} row(s) fail: {', '.join(failed)}", hint="see docs/methods for known limits")


def _cells(row: "Row") -> tuple[str, ...]:
    value = "" if row.value is None else f"{row.value:.6f}".rstrip("0").rstrip(".")
    bounds = "" if row.status == "not_built" else f"{row.low95:.2e} to {row.high95:.2e}"
    status = row.status.replace("_", " ") + (" yet" if row.status == "not_built" else "")
    return row.id, status, value, number(row.n), number(row.errors), bounds, row.what
