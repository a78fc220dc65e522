"""Where did this money go, or come from, under declared policies: flows in the names people use."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from cointrail.cluster.gate.kinds import kind_of
from cointrail.ledger.reader import Reader
from cointrail.service.answers import Rule
from cointrail.service.names import (
    address_or_none,
    moment,
    outpoint_of,
    script_of_output,
    snapshot_name,
    txid_of,
)
from cointrail.service.tracing.answers import (
    ArrivedAnswer,
    EndpointAnswer,
    LabelAnswer,
    PolicyAnswer,
    StepAnswer,
    TraceAnswer,
)
from cointrail.service.tracing.found import attributed
from cointrail.service.tracing.job import TraceJob
from cointrail.service.tracing.stops import rules_of
from cointrail.service.tracing.table import Table, side_by_side
from cointrail.trace.flow import Flow
from cointrail.trace.reason import ACCOUNTS, BUDGETS, REASONS, Reason
from cointrail.trace.seeds import Seeds

_FEW_LABELS = 20


def answer_of(job: TraceJob, flows: Sequence[Flow], *, first: int = 0, limit: int | None = None) -> TraceAnswer:
    """What a job found.

    Args:
        job: the question.
        flows: what `finish` gave.
        first: number of the first row of steps and endpoints.
        limit: most rows of each, None for all.
    """
    reader = job.reader
    main, table = flows[0], side_by_side(flows)
    end = None if limit is None else first + limit
    names = tuple(flow.asked.policy for flow in flows)
    return TraceAnswer(
        seeds=job.seeds,
        seed_file=job.seed_file,
        seed_outputs=len(main.seeds.outputs),
        direction=main.asked.direction.value,
        policies=tuple(_policy(flow) for flow in flows),
        rules=(
            *(Rule(f"taint.{each.name}", each.version) for each in names),
            *(Rule(*rule) for rule in main.asked.gate),
            *rules_of(main.asked.services),
        ),
        limits=asdict(main.asked.limits),
        fees={"mode": str(main.asked.fees.mode), "coinbase_order": str(main.asked.fees.coinbase_order)},
        tags=job.tags,
        traced_sat=main.traced_sat,
        labels=_labels(main.seeds, main),
        steps=tuple(_step(reader, main, step) for step in range(len(main.tx))[first:end]),
        services=_services(flows),
        endpoints=tuple(_endpoint(reader, flows, table, row) for row in range(len(table.output))[first:end]),
        totals={"steps": len(main.tx), "endpoints": len(table.output), "labels": len(main.seeds.names)},
        complete=all(flow.complete for flow in flows),
        first_seen=None if not len(main.tx) else moment(reader, int(main.tx.min())),
        last_seen=None if not len(main.tx) else moment(reader, int(main.tx.max())),
        snapshot=snapshot_name(reader),
        inferred=main.asked.services.inferred,
    )


def _policy(flow: Flow) -> PolicyAnswer:
    policy, ended = flow.asked.policy, flow.ended_sat
    return PolicyAnswer(
        policy=policy.name,
        text=policy.text,
        conserved=flow.conserved if policy.conserves else None,
        complete=flow.complete,
        transactions=len(flow.tx),
        endpoints=int((flow.output[flow.reason > 0] >= 0).sum()),
        ended={str(reason): sat for reason, sat in ended.items()},
        fees_sat=sum(ended.get(reason, 0) for reason in ACCOUNTS),
        left_sat=sum(ended.get(reason, 0) for reason in BUDGETS),
        coalesced=flow.coalesced,
    )


def _labels(seeds: Seeds, flow: Flow) -> tuple[LabelAnswer, ...]:
    counts = np.bincount(seeds.labels, minlength=len(seeds.names))
    sums = np.zeros(len(seeds.names), np.int64)
    np.add.at(sums, seeds.labels, flow.seed_sat)
    rows = zip(seeds.names, counts.tolist(), sums.tolist(), strict=True)
    return tuple(LabelAnswer(*row) for row, _ in zip(rows, range(_FEW_LABELS), strict=False))


def _services(flows: Sequence[Flow]) -> tuple[ArrivedAnswer, ...]:
    """What ended at each service, the most traced first."""
    sums: dict[int, dict[str, int]] = {}
    outputs: dict[int, set[int]] = {}
    for flow in flows:
        parts = np.flatnonzero((flow.reason == Reason.SERVICE.code) & (flow.output >= 0))
        rows = zip(flow.detail[parts].tolist(), flow.sat[parts].tolist(), flow.output[parts].tolist(), strict=True)
        for service, sat, output in rows:
            under = sums.setdefault(service, {each.asked.policy.name: 0 for each in flows})
            under[flow.asked.policy.name] += sat
            outputs.setdefault(service, set()).add(output)
    known = flows[0].asked.services
    named = {service: attributed(known, service) for service in sums}
    order = sorted(sums, key=lambda service: (-max(sums[service].values()), known.names[service]))
    return tuple(
        ArrivedAnswer(named[each].service, named[each].category, named[each].statement, len(outputs[each]), sums[each])
        for each in order
    )


def _step(reader: Reader, flow: Flow, step: int) -> StepAnswer:
    when = moment(reader, int(flow.tx[step]))
    made = slice(int(flow.first_part[step]), int(flow.first_part[step + 1]))
    fees = int(flow.sat[made][flow.output[made] < 0].sum())
    total = int(flow.sat[made].sum())
    return StepAnswer(txid_of(reader, int(flow.tx[step])), when.height, when.time_utc, total, total - fees, fees)


def _endpoint(reader: Reader, flows: Sequence[Flow], table: Table, row: int) -> EndpointAnswer:
    output = int(table.output[row])
    script_id = int(reader.column("output", "script")[output])
    when = moment(reader, int(reader.transaction_of_outputs(output)))
    arrived = [(flow, int(part)) for flow, part in zip(flows, table.part[:, row], strict=True) if part >= 0]
    shown, part = arrived[0]
    service, detail, inferred = _detail(shown, part)
    return EndpointAnswer(
        outpoint=outpoint_of(reader, output),
        height=when.height,
        time_utc=when.time_utc,
        address=address_or_none(reader, script_of_output(reader, output)),
        script_type=reader.script_type(script_id).label,
        value_sat=int(reader.column("output", "value_sat")[output]),
        traced_sat={flow.asked.policy.name: int(sat) for flow, sat in zip(flows, table.sat[:, row], strict=True)},
        spread_sat=int(table.spread[row]),
        reasons={flow.asked.policy.name: str(REASONS[flow.reason[each]]) for flow, each in arrived},
        hops=min(int(flow.hops[each]) for flow, each in arrived),
        service=service,
        detail=detail,
        labels=_labels_at(shown, part),
        inferred=inferred,
    )


def _detail(flow: Flow, part: int) -> tuple[str | None, str | None, str | None]:
    """(name of the service, what else is known of the reason, what the service is inferred from)."""
    reason, detail = REASONS[flow.reason[part]], int(flow.detail[part])
    if reason is Reason.SERVICE:
        services = flow.asked.services
        named = attributed(services, detail)
        return named.service, services.kinds[detail] or None, named.statement if named.inferred else None
    return None, str(kind_of(detail)) if reason is Reason.COINJOIN else None, None


def _labels_at(flow: Flow, part: int) -> dict[str, int]:
    if len(flow.seeds.names) < 2:
        return {}
    sums: dict[str, int] = {}
    for label, _, sat in flow.pieces(part):
        name = flow.seeds.names[label]
        sums[name] = sums.get(name, 0) + sat
        if len(sums) == _FEW_LABELS:
            break
    return sums
