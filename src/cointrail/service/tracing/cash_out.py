"""Where was this money cashed out?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.errors import UsageError
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import find_seed, snapshot_name
from cointrail.service.prices.beside import Beside
from cointrail.service.tracing.found import (
    Attributed,
    OutputPlace,
    Place,
    attributed,
    output_place,
    transaction_place,
    wallet_of,
)
from cointrail.service.tracing.seeds import CLUSTER
from cointrail.service.tracing.stops import find_stops, rules_of
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue
from cointrail.trace.finders import candidates, deposits
from cointrail.trace.finders import cash_out as finder
from cointrail.trace.finders.arrivals import Arrival
from cointrail.trace.finders.candidates import Candidate, CandidateSet
from cointrail.trace.finders.cash_out import LIMITS, CashOut, find_cash_out
from cointrail.trace.finders.own import apart_from, outputs_of
from cointrail.trace.limits import Limits
from cointrail.trace.policy import FIFO, HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Inferred

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DepositAnswer:
    """Why an output is taken for a deposit, though no tag names its script; see `trace.finders.deposits`."""

    standing: str
    sweeps: int
    funders: int
    siblings: int
    score_ppm: int
    swept: bool


@dataclass(frozen=True, slots=True)
class ArrivalAnswer:
    """An output that came to a service, with traced satoshis; `deposit` is None if tags name its script or cluster.

    `fiat` and `fifo_fiat`, if asked for: what `haircut_sat` and `fifo_sat` were worth at the output's time.
    """

    output: OutputPlace
    haircut_sat: int
    fifo_sat: int
    hops: int
    deposit: DepositAnswer | None
    fiat: FiatValue | None = None
    fifo_fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A service and what came to it, in order of time; `fiat` and `fifo_fiat` sum what came, each at its own time."""

    attributed: Attributed
    haircut_sat: int
    fifo_sat: int
    first_utc: str
    last_utc: str
    arrivals: tuple[ArrivalAnswer, ...]
    fiat: FiatTotal | None = None
    fifo_fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """An output at a service that may hold what went into a CoinJoin: a lead, never a fact.

    `probability_ppb`, in billionths: if one of the right outputs is drawn by lot, it is this one. `expected_sat` is
    what is expected to have come there.
    """

    output: OutputPlace
    attributed: Attributed
    probability_ppb: int
    expected_sat: int
    hops: int
    deposit: DepositAnswer | None
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class CandidateSetAnswer:
    """What may follow one CoinJoin; `candidate_set` is its id. `expected_sat` is what candidates hold together.

    `fiat`, if asked for: what `came_sat` was worth at the CoinJoin's time.
    """

    candidate_set: str
    transaction: Place
    kind: str
    came_sat: int
    expected_sat: int
    rounds: int
    complete: bool
    candidates: tuple[CandidateAnswer, ...]
    basis: Basis = INFERENCE
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class CashOutAnswer:
    """Where money was cashed out.

    `destinations` by what came to each under haircut, the most first. `rest_sat`: what ended elsewhere under haircut,
    by reason. `rules` end with those that only the candidates rest on. If money was asked for, `fiat` is what came to
    services under haircut, each output at its own time, by `prices`. `inferred`, if asked for: services that no tag
    names.
    """

    seeds: tuple[str, ...]
    seed_outputs: int
    traced_sat: int
    destinations: tuple[Destination, ...]
    rest_sat: dict[str, int]
    candidate_sets: tuple[CandidateSetAnswer, ...]
    rules: tuple[Rule, ...]
    limits: dict[str, int | bool | None]
    overlay: str | None
    tags: TagsUsed | None
    complete: bool
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    fiat: FiatTotal | None = None
    prices: FiatPrices | None = None
    inferred: Inferred | None = None


