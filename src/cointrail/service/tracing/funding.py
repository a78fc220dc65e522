"""Who paid this address or wallet, and which service did the money come from?"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cointrail.cluster.gate.kinds import RULES as GATE
from cointrail.cluster.gate.kinds import kind_of
from cointrail.ledger.reader import Reader
from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.attribution.choice import TagSource
from cointrail.service.names import snapshot_name
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
from cointrail.service.tracing.stops import find_stops, rules_of
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue
from cointrail.trace.finders import funding as finder
from cointrail.trace.finders.funding import LIMITS, Funding, Payment, find_funding
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import Reason
from cointrail.trace.services import Inferred

OWN: Final = "the wallet itself"


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What of a payment left a service: `withdrawal` is the output that did, `sat` the part of the payment, by haircut.

    `hops`: transactions between the withdrawal and the payment, the payment's own included; 0 if it is the payment.
    `fiat`, if asked for: what `sat` was worth at the payment's time.
    """

    attributed: Attributed
    withdrawal: OutputPlace
    sat: int
    hops: int
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class CoinJoinStop:
    """A CoinJoin that a part of a payment came out of: nothing is said beyond it. `fiat` as of the payment's time."""

    transaction: Place
    kind: str
    sat: int
    hops: int
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class ReceivedStop:
    """A transaction in which somebody unknown paid the payer a part of a payment. `fiat` as of the payment's time."""

    transaction: Place
    sat: int
    hops: int
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """A payment and where it came from.

    `received`: transactions in which somebody unknown paid the payer: beyond them it was another party's money. What
    came from neither of these nor from a service is `rest_sat`, by reason.
    """

    payment: OutputPlace
    verdict: str
    route: str
    transactions: int
    sources: tuple[SourceAnswer, ...]
    coinjoins: tuple[CoinJoinStop, ...]
    received: tuple[ReceivedStop, ...]
    rest_sat: dict[str, int]


@dataclass(frozen=True, slots=True)
class ServiceTotal:
    """A service in sum: payments that came from it at least in part, withdrawals, and satoshis by haircut."""

    attributed: Attributed
    payments: int
    direct: int
    withdrawals: int
    sat: int
    fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class FundingAnswer:
    """Who paid.

    `services` by what came from each, the most first. `coinjoin_sat` came out of CoinJoins, `received_sat` from
    somebody unknown, `rest_sat` ended for other reasons; with what came from services they sum to `paid_sat`.
    `verdicts` counts payments. If money was asked for, `fiat` values what was paid, `coinjoin_fiat` and
    `received_fiat` the parts, each at its payment's time, by `prices`. `inferred`, if asked for: services that no tag
    names.
    """

    wallet: str
    scripts: int
    paid_sat: int
    services: tuple[ServiceTotal, ...]
    coinjoin_sat: int
    received_sat: int
    rest_sat: dict[str, int]
    verdicts: dict[str, int]
    payments: tuple[PaymentAnswer, ...]
    rules: tuple[Rule, ...]
    limits: dict[str, int | bool | None]
    overlay: str | None
    tags: TagsUsed | None
    complete: bool
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    fiat: FiatTotal | None = None
    coinjoin_fiat: FiatTotal | None = None
    received_fiat: FiatTotal | None = None
    prices: FiatPrices | None = None
    inferred: Inferred | None = None


