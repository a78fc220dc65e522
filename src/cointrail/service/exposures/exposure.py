"""To whom is this wallet exposed: who paid it, whom did it pay, straight and through others?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cointrail.cluster.gate import kinds
from cointrail.ledger.reader import Reader
from cointrail.profile.exposure import exposure as method
from cointrail.profile.exposure import figures as figured
from cointrail.profile.exposure.exposure import LIMITS, Side
from cointrail.profile.exposure.gross import gross_by_transaction
from cointrail.profile.exposure.interval import MOST_TRANSACTIONS, interval_of
from cointrail.profile.exposure.ways import Way
from cointrail.profile.risk.evaluate import row_name
from cointrail.reports.names import Names
from cointrail.service.answers import Rule
from cointrail.service.attribution.choice import TagSource
from cointrail.service.exposures.answers import (
    NO_CLEARANCE,
    BoundsAnswer,
    CategoryExposure,
    Contribution,
    EntityExposure,
    ExposureAnswer,
    FiguresAnswer,
    SideExposure,
    WayAnswer,
)
from cointrail.service.exposures.found import Found, Half, Watched, find
from cointrail.service.exposures.sanctions import listing_answer, sanctions_of
from cointrail.service.names import snapshot_name, utc
from cointrail.service.prices.beside import Beside
from cointrail.service.tracing.found import UNNAMED, attributed
from cointrail.service.tracing.stops import rules_of
from cointrail.service.worth import FiatTotal
from cointrail.trace import bounds as flows
from cointrail.trace.limits import Limits
from cointrail.trace.policy import HAIRCUT
from cointrail.trace.reason import Reason

I64 = npt.NDArray[np.int64]

OWN: Final = "came back to the wallet"
LISTED_WAYS: Final = 1_000
LISTED_CONTRIBUTIONS: Final = 100
_TOO_MUCH: Final = f"more than {MOST_TRANSACTIONS:,} transactions would have to be looked through"
_TOO_MANY: Final = "there are too many ways to list; fewer hops have fewer"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of the detail is wanted: which page of every entity's ways, and whether bounds are computed."""

    first_way: int = 0
    ways: int = LISTED_WAYS
    bounds: bool = True


WHOLE: Final = Wanted()
FIGURES_ONLY: Final = Wanted(ways=0, bounds=False)


def exposure(
    reader: Reader,
    wallet: str,
    *,
    services: TagSource = None,
    overlay: Path | None = None,
    limits: Limits = LIMITS,
    wanted: Wanted = WHOLE,
    service_like: bool = False,
    watch: Watched = lambda _passed, _waiting: False,
    scoring: Watched = lambda _scored, _waiting: False,
    worth: Beside | None = None,
) -> ExposureAnswer:
    """Find the exposure of an address, or `cluster:ADDRESS`, on both sides.

    Args:
        reader: the ledger at a snapshot.
        wallet: who is asked about; tags of the wallet itself are not asked.
        services: tags; everybody whom they name ends a way, whatever the category.
        overlay: a file of corrections, applied to the wallet's cluster.
        limits: when else a way ends.
        wanted: how much of the detail.
        service_like: whether clusters end a way that behave like services and that no tag names: an inference.
        watch: sees progress, and may cancel.
        scoring: sees how clusters are scored the first time, and may stop it.
        worth: values amounts in money; nothing if not given.

    Raises:
        UsageError: an overlay is given for an address alone.
        InputRefused, NotFound: the address or a file is none, or the address is not in this snapshot.
        Unavailable: the ledger's clusters do not reach the snapshot.
    """
    found = find(
        reader,
        wallet,
        services=services,
        overlay=overlay,
        limits=limits,
        ways=wanted.ways > 0,
        service_like=service_like,
        scoring=scoring,
        watch=watch,
    )
    return answer_of(found, wanted, watch, worth)


