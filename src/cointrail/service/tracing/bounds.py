"""How much of this derives from that, at least and at most, whatever the convention? And what do conventions say?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from cointrail.cluster.forest.view import Forest
from cointrail.cluster.gate import kinds
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import FACT, INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import address_or_none, outpoint_of, script_of_output, snapshot_name
from cointrail.service.tracing.seeds import find_seeds
from cointrail.service.tracing.services import find_services
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.bounds import RULE, WHOLE, Bounds, Interval
from cointrail.trace.bounds import bounds as compute
from cointrail.trace.fees import ACCOUNT, Fees
from cointrail.trace.flow import Flow
from cointrail.trace.limits import Limits
from cointrail.trace.policy import named
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.subgraph import as_far_as
from cointrail.trace.walk import Watch, trace

CONVENTIONS = ("fifo", "haircut", "lifo", "tiho", "seniority", "purity")
"""Policies that conserve value; poison does not, it says where the upper bound is above zero."""

MOST_ALONE = 25

_ENDED = (
    Reason.SEED, Reason.TARGET, Reason.FEE, Reason.UNCLAIMED, Reason.UNSPENT, Reason.UNSPENDABLE, Reason.OVERWRITTEN,
    Reason.GENESIS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetBounds:
    """One output of the target, as if it were the only one."""

    outpoint: str
    address: str | None
    script_type: str
    value_sat: int
    lower_sat: int
    upper_sat: int
    exact: bool


@dataclass(frozen=True, slots=True)
class ConventionAmount:
    """What one convention says of the same question; an inference.

    `left_sat` ended at a limit and might still have arrived; `inside`: what arrived, with some of that, lies between
    the bounds.
    """

    policy: str
    version: int
    text: str
    traced_sat: int
    left_sat: int
    inside: bool
    basis: Basis = INFERENCE


@dataclass(frozen=True, slots=True)
class BoundsAnswer:
    """At least `lower_sat` and at most `upper_sat` of the target derive from the sources.

    `statement` says it in words. `exact`: no limit made the bounds wider; else `unsure_outputs` holding `unsure_sat`
    may descend from where `stops` ended the search, and count as the sources' for the upper and as clean for the lower
    bound. The bounds follow from the chain and hold all the same: the basis is an inference only where how wide they
    are depends on a stop that is one. `complete`: no budget widened them. `alone` has the target's outputs one by one,
    at most as many as were asked for; `target_outputs` says how many there are.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    source_outputs: int
    source_sat: int
    target_outputs: int
    target_sat: int
    lower_sat: int
    upper_sat: int
    statement: str
    exact: bool
    complete: bool
    unsure_outputs: int
    unsure_sat: int
    stops: dict[str, int]
    alone: tuple[TargetBounds, ...]
    conventions: tuple[ConventionAmount, ...]
    transactions: int
    arcs: int
    limits: dict[str, int | bool | None]
    fees: dict[str, str]
    tags: TagsUsed | None
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis


def bounds(
    reader: Reader,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    limits: Limits = WHOLE,
    fees: Fees = ACCOUNT,
    services: TagSource = None,
    conventions: Sequence[str] = CONVENTIONS,
    alone: int = MOST_ALONE,
    watch: Watch = lambda _passed, _waiting: False,
) -> BoundsAnswer:
    """Bounds that hold under every convention which conserves value.

    Args:
        reader: the ledger at a snapshot.
        sources: txids, outpoints, addresses or `cluster:ADDRESS`, taken together.
        targets: the same of what is asked about.
        limits: when to stop looking; none but budgets if not given.
        fees: what becomes of fees, for bounds and conventions alike.
        services: files of tags, or the database: what arrives at a service is not followed further.
        conventions: policies to show beside them.
        alone: most outputs of the target to answer one by one.
        watch: sees progress, and may cancel.

    Raises:
        UsageError: a policy is unknown or does not conserve, or there is no source or no target.
        InputRefused, NotFound: a source, a target or a file is not one, or not in this snapshot.
        Unavailable: clusters are asked for and the ledger's do not reach the snapshot.
    """
    policies = named(conventions)
    marks = [each.name for each in policies if not each.conserves]
    if marks:
        raise UsageError(f"policy {marks[0]} conserves no value: no bounds hold for it", hint="leave it out")
    found, wanted = (Seeds.of(find_seeds(reader, each)[0].outputs) for each in (sources, targets))
    stops, tags = find_services(reader, services)
    result = compute(reader, found, wanted.outputs, limits=limits, fees=fees, services=stops, alone=alone, watch=watch)
    flows = [
        trace(
            reader, found, policy, limits=as_far_as(reader, wanted.outputs, limits), fees=fees, services=stops,
            targets=wanted.outputs, watch=watch,
        )
        for policy in policies
    ]  # fmt: skip
    return _answer(reader, tuple(sources), tuple(targets), result, flows, tags)


