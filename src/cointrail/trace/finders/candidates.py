"""Behind a CoinJoin: outputs at services that its money may have come to, with probabilities. For leads only.

Each input's successors (`trace.linkability`) hold so much of it in expectation; each is followed by haircut to
services, through further CoinJoins the same way, up to some rounds. What is expected on an arrival, as a share of its
value, is its weight; probabilities are in proportion to weights, and say: if one of the right arrivals is drawn by lot,
it is this one. The answer is a set, never a name. Method: METHODS.md 6.4; docs/methods/cash-out.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate.gate import collaborative
from cointrail.cluster.gate.kinds import Kind
from cointrail.ledger.reader import Reader
from cointrail.trace.finders.arrivals import Arrival, arrivals
from cointrail.trace.finders.deposits import Deposits
from cointrail.trace.flow import Flow
from cointrail.trace.limits import COURT, Limits
from cointrail.trace.linkability.successors import successors_of
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import Watch, trace

I64 = npt.NDArray[np.int64]
Mixes = Mapping[int, Mapping[int, int]]
"""By transaction: satoshis by input position."""

RULE: Final = "coinjoin_candidates"
VERSION: Final = 1
BILLION: Final = 1_000_000_000

ALIKE: Final = 10
"""Weights down to this part of the greatest share alike: rounds of amounts tell mixed coins apart no finer."""

LIMITS: Final[Limits] = replace(COURT, min_share_ppm=0)
"""20 hops from each mix, and the budget of transactions for each round."""

MOST_CANDIDATES: Final = 5_000
"""Outputs that one round goes on with, those that are expected to hold most."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arrival that may be the one.

    Attributes:
        arrival: where; its `sat` is what is expected to have come.
        weight_ppb: the same as a share of the output's value, in billionths.
        probability_ppb: among its set, in billionths.
    """

    arrival: Arrival
    weight_ppb: int
    probability_ppb: int


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """What may follow one CoinJoin.

    Attributes:
        tx_index, kind: the CoinJoin that the walk met, and what the gate calls it.
        sat: what came into it.
        candidates: the most probable first, then ascending; probabilities sum to a billion, unless there is none.
        arrived_sat: expected to have come to services; the rest stays open.
        rounds: CoinJoins in a row that were looked behind.
        complete: False if a budget left candidates out.
    """

    tx_index: int
    kind: Kind
    sat: int
    candidates: tuple[Candidate, ...]
    arrived_sat: int
    rounds: int
    complete: bool


def behind(
    reader: Reader,
    tx_index: int,
    inputs: Mapping[int, int],
    deposits: Deposits,
    services: Services,
    rounds: int,
    *,
    watch: Watch = lambda _passed, _waiting: False,
) -> CandidateSet:
    """Look behind a CoinJoin.

    Args:
        reader: the ledger at a snapshot.
        tx_index: the CoinJoin.
        inputs: satoshis of interest by input position.
        deposits: who knows deposit addresses.
        services: where it ends.
        rounds: CoinJoins in a row at most, this one included.
        watch: sees progress, and may cancel.
    """
    total: dict[int, Arrival] = {}
    mixes: Mixes = {tx_index: inputs}
    complete, passed = True, 0
    while mixes and passed < rounds:
        passed += 1
        expected = _expected(reader, mixes)
        chosen = sorted(sorted(expected, key=lambda output: (-expected[output], output))[:MOST_CANDIDATES])
        complete &= len(chosen) == len(expected)
        if not chosen:
            break
        seeds = Seeds.labelled(chosen, np.arange(len(chosen)), [""] * len(chosen))
        flow = trace(reader, seeds, HAIRCUT, limits=LIMITS, services=services, watch=watch)
        complete &= flow.complete
        sat = _weighed(flow, np.array([expected[output] for output in chosen], np.int64))
        for each in arrivals(reader, flow, deposits, sat):
            known = total.get(each.output)
            total[each.output] = each if known is None else replace(known, sat=known.sat + each.sat)
        mixes = _met(reader, flow, sat)
    arrived = [total[output] for output in sorted(total) if total[output].sat]
    values = reader.column("output", "value_sat")[[each.output for each in arrived]].tolist()
    found = (
        Candidate(each, max(BILLION * each.sat // value, 1), 0) for each, value in zip(arrived, values, strict=True)
    )
    return CandidateSet(
        tx_index=tx_index,
        kind=collaborative(reader, tx_index).kind,
        sat=sum(inputs.values()),
        candidates=among(found),
        arrived_sat=sum(each.sat for each in arrived),
        rounds=passed,
        complete=complete,
    )


def _expected(reader: Reader, mixes: Mixes) -> dict[int, int]:
    """What each output is expected to hold, in whole satoshis rounded down; outputs of none are left out."""
    found: defaultdict[int, int] = defaultdict(int)
    for tx_index, inputs in mixes.items():
        first = reader.outputs_of(tx_index).start
        for each in successors_of(reader, tx_index, sorted(inputs.items())):
            for candidate in each.candidates:
                found[first + candidate.vout] += int(each.traced_sat * candidate.probability)
    return {output: sat for output, sat in found.items() if sat}


def _weighed(flow: Flow, expected: I64) -> I64:
    """Expected satoshis of each part: of each label as much as its seed holds of what is expected, rounded down."""
    values = flow.seed_sat[flow.seeds.labels.argsort()]
    shares = [
        length * weight // value
        for length, weight, value in zip(
            flow.length.tolist(), expected[flow.label].tolist(), values[flow.label].tolist(), strict=True
        )
    ]
    return np.add.reduceat(np.array([*shares, 0], np.int64), flow.first_piece[:-1])


def _met(reader: Reader, flow: Flow, sat: I64) -> Mixes:
    """The CoinJoins that the walk came to."""
    parts = np.flatnonzero((flow.reason == Reason.COINJOIN.code) & (sat > 0))
    return mixes_of(reader, flow.output[parts], sat[parts])


def mixes_of(reader: Reader, outputs: I64, sats: I64) -> Mixes:
    """Satoshis by transaction and input position, of outputs that CoinJoins spend."""
    found: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    inputs = reader.spenders(outputs)
    spenders = reader.transaction_of_inputs(inputs)
    for row, tx_index, sat in zip(inputs.tolist(), spenders.tolist(), sats.tolist(), strict=True):
        found[tx_index][row - reader.inputs_of(tx_index).start] += sat
    return found


def among(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Candidates with probabilities among one another, the most probable first, then ascending.

    They sum to a billion, by largest remainder; ties go to the first.
    """
    listed = sorted(candidates, key=lambda each: (-each.weight_ppb, each.arrival.output))
    if not listed:
        return ()
    alike = sum(each.weight_ppb * ALIKE >= listed[0].weight_ppb for each in listed)
    mean = sum(each.weight_ppb for each in listed[:alike]) // alike
    weights = [*[mean] * alike, *(each.weight_ppb for each in listed[alike:])]
    whole = sum(weights)
    parts = [BILLION * weight // whole for weight in weights]
    order = sorted(range(len(parts)), key=lambda at: -(BILLION * weights[at] % whole))
    for at in order[: BILLION - sum(parts)]:
        parts[at] += 1
    return tuple(replace(each, probability_ppb=part) for each, part in zip(listed, parts, strict=True))
