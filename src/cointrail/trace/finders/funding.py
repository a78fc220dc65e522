"""The funding finder: who paid these scripts, and out of which service did each payment come?

A haircut walk backward from all payments at once, a label each. It stops where a transaction spends what a service
holds: money inside a service is its customers' together, and what left it is named by the transaction that did. It
stops at CoinJoins, at the wallet that is asked about, and where the payer received the money from somebody else. What
was received is found on a first walk that does not ask for it. A payment is an output that pays one of the scripts,
made by a transaction that spends nothing of them. Method: METHODS.md 6.3; docs/methods/funding.md; FEATURES.md 31.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.forest.view import Forest
from cointrail.ledger.reader import Reader
from cointrail.trace.finders.own import apart_from, outputs_of, spenders_of
from cointrail.trace.finders.received import received
from cointrail.trace.flow import Direction, Flow
from cointrail.trace.limits import LEAD, Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import REASONS, Reason
from cointrail.trace.seeds import Seeds
from cointrail.trace.services import Services
from cointrail.trace.walk import Watch, trace

I64 = npt.NDArray[np.int64]

RULE: Final = "funding"
VERSION: Final = 2
EXCHANGE_KIND: Final = "exchange"
RECEIVED: Final = "received from somebody unknown"
_PEEL = 1, 2
"""Inputs and outputs of a step."""

LIMITS: Final = replace(LEAD, min_sat=0, min_share_ppm=0, transactions=1_000_000)
"""100 hops, and no threshold of value: of many payments together each is a small share."""


class Route(StrEnum):
    """How a payment came from where the walk stopped."""

    DIRECT = "direct"
    """The payment's own transaction spends what a service holds."""
    ONE_HOP = "one hop"
    PEEL = "peel chain"
    """Two or more transactions between, all of one input and two outputs."""
    THROUGH = "several transactions"


class Verdict(StrEnum):
    """What can be said of a payment."""

    EXCHANGE = "exchange"
    NOT_TRACEABLE = "not_traceable_beyond"
    """A CoinJoin or a service that is no exchange stands between, or somebody else who is not known."""
    NO_EXCHANGE = "no_exchange_found"


@dataclass(frozen=True, slots=True)
class Source:
    """What of a payment left a service by one output.

    Attributes:
        service: number of the service.
        tx_index: the transaction that spends what the service holds: the withdrawal.
        output: output_index of its output that leads to the payment.
        sat: of the payment, that came this way.
        hops: transactions between this output and the payment, the payment's own included; 0 if it is the payment.
    """

    service: int
    tx_index: int
    output: int
    sat: int
    hops: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A CoinJoin that a payment came out of; `signs` are the gate's, `sat` is the part of the payment."""

    tx_index: int
    signs: int
    sat: int
    hops: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment and where it came from; the amounts of `sources`, `coinjoins`, `received` and `rest` sum to `sat`.

    Attributes:
        output, tx_index: which output, made by which transaction.
        sat: its value.
        route, passed: how it came, and through how many transactions, its own included and withdrawals left out.
        sources: services that it came out of, in order of their withdrawals.
        coinjoins: where the trail ends.
        received: transactions in which somebody unknown paid the payer; `signs` is 0.
        rest: satoshis that ended for another reason.
    """

    output: int
    tx_index: int
    sat: int
    route: Route
    passed: int
    sources: tuple[Source, ...]
    coinjoins: tuple[Stop, ...]
    received: tuple[Stop, ...]
    rest: dict[Reason, int]

    def found(self, services: Services, kind: str = EXCHANGE_KIND) -> tuple[Source, ...]:
        """The sources of one category."""
        return tuple(each for each in self.sources if services.kinds[each.service] == kind)

    def beyond(self, services: Services) -> tuple[tuple[int, str], ...]:
        """Transactions beyond which nothing can be traced, each with the reason."""
        closed = [
            (each.tx_index, str(Reason.SERVICE))
            for each in self.sources
            if services.kinds[each.service] != EXCHANGE_KIND
        ]
        mixed = [(each.tx_index, str(Reason.COINJOIN)) for each in self.coinjoins]
        return tuple(sorted({*closed, *mixed, *((each.tx_index, RECEIVED) for each in self.received)}))

    def verdict(self, services: Services) -> Verdict:
        """In one word; an exchange is named only for what no mix and no other service stands before."""
        if self.found(services):
            return Verdict.EXCHANGE
        return Verdict.NOT_TRACEABLE if self.beyond(services) else Verdict.NO_EXCHANGE


@dataclass(frozen=True, slots=True, eq=False)
class Funding:
    """All payments of one question, in chain order.

    Attributes:
        payments: see `Payment`.
        services: those that were asked with, the wallet itself the last of them.
        flow: the walk.
    """

    payments: tuple[Payment, ...]
    services: Services
    flow: Flow | None

    @property
    def complete(self) -> bool:
        """False if a budget left something unfollowed."""
        return self.flow is None or self.flow.complete


def payments_to(reader: Reader, outputs: I64) -> I64:
    """Those outputs of a wallet that somebody else paid: their transaction spends none of its outputs."""
    makers = reader.transaction_of_outputs(outputs)
    return outputs[~np.isin(makers, spenders_of(reader, outputs))]


def find_funding(
    reader: Reader,
    scripts: I64,
    services: Services,
    *,
    limits: Limits = LIMITS,
    watch: Watch = lambda _passed, _waiting: False,
) -> Funding:
    """Find who paid.

    Args:
        reader: the ledger at a snapshot; call its `check_current` before giving the answer away.
        scripts: script_id of the wallet that is asked about.
        services: where the walk stops.
        limits: when else it does.
        watch: sees progress, and may cancel.

    Raises:
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    known, own = apart_from(services, Forest(reader), scripts), outputs_of(reader, scripts)
    payments = payments_to(reader, own)
    if not len(payments):
        return Funding((), known, None)
    seeds = Seeds.labelled(payments, np.arange(len(payments)), [""] * len(payments))
    returned = np.setdiff1d(own, payments)

    def walk(targets: I64) -> Flow:
        return trace(
            reader,
            seeds,
            HAIRCUT,
            direction=Direction.BACKWARD,
            limits=limits,
            services=known,
            targets=targets,
            watch=watch,
        )

    from_others = _received(reader, walk(returned), payments)
    flow = walk(np.concatenate([returned, from_others]))
    return Funding(tuple(_payments(reader, flow, from_others)), known, flow)


def _received(reader: Reader, flow: Flow, payments: I64) -> I64:
    """Outputs on the way that somebody unknown paid to the payer: no service, and not the wallet that is asked about.

    Payments themselves are none.
    """
    ends = [each.code for each in (Reason.SERVICE, Reason.SEED, Reason.TARGET)]
    known = np.unique(flow.maker[np.isin(flow.reason, ends)])
    followed = (flow.next_step >= 0) & (flow.maker >= 0) & ~np.isin(flow.next_step, known)
    outputs = np.unique(flow.output[followed & (flow.output >= 0)])
    return outputs[received(reader, outputs, payments)]


def _payments(reader: Reader, flow: Flow, from_others: I64) -> Iterator[Payment]:
    part = np.repeat(np.arange(len(flow.output)), np.diff(flow.first_piece))
    order = np.lexsort((part, flow.label))
    ends = np.searchsorted(flow.label[order], np.arange(len(flow.seeds.outputs) + 1))
    rows = _Rows(reader, flow, from_others)
    for number, output in enumerate(flow.seeds.outputs.tolist()):
        pieces = order[ends[number] : ends[number + 1]]
        way = _Way(rows, zip(part[pieces].tolist(), flow.length[pieces].tolist(), strict=True))
        yield way.payment(output, rows.made_by[number], int(flow.seed_sat[number]))


class _Rows:
    """The columns of a walk that are read row by row, as lists."""

    def __init__(self, reader: Reader, flow: Flow, from_others: I64) -> None:
        self.from_others = frozenset(from_others.tolist())
        self.reason, self.detail = flow.reason.tolist(), flow.detail.tolist()
        self.output, self.next, self.maker = flow.output.tolist(), flow.next_step.tolist(), flow.maker.tolist()
        self.tx = flow.tx.tolist()
        self.made_by = reader.transaction_of_outputs(np.maximum(flow.output, 0)).tolist()
        shape = ((len(reader.inputs_of(each)), len(reader.outputs_of(each))) for each in self.tx)
        self.peels = [each == _PEEL for each in shape]


class _Way:
    """The pieces of one payment, in the order in which the walk made them: those consumed before those they became.

    Args:
        rows: of the walk.
        pieces: (part, satoshis of this payment in it).
    """

    def __init__(self, rows: _Rows, pieces: Iterable[tuple[int, int]]) -> None:
        self._rows = rows
        self._hops: dict[int, int] = {}  # of each step: transactions between what it makes and the payment
        self._through: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # (output, sat) a step made
        self._left: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._mixed: dict[int, Stop] = {}
        self._received: dict[int, Stop] = {}
        self._rest: defaultdict[Reason, int] = defaultdict(int)
        for part, sat in pieces:
            self._read(part, sat)

    def _read(self, part: int, sat: int) -> None:
        rows = self._rows
        maker, step = rows.maker[part], rows.next[part]
        hops = self._hops[maker] + 1 if maker >= 0 else 0
        if step >= 0:
            self._hops[step] = min(self._hops.get(step, hops), hops)
            self._through[step].append((rows.output[part], sat))
            return
        reason = REASONS[rows.reason[part]]
        if reason is Reason.SERVICE and maker >= 0:
            self._left[maker][rows.detail[part]] += sat
        elif reason is Reason.COINJOIN:
            self._stop(self._mixed, part, sat, hops)
        elif reason is Reason.TARGET and rows.output[part] in rows.from_others:
            self._stop(self._received, part, sat, hops)
        elif reason is not None:
            self._rest[reason] += sat

    def _stop(self, stops: dict[int, Stop], part: int, sat: int, hops: int) -> None:
        tx_index = self._rows.made_by[part]
        known = stops.get(tx_index, Stop(tx_index, self._rows.detail[part], 0, hops))
        stops[tx_index] = replace(known, sat=known.sat + sat, hops=min(known.hops, hops))

    def payment(self, output: int, tx_index: int, sat: int) -> Payment:
        """The answer."""
        between = [step for step in self._hops if step not in self._left]
        sources = [each for step in self._left for each in self._sources(step)]
        return Payment(
            output=output,
            tx_index=tx_index,
            sat=sat,
            route=self._route(between),
            passed=len(between),
            sources=tuple(sorted(sources, key=lambda each: (each.tx_index, each.output, each.service))),
            coinjoins=tuple(self._mixed[each] for each in sorted(self._mixed)),
            received=tuple(self._received[each] for each in sorted(self._received)),
            rest=dict(self._rest),
        )

    def _route(self, between: list[int]) -> Route:
        if len(between) > 1:
            return Route.PEEL if all(self._rows.peels[step] for step in between) else Route.THROUGH
        return Route.ONE_HOP if between else Route.DIRECT

    def _sources(self, step: int) -> Iterator[Source]:
        """What a withdrawal's outputs have of each service, pro rata, to the satoshi."""
        made = self._through[step]
        for service, total in self._left[step].items():
            for (output, _), sat in zip(made, _shared(total, [sat for _, sat in made]), strict=True):
                yield Source(service, self._rows.tx[step], output, sat, self._hops[step])


def _shared(total: int, weights: list[int]) -> list[int]:
    """Divide by largest remainder, ties to the first."""
    whole = sum(weights) or 1
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return parts