def _answer(
    reader: Reader,
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    result: Bounds,
    flows: Sequence[Flow],
    tags: TagsUsed | None,
) -> BoundsAnswer:
    together = result.together
    return BoundsAnswer(
        sources=sources,
        targets=targets,
        source_outputs=len(result.sources.outputs),
        source_sat=result.source_sat,
        target_outputs=together.outputs,
        target_sat=together.value_sat,
        lower_sat=together.lower_sat,
        upper_sat=together.upper_sat,
        statement=_statement(together),
        exact=together.exact,
        complete=together.complete,
        unsure_outputs=together.unsure,
        unsure_sat=together.unsure_sat,
        stops={str(reason): count for reason, count in together.stops.items()},
        alone=tuple(_target(reader, output, each) for output, each in result.alone),
        conventions=tuple(_convention(reader, flow, together) for flow in flows),
        transactions=together.transactions,
        arcs=together.arcs,
        limits=asdict(result.limits),
        fees={"mode": str(result.fees.mode), "coinbase_order": str(result.fees.coinbase_order)},
        tags=tags,
        rules=tuple(_rules(reader, result, flows)),
        snapshot=snapshot_name(reader),
        basis=INFERENCE if together.rests_on_inference else FACT,
    )


def _statement(found: Interval) -> str:
    if found.lower_sat == found.upper_sat:
        amount = f"exactly {found.lower_sat} satoshis"
    else:
        amount = f"at least {found.lower_sat} and at most {found.upper_sat} satoshis"
    return f"{amount} of the target derive from the source under every convention that conserves value"


def _rules(reader: Reader, result: Bounds, flows: Sequence[Flow]) -> Iterator[Rule]:
    """The bounds, the conventions beside them, and what stops rest on."""
    yield Rule(*RULE)
    for flow in flows:
        yield Rule(f"taint.{flow.asked.policy.name}", flow.asked.policy.version)
    if not result.limits.through_coinjoins:
        yield from (Rule(*each) for each in kinds.RULES)
    if result.limits.cluster is not None or len(result.services.roots):
        yield from (Rule(*each) for each in Forest(reader).rules)


def _target(reader: Reader, output: int, found: Interval) -> TargetBounds:
    return TargetBounds(
        outpoint=outpoint_of(reader, output),
        address=address_or_none(reader, script_of_output(reader, output)),
        script_type=reader.script_type(int(reader.column("output", "script")[output])).label,
        value_sat=found.value_sat,
        lower_sat=found.lower_sat,
        upper_sat=found.upper_sat,
        exact=found.exact,
    )


def _convention(reader: Reader, flow: Flow, found: Interval) -> ConventionAmount:
    policy = flow.asked.policy
    traced, left = flow.ended_sat.get(Reason.TARGET, 0), _left(reader, flow)
    return ConventionAmount(
        policy=policy.name,
        version=policy.version,
        text=policy.text,
        traced_sat=traced,
        left_sat=left,
        inside=traced <= found.upper_sat and found.lower_sat <= traced + left,
    )


def _left(reader: Reader, flow: Flow) -> int:
    """What a limit ended although it was spent no later than in the last target's block."""
    rows = np.flatnonzero((flow.reason > 0) & ~np.isin(flow.reason, [each.code for each in _ENDED]))
    real = flow.output[rows] >= 0
    spenders = reader.spenders(np.maximum(flow.output[rows], 0))
    spent = reader.height_of_transactions(reader.transaction_of_inputs(np.maximum(spenders, 0)))
    last = reader.height_of_transactions(reader.transaction_of_outputs(flow.asked.targets[-1]))
    return int(flow.sat[rows[~real | ((spenders >= 0) & (spent <= last))]].sum())
