"""Where did the rest go, payment after payment; or which chain of payments does this one come from?"""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

from cointrail.cluster.change import vote
from cointrail.cluster.forest.view import Forest
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import (
    address_or_none,
    block_time,
    find_seed,
    outpoint_of,
    script_of_output,
    snapshot_name,
    txid_of,
)
from cointrail.service.tracing.services import find_services
from cointrail.trace.peel.back import follow_back
from cointrail.trace.peel.chain import Coin, Decision, Direction, End, PeelChain, Step
from cointrail.trace.peel.follow import follow
from cointrail.trace.peel.question import COURT, LEAD, NO_SERVICE, NOBODY, PeelLimits, ServiceScripts, Undecided
from cointrail.trace.peel.statistics import PeelStatistics, statistics

_LEVELS = {
    Decision.CERTAIN: "L1",
    Decision.ACCEPTED: "L2",
    Decision.LARGER: "lead",
    Decision.BRANCH: "lead",
    Decision.SEED: "given",
}


@dataclass(frozen=True, slots=True)
class PeelOutput:
    """An output of a chain; `spender` is the txid that spends it, `service`: whom the given tags attribute it to."""

    outpoint: str
    value_sat: int
    address: str | None
    script_type: str
    spender: str | None
    service: str | None


@dataclass(frozen=True, slots=True)
class PeelStepAnswer:
    """One transaction of a chain.

    `previous` is the number of the step that led here. `followed` carries the chain; `peels` are the outputs that were
    not followed, so also what another decision would have followed. `level`: L1 (certain), L2 (accepted by the vote),
    lead (a policy alone), given (the payment that a way back begins at). `rules` and `families` are those that voted.
    `joined_here`: that its inputs lie in one L1 cluster is known from this transaction only.
    """

    txid: str
    height: int
    time_utc: str
    previous: int | None
    hop: int
    decision: str
    level: str
    rules: tuple[str, ...]
    families: tuple[str, ...]
    came: tuple[PeelOutput, ...]
    other_inputs: tuple[PeelOutput, ...]
    followed: tuple[PeelOutput, ...]
    peels: tuple[PeelOutput, ...]
    peeled_sat: int
    fee_sat: int
    joined_here: bool
    waited_seconds: int | None


@dataclass(frozen=True, slots=True)
class PeelEndAnswer:
    """Where a chain goes no further, and why.

    `outputs`: forward the output that is not followed; backward what funded the chain's first transaction. `txid`:
    forward the transaction that was not crossed; backward the first of the chain.
    """

    after_step: int | None
    outputs: tuple[PeelOutput, ...]
    reason: str
    detail: str
    txid: str | None


@dataclass(frozen=True, slots=True)
class PeelAnswer:
    """A peel chain.

    `is_lead`: a step rests on a policy alone, so the chain is for leads only. `complete`: no budget cut it off.
    """

    seed: PeelOutput
    direction: Literal["forward", "backward"]
    undecided: Literal["stop", "larger", "branch"]
    limits: dict[str, int | None]
    services_sha256: str | None
    steps: tuple[PeelStepAnswer, ...]
    ends: tuple[PeelEndAnswer, ...]
    statistics: PeelStatistics
    is_lead: bool
    complete: bool
    rules: tuple[Rule, ...]
    snapshot: SnapshotName
    basis: Basis = INFERENCE


def peel(
    reader: Reader,
    seed: str,
    *,
    direction: Literal["forward", "backward"] = "forward",
    undecided: Literal["stop", "larger", "branch"] = "stop",
    hops: int | None = None,
    min_sat: int = COURT.min_sat,
    services: ServiceScripts | None = None,
    tags: TagSource = None,
) -> PeelAnswer:
    """Follow one output along its peel chain.

    Args:
        reader: the ledger at a snapshot.
        seed: an outpoint, or a txid or address that names one output only.
        direction: ahead with the rest, or back to where it came from.
        undecided: what to do where the vote names no change.
        hops: most steps; 20 if it stops there, 100 for leads.
        min_sat: an output of less is not followed.
        services: whose wallets are not crossed.
        tags: what names them instead.

    Raises:
        InputRefused, NotFound: the seed or the file is not one, or not in this snapshot.
        UsageError: it names several outputs, or a limit is negative.
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    outputs = find_seed(reader, seed)
    if len(outputs) != 1:
        raise UsageError(f"{seed} names {len(outputs)} outputs", hint="give one outpoint, txid:vout")
    policy, known = Undecided(undecided), services or NOBODY
    if tags is not None:
        named, _ = find_services(reader, tags)
        known = ServiceScripts(partial(named.of, Forest(reader)), named.names, named.digest)
    usual = COURT if policy is Undecided.STOP else LEAD
    limits = PeelLimits(hops=usual.hops if hops is None else hops, min_sat=min_sat)
    walk = follow if Direction(direction) is Direction.FORWARD else follow_back
    chain = walk(reader, int(outputs[0]), limits, known, undecided=policy)
    return PeelAnswer(
        seed=_output(reader, chain.seed, known),
        direction=direction,
        undecided=undecided,
        limits=asdict(limits),
        services_sha256=known.digest or None,
        steps=tuple(_step(reader, step, known) for step in chain.steps),
        ends=tuple(_end(reader, end, known) for end in chain.ends),
        statistics=statistics(chain),
        is_lead=chain.is_lead,
        complete=chain.complete,
        rules=_rules(reader, chain),
        snapshot=snapshot_name(reader),
    )


def _rules(reader: Reader, chain: PeelChain) -> tuple[Rule, ...]:
    """The chain's rule, the vote's, and those that made the clusters and the gate's signs."""
    used = [(chain.rule, chain.version), (vote.RULE, vote.VERSION), *Forest(reader).rules]
    return tuple(Rule(*each) for each in dict.fromkeys((name, version) for name, version in used))


def _output(reader: Reader, coin: Coin, services: ServiceScripts) -> PeelOutput:
    return PeelOutput(
        outpoint=outpoint_of(reader, coin.output),
        value_sat=coin.value_sat,
        address=address_or_none(reader, script_of_output(reader, coin.output)),
        script_type=reader.script_type(coin.script).label,
        spender=txid_of(reader, coin.spender) if coin.spent else None,
        service=None if coin.service == NO_SERVICE else services.names[coin.service],
    )


def _outputs(reader: Reader, coins: tuple[Coin, ...], services: ServiceScripts) -> tuple[PeelOutput, ...]:
    return tuple(_output(reader, coin, services) for coin in coins)


def _step(reader: Reader, step: Step, services: ServiceScripts) -> PeelStepAnswer:
    return PeelStepAnswer(
        txid=txid_of(reader, step.tx_index),
        height=step.height,
        time_utc=block_time(reader, step.height),
        previous=None if step.previous < 0 else step.previous,
        hop=step.hop,
        decision=str(step.decision),
        level=_LEVELS[step.decision],
        rules=step.rules,
        families=step.voting_families,
        came=_outputs(reader, step.came, services),
        other_inputs=_outputs(reader, step.others, services),
        followed=_outputs(reader, step.followed, services),
        peels=_outputs(reader, step.peels, services),
        peeled_sat=step.peeled_sat,
        fee_sat=step.fee_sat,
        joined_here=step.joined_here,
        waited_seconds=step.waited_seconds,
    )


def _end(reader: Reader, end: End, services: ServiceScripts) -> PeelEndAnswer:
    return PeelEndAnswer(
        after_step=None if end.step < 0 else end.step,
        outputs=_outputs(reader, end.coins, services),
        reason=str(end.reason),
        detail=end.detail,
        txid=None if end.tx_index < 0 else txid_of(reader, end.tx_index),
    )
