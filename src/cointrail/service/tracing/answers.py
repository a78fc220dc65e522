"""Answers about flows, in the names people use. Amounts are integer satoshi."""

from dataclasses import dataclass
from typing import Literal

from cointrail.service.answers import INFERENCE, Basis, Moment, Rule, SnapshotName
from cointrail.service.tracing.seeds import SeedFile
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.trace.services import Inferred


@dataclass(frozen=True, slots=True)
class LabelAnswer:
    """One source: what its seeds hold, and under each policy what of it ended where a target was asked for."""

    label: str
    outputs: int
    seeded_sat: int


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What one policy says in sum.

    `ended` has satoshis by the reason why they ended, `fees_sat` those of them that are fees. `conserved`: traced
    equals the sum of all that ended, to the satoshi; None for a policy that marks outputs instead of dividing them.
    `left_sat` is what a budget left unfollowed.
    """

    policy: str
    text: str
    conserved: bool | None
    complete: bool
    transactions: int
    endpoints: int
    ended: dict[str, int]
    fees_sat: int
    left_sat: int
    coalesced: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """One transaction of a trace: how much traced value came in, went out, and went into the fee."""

    txid: str
    height: int
    time_utc: str
    traced_in_sat: int
    traced_out_sat: int
    fee_sat: int


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """An output at which tracing ended.

    `traced_sat` has the traced part under each policy that reached it, `reasons` why it ended there; `spread_sat` is
    the difference between the most and the least that policies which conserve say, 0 counted where one does not reach
    it. `service` is named as the tags do, or is one that nobody names and `inferred` says from what; `labels` has the
    parts of each source under the first policy.
    """

    outpoint: str
    height: int
    time_utc: str
    address: str | None
    script_type: str
    value_sat: int
    traced_sat: dict[str, int]
    spread_sat: int
    reasons: dict[str, str]
    hops: int
    service: str | None
    detail: str | None
    labels: dict[str, int]
    inferred: str | None = None


@dataclass(frozen=True, slots=True)
class ArrivedAnswer:
    """What ended at one service: outputs, traced satoshis under each policy; `statement` is that of `Attributed`."""

    service: str
    category: str
    statement: str
    endpoints: int
    traced_sat: dict[str, int]


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """A trace under one or several policies, side by side.

    `steps` and `labels` are of the first policy. `traced_sat` is what all seeds hold. `services` groups the endpoints
    that lie at services, the most traced first. `inferred`, if asked for: services that no tag names.
    """

    seeds: tuple[str, ...]
    seed_file: SeedFile | None
    seed_outputs: int
    direction: Literal["forward", "backward"]
    policies: tuple[PolicyAnswer, ...]
    rules: tuple[Rule, ...]
    limits: dict[str, int | bool | None]
    fees: dict[str, str]
    tags: TagsUsed | None
    traced_sat: int
    labels: tuple[LabelAnswer, ...]
    steps: tuple[StepAnswer, ...]
    services: tuple[ArrivedAnswer, ...]
    endpoints: tuple[EndpointAnswer, ...]
    totals: dict[str, int]
    complete: bool
    first_seen: Moment | None
    last_seen: Moment | None
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    inferred: Inferred | None = None
