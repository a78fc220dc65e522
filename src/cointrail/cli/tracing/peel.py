"""`cointrail peel`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    TagsOption,
)
from cointrail.cli.output import btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger

if TYPE_CHECKING:
    from cointrail.service.tracing.peels import PeelAnswer, PeelEndAnswer, PeelStepAnswer

_EPILOG = """\b
Examples:
  cointrail peel f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:1 --ledger ledger
  cointrail peel f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0 --backward --json"""


class UndecidedName(StrEnum):
    """What to do where nothing says which output is change."""

    STOP = "stop"
    LARGER = "larger"
    BRANCH = "branch"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("peel", epilog=_EPILOG)(peel)


def peel(
    outpoint: Annotated[str, typer.Argument(metavar="OUTPOINT", help="The output to begin at, txid:vout.")],
    ledger: LedgerOption = None,
    backward: Annotated[
        bool, typer.Option("--backward", help="From a payment to the transaction that began its chain.")
    ] = False,
    undecided: Annotated[
        UndecidedName,
        typer.Option(
            "--undecided", help="Where the vote names no change: stop, take the larger output, or follow all."
        ),
    ] = UndecidedName.STOP,
    hops: Annotated[
        int | None, typer.Option("--hops", min=0, help="Most steps. Default: 20 with stop, else 100.")
    ] = None,
    min_sat: Annotated[int, typer.Option("--min-sat", min=0, help="Do not follow less than this.")] = 10_000,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Follow a peel chain: payments that leave one after the other while the rest goes on as change.

    Each step says what decided which output is change, and keeps the outputs that were not followed. Steps that rest on
    --undecided alone are leads.
    """
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.tracing.peels import peel as follow

    with open_ledger(required_ledger(ledger), as_of) as opened:
        answer = follow(
            opened.reader,
            outpoint,
            direction="backward" if backward else "forward",
            undecided=undecided.value,
            hops=hops,
            min_sat=min_sat,
            tags=tag_choice(tags, known_at),
        )
        opened.reader.check_current()
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    if not answer.complete:
        note("note: the chain was cut off by the budget of transactions")


def _print(answer: "PeelAnswer", shown: int) -> None:
    found = answer.statistics
    rules = ", ".join(f"{rule.id} {rule.version}" for rule in answer.rules[:2])
    print_fields(
        [
            ("seed", f"{answer.seed.outpoint}, {btc(answer.seed.value_sat)}"),
            ("way", f"{answer.direction}; where nothing is decided: {answer.undecided}"),
            ("steps", f"{number(found.length)}, of them {number(found.leads)} leads"),
            (
                "peeled",
                f"{btc(found.peeled_sat)} in {number(found.peels)} output(s), a step {btc(found.mean_peel_sat)}",
            ),
            ("same amount", _constancy(answer)),
            ("seconds a hop", _waited(found.waited_seconds)),
            ("as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"),
            ("basis", f"{answer.basis}{', some steps are leads' if answer.is_lead else ''}; rules: {rules}"),
        ]
    )
    print()
    if answer.steps:
        print_table(
            ("step", "height", "time", "decision", "by", "rest", "peeled", "peels to", "txid"),
            (_row(place, step) for place, step in enumerate(answer.steps[:shown])),
        )
        note_page(0, min(shown, len(answer.steps)), len(answer.steps), "steps")
        print()
    for end in answer.ends[:shown]:
        print(_end(end, answer.direction))
    note_page(0, min(shown, len(answer.ends)), len(answer.ends), "ends")
    note("note: which output is change is an inference; see docs/methods/peel-chain.md")


def _row(place: int, step: "PeelStepAnswer") -> tuple[str, ...]:
    payees = [peel.service or peel.address or peel.script_type for peel in step.peels]
    return (
        number(place),
        number(step.height),
        step.time_utc,
        f"{step.decision} ({step.level})",
        "+".join(step.families) or "+".join(step.rules) or "-",
        btc(sum(output.value_sat for output in step.followed)),
        btc(step.peeled_sat),
        f"{payees[0]} and {len(payees) - 1} more" if len(payees) > 1 else "".join(payees) or "-",
        step.txid,
    )


def _end(end: "PeelEndAnswer", direction: str) -> str:
    where = ", ".join(f"{output.outpoint} ({btc(output.value_sat)})" for output in end.outputs[:3])
    more = f" and {number(len(end.outputs) - 3)} more" if len(end.outputs) > 3 else ""
    why = f"{end.reason}: {end.detail}" if end.detail else end.reason
    return f"{'funded by' if direction == 'backward' else 'ends at'} {where or 'new money'}{more}: {why}"


def _constancy(answer: "PeelAnswer") -> str:
    found = answer.statistics.constancy
    if found.constant is None:
        return "too few peels to say"
    percent = f"{found.tolerance_ppm // 10_000} %"
    verdict = "yes" if found.constant else "no"
    return f"{verdict}: {found.within} of {found.steps} within {percent} of {btc(found.median_sat)}"


def _waited(seconds: tuple[int, ...]) -> str:
    if not seconds:
        return "-"
    return f"{number(seconds[0])} to {number(seconds[-1])}, median {number(seconds[len(seconds) // 2])}"