def cash_out(
    reader: Reader,
    seeds: Sequence[str],
    *,
    services: TagSource = None,
    service_like: bool = False,
    overlay: Path | None = None,
    limits: Limits = LIMITS,
    rounds: int = 4,
    watch: Callable[[int, int], bool] = lambda _passed, _waiting: False,
    scoring: Callable[[int, int], bool] = lambda _scored, _waiting: False,
    worth: Beside | None = None,
) -> CashOutAnswer:
    """Find where money arrived at services.

    Args:
        reader: the ledger at a snapshot.
        seeds: txids, outpoints, addresses, or `cluster:ADDRESS`.
        services: files of tags, or the database; everybody in it ends a way, whatever the category.
        service_like: whether it ends at clusters that behave like services, too; see `stops`.
        overlay: a file of corrections, applied to clusters among the seeds.
        limits: when else it ends.
        rounds: CoinJoins in a row behind which candidates are looked for; 0 for none.
        watch: sees progress, and may cancel.
        scoring: sees how clusters are scored, and may stop it.
        worth: values amounts in money; nothing if not given.

    Raises:
        UsageError: there is no seed, or an overlay is given and no cluster.
        InputRefused, NotFound: a seed or a file is none, or not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot.
        Interrupted: it was stopped while clusters were scored.
    """
    known, tags = find_stops(reader, services, categories=None, service_like=service_like, scoring=scoring)
    forest = Forest(reader)
    given: dict[str, I64] = {}
    corrected: str | None = None
    if overlay is not None and not any(text.startswith(CLUSTER) for text in seeds):
        raise UsageError("an overlay corrects clusters, and no seed is one", hint=f"ask for {CLUSTER}ADDRESS")
    for text in seeds:
        if text.startswith(CLUSTER):
            wallet = wallet_of(reader, text, overlay)
            corrected = wallet.overlay
            known, given[text] = apart_from(known, forest, wallet.scripts), outputs_of(reader, wallet.scripts)
        else:
            given[text] = find_seed(reader, text)
    found_seeds = Seeds.by_name(given)
    found = find_cash_out(reader, found_seeds, known, limits=limits, rounds=rounds, watch=watch)
    worth = worth or Beside(reader)
    destinations = _destinations(reader, found, worth)
    came = sum(each.haircut_sat for each in destinations)
    return CashOutAnswer(
        seeds=tuple(seeds),
        seed_outputs=len(found_seeds.outputs),
        traced_sat=found.flow.traced_sat,
        destinations=destinations,
        rest_sat=_rest(found, came),
        candidate_sets=tuple(_set(reader, found, each, worth) for each in found.sets),
        rules=(
            Rule(finder.RULE, finder.VERSION),
            *(Rule(f"taint.{each.name}", each.version) for each in (HAIRCUT, FIFO)),
            *(Rule(*each) for each in found.flow.asked.gate),
            Rule(deposits.RULE, deposits.VERSION),
            *rules_of(known),
            *((Rule(candidates.RULE, candidates.VERSION),) if found.sets else ()),
        ),
        limits=asdict(limits),
        overlay=corrected,
        tags=tags,
        complete=found.complete,
        snapshot=snapshot_name(reader),
        fiat=worth.total((row.haircut_sat, row.fiat) for each in destinations for row in each.arrivals),
        prices=worth.prices,
        inferred=known.inferred,
    )


def _rest(found: CashOut, came: int) -> dict[str, int]:
    """What ended elsewhere. A swept deposit is counted before its sweep's fee, so that fee is not counted again."""
    ended = dict(found.flow.ended_sat)
    ended[Reason.SERVICE] = ended[Reason.FEE] = 0
    for arrival in found.arrivals:
        if not arrival.swept:
            ended[Reason.UNSPENT] -= arrival.sat
    ended[Reason.FEE] = found.flow.traced_sat - came - sum(ended.values())
    return {str(reason): sat for reason, sat in ended.items() if sat}


def _destinations(reader: Reader, found: CashOut, worth: Beside) -> tuple[Destination, ...]:
    totals = []
    for service in sorted({each.service for each in found.arrivals}):
        own = [
            _arrival(reader, each, fifo, worth)
            for each, fifo in zip(found.arrivals, found.fifo_sat, strict=True)
            if each.service == service
        ]
        totals.append(
            Destination(
                attributed=attributed(found.services, service),
                haircut_sat=sum(each.haircut_sat for each in own),
                fifo_sat=sum(each.fifo_sat for each in own),
                first_utc=min(each.output.time_utc for each in own),
                last_utc=max(each.output.time_utc for each in own),
                arrivals=tuple(own),
                fiat=worth.total((each.haircut_sat, each.fiat) for each in own),
                fifo_fiat=worth.total((each.fifo_sat, each.fifo_fiat) for each in own),
            )
        )
    return tuple(sorted(totals, key=lambda each: (-each.haircut_sat, each.attributed.service)))


def _arrival(reader: Reader, arrival: Arrival, fifo_sat: int, worth: Beside) -> ArrivalAnswer:
    place = output_place(reader, arrival.output, worth)
    return ArrivalAnswer(
        output=place,
        haircut_sat=arrival.sat,
        fifo_sat=fifo_sat,
        hops=arrival.hops,
        deposit=_deposit(arrival),
        fiat=worth.at(arrival.sat, place.height),
        fifo_fiat=worth.at(fifo_sat, place.height),
    )


def _deposit(arrival: Arrival) -> DepositAnswer | None:
    known = arrival.deposit
    if known is None:
        return None
    return DepositAnswer(
        str(known.standing), known.sweeps, known.funders, known.siblings, known.score_ppm, arrival.swept
    )


def _set(reader: Reader, found: CashOut, each: CandidateSet, worth: Beside) -> CandidateSetAnswer:
    place = transaction_place(reader, each.tx_index)
    return CandidateSetAnswer(
        candidate_set=f"behind {place.outpoint}",
        transaction=place,
        kind=str(each.kind),
        came_sat=each.sat,
        expected_sat=each.arrived_sat,
        rounds=each.rounds,
        complete=each.complete,
        candidates=tuple(_candidate(reader, found, one, worth) for one in each.candidates),
        fiat=worth.at(each.sat, place.height),
    )


def _candidate(reader: Reader, found: CashOut, one: Candidate, worth: Beside) -> CandidateAnswer:
    place = output_place(reader, one.arrival.output, worth)
    return CandidateAnswer(
        output=place,
        attributed=attributed(found.services, one.arrival.service),
        probability_ppb=one.probability_ppb,
        expected_sat=one.arrival.sat,
        hops=one.arrival.hops,
        deposit=_deposit(one.arrival),
        fiat=worth.at(one.arrival.sat, place.height),
    )
