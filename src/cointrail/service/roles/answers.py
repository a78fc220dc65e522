"""Answers about roles: inferences about habits, with every number behind them. Shares are millionths."""

from dataclasses import dataclass

from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """How often a rule was wrong on imitation economies with held-out wallets; no rate of the real chain."""

    stratum: str
    n: int
    errors: int
    bound_of_wrong_ppm: int | None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One script: its segment, and what speaks for it; see `profile.roles.segments.Segments`."""

    address: str | None
    script_pubkey: str
    segment: str
    external: int
    gathered: int
    change: int
    gatherings: int
    payouts: int
    fan_out: int
    fan_out_most: int
    dwell_seconds: int
    received_sat: int
    balance_sat: int
    share_ppm: int
    idle_seconds: int


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A script outside that may be the wallet's cold store, a lead; see `profile.roles.stores.Stores`."""

    address: str | None
    script_pubkey: str
    payments: int
    returns: int
    received_sat: int
    share_ppm: int
    idle_seconds: int


@dataclass(frozen=True, slots=True)
class SegmentTotal:
    """All scripts of one segment."""

    segment: str
    scripts: int
    received_sat: int
    balance_sat: int


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A transaction that spends the wallet: `deposits` are deposit scripts it empties, `payees` outputs to others."""

    txid: str
    height: int
    time_utc: str
    kind: str
    inputs: int
    deposits: int
    payees: int


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature of behaviour: its value, and what it adds to the score, millionths of a logit.

    A value is a share in per cent, or a count in quarters of an octave: 4 for 1, 8 for 3, 12 for 7.
    """

    feature: str
    words: str
    value: int
    adds_micro: int


@dataclass(frozen=True, slots=True)
class ServiceLikeAnswer:
    """Whether it behaves like a service. `probability_ppm` is None where it did too little to be asked about."""

    likeness: str
    statement: str
    probability_ppm: int | None
    score_micro: int
    start_micro: int
    transactions: int
    features: tuple[FeatureRow, ...]
    measured: MeasuredRate | None
    rule: Rule
    basis: Basis = INFERENCE


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit address of a service that tags name; `statement` says who attributes the service."""

    address: str | None
    script_pubkey: str
    service: str
    category: str
    statement: str
    standing: str
    sweeps: int
    funders: int
    siblings: int
    payers: int
    dwell_seconds: int
    swept_ppm: int
    score_ppm: int
    measured: MeasuredRate | None
    rule: Rule
    basis: Basis = INFERENCE


@dataclass(frozen=True, slots=True)
class RolesAnswer:
    """The roles of a script, or of the scripts of its L1 cluster.

    `segments`, `movements` and `stores` (cold ones, outside) are a page, `totals` and `kinds` (transactions by kind)
    are of all; `deposit` is what the asked script itself is, if it is a deposit address.
    """

    asked: str
    scripts: int
    totals: tuple[SegmentTotal, ...]
    kinds: dict[str, int]
    segments: tuple[SegmentRow, ...]
    movements: tuple[MovementRow, ...]
    stores: tuple[StoreRow, ...]
    deposit: DepositRow | None
    service_like: ServiceLikeAnswer
    measured: MeasuredRate | None
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE


@dataclass(frozen=True, slots=True)
class DepositsAnswer:
    """All deposit addresses of services, by service and then by first appearance; `rows` is a page of `total`."""

    total: int
    sure: int
    by_service: dict[str, int]
    rows: tuple[DepositRow, ...]
    tag_set_digest: str
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE
