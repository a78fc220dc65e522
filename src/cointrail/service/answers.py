"""The frozen answers of the product: plain values only, so `dataclasses.asdict` is their JSON.

Every answer names its snapshot and its basis. A *fact* follows from the chain by consensus rules; an *inference* rests
on a named rule with a version; an *assertion* is somebody's statement: a correction in an overlay, a tag. Amounts are
integers in satoshi, times ISO 8601 in UTC, ids in hex as the node displays them.
"""

from dataclasses import dataclass
from typing import Literal

from cointrail.service.worth import FiatPrices, FiatValue
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
class ModelName:
    """The change model that gave leads: SHA-256 of its file, and the probability from which it names an output."""

    sha256: str
    tau: float


@dataclass(frozen=True, slots=True)
class ListUsed:
    """A list of transactions in force: a parameter of the clusters that an answer rests on."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """How many addresses somebody attributes to an actor; `statement` says who does. Whoever it is may be wrong."""

    actor: str
    addresses: int
    statement: str


@dataclass(frozen=True, slots=True)
class TaggedTable:
    """Tags that an answer rests on: assertions of whoever made them.

    `lists` names the files or collections, `digest` is the tag set's, `tags` counts those that were heard, `rules`
    those that read them. `actors` counts the actors of addresses that the answer is about; `attributed` names those of
    most addresses.
    """

    lists: str
    digest: str
    tags: int
    rules: tuple[Rule, ...]
    actors: int
    attributed: tuple[Attribution, ...]
    basis: Literal["assertion"] = "assertion"


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
    """An input and what it spends; the spent output's fields are None for a coinbase.

    `fiat`, if asked for: what its value was worth when it was spent, at the time of the transaction's block.
    """

    vin: int
    outpoint: str | None
    value_sat: int | None
    address: str | None
    script_type: str | None
    script_pubkey: str | None
    sequence: int
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class OutputAnswer:
    """An output. `spender` is None while it is unspent at the snapshot; `state` says more precisely.

    `fiat`, if asked for: what its value was worth at the time of the transaction's block.
    """

    vout: int
    value_sat: int
    address: str | None
    script_type: str
    script_pubkey: str
    spender: SpenderName | None
    state: Literal["unspent", "spent", "unspendable", "overwritten"]
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class TransactionAnswer:
    """One transaction. `heights` has two entries for the txids that two coinbases share (BIP30).

    If money was asked for, `fee_fiat` is what the fee was worth (none of a coinbase), by `prices`.
    """

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
    fee_fiat: FiatValue | None = None
    prices: FiatPrices | None = None


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
    """What one transaction did to a script; if asked for, what that was worth at the block's time."""

    txid: str
    height: int
    time_utc: str
    received_sat: int
    spent_sat: int
    received_fiat: FiatValue | None = None
    spent_fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What was measured of a rule: how often it spoke and how often it was wrong; docs/accuracy.md has the commands.

    `models` says on whose transactions; `upper_fdr` is the one-sided 95 % bound of the share of wrong statements.
    """

    models: str
    stratum: str
    n: int
    errors: int
    precision: float | None
    upper_fdr: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class RuleShare:
    """How much of a cluster's evidence one rule gives; `detail` tells apart what a vote rested on.

    `evidence` counts transactions for co-spends, pairs for facts and inferences. `share` is of all evidence inside;
    `measured` is None if the rule's error rate was not measured, which is not the same as none.
    """

    id: str
    version: int
    detail: str
    basis: Literal["fact", "inference", "assertion"]
    evidence: int
    share: float
    measured: Accuracy | None


@dataclass(frozen=True, slots=True)
class CoSpendAnswer:
    """A believed co-spend inside a cluster: how many members it spends, and what else is to be said about it."""

    txid: str
    height: int
    time_utc: str
    rule: Rule
    verdict: Literal["believed"]
    members: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuppressedCoSpend:
    """A transaction that spends a member together with other scripts and is not believed, with every reason."""

    txid: str
    height: int
    time_utc: str
    kind: str
    rules: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GrowthStep:
    """A transaction by which the cluster of this cluster_id grew: its scripts before and after, and what was joined.

    `parts` counts the clusters that became one, `largest_part` the scripts of the largest that lost its id.
    """

    txid: str
    height: int
    time_utc: str
    before: int
    after: int
    parts: int
    largest_part: int


@dataclass(frozen=True, slots=True)
class AliasAnswer:
    """A former cluster_id, of a cluster of two scripts and more, and the merge that ended it."""

    cluster_id: str
    size: int
    into: str
    txid: str
    height: int


@dataclass(frozen=True, slots=True)
class BridgeAnswer:
    """A piece of evidence without which the cluster would fall into parts.

    `txid` is None for an assertion by hand. `sizes` names the largest parts, `parts` counts all.
    """

    txid: str | None
    height: int | None
    rule: str
    parts: int
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HabitAnswer:
    """One habit of the two largest parts that a bridge holds together: how often each kind was seen without it.

    `bits`: how much better two habits explain that than one.
    """

    habit: str
    larger: dict[str, int]
    smaller: dict[str, int]
    bits: float


@dataclass(frozen=True, slots=True)
class SuspicionAnswer:
    """A merge that deserves a look, with the figures that gave it its rank. A question, not a finding.

    `separated` counts pairs of tagged actors that it alone holds together; `actors` names those in each of `sizes`.
    """

    rank: int
    txid: str | None
    height: int | None
    rule: str
    score_bits: float
    reason: str
    separated: int
    parts: int
    sizes: tuple[int, ...]
    actors: tuple[tuple[str, ...], ...]
    unnecessary_input: bool
    age_blocks: int | None
    habits: tuple[HabitAnswer, ...]


@dataclass(frozen=True, slots=True)
class ClusterDispute:
    """A later sign against a co-spend of the cluster: what shows it, and when. It changes nothing by itself."""

    txid: str
    shown_by: str
    shown_at: Moment
    reason: str


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    """The scripts under common control with one script, as far as the level's rules see.

    A lower bound at L1 and L2, leads only at L3. It never says that others do not belong. `members` may be a page;
    `cluster_id` names the oldest script, so a merge keeps the older id. Sums are facts about the members. A list that
    was not asked for is None; `totals` counts the whole of each list that is shown. `inferences` counts links above L1,
    `assertions` merges by hand. `guards` are the parameters of the level's guards, none at L1; `note` says what there
    is to say about leads at L3 and about tags. `tagged` is the table of tagged addresses, if one was given; it names
    those inside.
    """

    address: str | None
    cluster_id: str
    level: str
    size: int
    members: tuple[str, ...]
    first_seen: Moment
    last_seen: Moment
    received_sat: int
    spent_sat: int
    balance_sat: int
    level_one_clusters: int
    co_spends: int
    same_keys: int
    inferences: int
    assertions: int
    suppressed: int
    postmix_merges: int
    forced_co_spends: int
    payjoin_suspects: int
    evidence: tuple[RuleShare, ...]
    disputes: tuple[ClusterDispute, ...]
    transactions: tuple[CoSpendAnswer, ...] | None
    suppressed_transactions: tuple[SuppressedCoSpend, ...] | None
    evolution: tuple[GrowthStep, ...] | None
    aliases: tuple[AliasAnswer, ...] | None
    bridges: tuple[BridgeAnswer, ...] | None
    suspicious: tuple[SuspicionAnswer, ...] | None
    totals: dict[str, int]
    overlay: str | None
    model: ModelName | None
    guards: dict[str, int | bool | str | None]
    note: str
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Literal["inference", "assertion"] = INFERENCE
    lists: tuple[ListUsed, ...] = ()
    tagged: TaggedTable | None = None


@dataclass(frozen=True, slots=True)
class HeldMerge:
    """An inference that a guard holds for review: it joins nothing. `joined_otherwise`: other evidence did."""

    txid: str | None
    height: int | None
    rule: str
    reason: str
    cluster_a: str
    cluster_b: str
    size_a: int
    size_b: int
    joined_otherwise: bool


@dataclass(frozen=True, slots=True)
class GrowthAlarm:
    """A block that made an L1 cluster much larger at once; it warns and changes nothing."""

    height: int
    txid: str
    cluster_id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """All inferences of a level that guards hold, and all growth alarms of L1; pages, with the numbers of both.

    `by_reason` counts held inferences by the guard that holds them. `tagged` is the table of tagged addresses, if one
    was given; it names those in the snapshot.
    """

    level: str
    held: tuple[HeldMerge, ...]
    held_total: int
    by_reason: dict[str, int]
    alarms: tuple[GrowthAlarm, ...]
    alarms_total: int
    model: ModelName | None
    guards: dict[str, int | bool | str | None]
    note: str
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    lists: tuple[ListUsed, ...] = ()
    tagged: TaggedTable | None = None
