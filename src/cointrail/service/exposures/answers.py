"""Answers about exposure. Amounts are integer satoshi, shares millionths of the wallet's gross, rounded down."""

from dataclasses import dataclass
from typing import Final

from cointrail.service.answers import INFERENCE, Basis, Rule, SnapshotName
from cointrail.service.tracing.found import Attributed
from cointrail.service.tracing.tags_used import TagsUsed
from cointrail.service.worth import FiatPrices, FiatTotal, FiatValue
from cointrail.trace.services import Inferred

NO_CLEARANCE: Final = (
    "What is not named by these tags, or lies beyond a limit or a CoinJoin, is not seen: no hit is no clearance."
)


@dataclass(frozen=True, slots=True)
class FiguresAnswer:
    """Sums of some arrivals.

    `outputs` counts them. `hops` are transactions between wallet and service, the service's included: the fewest, and
    the smallest number by which at least half of the value came. Times are those of the service's transactions; `fiat`,
    if asked for, sums the arrivals at them.
    """

    value_sat: int
    share_ppm: int
    outputs: int
    hops_min: int | None
    hops_median: int | None
    first_utc: str | None
    last_utc: str | None
    fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class BoundsAnswer:
    """At least and at most so much, under every convention that conserves value.

    Of outputs that hold `of_sat`: sent, those at which haircut arrived; received, those of the wallet that it led to.
    `exact`: no limit made it wider. `computed` is False, and all else None, where that took more than the budget;
    `reason` says so.
    """

    computed: bool
    lower_sat: int | None
    upper_sat: int | None
    of_sat: int | None
    exact: bool | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ListingAnswer:
    """That a tag calls the service sanctioned, and what came before and after its listing; `by` says who says so.

    By the time of the service's transaction; `ended_sat` came from `until_utc` on, when the listing was over, and is
    not in `after_sat`. `own_after_sat` is what of `after_sat` the wallet's own transaction moved during the listing
    too, None if ways were not made. Without a day (`since_utc` None) nothing is divided.
    """

    by: str
    since_utc: str | None
    until_utc: str | None
    before_sat: int | None
    after_sat: int | None
    ended_sat: int | None
    own_after_sat: int | None


@dataclass(frozen=True, slots=True)
class WayAnswer:
    """A chain of transactions between wallet and service, and the satoshis that took it.

    `txids` from the wallet's own transaction to the service's; `output` is the wallet's, `service_output` the
    service's. Ways are listed the greatest first. `fiat`, if asked for: worth of `sat` at the time of the service's
    transaction.
    """

    sat: int
    hops: int
    txids: tuple[str, ...]
    output: str
    service_output: str
    fiat: FiatValue | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """How much of the arrivals one output of the wallet gives (sent) or has (received)."""

    output: str
    sat: int


@dataclass(frozen=True, slots=True)
class EntityExposure:
    """Exposure to one service; `row_direct` and `row_indirect` are the names by which risk components refer to it.

    `categories` are all that tags say it is; `listing` is None if none says that it is sanctioned. `direct` is by
    transactions of the wallet itself; `direct_whole_sat` is the whole value of the outputs by which: of the service
    (sent), of the wallet (received); it is more than `direct` where others paid in the same transaction.
    `ways` are some of `ways_total`, from number `ways_first`; `ways_total` is None where there were too many to list.
    `contributions` are some of `contributions_total`.
    """

    attributed: Attributed
    categories: tuple[str, ...]
    total: FiguresAnswer
    direct: FiguresAnswer
    direct_whole_sat: int
    indirect: FiguresAnswer
    row_direct: str
    row_indirect: str
    listing: ListingAnswer | None
    ways: tuple[WayAnswer, ...]
    ways_first: int
    ways_total: int | None
    contributions: tuple[Contribution, ...]
    contributions_total: int | None


@dataclass(frozen=True, slots=True)
class CategoryExposure:
    """Exposure to a category; its services by value, the most first."""

    category: str
    total: FiguresAnswer
    direct: FiguresAnswer
    indirect: FiguresAnswer
    bounds: BoundsAnswer | None
    entities: tuple[EntityExposure, ...]


@dataclass(frozen=True, slots=True)
class SideExposure:
    """One side: what the wallet received, or what it sent.

    `seed_sat` is what its outputs hold, `change_sat` what of it the wallet paid itself; `gross_sat` is the rest.
    Categories and `rest_sat`, by reason, sum to `gross_sat` to the satoshi. `gross_fiat`, if asked for, sums the gross
    of each transaction of the wallet at its time; categories have other times, so in money they do not sum to it.
    Within `whole_hops` transactions all was followed: fewer than were asked for if the budget allowed no more.
    """

    side: str
    outputs: int
    seed_sat: int
    change_sat: int
    gross_sat: int
    categories: tuple[CategoryExposure, ...]
    rest_sat: dict[str, int]
    transactions: int
    whole_hops: int | None
    complete: bool
    gross_fiat: FiatTotal | None = None


@dataclass(frozen=True, slots=True)
class SanctionAnswer:
    """Exposure to one entity on one side that a tag says is sanctioned, whatever others call it."""

    side: str
    attributed: Attributed
    value_sat: int
    direct_sat: int
    listing: ListingAnswer
    statement: str


@dataclass(frozen=True, slots=True)
class ExposureAnswer:
    """Exposure of a wallet.

    `sanctions` has everybody whom a tag calls sanctioned. `tags` is None if the question was asked without any;
    `inferred`, if asked for, are services that no tag names. If money was asked for, amounts in it are by `prices`.
    """

    wallet: str
    scripts: int
    received: SideExposure
    sent: SideExposure
    sanctions: tuple[SanctionAnswer, ...]
    statement: str
    rules: tuple[Rule, ...]
    limits: dict[str, int | bool | None]
    overlay: str | None
    tags: TagsUsed | None
    complete: bool
    snapshot: SnapshotName
    basis: Basis = INFERENCE
    inferred: Inferred | None = None
    prices: FiatPrices | None = None
