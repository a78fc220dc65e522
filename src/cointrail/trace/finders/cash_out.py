"""The cash-out finder: at which services did money arrive, output by output, and what lies behind CoinJoins?

A haircut walk forward that stops at services and CoinJoins; FIFO beside it, for comparison. What a service holds is
not followed: who was credited is the service's to say. A CoinJoin is answered with candidates (`candidates`), never
with a name. Method: METHODS.md 6.3 and 7.1; docs/methods/cash-out.md; FEATURES.md 32.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.trace.finders.arrivals import Arrival, arrivals
from cointrail.trace.finders.candidates import CandidateSet, Mixes, behind, mixes_of
from cointrail.trace.finders.deposits import Deposits
from cointrail.trace.flow import Flow
from cointrail.trace.limits import LEAD, Limits
from cointrail.trace.policy import FIFO, HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import Watch, trace

RULE: Final = "cash_out"
VERSION: Final = 1

LIMITS: Final = replace(LEAD, min_share_ppm=0, transactions=1_000_000)
"""100 hops; a small account is a small share of all that is traced, and still an account."""


@dataclass(frozen=True, slots=True, eq=False)
class CashOut:
    """Where money arrived.

    Attributes:
        arrivals: outputs that came to services, ascending; no CoinJoin lies between them and the seeds.
        fifo_sat: what FIFO says of the same outputs, 0 where it does not arrive.
        sets: what may have come out of CoinJoins, a set for each that the walk met; none if the walk was cut off.
        flow: the haircut walk.
        fifo: the other.
        services: those that were asked with.
    """

    arrivals: tuple[Arrival, ...]
    fifo_sat: tuple[int, ...]
    sets: tuple[CandidateSet, ...]
    flow: Flow
    fifo: Flow
    services: Services

    @property
    def complete(self) -> bool:
        """False if a budget left something unfollowed; candidates are never complete."""
        return self.flow.complete and self.fifo.complete


def find_cash_out(
    reader: Reader,
    seeds: Seeds,
    services: Services,
    *,
    limits: Limits = LIMITS,
    rounds: int = 4,
    watch: Watch = lambda _passed, _waiting: False,
) -> CashOut:
    """Find where money arrived.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        seeds: where it begins; of a wallet, all its outputs: what comes back to it ends there and begins anew.
        services: where the walk stops.
        limits: when else it does.
        rounds: CoinJoins in a row that candidates are looked for behind; 0 for none.
        watch: sees progress, and may cancel.

    Raises:
        NotFound, UsageError: as for a trace.
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    deposits = Deposits(reader, Forest(reader), services)
    flow = trace(reader, seeds, HAIRCUT, limits=limits, services=services, watch=watch)
    fifo = trace(reader, seeds, FIFO, limits=limits, services=services, watch=watch)
    found = arrivals(reader, flow, deposits)
    other = {each.output: each.sat for each in arrivals(reader, fifo, deposits)}
    mixes = _mixes(reader, flow) if rounds and flow.complete else {}
    return CashOut(
        arrivals=found,
        fifo_sat=tuple(other.get(each.output, 0) for each in found),
        sets=tuple(
            behind(reader, tx_index, mixes[tx_index], deposits, services, rounds, watch=watch)
            for tx_index in sorted(mixes)
        ),
        flow=flow,
        fifo=fifo,
        services=services,
    )


def _mixes(reader: Reader, flow: Flow) -> Mixes:
    """What came to each CoinJoin."""
    parts = np.flatnonzero(flow.reason == Reason.COINJOIN.code)
    return mixes_of(reader, flow.output[parts], flow.sat[parts])