def answer_of(
    found: Found,
    wanted: Wanted,
    watch: Watched = lambda _passed, _waiting: False,
    worth: Beside | None = None,
) -> ExposureAnswer:
    """The answer in names people use; for arguments see `exposure`."""
    worth = worth or Beside(found.reader)
    sides = {side: _Side(found, half, wanted, watch, worth).answer() for side, half in found.sides.items()}
    services = found.sides[Side.SENT].exposure.services
    rules = [Rule(method.RULE, method.VERSION), Rule(f"taint.{HAIRCUT.name}", HAIRCUT.version)]
    if not found.limits.through_coinjoins:
        rules += [Rule(*each) for each in kinds.RULES]
    if found.limits.cluster is not None or len(services.roots):
        rules += [Rule(*each) for each in found.reader.manifest.clustering.rules]
    rules += rules_of(services)
    if wanted.bounds:
        rules.append(Rule(*flows.RULE))
    return ExposureAnswer(
        wallet=found.text,
        scripts=len(found.wallet.scripts),
        received=sides[Side.RECEIVED],
        sent=sides[Side.SENT],
        sanctions=tuple(each for side in sides.values() for each in sanctions_of(side)),
        statement=NO_CLEARANCE,
        rules=tuple(dict.fromkeys(rules)),
        limits=asdict(found.limits),
        overlay=found.wallet.overlay,
        tags=found.tags,
        inferred=services.inferred,
        complete=found.complete,
        snapshot=snapshot_name(found.reader),
        prices=worth.prices,
    )


def reason_text(reason: Reason) -> str:
    """A reason as answers name it."""
    return OWN if reason is Reason.SEED else str(reason)


def _not_computed(reason: str) -> BoundsAnswer:
    return BoundsAnswer(computed=False, lower_sat=None, upper_sat=None, of_sat=None, exact=None, reason=reason)


