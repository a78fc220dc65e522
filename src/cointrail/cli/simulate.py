"""`cointrail simulate`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.options import JsonOption
from cointrail.cli.output import note, number, print_fields, print_json

if TYPE_CHECKING:
    from cointrail.service.simulations import SimulationAnswer

_EPILOG = """\b
Examples:
  cointrail simulate worlds/bazaar-small-1 --seed 1
  cointrail simulate worlds/bazaar-standard-1 --scale standard --seed 1 --json
  cointrail simulate worlds/bench --scale bench --transactions 1000000 --seed 1"""


class ScaleName(StrEnum):
    """How large a world is."""

    SMALL = "small"
    STANDARD = "standard"
    LARGE = "large"
    BENCH = "bench"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", epilog=_EPILOG)(simulate)


def simulate(
    world: Annotated[Path, typer.Argument(metavar="WORLD", help="The folder to write; must be empty or not exist.")],
    scale: Annotated[
        ScaleName, typer.Option("--scale", help="How large; bench writes a chain alone.")
    ] = ScaleName.SMALL,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal bytes.")] = 1,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="Draw wallets from models that no rule was tuned on.")
    ] = False,
    transactions: Annotated[
        int | None, typer.Option("--transactions", metavar="N", min=1, help="How many; with --scale bench only.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a simulated economy in which a market is run: its chain as block files, its evidence, and the whole truth.

    The chain is a regtest chain whose signatures are placeholders. The same seed and version give the same bytes; a
    folder that holds the same world already is left as it is. Exit code 4 if it holds anything else.
    """
    from cointrail.cli.progress import ProgressLine
    from cointrail.service import simulations

    line = ProgressLine()

    def watch(height: int, last: int, done: int) -> None:
        line.show(f"height {height:,} of {last:,}  {done:,} transactions")

    try:
        answer = simulations.simulate(
            world, scale=scale.value, seed=seed, holdout=holdout, transactions=transactions, watch=watch
        )
    finally:
        line.clear()
    if json:
        print_json(answer)
    else:
        _print(answer)
    if not answer.made:
        note(f"note: {answer.world} held this world already; nothing was done")


def _print(answer: "SimulationAnswer") -> None:
    rate = answer.transactions / answer.seconds if answer.seconds else 0
    fields = [
        ("world", answer.world),
        ("scale", f"{answer.scale}, seed {answer.seed}{', holdout' if answer.holdout else ''}"),
        ("height", f"{number(answer.height)} ({answer.time_utc})"),
        ("block hash", answer.block_hash),
        ("transactions", number(answer.transactions)),
        (
            "block files",
            f"{number(answer.records)} records, {answer.stale} stale and {answer.duplicates} duplicate among them",
        ),
        ("truth", ", ".join(f"{number(rows)} {name.replace('_', ' ')}" for name, rows in answer.tables.items()) or "-"),
        ("size", f"{number(answer.bytes)} bytes in {answer.files} files"),
        ("digest", answer.manifest_digest),
    ]
    if answer.made:
        fields.insert(-1, ("time", f"{answer.seconds:.1f} s ({rate:,.0f} transactions/s)"))
    print_fields(fields)
