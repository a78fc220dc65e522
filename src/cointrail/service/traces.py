"""Where did this money go, or come from, under a declared policy?"""

from dataclasses import asdict
from typing import Literal

from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import EndpointAnswer, Rule, StepAnswer, TraceAnswer
from cointrail.service.names import (
    address_or_none,
    find_seed,
    moment,
    outpoint_of,
    script_of_output,
    snapshot_name,
    txid_of,
)
from cointrail.trace.backward import trace_backward
from cointrail.trace.flow import Endpoint, Step
from cointrail.trace.forward import trace_forward
from cointrail.trace.limits import Limits
from cointrail.trace.policies import POLICIES


def trace(
    reader: Reader,
    seed: str,
    *,
    direction: Literal["forward", "backward"] = "forward",
    policy: str = "fifo",
    hops: int | None = None,
    min_sat: int = 0,
    transactions: int = 100_000,
    through_coinjoins: bool = False,
) -> TraceAnswer:
    """Trace a txid, an outpoint or an address.

    Raises:
        UsageError: an unknown policy or a negative limit.
        InputRefused, NotFound: the seed is not one, or not in this snapshot.
    """
    if policy not in POLICIES:
        raise UsageError(f"unknown policy {policy!r}", hint=f"choose one of {', '.join(POLICIES)}")
    limits = Limits(hops=hops, min_sat=min_sat, transactions=transactions, through_coinjoins=through_coinjoins)
    seeds = find_seed(reader, seed).tolist()
    walk = trace_forward if direction == "forward" else trace_backward
    flow = walk(reader, seeds, POLICIES[policy], limits)
    return TraceAnswer(
        seed=seed,
        direction=direction,
        policy=flow.policy,
        rules=(Rule(f"taint.{flow.policy}", flow.version), *(Rule(rule, version) for rule, version in flow.gate)),
        limits=asdict(flow.limits),
        traced_sat=flow.traced_sat,
        steps=tuple(_step(reader, step) for step in flow.steps),
        endpoints=tuple(_endpoint(reader, endpoint) for endpoint in flow.endpoints),
        fees_sat=flow.fees_sat,
        conserved=flow.conserved,
        complete=flow.complete,
        snapshot=snapshot_name(reader),
    )


def _step(reader: Reader, step: Step) -> StepAnswer:
    when = moment(reader, step.tx_index)
    return StepAnswer(
        txid=txid_of(reader, step.tx_index),
        height=when.height,
        time_utc=when.time_utc,
        traced_in_sat=step.traced_in_sat,
        traced_out_sat=step.traced_out_sat,
        fee_sat=step.fee_sat,
    )


def _endpoint(reader: Reader, endpoint: Endpoint) -> EndpointAnswer:
    script = script_of_output(reader, endpoint.output_index)
    script_id = int(reader.column("output", "script")[endpoint.output_index])
    return EndpointAnswer(
        outpoint=outpoint_of(reader, endpoint.output_index),
        address=address_or_none(reader, script),
        script_type=reader.script_type(script_id).label,
        value_sat=endpoint.value_sat,
        traced_sat=endpoint.traced_sat,
        hops=endpoint.hops,
        reason=str(endpoint.reason),
    )