def funding(
    reader: Reader,
    wallet: str,
    *,
    services: TagSource = None,
    service_like: bool = False,
    overlay: Path | None = None,
    limits: Limits = LIMITS,
    watch: Callable[[int, int], bool] = lambda _passed, _waiting: False,
    scoring: Callable[[int, int], bool] = lambda _scored, _waiting: False,
    worth: Beside | None = None,
) -> FundingAnswer:
    """Find who paid an address, or `cluster:ADDRESS`.

    Args:
        reader: the ledger at a snapshot.
        wallet: who is asked about.
        services: files of tags, or the database: where the walk stops, and whose names it finds.
        service_like: whether it ends at clusters that behave like services, too; see `stops`.
        overlay: a file of corrections, applied to the wallet's cluster.
        limits: when else it stops.
        watch: sees progress, and may cancel.
        scoring: sees how clusters are scored, and may stop it.
        worth: values amounts in money; nothing if not given.

    Raises:
        UsageError: an overlay is given for an address alone.
        InputRefused, NotFound: the address or a file is none, or the address is not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot.
        Interrupted: it was stopped while clusters were scored.
    """
    asked = wallet_of(reader, wallet, overlay)
    stops, tags = find_stops(reader, services, service_like=service_like, scoring=scoring)
    found = find_funding(reader, asked.scripts, stops, limits=limits, watch=watch)
    worth = worth or Beside(reader)
    payments = tuple(_payment(reader, found, each, worth) for each in found.payments)
    coinjoins = [stop for each in payments for stop in each.coinjoins]
    received = [stop for each in payments for stop in each.received]
    rest: Counter[str] = Counter()
    for each in payments:
        rest.update(each.rest_sat)
    return FundingAnswer(
        wallet=wallet,
        scripts=len(asked.scripts),
        paid_sat=sum(each.sat for each in found.payments),
        services=_totals(payments, worth),
        coinjoin_sat=sum(stop.sat for stop in coinjoins),
        received_sat=sum(stop.sat for stop in received),
        rest_sat=dict(rest),
        verdicts=dict(Counter(each.verdict for each in payments)),
        payments=payments,
        rules=(
            Rule(finder.RULE, finder.VERSION),
            Rule(f"taint.{HAIRCUT.name}", HAIRCUT.version),
            *(Rule(*each) for each in (found.flow.asked.gate if found.flow else GATE)),
            *rules_of(stops),
        ),
        limits=asdict(limits),
        overlay=asked.overlay,
        tags=tags,
        complete=found.complete,
        snapshot=snapshot_name(reader),
        fiat=worth.total((each.payment.value_sat, each.payment.fiat) for each in payments),
        coinjoin_fiat=worth.total((stop.sat, stop.fiat) for stop in coinjoins),
        received_fiat=worth.total((stop.sat, stop.fiat) for stop in received),
        prices=worth.prices,
        inferred=stops.inferred,
    )


def _payment(reader: Reader, found: Funding, payment: Payment, worth: Beside) -> PaymentAnswer:
    place = output_place(reader, payment.output, worth)

    def at_payment(sat: int) -> FiatValue | None:
        return worth.at(sat, place.height)

    return PaymentAnswer(
        payment=place,
        verdict=str(payment.verdict(found.services)),
        route=str(payment.route),
        transactions=payment.passed,
        sources=tuple(
            SourceAnswer(
                attributed=attributed(found.services, each.service),
                withdrawal=output_place(reader, each.output, worth),
                sat=each.sat,
                hops=each.hops,
                fiat=at_payment(each.sat),
            )
            for each in payment.sources
        ),
        coinjoins=tuple(
            CoinJoinStop(
                transaction=transaction_place(reader, each.tx_index),
                kind=str(kind_of(each.signs)),
                sat=each.sat,
                hops=each.hops,
                fiat=at_payment(each.sat),
            )
            for each in payment.coinjoins
        ),
        received=tuple(
            ReceivedStop(transaction_place(reader, each.tx_index), each.sat, each.hops, at_payment(each.sat))
            for each in payment.received
        ),
        rest_sat=_rest(payment),
    )


def _rest(payment: Payment) -> dict[str, int]:
    rest: Counter[str] = Counter()
    for reason, sat in payment.rest.items():
        rest[OWN if reason in (Reason.SEED, Reason.TARGET) else str(reason)] += sat
    return dict(rest)


def _totals(payments: tuple[PaymentAnswer, ...], worth: Beside) -> tuple[ServiceTotal, ...]:
    came = [(number, each) for number, payment in enumerate(payments) for each in payment.sources]
    totals = []
    for named in dict.fromkeys(each.attributed for _, each in came):
        own = [(number, each) for number, each in came if each.attributed == named]
        totals.append(
            ServiceTotal(
                attributed=named,
                payments=len({number for number, _ in own}),
                direct=len({number for number, each in own if each.hops == 0}),
                withdrawals=len({each.withdrawal.outpoint for _, each in own}),
                sat=sum(each.sat for _, each in own),
                fiat=worth.total((each.sat, each.fiat) for _, each in own),
            )
        )
    return tuple(sorted(totals, key=lambda each: (-each.sat, each.attributed.service)))
