"""`cointrail trace`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cointrail.cli.attribution.tag_choice import tag_choice
from cointrail.cli.finding import Watch, watched
from cointrail.cli.options import (
    SHOWN,
    AsOfOption,
    FeeName,
    FeesOption,
    FirstOption,
    HopsOption,
    JsonOption,
    KnownAtOption,
    LedgerOption,
    LimitOption,
    MostOutputsOption,
    MostScriptsOption,
    RequireCompleteOption,
    SecondsOption,
    ServiceLikeOption,
    TagsOption,
    ThroughCoinJoinsOption,
)
from cointrail.cli.output import COMPILING, note, number, print_json
from cointrail.config import required_ledger
from cointrail.errors import Incomplete, Interrupted, UsageError

if TYPE_CHECKING:
    from cointrail.service.ledgers import Ledger
    from cointrail.service.tracing.answers import TraceAnswer
    from cointrail.service.tracing.job import TraceJob


_EPILOG = """\b
Examples:
  cointrail trace f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16:0 --ledger ledger
  cointrail trace bcrt1q... --policy fifo --policy lifo --policy tiho --tags services.yaml --export trace.svg
  cointrail trace cluster:bcrt1q... --backward --policy fifo --limits lead --json
  cointrail trace --seeds seized.csv --tags services.yaml --transactions 5 --save trace.npz
  cointrail trace --resume trace.npz"""


class PolicyName(StrEnum):
    """How traced value is divided where it meets other value."""

    FIFO = "fifo"
    HAIRCUT = "haircut"
    LIFO = "lifo"
    TIHO = "tiho"
    SENIORITY = "seniority"
    PURITY = "purity"
    POISON = "poison"


class Preset(StrEnum):
    """Thresholds that go together."""

    COURT = "court"
    LEAD = "lead"
    OPEN = "open"


class OrderName(StrEnum):
    """In which order a coinbase takes its money."""

    SUBSIDY_FIRST = "subsidy_first"
    FEES_FIRST = "fees_first"


class CollisionName(StrEnum):
    """Which label holds for an output that is given with two."""

    FIRST = "first"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace", epilog=_EPILOG)(trace)


def trace(
    seeds: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SEED]...", help="A txid, an outpoint txid:vout, an address, or cluster:ADDRESS."),
    ] = None,
    ledger: LedgerOption = None,
    forward: Annotated[bool, typer.Option("--forward", help="Where did it go? (default)")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Where did it come from?")] = False,
    policy: Annotated[
        list[PolicyName] | None,
        typer.Option("--policy", help="How value is divided; several give a table. Default: fifo and haircut."),
    ] = None,
    seed_file: Annotated[
        Path | None, typer.Option("--seeds", metavar="FILE", help="A seed a line, and its label behind a comma.")
    ] = None,
    collision: Annotated[
        CollisionName, typer.Option("--collision", help="Which label holds for an output that is given with two.")
    ] = CollisionName.FIRST,
    tags: TagsOption = None,
    known_at: KnownAtOption = None,
    service_like: ServiceLikeOption = False,
    limits: Annotated[
        Preset, typer.Option("--limits", help="Thresholds: court (20 hops ...), lead (100 hops ...), open (none).")
    ] = Preset.COURT,
    hops: HopsOption = None,
    min_sat: Annotated[int | None, typer.Option("--min-sat", min=0, help="Do not follow less than this.")] = None,
    min_share: Annotated[
        int | None,
        typer.Option("--min-share-ppm", min=0, help="Nor less than this many millionths of an average seed."),
    ] = None,
    outputs: MostOutputsOption = None,
    inputs: Annotated[
        int | None, typer.Option("--max-inputs", min=0, help="Do not cross transactions of more inputs (backward).")
    ] = None,
    cluster: MostScriptsOption = None,
    from_height: Annotated[
        int | None, typer.Option("--from-height", min=0, help="Do not follow outputs of earlier blocks.")
    ] = None,
    to_height: Annotated[
        int | None, typer.Option("--to-height", min=0, help="Do not follow outputs of later blocks.")
    ] = None,
    transactions: Annotated[
        int | None, typer.Option("--transactions", min=1, help="Stop after this many transactions.")
    ] = None,
    seconds: SecondsOption = None,
    through_coinjoins: ThroughCoinJoinsOption = False,
    fees: FeesOption = FeeName.ACCOUNT,
    coinbase_order: Annotated[
        OrderName, typer.Option("--coinbase-order", help="With --fees propagate: what a coinbase takes first.")
    ] = OrderName.SUBSIDY_FIRST,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="If a budget or Ctrl-C stops it: keep it in a file.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Go on with a trace that was kept.")
    ] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option("--export", metavar="FILE", help="Write .csv, .parquet, .json, .graphml or .svg; repeatable."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --export: replace files that exist.")] = False,
    require_complete: RequireCompleteOption = False,
    first: FirstOption = 0,
    limit: LimitOption = None,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Follow money forward or backward under declared policies, to the satoshi.

    What was traced equals the endpoints plus the fees; every endpoint says why the trace ended there.
    A policy is a convention about money that is mixed, not a fact: several stand side by side, with their spread.
    """
    from cointrail.kernels import are_compiled
    from cointrail.service.ledgers import open_ledger
    from cointrail.service.tracing.job import TraceJob
    from cointrail.trace.fees import CoinbaseOrder, FeeMode, Fees
    from cointrail.trace.limits import chosen
    from cointrail.trace.saved import height_of
    from cointrail.trace.seeds import Collision

    if not are_compiled("walk.walk"):
        note(COMPILING)
    if forward and backward:
        raise UsageError("--forward and --backward exclude each other")
    if resume and (seeds or seed_file or policy or tags or known_at or service_like or as_of is not None):
        raise UsageError("--resume goes on with the question that was kept", hint="leave out seeds, policies and tags")
    allowed = chosen(
        limits.value,
        hops=hops,
        min_sat=min_sat,
        min_share_ppm=min_share,
        outputs=outputs,
        inputs=inputs,
        cluster=cluster,
        from_height=from_height,
        to_height=to_height,
        transactions=transactions,
        seconds=seconds,
        through_coinjoins=through_coinjoins or None,
    )
    with open_ledger(required_ledger(ledger), height_of(resume) if resume else as_of) as opened, watched() as watch:
        if resume:
            job = TraceJob.resume(opened.reader, resume, allowed)
        else:
            job = TraceJob.begin(
                opened.reader,
                seeds or (),
                direction="backward" if backward else "forward",
                policies=[each.value for each in policy or (PolicyName.FIFO, PolicyName.HAIRCUT)],
                limits=allowed,
                fees=Fees(FeeMode(fees.value), CoinbaseOrder(coinbase_order.value)),
                seed_file=seed_file,
                collision=Collision(collision.value),
                services=tag_choice(tags, known_at),
                service_like=service_like,
                watch=watch.rows,
                scoring=watch.scored,
            )
        shown = limit if json else limit or SHOWN
        files = export or []
        answer = _run(
            opened, job, watch, save=save or resume, export=files, overwrite=overwrite, first=first, limit=shown
        )
    if json:
        print_json(answer)
    else:
        from cointrail.cli.tracing.trace_text import print_trace

        print_trace(answer, first)
    _say_what_is_left(answer, watch, saved=save or resume, required=require_complete)


def _run(
    opened: "Ledger",
    job: "TraceJob",
    watch: Watch,
    *,
    save: Path | None,
    export: list[Path],
    overwrite: bool,
    first: int,
    limit: int | None,
) -> "TraceAnswer":
    from cointrail.service.tracing.trace import answer_of

    job.run(watch)
    if save and job.stopped:
        job.save(save)
    flows = job.finish()
    answer = answer_of(job, flows, first=first, limit=limit)
    opened.reader.check_current()
    if export:
        from cointrail.service.tracing.export import write_flows

        for path in export:
            for written in write_flows(opened.reader, flows, path, tags=job.tags, overwrite=overwrite):
                note(f"written: {written}")
    return answer


def _say_what_is_left(answer: "TraceAnswer", watch: Watch, *, saved: Path | None, required: bool) -> None:
    if answer.complete:
        return
    left = "; ".join(f"{each.policy}: {number(each.left_sat)} sat" for each in answer.policies if not each.complete)
    text = f"the trace was cut off after {number(answer.totals['steps'])} transactions; not followed: {left}"
    hint = f"go on with --resume {saved}" if saved else "raise --transactions or --seconds, or narrow the question"
    if watch.cancelled:
        raise Interrupted(text, hint=hint)
    if required:
        raise Incomplete(text, hint=hint)
    note(f"note: {text}; {hint}")
