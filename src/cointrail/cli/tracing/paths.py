"""`cointrail paths`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.finding import inferred_line, tags_line, watched
from cointrail.cli.options import (
    SHOWN,
    AlsoSourceOption,
    AlsoTargetOption,
    AsOfOption,
    HopsOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    MostOutputsOption,
    MostScriptsOption,
    SecondsOption,
    ServiceLikeOption,
    SourceArgument,
    TagsOption,
    ThroughCoinJoinsOption,
)
from cointrail.cli.output import COMPILING, btc, note, number, print_fields, print_json, print_table
from cointrail.config import required_ledger
from cointrail.errors import Incomplete, Interrupted

if TYPE_CHECKING:
    from cointrail.service.attribution.choice import TagChoice
    from cointrail.service.tracing.paths import HopAnswer, PathsAnswer

_EPILOG = """\b
Examples:
  cointrail paths cluster:bcrt1q... bcrt1q... --ledger ledger
  cointrail paths bcrt1q... cluster:bcrt1q... --by hops -k 3 --json"""

_ORDERS = {"share": "most carried first", "hops": "shortest first", "time": "earliest arrival first"}
_MOST_HOPS = 60  # of a path that fits a screen


class OrderName(StrEnum):
    """Which paths come first."""

    SHARE = "share"
    HOPS = "hops"
    TIME = "time"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("paths", epilog=_EPILOG)(paths)


def paths(
    source: SourceArgument,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The same of where paths may end.")],
    ledger: LedgerOption = None,
    also_source: AlsoSourceOption = None,
    also_target: AlsoTargetOption = None,
    by: Annotated[
        OrderName, typer.Option("--by", help="First those that carry most, the shortest, or the earliest to arrive.")
    ] = OrderName.SHARE,
    k: Annotated[int, typer.Option("--paths", "-k", min=1, max=10_000, help="Most paths.")] = 3,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    service_like: ServiceLikeOption = False,
    hops: HopsOption = None,
    min_sat: Annotated[
        int | None, typer.Option("--min-sat", min=0, help="Do not follow less than this under haircut.")
    ] = None,
    min_share: Annotated[
        int | None,
        typer.Option("--min-share-ppm", min=0, help="Nor less than this many millionths of an average source."),
    ] = None,
    outputs: MostOutputsOption = None,
    cluster: MostScriptsOption = None,
    through_coinjoins: ThroughCoinJoinsOption = False,
    transactions: Annotated[
        int | None, typer.Option("--transactions", min=1, help="Stop after this many transactions. Default: 50,000.")
    ] = None,
    seconds: SecondsOption = None,
    require_complete: Annotated[
        bool, typer.Option("--require-complete", help="Exit with code 7 if a budget ended the search.")
    ] = False,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Find the best paths of outputs from SOURCE to TARGET.

    Every hop is a fact: an output, made by the transaction that spends the one before. How much of the money went this
    way is a convention, haircut's. That there is no path within the limits is an answer too, and says what stopped it.
    """
    given = {
        "hops": hops,
        "min_sat": min_sat,
        "min_share_ppm": min_share,
        "outputs": outputs,
        "cluster": cluster,
        "transactions": transactions,
        "seconds": seconds,
        "through_coinjoins": through_coinjoins or None,
    }
    answer, stopped = _ask(
        required_ledger(ledger),
        as_of,
        ([source, *(also_source or [])], [target, *(also_target or [])]),
        by=by.value,
        k=k,
        tags=tag_choice(tags, known_at),
        service_like=service_like,
        limits={name: value for name, value in given.items() if value is not None},
    )
    if json:
        print_json(answer)
    else:
        _print(answer, limit or SHOWN)
    if answer.complete:
        return
    text = f"search incomplete after {number(answer.transactions_passed)} transactions: there may be other paths"
    hint = "raise --transactions or --seconds, or narrow the question with --hops"
    if stopped:
        raise Interrupted(text, hint=hint)
    if require_complete:
        raise Incomplete(text, hint=hint)
    note(f"note: {text}; {hint}")


def _ask(
    folder: Path,
    as_of: int | None,
    question: tuple[list[str], list[str]],
    *,
    by: str,
    k: int,
    tags: "TagChoice | None",
    service_like: bool,
    limits: dict[str, Any],
) -> tuple["PathsAnswer", bool]:
    """(the answer, whether Ctrl-C cut it short)."""
    from dataclasses import replace

    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.tracing.paths import paths as ask
    from cointrail.trace.paths import NEARBY

    if not are_compiled("paths.best_ways"):
        note(COMPILING)
    with open_ledger(folder, as_of) as opened, watched() as watch:
        answer = ask(
            opened.reader,
            *question,
            by=by,
            k=k,
            limits=replace(NEARBY, **limits),
            services=tags,
            service_like=service_like,
            watch=watch,
            scoring=watch.scored,
        )
        opened.reader.check_current()
        return answer, watch.cancelled


def _print(answer: "PathsAnswer", shown: int) -> None:
    print_fields(_fields(answer))
    for place, path in enumerate(answer.paths[:shown], 1):
        carries = f"carries {btc(path.carried_sat)} under haircut, {path.share_ppm / 10_000:.4f} % of its first output"
        print(f"\npath {place}: {number(path.transactions)} transaction(s), {carries}")
        rows = path.hops
        if len(rows) > _MOST_HOPS:
            rows = (*rows[: _MOST_HOPS // 2], *rows[-_MOST_HOPS // 2 :])
        print_table(("height", "time", "value", "of", "carried", "address", "outpoint"), (_hop(each) for each in rows))
        if len(rows) < len(path.hops):
            note(f"{number(len(path.hops) - len(rows))} outputs in the middle are not shown; --json has them all")
    listed = min(shown, len(answer.paths))
    if listed < answer.total:
        note(f"the best {number(listed)} of all paths are shown; see --paths and --limit")
    if answer.paths:
        note("note: the hops are facts; what a path carries is haircut's convention; see docs/methods/paths.md")


def _fields(answer: "PathsAnswer") -> Iterator[tuple[str, str]]:
    yield "from", _named(answer.sources)
    yield "to", _named(answer.targets)
    yield "found", answer.statement
    yield (
        "order",
        {"share": "most carried first", "hops": "shortest first", "time": "earliest arrival first"}[answer.by],
    )
    yield "searched", f"{number(answer.transactions_passed)} transaction(s)"
    if answer.stops:
        yield "stopped", ", ".join(f"{reason}: {number(count)} output(s)" for reason, count in answer.stops.items())
    if tags := answer.tags:
        yield "services", tags_line(tags)
    if answer.inferred:
        yield "inferred", inferred_line(answer.inferred)
    yield "as of", f"height {number(answer.snapshot.height)} of {answer.snapshot.network}"
    yield "basis", f"{answer.basis}; what is carried: {answer.carried_basis}"


def _named(texts: tuple[str, ...]) -> str:
    return texts[0] + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")


def _hop(hop: "HopAnswer") -> tuple[str, ...]:
    return (
        number(hop.height),
        hop.time_utc,
        btc(hop.value_sat),
        btc(hop.inputs_sat),
        btc(hop.carried_sat),
        hop.address or hop.script_type,
        hop.outpoint,
    )