class _Side:
    """One side while it is put into words.

    Args:
        found: both sides.
        half: this one.
        wanted: how much of the detail.
        watch: sees progress of bounds, and may cancel.
        worth: values amounts in money.
    """

    def __init__(self, found: Found, half: Half, wanted: Wanted, watch: Watched, worth: Beside) -> None:
        self._found, self._half, self._wanted, self._watch, self._worth = found, half, wanted, watch, worth
        self._exposure, self._names = half.exposure, Names(found.reader)
        services = half.exposure.services
        self._kinds = [kind or UNNAMED for kind in services.kinds]

    def answer(self) -> SideExposure:
        """The side."""
        exposure = self._exposure
        numbers = np.unique(exposure.service).tolist()
        categories = [
            self._category(kind, [each for each in numbers if self._kinds[each] == kind])
            for kind in sorted({self._kinds[each] for each in numbers})
        ]
        return SideExposure(
            side=str(exposure.side),
            outputs=0 if exposure.flow is None else len(exposure.flow.seeds.outputs),
            seed_sat=exposure.gross_sat + exposure.change_sat,
            change_sat=exposure.change_sat,
            gross_sat=exposure.gross_sat,
            categories=tuple(sorted(categories, key=lambda each: (-each.total.value_sat, each.category))),
            rest_sat={reason_text(reason): sat for reason, sat in exposure.rest.items()},
            transactions=0 if exposure.flow is None else len(exposure.flow.tx),
            whole_hops=exposure.whole_hops,
            complete=exposure.complete,
            gross_fiat=self._gross_fiat(),
        )

    def _gross_fiat(self) -> FiatTotal | None:
        if self._worth.prices is None:
            return None
        tx, sat = gross_by_transaction(self._found.reader, self._exposure)
        return self._worth.total_at(sat, self._names.heights(tx))

    @cached_property
    def _heights(self) -> I64:
        """Blocks of the services' transactions, int64 (a,)."""
        return self._names.heights(self._exposure.tx)

    def _category(self, kind: str, services: list[int]) -> CategoryExposure:
        rows = np.flatnonzero(np.isin(self._exposure.service, services))
        direct = self._exposure.direct[rows]
        entities = [self._entity(each) for each in services]
        return CategoryExposure(
            category=kind,
            total=self._figures(rows),
            direct=self._figures(rows[direct]),
            indirect=self._figures(rows[~direct]),
            bounds=self._bounds(services) if self._wanted.bounds else None,
            entities=tuple(sorted(entities, key=lambda each: (-each.total.value_sat, each.attributed.service))),
        )

    def _entity(self, service: int) -> EntityExposure:
        exposure, wanted = self._exposure, self._wanted
        rows = np.flatnonzero(exposure.service == service)
        direct = exposure.direct[rows]
        ways = None if self._half.ways is None else [way for way in self._half.ways if way.service == service]
        divided = figured.listing(self._found.reader, exposure, self._half.times, rows, service, ways)
        given = self._contributions(ways)
        names = [
            row_name(exposure.side, self._kinds[service], exposure.services.names[service], direct=each)
            for each in (True, False)
        ]
        return EntityExposure(
            attributed=attributed(exposure.services, service),
            categories=exposure.services.categories_of(service),
            total=self._figures(rows),
            direct=self._figures(rows[direct]),
            direct_whole_sat=self._whole(rows[direct]),
            indirect=self._figures(rows[~direct]),
            row_direct=names[0],
            row_indirect=names[1],
            listing=listing_answer(exposure.services.sanction_of(service), divided),
            ways=tuple(self._way(way.parts, way.sat) for way in self._page(ways)),
            ways_first=wanted.first_way,
            ways_total=None if ways is None else len(ways),
            contributions=tuple(given[:LISTED_CONTRIBUTIONS]),
            contributions_total=None if ways is None else len(given),
        )

    def _page(self, ways: Sequence[Way] | None) -> Sequence[Way]:
        return (ways or ())[self._wanted.first_way : self._wanted.first_way + self._wanted.ways]

    def _figures(self, rows: I64) -> FiguresAnswer:
        each, worth = figured.figures(self._exposure, self._half.times, rows), self._worth
        some = each.outputs > 0
        return FiguresAnswer(
            value_sat=each.sat,
            share_ppm=each.share_ppm,
            outputs=each.outputs,
            hops_min=each.hops_least if some else None,
            hops_median=each.hops_median if some else None,
            first_utc=utc(each.first_time) if some else None,
            last_utc=utc(each.last_time) if some else None,
            fiat=None if worth.prices is None else worth.total_at(self._exposure.sat[rows], self._heights[rows]),
        )

    def _whole(self, rows: I64) -> int:
        """Whole value of the outputs of direct arrivals: the service's, or the wallet's that its transactions made."""
        exposure, reader = self._exposure, self._found.reader
        if exposure.flow is None or not len(rows):
            return 0
        if exposure.side is Side.SENT:
            return int(self._names.values(exposure.flow.output[exposure.part[rows]]).sum())
        made = np.isin(reader.transaction_of_outputs(exposure.flow.seeds.outputs), exposure.tx[rows])
        return int(exposure.flow.seed_sat[made].sum())

    def _way(self, parts: tuple[int, ...], sat: int) -> WayAnswer:
        flow = self._exposure.flow
        assert flow is not None
        ends = self._names.outpoints(flow.output[[parts[0], parts[-1]]])
        tx = flow.tx[flow.next_step[list(parts[:-1])]]
        fiat = self._worth.at(sat, int(self._names.heights(tx[-1:])[0]))
        return WayAnswer(sat, len(parts) - 1, tuple(self._names.txids(tx)), ends[0], ends[1], fiat)

    def _contributions(self, ways: Sequence[Way] | None) -> list[Contribution]:
        flow = self._exposure.flow
        if flow is None or not ways:
            return []
        sums: Counter[int] = Counter()
        for way in ways:
            sums[int(flow.output[way.parts[0]])] += way.sat
        ordered = sorted(sums, key=lambda output: (-sums[output], output))
        names = self._names.outpoints(np.array(ordered, np.int64))
        return [Contribution(name, sums[output]) for name, output in zip(names, ordered, strict=True)]

    def _bounds(self, services: list[int]) -> BoundsAnswer:
        found, numbers = self._found, frozenset(services)
        if self._half.ways is None:
            return _not_computed(_TOO_MANY)
        ways = [way for way in self._half.ways if way.service in numbers]
        interval = interval_of(found.reader, self._exposure, ways, limits=found.limits, watch=self._watch)
        if interval is None:
            return _not_computed(_TOO_MUCH)
        return BoundsAnswer(
            computed=True,
            lower_sat=interval.lower_sat,
            upper_sat=interval.upper_sat,
            of_sat=interval.of_sat,
            exact=interval.exact,
            reason=None,
        )
