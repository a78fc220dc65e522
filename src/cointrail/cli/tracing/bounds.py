"""`cointrail bounds`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.finding import tags_line, watched
from cointrail.cli.options import (
    SHOWN,
    AlsoSourceOption,
    AlsoTargetOption,
    AsOfOption,
    FeeName,
    FeesOption,
    HopsOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    MostOutputsOption,
    MostScriptsOption,
    SecondsOption,
    SourceArgument,
    TagsOption,
)
from cointrail.cli.output import COMPILING, btc, note, note_page, number, print_fields, print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import Incomplete, Interrupted

if TYPE_CHECKING:
    from cointrail.service.attribution.choice import TagChoice
    from cointrail.service.tracing.bounds import BoundsAnswer, ConventionAmount, TargetBounds

_EPILOG = """\b
Examples:
  cointrail bounds cluster:bcrt1q... bcrt1q... --ledger ledger
  cointrail bounds bcrt1q... cluster:bcrt1q... --fees propagate --hops 20 --json"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bounds", epilog=_EPILOG)(bounds)


def bounds(
    source: SourceArgument,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The same of the money that is asked about.")],
    ledger: LedgerOption = None,
    also_source: AlsoSourceOption = None,
    also_target: AlsoTargetOption = None,
    fees: FeesOption = FeeName.ACCOUNT,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    hops: HopsOption = None,
    min_sat: Annotated[
        int | None, typer.Option("--min-sat", min=0, help="Do not follow outputs that hold less than this.")
    ] = None,
    outputs: MostOutputsOption = None,
    cluster: MostScriptsOption = None,
    stop_at_coinjoins: Annotated[
        bool, typer.Option("--stop-at-coinjoins", help="Nor cross collaborative transactions.")
    ] = False,
    transactions: Annotated[
        int | None, typer.Option("--transactions", min=1, help="Stop after this many transactions. Default: a million.")
    ] = None,
    seconds: SecondsOption = None,
    require_complete: Annotated[
        bool, typer.Option("--require-complete", help="Exit with code 7 if a budget widened the bounds.")
    ] = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Say how much of TARGET derives from SOURCE, at least and at most, whatever the convention.

    Every way to divide money that conserves value in each transaction lies between the two: what each policy says
    stands beside them. A limit can only widen them, and it is said when one did.
    """
    given = {
        "hops": hops,
        "min_sat": min_sat,
        "outputs": outputs,
        "cluster": cluster,
        "transactions": transactions,
        "seconds": seconds,
        "through_coinjoins": False if stop_at_coinjoins else None,
    }
    answer, stopped = _ask(
        required_ledger(ledger),
        as_of,
        ([source, *(also_source or [])], [target, *(also_target or [])]),
        fees=fees.value,
        tags=tag_choice(tags, known_at) if tags or known_at else None,
        limits={name: value for name, value in given.items() if value is not None},
        most=limit,
    )
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    if stopped:
        raise Interrupted("the bounds are as wide as what was not looked at makes them", hint="run it again")
    if require_complete and not answer.complete:
        raise Incomplete(
            "a budget widened the bounds", hint="raise --transactions or --seconds, or narrow the question"
        )


def _ask(
    folder: Path,
    as_of: int | None,
    question: tuple[list[str], list[str]],
    *,
    fees: str,
    tags: "TagChoice | None",
    limits: dict[str, Any],
    most: int | None,
) -> tuple["BoundsAnswer", bool]:
    """(the answer, whether Ctrl-C cut it short)."""
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.tracing.bounds import MOST_ALONE
    from cointrail.service.tracing.bounds import bounds as ask
    from cointrail.trace.bounds import WHOLE
    from cointrail.trace.fees import FeeMode, Fees

    if not are_compiled("subgraph.spends"):
        note(COMPILING)
    with open_ledger(folder, as_of) as opened, watched() as watch:
        answer = ask(
            opened.reader,
            *question,
            limits=replace(WHOLE, **limits),
            fees=Fees(FeeMode(fees)),
            services=tags,
            alone=max(most or 0, MOST_ALONE),
            watch=watch,
        )
        opened.reader.check_current()
        return answer, watch.cancelled


def _print(answer: "BoundsAnswer", shown: int) -> None:
    print(f"{_amount(answer)} satoshis of {_named(answer.targets)} derive from {_named(answer.sources)}")
    print("under every convention that conserves value.\n")
    print_fields(_fields(answer))
    if len(answer.alone) > 1:
        print("\neach output of the target by itself, as if it were the only one")
        print_table(("at least", "at most", "of", "address", "outpoint"), (_row(each) for each in answer.alone[:shown]))
        note_page(0, min(shown, len(answer.alone)), answer.target_outputs, "outputs")
    if answer.conventions:
        print()
        print_table(
            ("policy", "arrives", "ended at a limit", "inside", "how it divides"),
            (_convention(each) for each in answer.conventions),
        )
    note("note: the bounds hold under every convention, a policy is one; see docs/methods/bounds.md")


def _amount(answer: "BoundsAnswer") -> str:
    lower, upper = number(answer.lower_sat), number(answer.upper_sat)
    return f"exactly {lower}" if lower == upper else f"at least {lower} and at most {upper}"


def _named(texts: tuple[str, ...]) -> str:
    return texts[0] + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")


def _fields(answer: "BoundsAnswer") -> Iterator[tuple[str, str]]:
    yield "source", f"{btc(answer.source_sat)} in {number(answer.source_outputs)} output(s)"
    yield "target", f"{btc(answer.target_sat)} in {number(answer.target_outputs)} output(s)"
    yield "at least", btc(answer.lower_sat)
    yield "at most", btc(answer.upper_sat)
    yield "subgraph", f"{number(answer.transactions)} transaction(s), {number(answer.arcs)} arc(s) between the two"
    if answer.exact:
        yield "limits", "none made the bounds wider"
    else:
        stops = ", ".join(f"{reason}: {number(count)}" for reason, count in answer.stops.items())
        yield "limits", f"stopped at {stops} output(s)"
        yield (
            "unsure",
            f"{number(answer.unsure_outputs)} output(s) of {btc(answer.unsure_sat)} may come from behind a limit: "
            "the source's for the upper, clean for the lower bound",
        )
    if answer.fees["mode"] != "account":
        yield "fees", "followed into the coinbase"
    if tags := answer.tags:
        yield "services", tags_line(tags)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"
    yield (
        "basis",
        answer.basis + ("" if answer.basis == "fact" else ": how wide the bounds are rests on a stop that is"),
    )


def _row(each: "TargetBounds") -> tuple[str, ...]:
    end = each.address or each.script_type
    return btc(each.lower_sat), btc(each.upper_sat), btc(each.value_sat), end, each.outpoint


def _convention(each: "ConventionAmount") -> tuple[str, ...]:
    return (each.policy, btc(each.traced_sat), btc(each.left_sat), "yes" if each.inside else "NO", each.text)
