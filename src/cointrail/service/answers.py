"""The frozen answers of the product: plain values only, so `dataclasses.asdict` is their JSON.

Every answer names its snapshot and its basis. A *fact* follows from the chain by consensus rules; an *inference* rests
on a named rule with a version; an *assertion* is somebody's statement (none yet). Amounts are integers in satoshi,
times ISO 8601 in UTC, ids in hex as the node displays them.
"""

from dataclasses import dataclass
from typing import Literal

from cointrail.version import VERSION

FACT: Literal["fact"] = "fact"
INFERENCE: Literal["inference"] = "inference"
Basis = Literal["fact", "inference"]


@dataclass(frozen=True, slots=True)
class SnapshotName:
    """What an answer is bound to: the same question at the same snapshot has the same answer."""

    network: str
    height: int
    block_hash: str
    digest: str
    program: str = f"cointrail {VERSION}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule an inference rests on."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A block and its miner-declared time."""

    height: int
    time_utc: str


@dataclass(frozen=True, slots=True)
class Status:
    """A ledger at a snapshot."""

    network: str
    height: int
    block_hash: str
    time_utc: str
    blocks: int
    transactions: int
    inputs: int
    outputs: int
    scripts: int
    unspent_outputs: int
    unspent_value_sat: int
    digest: str
    refused: tuple[str, ...]
    source: str
    snapshot: SnapshotName
    basis: Basis = FACT


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    """One block. `transactions` counts all, `txids` may be a page of them."""

    height: int
    block_hash: str
    previous_block_hash: str | None
    merkle_root: str
    time_utc: str
    median_time_utc: str
    size: int
    weight: int
    transactions: int
    fees_sat: int
    unclaimed_sat: int
    txids: tuple[str, ...]
    snapshot: SnapshotName
    basis: Basis = FACT


@dataclass(frozen=True, slots=True)
class SpenderName:
    """The input that spends an output."""

    txid: str
    vin: int


@dataclass(frozen=True, slots=True)
class InputAnswer:
    """An input and what it spends; the spent output's fields are None for a coinbase."""

    vin: int
    outpoint: str | None
    value_sat: int | None
    address: str | None
    script_type: str | None
    script_pubkey: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class OutputAnswer:
    """An output. `spender` is None while it is unspent at the snapshot; `state` says more precisely."""

    vout: int
    value_sat: int
    address: str | None
    script_type: str
    script_pubkey: str
    spender: SpenderName | None
    state: Literal["unspent", "spent", "unspendable", "overwritten"]


@dataclass(frozen=True, slots=True)
class TransactionAnswer:
    """One transaction. `heights` has two entries for the txids that two coinbases share (BIP30)."""

    txid: str
    height: int
    block_hash: str
    time_utc: str
    confirmations: int
    coinbase: bool
    fee_sat: int
    size: int
    weight: int
    vsize: int
    version: int
    lock_time: int
    inputs: tuple[InputAnswer, ...]
    outputs: tuple[OutputAnswer, ...]
    heights: tuple[int, ...]
    snapshot: SnapshotName
    basis: Basis = FACT


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    """What one script received and spent.

    `address` is None for a script that has none. `balance_sat` is the value of the outputs that can still be spent;
    `unspendable_sat` what was received and can never be (the genesis output, outputs overwritten by a BIP30 duplicate).
    """

    address: str | None
    script_pubkey: str
    script_type: str
    received_sat: int
    spent_sat: int
    balance_sat: int
    unspendable_sat: int
    outputs: int
    unspent_outputs: int
    transactions: int
    first_seen: Moment
    last_seen: Moment
    snapshot: SnapshotName
    basis: Basis = FACT


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one transaction did to a script."""

    txid: str
    height: int
    time_utc: str
    received_sat: int
    spent_sat: int


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    """The scripts that co-spends join with one script. A lower bound: it never says that others do not belong.

    `size` counts all members found, `members` may be a page of them; `complete` is False if the search was cut off.
    """

    address: str | None
    cluster_id: str
    level: str
    size: int
    members: tuple[str, ...]
    co_spends: int
    suppressed: int
    received_sat: int
    spent_sat: int
    balance_sat: int
    complete: bool
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE


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
    """Where a trace ended, how much of it, and why."""

    outpoint: str
    address: str | None
    script_type: str
    value_sat: int
    traced_sat: int
    hops: int
    reason: str


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """A trace under one policy. `conserved`: what was traced equals the endpoints plus the fees, to the satoshi."""

    seed: str
    direction: Literal["forward", "backward"]
    policy: str
    rules: tuple[Rule, ...]
    limits: dict[str, int | bool | None]
    traced_sat: int
    steps: tuple[StepAnswer, ...]
    endpoints: tuple[EndpointAnswer, ...]
    fees_sat: int
    conserved: bool
    complete: bool
    snapshot: SnapshotName
    basis: Basis = INFERENCE
