"""By which ways did money get from here to there?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate import kinds
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import FACT, INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import (
    address_or_none,
    moment,
    outpoint_of,
    script_of_output,
    snapshot_name,
)
from cointrail.service.tracing.seeds import find_seeds
from cointrail.service.tracing.stops import find_stops, rules_of
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.limits import MILLION, Limits
from cointrail.trace.paths import NEARBY, RULE, By, Hop
from cointrail.trace.paths import Path as FoundPath
from cointrail.trace.paths import paths as search
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Inferred
from cointrail.trace.walk import Watch

MOST_COUNTED = 10**18
"""Paths are counted up to here."""


@dataclass(frozen=True, slots=True)
class HopAnswer:
    """One output of a path, and when it was made.

    `inputs_sat`: what its transaction took in, so `value_sat` of that is its share; None for the path's first output.
    `carried_sat`: what haircut carries this far along this path, rounded down at every hop.
    """

    outpoint: str
    height: int
    time_utc: str
    address: str | None
    script_type: str
    value_sat: int
    inputs_sat: int | None
    carried_sat: int


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """Outputs from a source to a target; `share_ppm` are millionths of its first output that haircut carries along."""

    transactions: int
    carried_sat: int
    share_ppm: int
    hops: tuple[HopAnswer, ...]


@dataclass(frozen=True, slots=True)
class PathsAnswer:
    """The best paths from sources to targets.

    `total`: how many were found, up to `MOST_COUNTED`. `complete`: no budget ended the search; if one did, there may be
    paths that are not known. `stops`: outputs at which a limit ended it, by reason: there may be paths behind them that
    the question excluded. The hops are facts; what a path carries is haircut's convention (`carried_basis`).
    `inferred`, if asked for: services that no tag names, at which it stopped too.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    source_outputs: int
    target_outputs: int
    by: Literal["share", "hops", "time"]
    statement: str
    paths: tuple[PathAnswer, ...]
    total: int
    transactions_passed: int
    stops: dict[str, int]
    complete: bool
    limits: dict[str, int | bool | None]
    tags: TagsUsed | None
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    carried_basis: Basis = INFERENCE
    basis: Basis = FACT
    inferred: Inferred | None = None


def paths(
    reader: Reader,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    by: str = "share",
    k: int = 10,
    limits: Limits = NEARBY,
    services: TagSource = None,
    service_like: bool = False,
    watch: Watch = lambda _passed, _waiting: False,
    scoring: Watch = lambda _scored, _waiting: False,
) -> PathsAnswer:
    """The k best paths of outputs from sources to targets; see `trace.paths`.

    Args:
        reader: the ledger at a snapshot.
        sources: txids, outpoints, addresses or `cluster:ADDRESS`, taken together.
        targets: the same of where paths may end.
        by: share, hops or time.
        k: most paths.
        limits: when to stop looking.
        services: files of tags, or the database: what arrives at a service is not followed further.
        service_like: whether clusters that behave like services are not followed further either; see `stops`.
        watch: sees progress, and may cancel.
        scoring: sees how clusters are scored, and may stop it.

    Raises:
        UsageError: an unknown order, k out of range, or there is no source or no target.
        InputRefused, NotFound: a source, a target or a file is not one, or not in this snapshot.
        Unavailable: clusters are asked for and the ledger's do not reach the snapshot.
        Interrupted: it was stopped while clusters were scored.
    """
    if by not in tuple(By):
        raise UsageError(f"paths cannot be ordered by {by!r}", hint=f"choose among {', '.join(By)}")
    order = By(by)
    found, wanted = (Seeds.of(find_seeds(reader, each)[0].outputs) for each in (sources, targets))
    stops, tags = find_stops(reader, services, service_like=service_like, scoring=scoring)
    result = search(reader, found, wanted.outputs, by=order, k=k, limits=limits, services=stops, watch=watch)
    rules = [RULE, (f"taint.{HAIRCUT.name}", HAIRCUT.version)]
    if not limits.through_coinjoins:
        rules += kinds.RULES
    if limits.cluster is not None or len(stops.roots):
        rules += Forest(reader).rules
    return PathsAnswer(
        sources=tuple(sources),
        targets=tuple(targets),
        source_outputs=len(found.outputs),
        target_outputs=len(wanted.outputs),
        by=order.value,
        statement=_statement(result.total, complete=result.complete),
        paths=tuple(_path(reader, path) for path in result.paths),
        total=min(result.total, MOST_COUNTED),
        transactions_passed=result.passed,
        stops={str(reason): count for reason, count in result.stops.items()},
        complete=result.complete,
        limits=asdict(limits),
        tags=tags,
        rules=(*(Rule(*each) for each in rules), *rules_of(stops)),
        snapshot=snapshot_name(reader),
        inferred=stops.inferred,
    )


def _statement(total: int, *, complete: bool) -> str:
    if total > MOST_COUNTED:
        words = f"more than {MOST_COUNTED} paths"
    else:
        words = f"{total or 'no'} path{'' if total == 1 else 's'}"
    return f"{words} within these limits" + ("" if complete else "; search incomplete")


def _path(reader: Reader, path: FoundPath) -> PathAnswer:
    first = path.hops[0].value_sat
    return PathAnswer(
        transactions=path.transactions,
        carried_sat=path.carried_sat,
        share_ppm=path.carried_sat * MILLION // first if first else 0,
        hops=tuple(_hop(reader, hop, is_first=not place) for place, hop in enumerate(path.hops)),
    )


def _hop(reader: Reader, hop: Hop, *, is_first: bool) -> HopAnswer:
    when = moment(reader, hop.tx_index)
    return HopAnswer(
        outpoint=outpoint_of(reader, hop.output_index),
        height=when.height,
        time_utc=when.time_utc,
        address=address_or_none(reader, script_of_output(reader, hop.output_index)),
        script_type=reader.script_type(int(reader.column("output", "script")[hop.output_index])).label,
        value_sat=hop.value_sat,
        inputs_sat=None if is_first else hop.inputs_sat,
        carried_sat=hop.carried_sat,
    )
